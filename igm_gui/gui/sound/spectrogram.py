"""Levels over time and frequency, computed beside the interface's thread."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, QThreadPool, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.engine.audio.analysis import (
    LOWEST_HZ,
    hertz_note,
    highest_hertz,
    note_name,
    spectrogram,
)
from igm_gui.gui import theme
from igm_gui.gui.sound.waveform import paint_playhead

# From the canvas through violet and rose to a pale gold: lightness rises evenly, so that the picture
# reads the same without colour.
_STOPS = ("#0f1114", "#1c1533", "#3d1a5c", "#6d1f6f", "#9e2c6c", "#ca4559", "#e87245", "#f3ab4f", "#fbe3a4")
_LIGHT_STOPS = (
    "#fbfbfc",
    "#e9e2f2",
    "#cdb8df",
    "#b088c4",
    "#99569f",
    "#86306f",
    "#651c4a",
    "#3d1028",
    "#1d0712",
)
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
# While a slider is dragged a new picture every frame would take a core from the model and the sound:
# making them takes a quarter of one at most.
SHORTEST_PAUSE = 0.06
REST = 3.0  # times as long as the last one took


def colour_table(stops: tuple[str, ...] = _STOPS) -> NDArray[np.uint32]:
    """256 colours from quiet to loud as 0xffRRGGBB."""
    at = np.linspace(0, 255, len(stops))
    rgb = [np.interp(np.arange(256), at, [int(s[i : i + 2], 16) for s in stops]) for i in (1, 3, 5)]
    red, green, blue = (np.round(channel).astype(np.uint32) for channel in rgb)
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, np.uint32)


class SpectrogramMaker(QObject):
    """Makes spectrograms on a pool thread, the newest sound only, one at a time."""

    made = Signal(object, object)  # the sound's token, float32 (rows, columns)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: tuple[object, NDArray[Any], int, int] | None = None
        self._running = False
        self._begun = 0.0
        self._not_before = 0.0
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._next)
        self._done.connect(self._on_done)

    _done = Signal(object, object)

    def ask(self, token: object, samples: NDArray[Any], rate: int, columns: int) -> None:
        """Make one of ``samples (channels, n)``; ``made`` carries ``token``. An older one is forgotten."""
        self._waiting = (token, samples, rate, columns)
        self._next()

    @property
    def idle(self) -> bool:
        return self._waiting is None and not self._running

    def _next(self) -> None:
        if self._running or self._waiting is None:
            return
        wait = self._not_before - time.perf_counter()
        if wait > 0:
            if not self._pause.isActive():
                self._pause.start(int(wait * 1000) + 1)
            return
        token, samples, rate, columns = self._waiting
        self._waiting = None
        self._running = True
        self._begun = time.perf_counter()
        done = self._done

        def work() -> None:
            try:
                levels = spectrogram(samples, rate, columns)
            except Exception:  # a sound that can't be analysed is shown as silence
                levels = np.zeros((1, columns), np.float32)
            try:
                done.emit(token, levels)
            except RuntimeError:
                return  # the view was deleted meanwhile

        QThreadPool.globalInstance().start(work)

    def _on_done(self, token: object, levels: NDArray[np.float32]) -> None:
        self._running = False
        now = time.perf_counter()
        self._not_before = now + max(SHORTEST_PAUSE, min(REST * (now - self._begun), 0.5))
        self.made.emit(token, levels)
        self._next()


class SpectrogramView(QWidget):
    """Shows the spectrogram of float32 ``(channels, n)``; frequency is logarithmic, low at the bottom."""

    seek_asked = Signal(float)
    hovered = Signal(object)  # a sentence about what is under the pointer, or None
    shown = Signal()  # a new spectrogram is in place

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: NDArray[Any] | None = None
        self._rate = 48_000
        self._levels: NDArray[np.float32] | None = None
        self._image = QImage()
        self._theme = ""
        self._playhead: float | None = None
        self._maker = SpectrogramMaker(self)
        self._maker.made.connect(self._on_made)
        self.setMinimumSize(60, 60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Spectrogram")
        self.setToolTip("What sounds when: brighter is louder, higher is higher. Click to play from there")

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    @property
    def levels(self) -> NDArray[np.float32] | None:
        """What is shown, float32 (rows, columns) from 0 to 1, the highest frequency first."""
        return self._levels

    @property
    def seconds(self) -> float:
        return 0.0 if self._samples is None else self._samples.shape[-1] / self._rate

    def set_sound(self, samples: NDArray[Any] | None, rate: int) -> None:
        """Show another sound as soon as its spectrogram is made; the old one stays until then."""
        self._samples, self._rate = samples, rate
        if samples is None or not samples.size:
            self._levels = None
            self._image = QImage()
            self.update()
            return
        columns = min(max(self.width() // 2, 160), 480)
        self._maker.ask(samples, samples, rate, columns)

    def set_playhead(self, seconds: float | None) -> None:
        """Where the playhead stands; None hides it."""
        if seconds == self._playhead:
            return
        for place in (self._playhead, seconds):
            if place is not None and self.seconds:
                x = int(place / self.seconds * self.width())
                self.update(QRect(x - 3, 0, 7, self.height()))
        self._playhead = seconds

    def y_of(self, hertz: float) -> float:
        """The y coordinate of a frequency."""
        span = np.log(highest_hertz(self._rate) / LOWEST_HZ)
        return float(self.height() * (1 - np.log(hertz / LOWEST_HZ) / span))

    def hertz_at(self, y: float) -> float:
        """The frequency at a y coordinate."""
        part = 1 - y / max(self.height(), 1)
        return float(LOWEST_HZ * (highest_hertz(self._rate) / LOWEST_HZ) ** min(max(part, 0.0), 1.0))

    def _on_made(self, token: object, levels: NDArray[np.float32]) -> None:
        if self._samples is None:
            return
        self._levels = levels
        self._theme = ""
        self.update()
        if token is self._samples:
            self.shown.emit()

    # -- events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        name = "dark" if theme.is_dark() else "light"
        if self._levels is not None and self._theme != name:
            table = colour_table(_STOPS if theme.is_dark() else _LIGHT_STOPS)
            pixels = np.ascontiguousarray(table[np.round(self._levels * 255).astype(np.uint8)])
            rows, columns = pixels.shape
            self._image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32).copy()
            self._theme = name
        if self._image.isNull():
            painter.fillRect(event.rect(), theme.colour("canvas"))
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._image)
        self._paint_ticks(painter)
        x = None
        if self._playhead is not None and self.seconds:
            x = self._playhead / self.seconds * self.width()
        paint_playhead(painter, self, x)

    def _paint_ticks(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        ink = QColor("#ffffff" if theme.is_dark() else "#000000")
        shade = QColor("#000000" if theme.is_dark() else "#ffffff")
        shade.setAlphaF(0.55)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        last = -100.0
        for hertz in reversed(TICKS):
            y = self.y_of(hertz)
            if hertz > highest_hertz(self._rate) or y - last < 18 or y < 8 or y > self.height() - 8:
                continue
            last = y
            ink.setAlphaF(0.09)
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QPointF(38, y), QPointF(self.width(), y))
            text = f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
            place = QRectF(6, y - 8, 60, 16)
            # On ground of its own: what lies under it may be as dark, or as bright, as the letters.
            wide = painter.fontMetrics().horizontalAdvance(text)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawRoundedRect(QRectF(3, y - 7, wide + 6, 14), 3, 3)
            ink.setAlphaF(0.9)
            painter.setPen(ink)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.seconds:
            return
        x, y = event.position().x(), event.position().y()
        moment = min(max(x / max(self.width(), 1), 0.0), 1.0) * self.seconds
        hertz = self.hertz_at(y)
        self.hovered.emit(f"{moment:.2f} s · {hertz:.0f} Hz · {note_name(round(hertz_note(hertz)))}")

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.seconds:
            part = min(max(event.position().x() / max(self.width(), 1), 0.0), 1.0)
            self.seek_asked.emit(part * self.seconds)
