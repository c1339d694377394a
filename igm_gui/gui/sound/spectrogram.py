"""Levels over time and frequency, computed beside the interface's thread."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, QThreadPool, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.engine.audio.analysis import (
    LOWEST_HZ,
    RANGE_DB,
    hertz_note,
    highest_hertz,
    note_name,
    spectrogram_of,
)
from igm_gui.gui import theme
from igm_gui.gui.sound.axis import TimeAxis, paint_label, paint_times
from igm_gui.gui.sound.waveform import TimeView, paint_playhead

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
SCALE_HEIGHT = 120
REST = 3.0  # times as long as the last one took


def colour_table(stops: tuple[str, ...] = _STOPS) -> NDArray[np.uint32]:
    """256 colours from quiet to loud as 0xffRRGGBB."""
    at = np.linspace(0, 255, len(stops))
    rgb = [np.interp(np.arange(256), at, [int(s[i : i + 2], 16) for s in stops]) for i in (1, 3, 5)]
    red, green, blue = (np.round(channel).astype(np.uint32) for channel in rgb)
    return np.asarray(0xFF000000 | (red << 16) | (green << 8) | blue, np.uint32)


class SpectrogramMaker(QObject):
    """Makes spectrograms on a pool thread, the newest sound only, one at a time."""

    made = Signal(object, object, float)  # the token, float32 (rows, columns), the dB that 1 stands for

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: tuple[Any, ...] | None = None
        self._running = False
        self._begun = 0.0
        self._not_before = 0.0
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._next)
        self._done.connect(self._on_done)

    _done = Signal(object, object, float)

    def ask(
        self,
        token: object,
        samples: NDArray[Any],
        rate: int,
        columns: int,
        part: tuple[float, float] = (0.0, 1.0),
        top: float | None = None,
    ) -> None:
        """Make one of a ``part`` of ``samples (channels, n)``; ``made`` carries ``token``. An older one is
        forgotten. ``top`` as for :func:`spectrogram_of`."""
        self._waiting = (token, samples, rate, columns, part, top)
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
        token, samples, rate, columns, part, top = self._waiting
        self._waiting = None
        self._running = True
        self._begun = time.perf_counter()
        done = self._done

        def work() -> None:
            try:
                levels, level = spectrogram_of(samples, rate, columns, part=part, top=top)
            except Exception:  # a sound that can't be analysed is shown as silence
                levels, level = np.zeros((1, columns), np.float32), 0.0
            try:
                done.emit(token, levels, level)
            except RuntimeError:
                return  # the view was deleted meanwhile

        QThreadPool.globalInstance().start(work)

    def _on_done(self, token: object, levels: NDArray[np.float32], top: float) -> None:
        self._running = False
        now = time.perf_counter()
        self._not_before = now + max(SHORTEST_PAUSE, min(REST * (now - self._begun), 0.5))
        self.made.emit(token, levels, top)
        self._next()


class SpectrogramView(TimeView):
    """Shows the spectrogram of float32 ``(channels, n)``; frequency is logarithmic, low at the bottom. The
    colours are levels below the loudest place of the sound, told in dB below full scale."""

    hovered = Signal(object)  # a sentence about what is under the pointer, or None
    shown = Signal()  # a new spectrogram is in place

    def __init__(self, parent: QWidget | None = None, axis: TimeAxis | None = None) -> None:
        super().__init__(axis, parent)
        self._levels: NDArray[np.float32] | None = None
        self._shows = (0.0, 0.0)  # what stretch of time the picture is of
        self._top: float | None = None  # dB of the loudest place,
        self._top_of: NDArray[Any] | None = None  # and of which sound
        self._image = QImage()
        self._theme = ""
        self._maker = SpectrogramMaker(self)
        self._maker.made.connect(self._on_made)
        self.setMinimumSize(60, 60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Spectrogram")
        self.setToolTip(
            "What sounds when: brighter is louder, higher is higher. Click to play from there; the wheel "
            "zooms, with Shift it moves along"
        )

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    @property
    def levels(self) -> NDArray[np.float32] | None:
        """What is shown, float32 (rows, columns) from 0 to 1, the highest frequency first."""
        return self._levels

    def set_sound(self, samples: NDArray[Any] | None, rate: int) -> None:
        """Show another sound as soon as its spectrogram is made; the old one stays until then."""
        self._samples, self._rate = samples, rate
        self.axis.set_seconds(self.seconds)
        if samples is None or not samples.size:
            self._levels = None
            self._image = QImage()
            self.update()
            return
        self._ask()

    def _ask(self) -> None:
        if self._samples is None or not self.seconds:
            return
        if abs(self.axis.seconds - self.seconds) > 1e-9:
            return  # another view of the axis has the next sound already; this one gets it at once
        columns = min(max(self.width() // 2, 160), 480)
        start, end = self.axis.start, self.axis.end
        token = (self._samples, start, end)
        part = (start / self.seconds, end / self.seconds)
        # A part is shown in the colours of the whole.
        top = self._top if self.axis.zoomed and self._top_of is self._samples else None
        self._maker.ask(token, self._samples, self._rate, columns, part, top)

    def _on_axis(self) -> None:
        super()._on_axis()
        self._ask()

    def level_at(self, x: float, y: float) -> float | None:
        """dB below full scale under a place; None where nothing is shown, or it is too quiet."""
        if self._levels is None or self._top is None or self._shows[1] <= self._shows[0]:
            return None
        rows, columns = self._levels.shape
        part = (self.axis.at(x, self.width()) - self._shows[0]) / (self._shows[1] - self._shows[0])
        column = min(max(int(part * columns), 0), columns - 1)
        row = min(max(int(y / max(self.height(), 1) * rows), 0), rows - 1)
        level = float(self._levels[row, column])
        return self._top - RANGE_DB * (1 - level) if level > 0 else None

    def y_of(self, hertz: float) -> float:
        """The y coordinate of a frequency."""
        span = np.log(highest_hertz(self._rate) / LOWEST_HZ)
        return float(self.height() * (1 - np.log(hertz / LOWEST_HZ) / span))

    def hertz_at(self, y: float) -> float:
        """The frequency at a y coordinate."""
        part = 1 - y / max(self.height(), 1)
        return float(LOWEST_HZ * (highest_hertz(self._rate) / LOWEST_HZ) ** min(max(part, 0.0), 1.0))

    def _on_made(self, token: tuple[Any, float, float], levels: NDArray[np.float32], top: float) -> None:
        if self._samples is None:
            return
        samples, start, end = token
        self._levels, self._shows = levels, (start, end)
        self._top, self._top_of = top, samples
        self._theme = ""
        self.update()
        if samples is self._samples:
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
        # Until the stretch on show has a picture of its own, the last one is stretched to its place.
        left, right = (self.axis.x(moment, self.width()) for moment in self._shows)
        if left > 0 or right < self.width() - 1:
            painter.fillRect(self.rect(), theme.colour("canvas"))
        painter.drawImage(QRectF(left, 0, right - left, self.height()), self._image)
        self._paint_ticks(painter)
        paint_times(painter, self, self.axis)
        self._paint_scale(painter)
        self._paint_pointer(painter)
        paint_playhead(painter, self, None if self._playhead is None else self.x_of(self._playhead))

    def _paint_ticks(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        ink = QColor("#ffffff" if theme.is_dark() else "#000000")
        ink.setAlphaF(0.09)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        last = -100.0
        for hertz in reversed(TICKS):
            y = self.y_of(hertz)
            if hertz > highest_hertz(self._rate) or y - last < 18 or y < 8 or y > self.height() - 22:
                continue
            last = y
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QPointF(38, y), QPointF(self.width(), y))
            text = f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
            wide = painter.fontMetrics().horizontalAdvance(text)
            paint_label(painter, QRectF(3, y - 7, wide + 6, 14), text)

    def _paint_scale(self, painter: QPainter) -> None:
        """What the colours mean, at the right edge."""
        high = min(SCALE_HEIGHT, self.height() - 80)
        if self._top is None or high < 60 or self.width() < 300:
            return
        bar = QRectF(self.width() - 14, self.height() - 30 - high, 8, high)
        table = colour_table(_STOPS if theme.is_dark() else _LIGHT_STOPS)[::-1]
        image = QImage(np.ascontiguousarray(table).data, 1, 256, 4, QImage.Format.Format_RGB32)
        painter.drawImage(bar, image)
        painter.setPen(QPen(theme.colour("quiet", 0.5), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        for part, level in ((0.0, self._top), (0.5, self._top - RANGE_DB / 2), (1.0, self._top - RANGE_DB)):
            text = f"{level:.0f} dB".replace("-", "−")
            wide = painter.fontMetrics().horizontalAdvance(text) + 6
            paint_label(painter, QRectF(bar.left() - wide - 3, bar.top() + part * high - 7, wide, 14), text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.seconds:
            return
        x, y = event.position().x(), event.position().y()
        self._point_at(x)
        hertz, level = self.hertz_at(y), self.level_at(x, y)
        loud = "" if level is None else f" · {level:.0f} dB".replace("-", "−")
        moment = self.seconds_at(x)
        self.hovered.emit(f"{moment:.3f} s · {hertz:.0f} Hz · {note_name(round(hertz_note(hertz)))}{loud}")

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        self.hovered.emit(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.seconds:
            self.seek_asked.emit(self.seconds_at(event.position().x()))
