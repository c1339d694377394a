"""The one place that holds the state: update, undo, redo, who is told; and the actions on it."""

from __future__ import annotations

import numpy as np
import pytest

from igm_gui.errors import InputError
from igm_gui.info import Direction, GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector
from igm_gui.session import Session, SessionState, actions
from igm_gui.timeline import Keyframe, Timeline

INFO = GeneratorInfo(
    "faces",
    "fake",
    OutputSpec("image", 8, 8, 3),
    (
        InputSpec("z", "latent", shape=(16,)),
        InputSpec("truncation", "scalar", minimum=0, maximum=2, default=1),
    ),
    directions=(Direction("smile", "z", (1.0,) + (0.0,) * 15),),
)
OTHER = GeneratorInfo(
    "tones", "fake", OutputSpec("sound", sample_rate=8000), (InputSpec("z", "latent", shape=(4,)),)
)


@pytest.fixture
def session() -> Session:
    made = Session()
    made.open_model("faces", INFO)
    made.learn(INFO, "faces")
    actions.set_seed(made, 1)
    made._undo.clear()
    return made


def test_what_does_not_change_tells_nobody(session):
    told: list[frozenset[str]] = []
    session.listen(lambda state, changed: told.append(changed))
    assert not session.update(spread=session.state.spread, point=session.state.point)
    assert session.update(spread=0.9)
    assert told == [frozenset({"spread"})]
    assert session.state.spread == 0.9


def test_a_listener_can_stop(session):
    told: list[object] = []
    stop = session.listen(lambda state, changed: told.append(state))
    stop()
    stop()
    session.update(spread=0.9)
    assert told == []


def test_everything_can_be_undone_and_redone(session):
    states = [session.state]
    actions.randomize(session, 5)
    states.append(session.state)
    actions.keep(session, "first")
    states.append(session.state)
    actions.add_keyframe(session, 2.0)
    states.append(session.state)
    session.open_model("tones", OTHER)
    states.append(session.state)
    for before in reversed(states[:-1]):
        assert session.undo()
        assert session.state == before
    assert not session.undo()
    for after in states[1:]:
        assert session.redo()
        assert session.state == after
    assert not session.redo()


def test_a_drag_is_one_step(session):
    before = session.state
    for i in range(30):
        actions.set_dimensions(session, "z", {3: i / 10}, merge="z:3")
    session.end_merge()
    actions.set_dimensions(session, "z", {3: -1.0}, merge="z:3")
    assert session.undo()
    assert session.state.point.vector("z")[3] == pytest.approx(2.9)
    assert session.undo()
    assert session.state == before


def test_a_new_step_ends_what_could_be_redone(session):
    actions.randomize(session, 5)
    session.undo()
    actions.randomize(session, 6)
    assert not session.can_redo


def test_the_device_is_not_undone(session):
    session.update(spread=0.9)
    session.update(device="cpu")
    session.undo()
    assert session.state.device == "cpu"
    assert session.state.spread != 0.9


def test_history_is_bounded(session):
    for i in range(1200):
        actions.set_seed(session, i)
    steps = 0
    while session.undo():
        steps += 1
    assert steps == 500


def test_a_value_that_does_not_fit_changes_nothing(session):
    before = session.state
    with pytest.raises(InputError, match="z needs shape"):
        session.set_input("z", Vector([1.0]))
    with pytest.raises(InputError, match="not finite"):
        session.set_input("z", Vector(np.full(16, np.nan)))
    with pytest.raises(TypeError, match="no colour"):
        session.update(colour="red")
    assert session.state is before
    assert not session.can_undo


def test_a_latent_changed_by_hand_has_no_seed(session):
    assert session.state.point.seed == 1
    session.set_input("truncation", 0.5)
    assert session.state.point.seed == 1
    session.set_input("z", Vector(np.zeros(16)))
    assert session.state.point.seed is None


def test_learning_a_model_makes_the_point_fit_without_a_step():
    session = Session(SessionState(model="faces"))
    told: list[frozenset[str]] = []
    session.listen(lambda state, changed: told.append(changed))
    session.learn(INFO, "faces")
    assert session.state.point == point_from_seed(INFO, 0)
    assert not session.can_undo
    assert told == [frozenset({"info", "point"})]
    session.learn(INFO, "faces")
    assert len(told) == 1


def test_opening_a_project_forgets_the_history(session):
    actions.randomize(session, 5)
    session.replace_state(SessionState(model="tones"))
    assert not session.can_undo
    assert session.state.model == "tones"


def test_a_request_is_the_current_point_or_the_timelines(session):
    a, b = point_from_seed(INFO, 1), point_from_seed(INFO, 2)
    session.update(timeline=Timeline((Keyframe(0, a), Keyframe(1, b)), length=2.0, loop=False))
    assert session.request().points == (session.state.point,)
    assert session.request(at=1.0).points == (b,)
    assert Session().request().points == ()


# -- actions


def test_a_seed_draws_the_latent_that_it_stands_for(session):
    actions.set_seed(session, 42)
    assert session.state.point.vector("z") == point_from_seed(INFO, 42).vector("z")
    assert session.state.point.seed == 42
    actions.set_seed(session, -5)
    assert session.state.point.seed == 0
    actions.set_seed(session, 2**40)
    assert session.state.point.seed == 2**32 - 1


def test_locked_dimensions_stay(session):
    before = session.state.point.vector("z")
    actions.toggle_lock(session, "z", 3)
    actions.toggle_lock(session, "z", 5)
    for act in (lambda: actions.randomize(session, 9), lambda: actions.mutate(session, 9)):
        act()
        after = session.state.point.vector("z")
        assert [after[3], after[5]] == [before[3], before[5]]
        assert after[4] != before[4]
        assert session.state.point.seed is None
    assert not actions.set_dimensions(session, "z", {3: 1.0})
    actions.zero(session)
    assert np.flatnonzero(session.state.point.vector("z").array).tolist() == [3, 5]
    actions.toggle_lock(session, "z", 3)
    assert session.state.locks == {("z", 5)}


def test_mutation_keeps_the_priors_scale(session):
    session.update(spread=0.6)
    lengths = []
    for seed in range(400):
        actions.mutate(session, seed)
        lengths.append(float(np.square(session.state.point.vector("z").array).mean()))
    assert np.mean(lengths) == pytest.approx(1.0, abs=0.15)


def test_a_small_spread_is_a_near_neighbour(session):
    before = session.state.point.vector("z").array
    session.update(spread=0.01)
    actions.mutate(session, 3)
    assert np.abs(session.state.point.vector("z").array - before).max() < 0.1


def test_drawn_values_are_clipped_and_numbers(session):
    actions.set_dimensions(session, "z", {0: 99.0, 1: float("nan"), 2: -99.0, 77: 1.0})
    assert session.state.point.vector("z").array[:3].tolist() == [10.0, 0.0, -10.0]


def test_saved_points_are_kept_renamed_recalled_and_forgotten(session):
    first = actions.keep(session)
    assert first.name == "Point 1"
    actions.randomize(session, 5)
    second = actions.keep(session)
    assert second.name == "Point 2"
    assert actions.rename(session, first.id, "  The smile ")
    assert not actions.rename(session, first.id, "  ")
    session.open_model("tones", OTHER)
    assert actions.recall(session, first.id)
    assert (session.state.model, session.state.point) == ("faces", first.point)
    assert [s.name for s in session.state.saved] == ["The smile", "Point 2"]
    assert actions.forget(session, first.id, second.id)
    assert session.state.saved == ()
    assert not actions.recall(session, first.id)


def test_going_to_a_point_of_another_model_makes_it_fit(session):
    actions.go_to(session, LatentPoint((("z", Vector([1.0])), ("pitch", 60.0)), 3))
    assert session.state.point == point_from_seed(INFO, 3)


def test_keyframes_come_from_the_current_point(session):
    id = actions.add_keyframe(session, 2.5)
    (frame,) = session.state.timeline.keyframes
    assert (frame.id, frame.time, frame.point) == (id, 2.5, session.state.point)


def test_what_nobody_set_takes_the_new_models_default(session):
    grain = InputSpec("grain", "scalar", minimum=0, maximum=3, default=0)
    breath = InputSpec("grain", "scalar", minimum=0, maximum=3, default=1)
    z = InputSpec("z", "latent", shape=(16,))
    for name, spec in (("paper", grain), ("flute", breath)):
        session.learn(GeneratorInfo(name, "fake", OutputSpec("image", 8, 8, 3), (z, spec)), name)
    session.open_model("paper")
    assert session.state.point.scalar("grain") == 0
    session.open_model("flute")
    assert session.state.point.scalar("grain") == 1
    session.set_input("grain", 2.0)
    session.open_model("paper")
    assert session.state.point.scalar("grain") == 2
