"""The layers of a style-based network as a row of cells: which are chosen, mixed, moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.gui import theme
from igm_gui.gui.widgets.painted import Painted

HEIGHT = 38
GAP = 2.0
MARK = 4.0  # the line under a layer that was moved


class LayerBar(Painted):
    """One cell for each layer, coarse to fine from left to right.

    The fill from below is how much a layer follows the second style; a line under it says that it was moved
    in w. A click chooses one layer, a drag a range; with Ctrl they are added or taken away. Arrows move the
    focus, Space adds or takes away, Shift and the arrows choose a range, Ctrl+A all.
    """

    chosen = Signal(object)  # frozenset of layers

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._chosen: frozenset[int] = frozenset()
        self._fills: tuple[float, ...] = ()
        self._moved: frozenset[int] = frozenset()
        self._focus = 0
        self._press: tuple[int, frozenset[int], bool] | None = None  # cell, chosen before, adding
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Layers, coarse to fine")
        self.setToolTip(
            "Layers, coarse to fine: click or drag to choose, Ctrl adds or takes away\n"
            "Filled as far as they follow the second style, underlined where moved"
        )

    def sizeHint(self) -> QSize:
        return QSize(266, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    @property
    def chosen_layers(self) -> frozenset[int]:
        return self._chosen

    def set_layers(self, names: Sequence[str]) -> None:
        """Other layers; none of what was shown is kept."""
        self._names = tuple(names)
        self._chosen = frozenset()
        self._fills = (0.0,) * len(self._names)
        self._moved = frozenset()
        self._focus = 0
        self.update()

    def show_state(self, chosen: Iterable[int], fills: Sequence[float], moved: Iterable[int]) -> None:
        """Show what is chosen, how far each layer is mixed (0 to 1), which are moved."""
        state = (frozenset(chosen), tuple(float(f) for f in fills), frozenset(moved))
        if state != (self._chosen, self._fills, self._moved):
            self._chosen, self._fills, self._moved = state
            self._describe()
            self.update()

    def cell(self, index: int) -> QRectF:
        """Where a layer's cell is."""
        width = (self.width() + GAP) / max(len(self._names), 1)
        return QRectF(index * width, 0, width - GAP, self.height() - MARK)

    def layer_at(self, x: float) -> int:
        """The layer at a place, the nearest one outside."""
        count = max(len(self._names), 1)
        return min(max(int(x / max(self.width() + GAP, 1) * count), 0), count - 1)

    def _describe(self) -> None:
        self.setAccessibleDescription("; ".join(self._text(i) for i in sorted(self._chosen)))

    def _text(self, index: int) -> str:
        text = f"{index}: {self._names[index]}"
        if self._fills[index] > 0:
            text += f", {self._fills[index]:.0%} second style"
        return text + (", moved" if index in self._moved else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isEnabled()
        for index in range(len(self._names)):
            cell = self.cell(index)
            chosen = index in self._chosen
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover" if chosen else "raised"))
            painter.drawRoundedRect(cell, 2, 2)
            fill = QRectF(cell)
            fill.setTop(cell.bottom() - cell.height() * self._fills[index])
            painter.setBrush(theme.colour("accent" if on else "quiet", 1.0 if chosen else 0.55))
            if self._fills[index] > 0:
                painter.drawRoundedRect(fill, 2, 2)
            if index in self._moved:
                line = QRectF(cell.left(), self.height() - MARK / 2, cell.width(), MARK / 2)
                painter.setBrush(theme.colour("text" if chosen else "quiet"))
                painter.drawRect(line)
            if chosen or (self.hasFocus() and index == self._focus):
                tint = "accent" if self.hasFocus() and index == self._focus else "text"
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme.colour(tint, 1.0 if on else 0.4), 1.2))
                painter.drawRoundedRect(cell.adjusted(0.6, 0.6, -0.6, -0.6), 2, 2)

    # -- pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self._names:
            event.ignore()
            return
        index = self.layer_at(event.position().x())
        adds = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._press = (index, self._chosen if adds else frozenset(), not (adds and index in self._chosen))
        self._focus = index
        self._choose_to(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is not None:
            self._focus = self.layer_at(event.position().x())
            self._choose_to(self._focus)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._press = None

    def _choose_to(self, index: int) -> None:
        assert self._press is not None
        start, before, adding = self._press
        run = frozenset(range(min(start, index), max(start, index) + 1))
        self._choose(before | run if adding else before - run)

    def _choose(self, layers: frozenset[int]) -> None:
        self.update()
        if layers and layers != self._chosen:
            self.chosen.emit(layers)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key = Qt.Key, Qt.Key(event.key())
        last = len(self._names) - 1
        moves = {
            keys.Key_Left: self._focus - 1,
            keys.Key_Right: self._focus + 1,
            keys.Key_Home: 0,
            keys.Key_End: last,
        }
        if key == keys.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._choose(frozenset(range(last + 1)))
        elif key in moves:
            self._focus = min(max(moves[key], 0), last)
            wide = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._choose(self._chosen | {self._focus} if wide else frozenset({self._focus}))
        elif key == keys.Key_Space:
            self._choose(self._chosen ^ {self._focus})
        else:
            super().keyPressEvent(event)

    def claims(self, event: QKeyEvent) -> bool:
        return event.key() in (Qt.Key.Key_Space, Qt.Key.Key_A)

    def tip_at(self, place: QPointF) -> str:
        text = f"{self._text(self.layer_at(place.x()))}\n\n" if self._names else ""
        return text + self.toolTip()
