"""The one place that holds the state: update, undo, redo, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform, problem
from igm_gui.requests import RenderRequest
from igm_gui.session.state import SessionState
from igm_gui.timeline import fitted
from igm_gui.timeline.pace import unpaced

Listener = Callable[[SessionState, frozenset[str]], None]
UNDO_LIMIT = 500
# What the person did not do by looking: changing it is not a step to undo.
_NOT_UNDONE = frozenset({"device"})


class Session:
    """Holds a :class:`SessionState`, its history, and what is known of the models in it.

    Not thread-safe: one thread (the interface's, or a test's) owns it. Listeners are called on that
    thread, after the change, with the new state and the names of the changed fields; "info" among
    them says that a model's :class:`GeneratorInfo` became known, "history" that undo or redo did.
    """

    def __init__(self, state: SessionState | None = None) -> None:
        self._state = state or SessionState()
        self._undo: list[SessionState] = []
        self._redo: list[SessionState] = []
        self._merge: str | None = None
        self._listeners: list[Listener] = []
        self.infos: dict[str, GeneratorInfo] = {}
        self.revision = 0

    @property
    def state(self) -> SessionState:
        return self._state

    @property
    def info(self) -> GeneratorInfo | None:
        """What is known of the current model; None until it was read."""
        return self.infos.get(self._state.model)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each change; the answer takes it off again."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def update(self, *, merge: str | None = None, undoable: bool = True, **changes: Any) -> bool:
        """Change fields of the state; False where nothing changes.

        Updates in a row with the same ``merge`` key are one step to undo: a drag. ``undoable`` False
        changes the state without a step (what the program does by itself). InputError where a value
        does not fit the current model; the state is then as before.
        """
        names = {field.name for field in fields(SessionState)}
        if unknown := set(changes) - names:
            raise TypeError(f"SessionState has no {', '.join(sorted(unknown))}")
        changed = frozenset(name for name, value in changes.items() if getattr(self._state, name) != value)
        if not changed:
            return False
        state = replace(self._state, **{name: changes[name] for name in changed})
        if "model" in changed and "timeline" not in changed:
            even = unpaced(state.timeline)  # its pace was measured on the pictures of the model before
            if even is not state.timeline:
                state, changed = replace(state, timeline=even), changed | {"timeline"}
        self._check(state)
        if undoable and not changed <= _NOT_UNDONE:
            begun = merge is not None and merge == self._merge and bool(self._undo)
            self._redo.clear()
            self._merge = merge
            if begun and self._is_back(state, changed):
                # A drag that came back to where it began is no step.
                self._undo.pop()
                self._merge = None
            elif not begun:
                self._undo.append(self._state)
                del self._undo[:-UNDO_LIMIT]
        self._set(state, changed)
        return True

    def set_input(self, name: str, value: Any, *, merge: str | None = None) -> bool:
        """Change one input of the current point; a latent changed by hand no longer has a seed."""
        point = self._state.point
        if point.get(name) == value:
            return False
        moved = point.with_value(name, value)
        info = self.info
        if info is not None and info.latent is not None and info.latent.name == name:
            moved = replace(moved, seed=None)
        return self.update(point=moved, merge=merge)

    def end_merge(self) -> None:
        """The drag is over: the next update is a step of its own."""
        self._merge = None

    def learn(self, info: GeneratorInfo, model: str | None = None) -> None:
        """A model's inputs are known now: make the current point fit (no step to undo)."""
        model = model or info.name
        known = self.infos.get(model)
        if known is info or known == info:
            return
        self.infos[model] = info
        changed = frozenset({"info"})
        if model == self._state.model:
            point = conform(self._state.point, info)
            if point != self._state.point:
                # Directions of another model mean nothing here; conform has dropped them.
                self._set(replace(self._state, point=point), changed | {"point"})
                return
        self._set(self._state, changed)

    def open_model(self, model: str, info: GeneratorInfo | None = None) -> bool:
        """Change to another model; the point is kept as far as it fits (one step to undo;
        the first model is none: there is nothing before it to go back to). Numbers that nobody set
        take the new model's default."""
        point, before = self._state.point, self.info
        if info is not None:
            self.infos[model] = info
        known = self.infos.get(model)
        if before is not None and model != self._state.model:
            unset = (spec.name for spec in before.of_kind("scalar") if point.get(spec.name) == spec.default)
            point = point.without(*unset)
        if known is not None:
            point = conform(point, known)
        first = not self._state.model
        return self.update(model=model, point=point, locks=frozenset(), undoable=not first)

    def replace_state(self, state: SessionState) -> None:
        """A project was opened: the state is another one and there is nothing to undo."""
        self._undo.clear()
        self._redo.clear()
        self._merge = None
        changed = frozenset(
            f.name for f in fields(SessionState) if getattr(state, f.name) != getattr(self._state, f.name)
        )
        self._set(state, changed | {"history"})

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        return bool(self._redo)

    def undo(self) -> bool:
        """Back by one step; False where there is none."""
        return self._travel(self._undo, self._redo)

    def redo(self) -> bool:
        """Forward again by one step; False where there is none."""
        return self._travel(self._redo, self._undo)

    def request(self, slot: str = "main", at: float | None = None, **extra: Any) -> RenderRequest:
        """What to render now: the current point, or the timeline's at ``at`` seconds."""
        state = self._state
        point: LatentPoint | None = state.point
        if at is not None:
            point = fitted(state.timeline, self.info).sample(at) or state.point
        points = (point,) if point is not None and point.values else ()
        return RenderRequest(state.model, points, slot, device=state.device, conform=True, **extra)

    def _travel(self, source: list[SessionState], target: list[SessionState]) -> bool:
        if not source:
            return False
        state = source.pop()
        target.append(self._state)
        self._merge = None
        state = replace(state, **{name: getattr(self._state, name) for name in _NOT_UNDONE})
        changed = frozenset(
            f.name for f in fields(SessionState) if getattr(state, f.name) != getattr(self._state, f.name)
        )
        self._set(state, changed | {"history"})
        return True

    def _is_back(self, state: SessionState, changed: frozenset[str]) -> bool:
        before = self._undo[-1]
        # What changes is compared first: while dragging that settles it at once.
        return all(getattr(state, name) == getattr(before, name) for name in changed) and state == before

    def _check(self, state: SessionState) -> None:
        info = self.infos.get(state.model)
        if info is None or state.point is self._state.point:
            return
        for spec in (*info.inputs, *info.edits):
            value = state.point.get(spec.name)
            why = problem(spec, value) if value is not None else None
            if why:
                raise InputError(f"{spec.label_text} {why}.")

    def _set(self, state: SessionState, changed: frozenset[str]) -> None:
        self._state = state
        self.revision += 1
        for listener in tuple(self._listeners):
            listener(state, changed)
