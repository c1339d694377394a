"""The stretch of time that outline and spectrogram show together."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from igm_gui.gui import theme

SHORTEST = 0.005  # seconds on show at least
STEPS = (1, 2, 5)
TICK_PIXELS = 84  # between two labels at least
NOTCH = 1.25  # how much a notch of the wheel zooms


class TimeAxis(QObject):
    """``start`` to ``end`` of a sound of ``seconds``: all of it, or what was zoomed into."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.seconds = 0.0
        self.start = 0.0
        self.end = 0.0

    @property
    def zoomed(self) -> bool:
        """Whether less than all is on show."""
        return self.end - self.start < self.seconds - 1e-9

    @property
    def span(self) -> float:
        return self.end - self.start

    def set_seconds(self, seconds: float) -> None:
        """Another sound. One of the same length keeps what is on show."""
        if abs(seconds - self.seconds) > 1e-9:
            self.seconds = seconds
            self._show(0.0, seconds)

    def zoom(self, factor: float, at: float) -> None:
        """Show ``factor`` times less around the moment ``at``, which stays where it is."""
        span = min(max(self.span / factor, min(SHORTEST, self.seconds)), self.seconds)
        part = (at - self.start) / self.span if self.span else 0.5
        self._show(at - part * span, at - part * span + span)

    def pan(self, seconds: float) -> None:
        """Move along."""
        self._show(self.start + seconds, self.end + seconds)

    def show_all(self) -> None:
        self._show(0.0, self.seconds)

    def follow(self, seconds: float) -> None:
        """Keep a playhead in view: the next page comes where it leaves this one."""
        if self.zoomed and not self.start <= seconds <= self.end:
            self._show(seconds, seconds + self.span)

    def x(self, seconds: float, width: float) -> float:
        """The x coordinate of a moment on ``width`` pixels."""
        return (seconds - self.start) / self.span * width if self.span > 0 else 0.0

    def at(self, x: float, width: float) -> float:
        """The moment at an x coordinate, within what is on show."""
        return self.start + min(max(x / max(width, 1.0), 0.0), 1.0) * self.span

    def ticks(self, width: float) -> list[tuple[float, str]]:
        """Moments and their labels, as many as have room."""
        if self.span <= 0 or width <= 0:
            return []
        least = self.span * TICK_PIXELS / width
        power = 10.0 ** math.floor(math.log10(least))
        step = next(power * k for k in (*STEPS, 10) if power * k >= least * (1 - 1e-9))
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        first = math.ceil(self.start / step - 1e-9)
        last = math.floor(self.end / step + 1e-9)
        return [(k * step, self._label(k * step, digits)) for k in range(first, last + 1)]

    @staticmethod
    def _label(seconds: float, digits: int) -> str:
        if digits >= 3:  # an undivided number of milliseconds or microseconds reads better
            return f"{seconds * 1000:.{digits - 3}f} ms"
        return f"{seconds:.{digits}f} s"

    def wheel(self, event: QWheelEvent, width: float) -> None:
        """The wheel zooms at the pointer; with Shift, or sideways, it moves along. Where nothing changes the
        event goes on to whatever scrolls."""
        before = (self.start, self.end)
        delta = event.angleDelta()
        sideways = delta.x() or (delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self.pan(-sideways / 120 * 0.1 * self.span)
        else:
            self.zoom(NOTCH ** (delta.y() / 120), self.at(event.position().x(), width))
        event.setAccepted((self.start, self.end) != before)

    def _show(self, start: float, end: float) -> None:
        span = min(end - start, self.seconds)
        start = min(max(start, 0.0), self.seconds - span)
        if abs(start - self.start) > 1e-9 or abs(start + span - self.end) > 1e-9:
            self.start, self.end = start, start + span
            self.changed.emit()


def paint_label(painter: QPainter, place: QRectF, text: str) -> None:
    """A few letters on ground of their own: what lies under them may be as dark, or as bright."""
    shade = QColor("#000000" if theme.is_dark() else "#ffffff")
    shade.setAlphaF(0.55)
    ink = QColor("#ffffff" if theme.is_dark() else "#000000")
    ink.setAlphaF(0.9)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawRoundedRect(place, 3, 3)
    painter.setPen(ink)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def paint_times(painter: QPainter, widget: QWidget, axis: TimeAxis, above: bool = False) -> None:
    """The axis along the bottom of ``widget``, or its top, with faint lines."""
    font = painter.font()
    font.setPixelSize(10)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QColor("#ffffff" if theme.is_dark() else "#000000")
    line.setAlphaF(0.09)
    width, height = widget.width(), widget.height()
    for seconds, text in axis.ticks(width):
        x = axis.x(seconds, width)
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(x, 0), QPointF(x, height))
        wide = painter.fontMetrics().horizontalAdvance(text) + 6
        left = min(max(x - wide / 2, 2), width - wide - 2)
        paint_label(painter, QRectF(left, 2 if above else height - 16, wide, 14), text)
