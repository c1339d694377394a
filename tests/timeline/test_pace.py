"""Constant pace: what is measured becomes times and bends, and goes when the way is another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.session import actions
from igm_gui.session.codec import timeline_from_json, timeline_to_json
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState
from igm_gui.timeline import Keyframe, Timeline
from igm_gui.timeline.pace import PARTS, STEPS, UNSEEN, bent, retimed, settled, stretches, table, unpaced

steps = st.lists(st.floats(0, 100), min_size=STEPS, max_size=STEPS)


def point(value: float) -> LatentPoint:
    return LatentPoint((("z", Vector(np.full(4, value, np.float32))),), int(value))


def timeline(*times: float, loop: bool = True, **more) -> Timeline:
    keys = tuple(Keyframe(time, point(i + 1.0), f"k{i}", "ease") for i, time in enumerate(times))
    return Timeline(keys, 10.0, 10.0, loop, "lerp", **more)


@given(steps)
def test_a_table_rises_from_start_to_end_and_its_parts_change_as_much(distances: list[float]) -> None:
    pace = table(distances)
    if not sum(distances) > UNSEEN:
        assert pace == ()
        return
    assert len(pace) == PARTS + 1
    assert (pace[0], pace[-1]) == (0.0, 1.0)
    assert list(pace) == sorted(pace)
    reached = np.interp(pace, np.linspace(0, 1, STEPS + 1), np.concatenate([[0], np.cumsum(distances)]))
    total = sum(distances)
    np.testing.assert_allclose(np.diff(reached), total / PARTS, rtol=0.02, atol=0.002 * total)


@given(st.floats(0, 1), st.floats(0, 1), steps)
def test_bent_time_goes_only_forward_and_meets_its_ends(a: float, b: float, distances: list[float]) -> None:
    key = Keyframe(0.0, point(1), easing="linear", pace=table(distances))
    assert key.fraction(min(a, b)) <= key.fraction(max(a, b))
    assert (key.fraction(0.0), key.fraction(1.0)) == (0.0, 1.0)


@given(st.lists(st.floats(0.5, 50), min_size=4, max_size=4), st.booleans())
def test_keyframes_are_reached_as_far_apart_as_they_look(lengths: list[float], loop: bool) -> None:
    before = timeline(0.5, 1.0, 4.0, 8.0, loop=loop)
    ways = dict(zip([a for a, _ in stretches(before)], lengths, strict=False))
    after = retimed(before, ways)
    times = [key.time for key in after.keyframes]
    assert times[0] == 0.5
    assert times == sorted(set(times))
    assert (after.length, [k.point for k in after.keyframes]) == (10.0, [k.point for k in before.keyframes])
    ends = [*times[1:], 10.0] if loop else times[1:]
    if not loop:
        assert times[-1] == 8.0
    seconds = np.diff([times[0], *ends])
    share = np.array(list(ways.values())) / sum(ways.values()) * seconds.sum()
    np.testing.assert_allclose(seconds, share, atol=0.11)  # on frames, a tenth of a second each


def test_what_waits_lasts_as_long_as_before() -> None:
    before = timeline(0.0, 2.0, 5.0, loop=False)
    held = replace(before, keyframes=(replace(before.keyframes[0], easing="hold"), *before.keyframes[1:]))
    for case, lengths in ((before, {0: 0.0, 1: 3.0}), (held, {0: 9.0, 1: 3.0})):
        assert [k.time for k in retimed(case, lengths).keyframes] == [0.0, 2.0, 5.0]
    many = {0: [1.0] * STEPS, 1: [0.0] * (STEPS - 1) + [5.0]}
    paced = bent(held, many)
    assert [bool(k.pace) for k in paced.keyframes] == [False, True, False]
    assert [k.easing for k in paced.keyframes] == ["hold", "linear", "ease"]
    middle = paced.sample(3.5)
    assert middle is not None
    # All of the change is at the way's end: half of it is reached there.
    assert middle.vector("z").array[0] > 2.9


def paced() -> Timeline:
    measured = {i: list(np.linspace(0, i + 1, STEPS)) for i in range(3)}
    return bent(timeline(0.0, 3.0, 6.0), measured)


def lengths(line: Timeline) -> list[bool]:
    return [bool(key.pace) for key in line.keyframes]


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (lambda s: actions.move_keyframes(s, {"k1": 4.0}), [True, True, True]),
        (lambda s: actions.set_timeline(s, length=20.0), [True, True, True]),
        (lambda s: actions.set_easing(s, ["k0"], "in"), [True, True, True]),
        (lambda s: actions.set_way(s, ["k1"], "slerp"), [True, False, True]),
        (lambda s: actions.set_timeline(s, interpolation="slerp"), [False, False, False]),
        (lambda s: actions.update_keyframe(s, "k1", point(9)), [False, False, True]),
        (lambda s: actions.set_timeline(s, loop=False), [True, True, False]),
        (lambda s: actions.delete_keyframes(s, ["k1"]), [False, True]),
        (lambda s: actions.add_keyframe(s, 1.0, point(5)), [False, False, True, True]),
        (lambda s: actions.duplicate_keyframes(s, ["k1"], 1.0), [True, False, False, True]),
        (lambda s: s.update(model="other"), [False, False, False]),
        (lambda s: actions.drop_pace(s), [False, False, False]),
    ],
)
def test_a_pace_stays_where_the_way_does(edit, kept: list[bool]) -> None:
    session = Session(SessionState("toy", point(1), timeline=paced()))
    edit(session)
    assert lengths(session.state.timeline) == kept
    session.undo()
    assert session.state.timeline == paced()


def test_a_smooth_way_is_another_when_what_lies_around_it_is() -> None:
    smooth = replace(paced(), interpolation="spline")
    assert lengths(smooth) == [True] * 3
    changed = replace(smooth, keyframes=(*smooth.keyframes[:2], replace(smooth.keyframes[2], point=point(7))))
    assert lengths(settled(smooth, changed)) == [False, False, False]
    assert lengths(settled(paced(), replace(paced(), keyframes=changed.keyframes))) == [True, False, False]


def test_another_timeline_brings_its_own_pace() -> None:
    session = Session(SessionState("toy", point(1)))
    session.update(timeline=paced())
    assert session.state.timeline == paced()
    assert unpaced(timeline(0.0, 1.0)) == timeline(0.0, 1.0)


def test_a_pace_is_saved_and_a_damaged_one_is_told() -> None:
    dropped: list[str] = []
    raw = timeline_to_json(paced())
    assert timeline_from_json(raw, dropped) == paced()
    assert dropped == []
    assert "pace" not in timeline_to_json(timeline(0.0, 1.0))["keyframes"][0]
    falls, open_end, late, long = [0.0, 0.7, 0.5, 1.0], [0.0, 0.5], [0.5, 1.0], [0] * 2000
    for wrong in (falls, open_end, late, long, "01", [0, float("nan"), 1], [0, None, 1]):
        raw["keyframes"][1]["pace"] = wrong
        dropped.clear()
        assert lengths(timeline_from_json(raw, dropped)) == [True, False, True]
        assert dropped == ["The pace of the keyframe 2 is damaged."]
