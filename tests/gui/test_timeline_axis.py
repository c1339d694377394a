"""The time axis' sums, and where keyframes may go."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.gui.timeline.axis import Axis, clock, parse_clock, place_text, snapped, tick_text
from igm_gui.latent.point import LatentPoint
from igm_gui.session import actions
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState
from igm_gui.timeline.timeline import Keyframe, Timeline

lengths = st.floats(0.1, 3600.0)
axes = st.builds(
    lambda length, width, zoom, part: Axis(length, width, 14.0, zoom, part * length).clamped(),
    lengths,
    st.floats(50.0, 4000.0),
    st.floats(1.0, 400.0),
    st.floats(0.0, 1.0),
)


@given(axes, st.floats(0.0, 1.0))
def test_pixels_and_seconds_undo_each_other(axis: Axis, part: float) -> None:
    seconds = part * axis.length
    assert axis.seconds(axis.x(seconds)) == pytest.approx(seconds, abs=1e-6 * axis.length)


@given(axes, st.floats(0.05, 20.0), st.floats(0.0, 1.0))
def test_zoom_keeps_the_time_under_the_pointer(axis: Axis, factor: float, part: float) -> None:
    x = axis.left + part * axis.width
    held = axis.start + part * axis.span
    after = axis.zoomed(factor, x)
    assert 0 <= after.start <= after.length - after.span + 1e-9
    inside = 0 < after.start < after.length - after.span
    if inside:
        assert after.x(held) == pytest.approx(x, abs=1e-3 * axis.width)


@given(axes, st.floats(0.0, 1.0))
def test_following_brings_the_moment_into_sight(axis: Axis, part: float) -> None:
    seconds = part * axis.length
    shown = axis.showing(seconds)
    assert shown.start - 1e-6 <= seconds <= shown.start + shown.span + 1e-6


@given(axes)
def test_numbered_ticks_leave_room_for_their_text(axis: Axis) -> None:
    numbered = [axis.x(seconds) for seconds, is_numbered in axis.ticks() if is_numbered]
    assert len(list(axis.ticks())) < 2000
    gaps = [b - a for a, b in itertools.pairwise(numbered)]
    assert all(gap >= 63.9 for gap in gaps)


@given(axes, st.sampled_from([12.0, 24.0, 25.0, 30.0, 60.0, 29.97]), st.floats(-0.1, 1.1), st.booleans())
def test_snapping_moves_little_and_stays_inside(axis: Axis, fps: float, part: float, on: bool) -> None:
    seconds = part * axis.length
    at = snapped(axis, fps, seconds, [0.5 * axis.length], on=on)
    assert 0 <= at <= axis.length
    if 0 <= seconds <= axis.length:
        assert abs(at - seconds) <= max(6.0 / axis.scale, 0.5 / fps) + 1e-9


def test_snapping_prefers_the_nearest_mark() -> None:
    axis = Axis(8.0, 800.0)
    assert snapped(axis, 30, 3.03, [3.01]) == 3.01
    assert snapped(axis, 30, 3.03, [3.01], on=False) == pytest.approx(91 / 30)


@given(st.floats(0.0, 5999.0))
def test_clock_text_can_be_typed_back(seconds: float) -> None:
    assert parse_clock(clock(seconds)) == pytest.approx(seconds, abs=0.0051)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("14", 14.0), ("1:30", 90.0), ("00:05.20", 5.2), ("1:00:00", 3600.0), (" 2.5s", 2.5)],
)
def test_times_that_people_type(text: str, seconds: float) -> None:
    assert parse_clock(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "abc", "1:x", "-3", "nan", "1e99"])
def test_what_is_no_time(text: str) -> None:
    assert parse_clock(text) is None


def test_tick_texts() -> None:
    assert [tick_text(0.4, 0.2), tick_text(1.0, 0.5), tick_text(3, 1), tick_text(150, 30)] == [
        "0.4s",
        "1s",
        "3s",
        "2:30",
    ]


def keys(*times: float, **more: object) -> Timeline:
    frames = tuple(Keyframe(t, LatentPoint((("x", float(i)),)), f"k{i}") for i, t in enumerate(times))
    return Timeline(frames, **more)  # type: ignore[arg-type]


def test_place_is_told_in_words() -> None:
    timeline = keys(1.0, 3.0, length=14.0, fps=60.0, loop=False)
    assert place_text(timeline, 0.5) == "frame 31 of 840 · before key 1"
    assert place_text(timeline, 1.0) == "frame 61 of 840 · on key 1"
    assert place_text(timeline, 1.22) == "frame 74 of 840 · between key 1 and 2 (11 %)"
    assert place_text(timeline, 9.0) == "frame 541 of 840 · after key 2"
    assert place_text(replace(timeline, loop=True), 8.5).endswith("between key 2 and 1 (50 %)")
    assert place_text(Timeline(), 0.0) == "frame 1 of 240 · no keyframes"


@given(st.integers(0, 2000), st.sampled_from([12.0, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 240.0]))
def test_frame_i_is_on_show_at_i_over_fps(index: int, fps: float) -> None:
    timeline = Timeline(length=200.0, fps=fps)
    assert timeline.frame_at(index / fps) == min(index, timeline.frames - 1)


times = st.lists(st.integers(0, 240), min_size=1, max_size=12, unique=True)


@given(times, st.data())
def test_moved_keyframes_never_share_a_moment(ticks: list[int], data: st.DataObject) -> None:
    timeline = keys(*(tick / 30 for tick in sorted(ticks)), length=8.0)
    session = Session(SessionState(timeline=timeline))
    ids = data.draw(st.lists(st.sampled_from([k.id for k in timeline.keyframes]), unique=True, min_size=1))
    shift = data.draw(st.integers(-240, 240)) / 30
    moved = {k.id: k.time + shift for k in timeline.keyframes if k.id in ids}
    actions.move_keyframes(session, moved)
    after = session.state.timeline
    assert {k.id for k in after.keyframes} == {k.id for k in timeline.keyframes}
    stands = [k.time for k in after.keyframes]
    assert all(0 <= time <= 8.0 for time in stands)
    assert all(b - a > 1e-7 for a, b in itertools.pairwise(stands))
    if session.can_undo:
        session.undo()
    assert session.state.timeline == timeline


@given(times, st.floats(0.0, 3.0))
def test_duplicates_keep_points_and_easing(ticks: list[int], offset: float) -> None:
    timeline = keys(*(tick / 30 for tick in sorted(ticks)), length=8.0)
    session = Session(SessionState(timeline=timeline))
    first = timeline.keyframes[0]
    actions.set_easing(session, [first.id], "hold")
    (made,) = actions.duplicate_keyframes(session, [first.id], offset)
    copy = session.state.timeline.keyframe(made)
    assert copy is not None
    assert copy.point == first.point
    assert copy.easing == "hold"
    assert len(session.state.timeline.keyframes) == len(ticks) + 1


def test_a_length_ends_no_sooner_than_the_last_keyframe() -> None:
    session = Session(SessionState(timeline=keys(0.0, 5.0)))
    actions.set_timeline(session, length=2.0)
    assert session.state.timeline.length == 5.0
    actions.delete_keyframes(session, ["k1"])
    actions.set_timeline(session, length=2.0)
    assert session.state.timeline.length == 2.0
