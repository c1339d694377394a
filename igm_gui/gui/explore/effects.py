"""Which named directions change the picture most where one is: the plane opens on those two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from igm_gui.gui.explore.axes import Axis
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult

SIDE = 32  # pixels are enough to see a difference
MOST = 8


class Effects(QObject):
    """Renders both ends of each axis, small, when nothing more urgent waits; ``ranked`` then has the axes,
    the one whose ends differ most (mean absolute difference of the pixels) first."""

    ranked = Signal(object)  # tuple of Axis

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._axes: tuple[Axis, ...] = ()
        self._seen: list[NDArray[np.float32]] = []
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._arrived)
        self._pieces.failed.connect(lambda _error: self._end())
        self._pieces.finished.connect(self._end)

    @property
    def running(self) -> bool:
        return bool(self._axes)

    def measure(self, model: str, base: LatentPoint, axes: Sequence[Axis]) -> None:
        """Begin with the first few of ``axes``, which are named directions, about ``base``."""
        self.stop()
        self._axes = tuple(axes[:MOST])

        def end(index: int) -> LatentPoint:
            axis = self._axes[index // 2]
            return base.with_value(axis.direction, axis.maximum if index % 2 else axis.minimum)

        self._pieces.start(model, 2 * len(self._axes), end, SIDE)

    def stop(self) -> None:
        """Give up; nothing is told."""
        self._axes = ()
        self._seen = []
        self._pieces.stop()

    def _arrived(self, _first: int, result: RenderResult) -> None:
        if result.media is not None:
            self._seen += [np.asarray(picture, np.float32) for picture in result.media]

    def _end(self) -> None:
        axes, seen = self._axes, self._seen
        self._axes, self._seen = (), []
        if not axes:
            return
        if len(seen) == 2 * len(axes):
            change = [float(np.abs(seen[2 * i] - seen[2 * i + 1]).mean()) for i in range(len(axes))]
            axes = tuple(axes[i] for i in sorted(range(len(axes)), key=lambda i: -change[i]))
        self.ranked.emit(axes)
