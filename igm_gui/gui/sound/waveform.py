"""The outline of a sound, with a playhead; a click says where to play from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.engine.audio.analysis import decibels, outline
from igm_gui.gui import theme
from igm_gui.gui.sound.axis import TimeAxis, paint_label, paint_times
from igm_gui.gui.sound.shaded import shaded_picture

SHADED_WIDTH, SHADED_HEIGHT = 640, 320
SMALLEST = 0.03  # a quieter sound than this is not drawn larger
ZOOM_KEYS = {Qt.Key.Key_Plus: 1.5, Qt.Key.Key_Equal: 1.5, Qt.Key.Key_Minus: 1 / 1.5}
FULL = 0.46  # of the lane's height, for a sample of 1


def waveform_picture(
    samples: NDArray[Any], width: int, height: int, tint: QColor, gain: float | None = None
) -> QImage:
    """The outline of float32 ``(channels, n)`` as a picture of ``width`` x ``height`` pixels on clear ground.

    One lane for each of at most two channels; edges are antialiased. ``gain`` None lets the loudest
    sample reach the edge of its lane (but magnifies no more than 30 dB).
    """
    width, height = max(width, 1), max(height, 1)
    lanes = np.atleast_2d(np.nan_to_num(np.asarray(samples, np.float32)))[:2]
    if gain is None:
        gain = 1.0 / max(float(np.abs(lanes).max(initial=0.0)), SMALLEST)
    cover = np.zeros((height, width), np.uint8)
    columns = np.arange(width)
    lane_height = height / len(lanes)
    for index, lane in enumerate(lanes):
        low, high = outline(lane, width)
        middle = (index + 0.5) * lane_height
        top = middle - np.clip(high * gain, -1, 1) * lane_height * FULL
        bottom = middle - np.clip(low * gain, -1, 1) * lane_height * FULL
        thin = np.maximum(1.0 - (bottom - top), 0) / 2  # a line of silence is one pixel wide
        top, bottom = np.clip(top - thin, 0, height), np.clip(bottom + thin, 0, height)
        first, last = np.ceil(top).astype(int), np.floor(bottom).astype(int)
        rows = slice(int(index * lane_height), int(np.ceil((index + 1) * lane_height)))
        y = np.arange(height, dtype=np.int32)[rows, None]
        body = (y >= first.astype(np.int32)) & (y < last.astype(np.int32))
        np.maximum(cover[rows], body.view(np.uint8) * np.uint8(255), out=cover[rows])
        # The pixels at either end are covered in part.
        for edge, part in ((first - 1, first - top), (last, bottom - last)):
            edge = np.clip(edge, 0, height - 1)
            alpha = np.round(np.clip(part, 0, 1) * 255).astype(np.uint8)
            cover[edge, columns] = np.maximum(cover[edge, columns], alpha)
    wide = -(-width // 4) * 4  # QImage wants lines of whole words
    if wide != width:
        cover = np.pad(cover, ((0, 0), (0, wide - width)))
    image = QImage(cover.data, width, height, wide, QImage.Format.Format_Indexed8)
    rgb = tint.rgb() & 0xFFFFFF
    image.setColorTable([alpha << 24 | rgb for alpha in range(256)])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


class TimeView(QWidget):
    """A sound over time, with pointer and playhead; the wheel zooms. ``seek_asked`` carries the seconds that
    were clicked. Views that share an ``axis`` show the same stretch."""

    seek_asked = Signal(float)

    def __init__(self, axis: TimeAxis | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis = axis or TimeAxis(self)
        self._samples: NDArray[Any] | None = None
        self._rate = 48_000
        self._playhead: float | None = None
        self._pointer: float | None = None
        self.axis.changed.connect(self._on_axis)

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return 0.0 if self._samples is None else self._samples.shape[-1] / self._rate

    @property
    def playhead(self) -> float | None:
        return self._playhead

    def set_playhead(self, seconds: float | None) -> None:
        """Where the playhead stands; None hides it. Only its own stripe is painted again."""
        if seconds == self._playhead:
            return
        for place in (self._playhead, seconds):
            if place is not None:
                self.update(QRect(int(self.x_of(place)) - 3, 0, 7, self.height()))
        self._playhead = seconds
        if seconds is not None:
            self.axis.follow(seconds)

    def x_of(self, seconds: float) -> float:
        """The x coordinate of a moment."""
        return self.axis.x(seconds, self.width())

    def seconds_at(self, x: float) -> float:
        """The moment at an x coordinate, within what is on show."""
        return self.axis.at(x, self.width())

    def _on_axis(self) -> None:
        self.update()

    def _point_at(self, x: float | None) -> None:
        for place in (self._pointer, x):
            if place is not None:
                self.update(QRect(int(place) - 1, 0, 3, self.height()))
        self._pointer = x

    def _paint_pointer(self, painter: QPainter) -> None:
        if self._pointer is not None:
            painter.setPen(QPen(theme.colour("quiet", 0.6), 1))
            painter.drawLine(QPointF(self._pointer, 0), QPointF(self._pointer, self.height()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.seconds:
            self.axis.wheel(event, self.width())
        else:
            event.ignore()


class WaveformView(TimeView):
    """Shows float32 ``(channels, n)``; ``shaded`` fills the outline with the spectrum, where no spectrogram
    stands beside it."""

    hovered = Signal(object)  # a sentence about the moment under the pointer, or None
    painted = Signal()  # a new sound is on screen

    def __init__(
        self,
        samples: NDArray[Any] | None = None,
        rate: int = 48_000,
        parent: QWidget | None = None,
        shaded: bool = False,
        axis: TimeAxis | None = None,
    ) -> None:
        super().__init__(axis, parent)
        self._picture = QImage()
        self._key: tuple[object, ...] = ()
        self._gain = 1.0
        self._shaded = shaded
        self.tint = "accent"
        self.setMinimumSize(40, 24)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Waveform")
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("Click to play from there, the wheel zooms")
        self.setAccessibleDescription(
            "Return plays from the start, the arrows move by a twentieth, plus and minus zoom, "
            "Backspace shows all"
        )
        self.set_sound(samples, rate)

    def sizeHint(self) -> QSize:
        return QSize(480, 150)

    @property
    def samples(self) -> NDArray[Any] | None:
        return self._samples

    def set_sound(self, samples: NDArray[Any] | None, rate: int) -> None:
        """Show another sound; None shows nothing. The array is kept, not copied."""
        self._samples, self._rate = samples, rate
        self._key = ()
        if samples is not None and samples.size:
            self._gain = 1.0 / max(float(np.abs(np.nan_to_num(samples)).max(initial=0)), SMALLEST)
        self.axis.set_seconds(self.seconds)
        self.update()

    def _on_show(self) -> NDArray[Any]:
        """The samples of the stretch on show."""
        assert self._samples is not None
        sound = np.atleast_2d(self._samples)
        start = int(self.axis.start * self._rate)
        end = max(round(self.axis.end * self._rate), start + 1)
        return sound[:, start:end]

    def level_at(self, x: float) -> float:
        """dB below full scale of the peak under an x coordinate."""
        if self._samples is None or not self._samples.size:
            return -math.inf
        first = min(int(self.seconds_at(x) * self._rate), self._samples.shape[-1] - 1)
        last = max(int(self.seconds_at(x + 1) * self._rate), first + 1)
        return decibels(float(np.abs(np.nan_to_num(self._samples[..., first:last])).max()))

    # -- events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme.colour("canvas"))
        if self._samples is not None and self._samples.size:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._shaded)
            painter.drawImage(self.rect(), self._current_picture())
            self._paint_level(painter)
        self._paint_pointer(painter)
        paint_playhead(painter, self, None if self._playhead is None else self.x_of(self._playhead))
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _current_picture(self) -> QImage:
        ratio = self.devicePixelRatioF()
        tint = theme.colour(self.tint)
        place = round(self.axis.start, 6), round(self.axis.end, 6)
        key = (
            round(self.width() * ratio),
            round(self.height() * ratio),
            tint.rgb(),
            id(self._samples),
            place,
        )
        if key != self._key:
            assert self._samples is not None
            if not self._key:
                self.painted.emit()
            if self._shaded:
                # At most so large: it is made on the interface's thread, and grows smoothly.
                factor = max(1.0, key[0] / SHADED_WIDTH, key[1] / SHADED_HEIGHT)
                size = round(key[0] / factor), round(key[1] / factor)
                self._picture = shaded_picture(self._on_show(), self._rate, *size)
            else:
                self._picture = waveform_picture(self._on_show(), key[0], key[1], tint, self._gain)
            self._key = key
        return self._picture

    def _paint_level(self, painter: QPainter) -> None:
        """How loud the edge of the picture is, as the outline is drawn as large as there is room. Where no
        spectrogram stands below, the times too."""
        if self.height() < 60 or self.width() < 160:
            return
        edge = 1.0 / self._gain
        if self._shaded:
            paint_times(painter, self, self.axis, above=True)
            edge = float(np.abs(np.nan_to_num(self._on_show())).max(initial=0.0))
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        text = f"{decibels(max(edge, 1e-6)):.1f} dB".replace("-", "−")
        wide = painter.fontMetrics().horizontalAdvance(text) + 6
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_label(painter, QRectF(3, 20 if self._shaded else 2, wide, 14), text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(event.position().x())

    def _point_at(self, x: float | None) -> None:
        super()._point_at(x)
        if x is None or not self.seconds:
            self.hovered.emit(None)
            return
        level = self.level_at(x)
        loud = f" · {level:.1f} dB".replace("-", "−") if level > -120 else ""
        self.hovered.emit(f"{self.seconds_at(x):.3f} s{loud}")

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.seek_asked.emit(self.seconds_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.seek_asked.emit(0.0)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 0.05 * self.seconds * (1 if event.key() == Qt.Key.Key_Right else -1)
            self.seek_asked.emit(min(max((self._playhead or 0.0) + step, 0.0), self.seconds))
        elif event.key() in ZOOM_KEYS:
            middle = (self.axis.start + self.axis.end) / 2
            at = self._playhead if self._playhead is not None else middle
            self.axis.zoom(ZOOM_KEYS[Qt.Key(event.key())], min(max(at, self.axis.start), self.axis.end))
        elif event.key() == Qt.Key.Key_Backspace and self.axis.zoomed:
            self.axis.show_all()
        else:
            super().keyPressEvent(event)


def paint_playhead(painter: QPainter, widget: QWidget, x: float | None) -> None:
    """A line in the playhead's colour, the height of ``widget``."""
    if x is not None:
        painter.setPen(QPen(theme.colour("bad"), 1.5))
        painter.drawLine(QPointF(x, 0), QPointF(x, widget.height()))
