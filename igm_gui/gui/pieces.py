"""Many small pictures, rendered a few at a time, so that whatever is dragged still goes first."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from igm_gui.gui.studio import Studio
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult

# A piece may keep the render thread from the person's next drag for about this long.
PIECE_SECONDS = 0.02
MAX_PIECE = 64

_numbers = itertools.count()


class Pieces(QObject):
    """Thumbnails of ``count`` points of one model, in order, in pieces.

    One piece is asked for at a time; its size follows the time the last one took. Starting anew or
    stopping drops what is still to come.
    """

    arrived = Signal(int, object)  # index of the first point, RenderResult with one medium for each
    failed = Signal(object)  # IgmError; nothing more will come
    finished = Signal()

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._slot = f"pieces:{next(_numbers)}:"
        self._size = 1
        self._next = 0
        self.count = 0
        self._model = ""
        self._side = 0
        self._point: Callable[[int], LatentPoint | None] = lambda _index: None

    @property
    def running(self) -> bool:
        return self._next < self.count

    @property
    def done(self) -> int:
        """How many have been asked for and have come."""
        return self._next

    def start(
        self, model: str, count: int, point: Callable[[int], LatentPoint | None], side: int, first: int = 0
    ) -> None:
        """Render ``point(first)`` to ``point(count - 1)`` no larger than ``side`` pixels."""
        self.stop()
        if model != self._model:
            self._size = 1
        self._model, self._point, self._side = model, point, side
        self.count, self._next = count, min(first, count)
        self._ask()

    def stop(self) -> None:
        """Ask for nothing more; nothing more arrives."""
        self.count = self._next = 0
        self._studio.drop_thumbnails(self._slot)

    def _ask(self) -> None:
        if not self.running:
            return
        first = self._next
        points = []
        for index in range(first, min(first + self._size, self.count)):
            point = self._point(index)
            if point is None:
                break
            points.append(point)
        if not points:
            self.stop()
            return
        self._studio.thumbnail(
            self._slot,
            self._model,
            tuple(points),
            self._side,
            lambda result: self._take(first, result),
        )

    def _take(self, first: int, result: RenderResult) -> None:
        if result.error is not None:
            self.stop()
            self.failed.emit(result.error)
            return
        got = len(result.request.points)
        self._next = first + got
        each = max(result.render_seconds / got, 1e-5)
        # The first of a model carries its loading; growing by doubling evens that out.
        self._size = max(1, min(int(PIECE_SECONDS / each), 2 * self._size, MAX_PIECE))
        self.arrived.emit(first, result)
        if self.running:
            self._ask()
        elif self.count:
            self.finished.emit()
