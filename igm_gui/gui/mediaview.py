"""One rendering on show: a picture, or the outline of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from igm_gui.gui import theme
from igm_gui.gui.widgets import PictureView
from igm_gui.requests import RenderResult


class Waveform(QWidget):
    """The outline of a sound: the lowest and the highest sample of each pixel column."""

    def __init__(self, parent: QWidget | None = None, tint: str = "accent") -> None:
        super().__init__(parent)
        self._samples: NDArray[np.float32] | None = None
        self._tint = tint
        self._drawn: QPixmap | None = None
        self._progress: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Waveform")

    @property
    def samples(self) -> NDArray[np.float32] | None:
        """What is shown, float32 (samples,): the channels' mean."""
        return self._samples

    def set_samples(self, samples: NDArray[Any] | None) -> None:
        """Show float32 ``(channels, samples)`` in [-1, 1]; None shows nothing."""
        self._samples = None if samples is None else np.asarray(samples, np.float32).mean(axis=0)
        self._drawn = None
        self.update()

    def set_progress(self, part: float | None) -> None:
        """Mark how far it has been played, 0 to 1; None marks nothing."""
        if part != self._progress:
            self._progress = part
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._drawn = None
        super().resizeEvent(event)

    def changeEvent(self, event: Any) -> None:
        self._drawn = None
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._drawn is None or self._drawn.devicePixelRatio() != self.devicePixelRatioF():
            self._drawn = self._draw()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        if self._progress is not None:
            painter.setPen(QPen(theme.colour("bad"), 1.5))
            x = 12 + self._progress * (self.width() - 24)
            painter.drawLine(QLineF(x, 6, x, self.height() - 6))

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(theme.colour("canvas"))
        painter = QPainter(pixmap)
        middle, half = self.height() / 2, self.height() / 2 - 10
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.drawLine(QLineF(12, middle, self.width() - 12, middle))
        mono = self._samples
        columns = min(int((self.width() - 24) * ratio), 0 if mono is None else mono.size)
        if mono is not None and columns > 0:
            edges = np.linspace(0, mono.size, columns + 1).astype(np.int64)[:-1]
            high, low = np.maximum.reduceat(mono, edges), np.minimum.reduceat(mono, edges)
            x = 12 + (np.arange(columns) + 0.5) * (self.width() - 24) / columns
            top = middle - np.clip(high, -1, 1) * half
            bottom = np.maximum(middle - np.clip(low, -1, 1) * half, top + 1 / ratio)
            painter.setPen(QPen(theme.colour(self._tint), 1 / ratio))
            painter.drawLines([QLineF(a, b, a, c) for a, b, c in zip(x, top, bottom, strict=True)])
        painter.end()
        return pixmap


class MediaView(QStackedWidget):
    """Shows a rendering as what it is; keeps the last good one where a result has none."""

    def __init__(self, parent: QWidget | None = None, margin: int = 28, tint: str = "accent") -> None:
        super().__init__(parent)
        self.picture = PictureView(self, margin=margin)
        self.waveform = Waveform(self, tint)
        self.addWidget(self.picture)
        self.addWidget(self.waveform)
        self.sound: NDArray[np.float32] | None = None  # (channels, samples), of what is shown
        self.rate = 0

    def show_result(self, result: RenderResult, index: int = 0) -> bool:
        """Show one rendering; False where the result has none."""
        if result.media is None or result.info is None or index >= len(result.media):
            return False
        if result.info.media == "image":
            self.sound = None
            self.picture.set_picture(result.media[index])
            self.setCurrentWidget(self.picture)
        else:
            self.sound, self.rate = (
                np.asarray(result.media[index], np.float32),
                result.info.output.sample_rate,
            )
            self.waveform.set_samples(self.sound)
            self.setCurrentWidget(self.waveform)
        return True
