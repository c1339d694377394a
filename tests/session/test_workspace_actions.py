"""What Timeline, Compare and Grid do to a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.session import actions
from igm_gui.session.grid import grid_cells, grid_points
from igm_gui.session.session import Session
from igm_gui.session.state import GridSpec, SessionState
from igm_gui.timeline.timeline import Timeline


def model(name: str, size: int, *classes: str) -> GeneratorInfo:
    inputs = [InputSpec("z", "latent", shape=(size,))]
    if classes:
        inputs.append(InputSpec("label", "label", classes=classes))
    return GeneratorInfo(name, "fashion", OutputSpec("image", 8, 8, 1), tuple(inputs))


A, B = model("a", 8, "coat", "bag"), model("b", 5)


@pytest.fixture
def session() -> Session:
    made = Session(SessionState(model="a", point=point_from_seed(A, 3, 1)))
    made.infos.update({"a": A, "b": B})
    return made


def test_filling_gives_four_points_of_the_same_class_in_one_step(session: Session) -> None:
    ids = actions.fill_timeline(session)
    keys = session.state.timeline.keyframes
    assert [k.id for k in keys] == ids
    assert [k.time for k in keys] == [0.0, 2.0, 4.0, 6.0]
    assert keys[0].point == session.state.point
    assert len({k.point.vector("z") for k in keys}) == 4
    assert all(k.point.vector("label")[1] == 1 for k in keys)
    assert all(k.point.vector("z") == point_from_seed(A, k.point.seed or 0).vector("z") for k in keys[1:])
    session.undo()
    assert session.state.timeline == Timeline()


def test_without_loop_the_last_stands_at_the_end(session: Session) -> None:
    actions.set_timeline(session, loop=False)
    actions.fill_timeline(session, 3)
    assert [k.time for k in session.state.timeline.keyframes] == [0.0, 4.0, 8.0]


def test_keyframes_swap_places(session: Session) -> None:
    first, second, *_ = actions.fill_timeline(session)
    actions.move_keyframes(session, {first: 2.0, second: 0.0})
    at = {k.id: k.time for k in session.state.timeline.keyframes}
    assert (at[first], at[second]) == (2.0, 0.0)


def test_a_keyframe_does_not_land_on_another(session: Session) -> None:
    first, *_ = actions.fill_timeline(session)
    actions.move_keyframes(session, {first: 4.0})
    moved = session.state.timeline.keyframe(first)
    assert moved is not None
    assert abs(moved.time - 4.0) == pytest.approx(1 / 30)


def test_update_easing_and_delete(session: Session) -> None:
    first, second, *_ = actions.fill_timeline(session)
    point = point_from_seed(A, 99)
    actions.update_keyframe(session, second, point)
    actions.set_easing(session, [first, second], "hold")
    keys = session.state.timeline.keyframes
    assert keys[1].point == point
    assert [k.easing for k in keys] == ["hold", "hold", "ease", "ease"]
    actions.delete_keyframes(session, [first])
    assert len(session.state.timeline.keyframes) == 3


@pytest.mark.parametrize(("loop", "times", "length"), [(True, [0, 4], 8), (False, [0, 8], 8)])
def test_saved_points_become_a_film(session: Session, loop: bool, times: list[float], length: float) -> None:
    actions.set_timeline(session, loop=loop)
    kept = [actions.keep(session, point=point_from_seed(A, seed)) for seed in (5, 6)]
    session.update(saved=(*session.state.saved, replace(kept[0], id="other", model="b")))
    actions.fill_from_saved(session)
    timeline = session.state.timeline
    assert [(k.time, k.point.seed) for k in timeline.keyframes] == list(zip(times, (5, 6), strict=True))
    assert timeline.length == length
    session.undo()
    assert session.state.timeline.keyframes == ()


def test_many_saved_points_get_a_longer_film(session: Session) -> None:
    for seed in range(7):
        actions.keep(session, point=point_from_seed(A, seed))
    actions.fill_from_saved(session)
    assert [k.time for k in session.state.timeline.keyframes] == [0, 2, 4, 6, 8, 10, 12]
    assert session.state.timeline.length == 14


def test_points_found_one_after_the_other_leave_room_for_the_way_back(session: Session) -> None:
    times = [actions.append_keyframe(session) for _ in range(5)]
    assert times == [0.0, 2.0, 4.0, 6.0, 8.0]
    # The fifth stood at the end of eight seconds: a loop would have jumped.
    assert session.state.timeline.length == 10.0
    session.undo()
    assert session.state.timeline.length == 8.0
    assert len(session.state.timeline.keyframes) == 4
    actions.set_timeline(session, loop=False)
    actions.append_keyframe(session)
    assert session.state.timeline.length == 8.0


def test_a_new_keyframe_goes_on_as_the_one_before_it(session: Session) -> None:
    first = actions.add_keyframe(session, 0.0)
    assert session.state.timeline.keyframes[0].easing == "ease"
    actions.set_easing(session, [first], "out")
    actions.set_way(session, [first], "lerp")
    actions.add_keyframe(session, 3.0)
    actions.append_keyframe(session)
    assert [(k.time, k.easing, k.way) for k in session.state.timeline.keyframes] == [
        (0.0, "out", "lerp"), (3.0, "out", "lerp"), (5.0, "out", "lerp"),
    ]  # fmt: skip


def test_spread_gives_every_keyframe_the_same_time(session: Session) -> None:
    assert not actions.spread_keyframes(session)
    ids = [actions.add_keyframe(session, seconds) for seconds in (0.5, 0.6, 7.0, 8.0)]
    actions.spread_keyframes(session)
    assert [(k.id, k.time) for k in session.state.timeline.keyframes] == list(
        zip(ids, (0.0, 2.0, 4.0, 6.0), strict=True)
    )
    actions.set_timeline(session, loop=False)
    actions.spread_keyframes(session)
    assert session.state.timeline.keyframes[-1].time == 8.0


@pytest.mark.parametrize(("fps", "length", "loop"), [(30.0, 8.0, True), (24.0, 5.0, False), (1.0, 2.5, True)])
def test_even_keyframes_stand_on_frames(session: Session, fps: float, length: float, loop: bool) -> None:
    actions.set_timeline(session, fps=fps, length=length, loop=loop)
    actions.fill_timeline(session, 7)
    times = [k.time for k in session.state.timeline.keyframes]
    if length * fps >= 7:
        assert [time * fps for time in times] == pytest.approx([round(time * fps) for time in times])
    assert len(times) == len(set(times)) == 7
    assert times == sorted(times)


def test_a_line_up_keeps_each_model_once_and_fits_the_point(session: Session) -> None:
    actions.set_lineup(session, ["a", "b", "a"])
    assert session.state.compare == ("b",)
    point = session.state.point
    actions.set_lineup(session, ["b", "a"])
    assert session.state.model == "b"
    assert session.state.point.vector("z") == point_from_seed(B, 3).vector("z")
    session.undo()
    assert (session.state.model, session.state.point) == ("a", point)


def test_keep_takes_another_point(session: Session) -> None:
    other = point_from_seed(A, 12)
    saved = actions.keep(session, point=other)
    assert saved.point == other
    assert session.state.point != other
    assert session.state.saved == (saved,)


@pytest.mark.parametrize("mode", ["seeds", "plane", "classes"])
def test_cells_one_by_one_are_the_grid(mode: str) -> None:
    corners: tuple[LatentPoint | None, ...] = (point_from_seed(A, 50), None, None, None)
    grid = replace(GridSpec(rows=3, columns=4, seed=7, corners=corners), mode=mode)  # type: ignore[arg-type]
    base = point_from_seed(A, 1, 1)
    count, cell = grid_cells(A, grid, base)
    assert tuple(cell(i) for i in range(count)) == grid_points(A, grid, base)
    assert count == (8 if mode == "classes" else 12)
