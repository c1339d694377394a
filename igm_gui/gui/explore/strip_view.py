"""How the latent strip looks: bars from the zero line, where each lies, zoom and scroll."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QScrollBar, QSizePolicy, QWidget

from igm_gui.gui import theme
from igm_gui.gui.widgets.painted import Painted

SMALLEST_PITCH = 2.5  # pixels; with more dimensions than that the strip scrolls
LARGEST_PITCH = 60.0
PAD = 4
HEIGHTS = (84, 200)


_DIGITS = str.maketrans("0123456789", "0000000000")


class _Bars:
    """The bars' rectangles, kept: a drag changes a few of them, and making all takes longer than painting."""

    def __init__(self) -> None:
        self._place: tuple[float, ...] = ()
        self._tops: NDArray[Any] = np.empty(0)
        self._rectangles: list[QRectF] = []

    def at(self, left: float, pitch: float, width: float, zero: float, tops: NDArray[Any]) -> list[QRectF]:
        """Bars from ``zero`` to each of ``tops``, ``pitch`` apart from ``left``, a pixel high at least."""
        place = (left, pitch, width, zero, float(len(tops)))
        if place != self._place:
            self._place, self._rectangles = place, [QRectF() for _ in range(len(tops))]
            self._tops = np.full(len(tops), np.nan)
        changed = np.flatnonzero(tops != self._tops).tolist()
        for index in changed:
            top = float(tops[index])
            self._rectangles[index] = QRectF(
                left + index * pitch, min(top, zero), width, max(abs(zero - top), 1.0)
            )
        self._tops = tops
        return self._rectangles


class StripView(Painted):
    """The bars of one latent's flat dimensions, ``low`` to ``high`` from bottom to top, with the focus on one
    and a readout of the one under the pointer."""

    tip_beneath = True

    def __init__(
        self,
        name: str,
        size: int,
        low: float = -3.0,
        high: float = 3.0,
        names: tuple[str, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.low, self.high = low, high
        self._names = names
        self._values: NDArray[np.float32] = np.zeros(size, np.float32)
        self._locked: frozenset[int] = frozenset()
        self._zoom = 0.0  # pixels per bar; 0 fits
        self._offset = 0.0  # pixels scrolled
        self._hover = -1
        self._frame: tuple[tuple[object, ...], QPixmap] | None = None
        self._rectangles = _Bars()
        self._widths: dict[str, int] = {}
        self._focus_bar = 0
        self._bar = QScrollBar(Qt.Orientation.Horizontal, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self._scrolled)
        self._bar.hide()
        # It paints every pixel: the ten widgets it lies on need not be painted for each move of the pointer.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(HEIGHTS[0])
        self.setMaximumHeight(HEIGHTS[1])
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(f"Latent {name}, {size} dimensions")
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(266, 96)

    # -- what is shown

    @property
    def count(self) -> int:
        return int(self._values.size)

    @property
    def values(self) -> NDArray[np.float32]:
        """The values shown, float32 (count,)."""
        return self._values

    @property
    def locked(self) -> frozenset[int]:
        return self._locked

    @property
    def focus_bar(self) -> int:
        """The flat index that the keys act on."""
        return self._focus_bar

    @property
    def marked(self) -> int:
        """The flat index that is lit and told about: under the pointer, else the keys' own; -1 for none."""
        if self._hover >= 0:
            return self._hover
        focus = QApplication.focusWidget()  # the strip, or the field in it that a value is typed into
        return self._focus_bar if focus is not None and (focus is self or self.isAncestorOf(focus)) else -1

    def set_values(self, values: NDArray[np.float32]) -> None:
        """Show ``values``, any shape of ``count`` numbers."""
        flat = values.reshape(-1)
        if np.array_equal(flat, self._values):
            return
        self._values = flat
        self._describe()
        self.update()

    def show_drawn(self, values: dict[int, float]) -> None:
        """Show single values, by flat index, ahead of :meth:`set_values`; locked ones stay."""
        free = {index: value for index, value in values.items() if index not in self._locked}
        shown = self._values.copy()
        shown[list(free)] = list(free.values())
        self._values = shown
        self.update()

    def set_locked(self, locked: frozenset[int]) -> None:
        """Mark the locked dimensions."""
        if locked != self._locked:
            self._locked = locked
            self._describe()
            self.update()

    def dimension_name(self, index: int) -> str:
        """The dimension's own name, or ``z 12``."""
        named = self._names[index] if index < len(self._names) else ""
        return named or f"{self.name} {index}"

    def readout(self, index: int) -> str:
        """Such as ``z 12  +0.83  locked``."""
        value = f"{float(self._values[index]):+.2f}".replace("-", "−")
        return f"{self.dimension_name(index)}  {value}" + ("  locked" if index in self._locked else "")

    # -- geometry

    @property
    def pitch(self) -> float:
        """Pixels from one bar to the next."""
        room = max(1.0, self.width() - 2.0 * PAD)
        fit = room / max(1, self.count)
        return max(self._zoom, fit, SMALLEST_PITCH)

    def _content(self) -> QRectF:
        bottom = self._bar.height() if not self._bar.isHidden() else 0
        return QRectF(PAD, PAD, self.width() - 2 * PAD, self.height() - 2 * PAD - bottom)

    def bar_at(self, x: float) -> int:
        """The index of the bar at ``x``, clamped to the ends."""
        return self.drawn_at((QPointF(x, 0.0),))[0][0]

    def bar_centre(self, index: int) -> QPointF:
        """Where a bar's value ends, in the strip's coordinates."""
        x = PAD - self._offset + (index + 0.5) * self.pitch
        return QPointF(x, self._y(float(self._values[index])))

    def _y(self, value: float) -> float:
        area = self._content()
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return area.bottom() - part * area.height()

    def value_at(self, y: float) -> float:
        """The value at the height ``y``, within the strip's range."""
        return self.drawn_at((QPointF(0.0, y),))[0][1]

    def drawn_at(self, places: Iterable[QPointF]) -> list[tuple[int, float]]:
        """The bar and the value at each of ``places``, as :meth:`bar_at` and :meth:`value_at`; for the many
        of a drag at once."""
        area, pitch, last = self._content(), self.pitch, self.count - 1
        bottom, scale = area.bottom(), (self.high - self.low) / max(area.height(), 1.0)
        left = PAD - self._offset
        return [
            (
                min(max(int((place.x() - left) // pitch), 0), last),
                min(max(self.low + (bottom - place.y()) * scale, self.low), self.high),
            )
            for place in places
        ]

    def _lay_out(self) -> None:
        overflow = self.pitch * self.count - (self.width() - 2 * PAD)
        self._bar.setVisible(overflow > 0.5)
        if overflow > 0.5:
            self._bar.setGeometry(PAD, self.height() - 10, self.width() - 2 * PAD, 9)
            self._bar.setPageStep(self.width() - 2 * PAD)
            self._bar.setRange(0, math.ceil(overflow))
            self._bar.setSingleStep(24)
        self._offset = min(max(self._offset, 0.0), max(overflow, 0.0))
        self._bar.setValue(round(self._offset))
        self.update()

    def _scrolled(self, value: int) -> None:
        if abs(value - self._offset) >= 1:
            self._offset = float(value)
            self.update()

    def zoom_to(self, pitch: float, about: float) -> None:
        """Make the bars ``pitch`` pixels wide, the one at ``about`` staying where it is; 0 fits."""
        under = (about - PAD + self._offset) / self.pitch
        self._zoom = min(pitch, LARGEST_PITCH) if pitch > 0 else 0.0
        self._offset = under * self.pitch - (about - PAD)
        self._lay_out()

    def _reveal(self, index: int) -> None:
        left = index * self.pitch
        room = self.width() - 2 * PAD
        if left < self._offset:
            self._offset = left
        elif left + self.pitch > self._offset + room:
            self._offset = left + self.pitch - room
        self._lay_out()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground())
        painter.setClipRect(self._content().adjusted(-1, 0, 1, 0))
        painter.setPen(Qt.PenStyle.NoPen)
        zero = self._y(min(max(0.0, self.low), self.high))
        painter.fillRect(QRectF(PAD, zero - 0.5, self.width() - 2 * PAD, 1), theme.colour("hover"))
        pitch = self.pitch
        first, last = self.bar_at(PAD), self.bar_at(self.width() - PAD)
        gap = 1.0 if pitch < 8 else 2.0
        area = self._content()
        scale = area.height() / (self.high - self.low)
        shown = self._values[first : last + 1].clip(self.low, self.high)
        left = PAD - self._offset + first * pitch
        bars = self._rectangles.at(left, pitch, pitch - gap, zero, area.bottom() - (shown - self.low) * scale)
        held = [bar for i, bar in enumerate(bars, first) if i in self._locked] if self._locked else []
        free = [bar for i, bar in enumerate(bars, first) if i not in self._locked] if held else bars
        painter.setBrush(theme.colour("value") if self.isEnabled() else theme.colour("quiet", 0.18))
        painter.drawRects(free)
        if held:
            painter.setBrush(theme.colour("quiet", 0.55))
            painter.drawRects(held)
        marked = self.marked
        if 0 <= marked < self.count:
            self._paint_marked(painter, marked, zero, gap)
        if held:  # over the mark, so that a bar is seen to be locked when it is
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawRects([QRectF(r.x(), area.bottom() - 2, r.width(), 2) for r in held])

    @cached_property
    def _small(self) -> tuple[QFont, QFontMetrics]:
        """The readout's font, made once: it is needed for each move of the pointer."""
        font = QFont(self.font())
        font.setPixelSize(11)
        return font, QFontMetrics(font)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.__dict__.pop("_small", None)
            self._widths.clear()
        super().changeEvent(event)

    def _ground(self) -> QPixmap:
        """The frame behind the bars. It is kept: its smooth corners take longer than all bars together."""
        ratio = self.devicePixelRatioF()
        border, fill = theme.colour("accent" if self.hasFocus() else "line"), theme.colour("canvas")
        key = (self.width(), self.height(), ratio, border.name(), fill.name())
        if self._frame is None or self._frame[0] != key:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(theme.colour("panel"))  # seen at the rounded corners
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(border, 1))
            painter.setBrush(fill)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            painter.end()
            self._frame = (key, pixmap)
        return self._frame[1]

    def _paint_marked(self, painter: QPainter, index: int, zero: float, gap: float) -> None:
        area = self._content()
        x = PAD - self._offset + index * self.pitch
        # Opaque: blended, this rectangle took far longer than all the bars.
        wide = self.pitch - gap
        painter.fillRect(
            QRectF(x, area.top(), wide, area.height()).toRect(), theme.between("canvas", "text", 0.07)
        )
        end = self._y(float(self._values[index]))
        painter.fillRect(QRectF(x, min(end, zero), wide, max(abs(end - zero), 1.0)), theme.colour("accent"))
        font, metrics = self._small
        painter.setFont(font)
        text = self.readout(index)
        width = self._text_width(metrics, text) + 10
        at_left = x > self.width() / 2
        box = QRectF(area.left() if at_left else area.right() - width, area.top(), width, 17)
        painter.fillRect(box.toRect(), theme.colour("raised"))
        painter.setPen(theme.colour("text"))
        # From the base line: to lay text out in a rectangle takes twice as long.
        base = box.top() + (box.height() + metrics.capHeight()) / 2
        painter.drawText(QPointF(round(box.left() + 5), round(base)), text)

    def _text_width(self, metrics: QFontMetrics, text: str) -> int:
        """Room for ``text``, kept: laying out letters takes longer than all bars. Digits are of one width."""
        shape = text.translate(_DIGITS)
        if shape not in self._widths:
            if len(self._widths) > 4 * self.count:
                self._widths.clear()
            self._widths[shape] = metrics.horizontalAdvance(shape)
        return self._widths[shape]

    # -- small things

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.update()

    def _move_focus(self, index: int) -> None:
        if index != self._focus_bar:
            self._focus_bar = index
            self._describe()
            self.update()

    def _describe(self) -> None:
        if self.hasFocus():
            self.setAccessibleDescription(self.readout(self._focus_bar))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._describe()
        super().focusInEvent(event)
