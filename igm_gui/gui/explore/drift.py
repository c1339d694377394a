"""Gentle movement: the current point wanders along great circles until the person takes over."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from igm_gui.gui.studio import Studio
from igm_gui.latent.interpolate import between
from igm_gui.latent.point import STREAM, LatentPoint
from igm_gui.latent.priors import draw
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderResult
from igm_gui.session.actions import new_seed
from igm_gui.session.state import SessionState

LEG_SECONDS = 5.0
FRAME_SECONDS = 1 / 30


class Drift(QObject):
    """Moves the session's latents from one random place to the next, locked dimensions excepted.

    A step follows the picture of the one before, at most thirty a second; nothing runs while it is
    stopped. Any change by somebody else, or an error, stops it.
    """

    running_changed = Signal(bool)

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._running = False
        self._undoable = True
        self._ours = False
        self._legs: tuple[LatentPoint, LatentPoint] | None = None
        self._started = 0.0
        self._stepped = 0.0
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        studio.rendered.connect(self._on_rendered)
        studio.changed.connect(self._on_changed)

    @property
    def running(self) -> bool:
        return self._running

    def start(self, undoable: bool = True) -> None:
        """Begin from the current point; with ``undoable``, all of it is one step to undo."""
        info = self._studio.session.info
        if self._running or info is None or info.latent is None:
            return
        self._studio.session.end_merge()
        self._running, self._undoable, self._legs = True, undoable, None
        self._stepped = 0.0
        self.running_changed.emit(True)
        self._step()

    def stop(self) -> None:
        if self._running:
            self._running = False
            self._timer.stop()
            self._studio.session.end_merge()
            self.running_changed.emit(False)

    def toggle(self) -> None:
        """Stop, or start as the person's own step."""
        if self._running:
            self.stop()
        else:
            self.start()

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if self._running and not self._ours and changed & {"point", "model", "locks", "history"}:
            self.stop()

    def _on_rendered(self, result: RenderResult) -> None:
        if not self._running or result.request.slot != "main":
            return
        if result.error is not None:
            self.stop()
            return
        wait = self._stepped + FRAME_SECONDS - time.perf_counter()
        self._timer.start(max(0, round(wait * 1000)))

    def _next_leg(self, start: LatentPoint) -> tuple[LatentPoint, LatentPoint]:
        info = self._studio.session.info
        assert info is not None
        seed = new_seed()
        end = start
        for i, spec in enumerate(info.of_kind("latent")):
            target = draw(spec, seed + STREAM * i)
            held = [index for name, index in self._studio.state.locks if name == spec.name]
            if held:
                target.reshape(-1)[held] = start.vector(spec.name).array.reshape(-1)[held]
            end = end.with_value(spec.name, Vector(target))
        return start, end

    def _step(self) -> None:
        if not self._running:
            return
        now = time.perf_counter()
        point = self._studio.state.point
        if self._legs is None:
            self._legs, self._started = self._next_leg(point), now
        t = (now - self._started) / LEG_SECONDS
        if t >= 1.0:
            self._legs, self._started, t = self._next_leg(self._legs[1]), now, 0.0
        moved = between(*self._legs, t, "slerp")
        held = self._studio.state.locks
        for name in {name for name, _ in held}:
            # A great circle bends every dimension; the locked ones are put back.
            indices = [index for key, index in held if key == name]
            vector = moved.vector(name)
            kept = point.vector(name).array.reshape(-1)[indices]
            moved = moved.with_value(name, vector.replace(indices, kept))
        self._stepped = now
        self._ours = True
        try:
            changed = self._studio.session.update(
                point=replace(moved, seed=None), merge="drift", undoable=self._undoable
            )
        finally:
            self._ours = False
        if not changed:
            self._timer.start(round(FRAME_SECONDS * 1000))
