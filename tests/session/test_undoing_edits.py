"""Whatever is done to a timeline or a grid, undo goes back through every step and redo forward again."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed
from igm_gui.session import actions
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState
from igm_gui.timeline import EASINGS, WAYS

INFO = GeneratorInfo("a", "fashion", OutputSpec("image", 8, 8, 1), (InputSpec("z", "latent", shape=(3,)),))
SECONDS = st.floats(0, 12)


class Editing(RuleBasedStateMachine):
    """A person at work: every change that took is one step, and the machine keeps the steps itself."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(SessionState(model="a", point=point_from_seed(INFO, 0)))
        self.session.infos["a"] = INFO
        self.past: list[SessionState] = []
        self.future: list[SessionState] = []

    def ids(self, picks: list[int]) -> list[str]:
        keys = self.session.state.timeline.keyframes
        return list(dict.fromkeys(keys[i % len(keys)].id for i in picks)) if keys else []

    def do(self, act: Any) -> None:
        before, revision = self.session.state, self.session.revision
        act()
        if self.session.state != before:
            self.past.append(before)
        if self.session.revision != revision:
            self.future.clear()

    @rule(seconds=SECONDS, seed=st.integers(0, 99))
    def add(self, seconds: float, seed: int) -> None:
        self.do(lambda: actions.add_keyframe(self.session, seconds, point_from_seed(INFO, seed)))

    @rule(seed=st.integers(0, 99))
    def append(self, seed: int) -> None:
        self.do(lambda: actions.append_keyframe(self.session, point_from_seed(INFO, seed)))

    @rule()
    def fill(self) -> None:
        self.do(lambda: actions.fill_timeline(self.session))

    @rule()
    def spread(self) -> None:
        self.do(lambda: actions.spread_keyframes(self.session))

    @rule(picks=st.lists(st.integers(0, 9), max_size=3))
    def delete(self, picks: list[int]) -> None:
        self.do(lambda: actions.delete_keyframes(self.session, self.ids(picks)))

    @rule(picks=st.lists(st.integers(0, 9), max_size=3), seconds=st.floats(0.05, 3))
    def duplicate(self, picks: list[int], seconds: float) -> None:
        self.do(lambda: actions.duplicate_keyframes(self.session, self.ids(picks), seconds))

    @rule(picks=st.lists(st.integers(0, 9), min_size=1, max_size=3), moves=st.lists(SECONDS, min_size=1))
    def drag(self, picks: list[int], moves: list[float]) -> None:
        """Many small moves in one drag are one step."""
        self.session.end_merge()
        ids = self.ids(picks)
        self.do(
            lambda: [
                actions.move_keyframes(self.session, {id: to + i for i, id in enumerate(ids)}, "drag")
                for to in moves
            ]
        )
        self.session.end_merge()

    @rule(pick=st.integers(0, 9), to=SECONDS)
    def drag_and_give_up(self, pick: int, to: float) -> None:
        """What Escape does: there and back in one drag is no step."""
        self.session.end_merge()
        for id in self.ids([pick]):
            key = self.session.state.timeline.keyframe(id)
            assert key is not None
            before, revision = self.session.state, self.session.revision
            actions.move_keyframes(self.session, {id: to}, "give up")
            actions.move_keyframes(self.session, {id: key.time}, "give up")
            assert self.session.state == before
            if self.session.revision != revision:
                self.future.clear()
        self.session.end_merge()

    @rule(picks=st.lists(st.integers(0, 9), max_size=3), how=st.sampled_from(EASINGS))
    def ease(self, picks: list[int], how: Any) -> None:
        self.do(lambda: actions.set_easing(self.session, self.ids(picks), how))

    @rule(picks=st.lists(st.integers(0, 9), max_size=3), way=st.none() | st.sampled_from(WAYS))
    def way(self, picks: list[int], way: Any) -> None:
        self.do(lambda: actions.set_way(self.session, self.ids(picks), way))

    @rule(pick=st.integers(0, 9), seed=st.integers(0, 99))
    def give(self, pick: int, seed: int) -> None:
        for id in self.ids([pick]):
            self.do(partial(actions.update_keyframe, self.session, id, point_from_seed(INFO, seed)))

    @rule(length=st.floats(0.1, 30), fps=st.integers(1, 240), loop=st.booleans(), way=st.sampled_from(WAYS))
    def pace(self, length: float, fps: int, loop: bool, way: Any) -> None:
        self.do(
            lambda: actions.set_timeline(
                self.session, length=length, fps=float(fps), loop=loop, interpolation=way
            )
        )

    @rule(rows=st.integers(1, 256), seed=st.integers(0, 99))
    def grid(self, rows: int, seed: int) -> None:
        self.do(lambda: actions.set_grid(self.session, rows=rows, seed=seed))

    @precondition(lambda self: self.past)
    @rule(count=st.integers(1, 4))
    def undo(self, count: int) -> None:
        for _ in range(min(count, len(self.past))):
            self.future.append(self.session.state)
            assert self.session.undo()
            assert self.session.state == self.past.pop()

    @precondition(lambda self: self.future)
    @rule(count=st.integers(1, 4))
    def redo(self, count: int) -> None:
        for _ in range(min(count, len(self.future))):
            self.past.append(self.session.state)
            assert self.session.redo()
            assert self.session.state == self.future.pop()

    @invariant()
    def steps_are_counted(self) -> None:
        assert self.session.can_undo == bool(self.past)
        assert self.session.can_redo == bool(self.future)

    @invariant()
    def the_timeline_is_in_order(self) -> None:
        timeline = self.session.state.timeline
        times = [k.time for k in timeline.keyframes]
        assert times == sorted(times)
        assert len({k.id for k in timeline.keyframes}) == len(times)
        assert all(b - a > 1e-7 for a, b in itertools.pairwise(times))
        assert all(0 <= time <= timeline.length for time in times)

    def teardown(self) -> None:
        """Back to the very beginning."""
        while self.past:
            assert self.session.undo()
            assert self.session.state == self.past.pop()
        assert not self.session.undo()


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
