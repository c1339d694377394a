"""A slider whose fill starts at the default, with its value beside it to be typed."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from igm_gui.gui import theme
from igm_gui.gui.widgets.painted import Painted
from igm_gui.gui.widgets.scrolling import takes_wheel

KNOB = 6.0
TICK = 8.0


class Track(Painted):
    """The bar of a :class:`ValueSlider`; alone where the value is shown elsewhere."""

    changed = Signal(float)
    released = Signal()
    edit_asked = Signal()

    def __init__(self, minimum: float, maximum: float, default: float, step: float = 0.0) -> None:
        super().__init__()
        self.minimum, self.maximum = minimum, maximum
        self.default = default
        self.step = step
        self.value = default
        self._grab: tuple[float, float] | None = None  # pointer x and value where the drag began
        self._wheel = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(120, 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 20)

    # -- value

    def snap(self, value: float) -> float:
        """``value`` kept in range and on a whole step."""
        if self.step > 0:
            value = self.minimum + round((value - self.minimum) / self.step) * self.step
        return min(max(value, self.minimum), self.maximum)

    def set_value(self, value: float) -> None:
        """Show ``value`` without telling anybody. It is not rounded to the steps."""
        if value != self.value:
            self.value = value
            self.update()

    def change(self, value: float) -> None:
        """Change the value as the person does: snapped, and told."""
        value = self.snap(value)
        if value != self.value:
            self.value = value
            self.update()
            self.changed.emit(value)

    @property
    def small_step(self) -> float:
        return self.step if self.step > 0 else (self.maximum - self.minimum) / 100

    def _x(self, value: float) -> float:
        span = max(self.maximum - self.minimum, 1e-12)
        part = min(max((value - self.minimum) / span, 0.0), 1.0)
        return KNOB + part * (self.width() - 2 * KNOB)

    def _value_at(self, x: float) -> float:
        part = (x - KNOB) / max(self.width() - 2 * KNOB, 1)
        return self.minimum + part * (self.maximum - self.minimum)

    # -- events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        on = self.isEnabled()
        painter.setBrush(theme.colour("hover"))
        painter.drawRoundedRect(QRectF(KNOB - 2, middle - 2, self.width() - 2 * KNOB + 4, 4), 2, 2)
        zero, x = self._x(self.default), self._x(self.value)
        painter.setBrush(theme.colour("accent" if on else "quiet"))
        if abs(x - zero) > 0.5:
            painter.drawRoundedRect(QRectF(min(zero, x), middle - 2, abs(x - zero), 4), 2, 2)
        if self.minimum < self.default < self.maximum:
            painter.setBrush(theme.colour("quiet"))
            # Long enough to be seen above and below the knob that stands on it.
            painter.drawRect(QRectF(zero - 0.5, middle - TICK, 1, 2 * TICK))
        painter.setBrush(theme.colour("text" if on else "quiet"))
        painter.drawEllipse(QPointF(x, middle), KNOB - 1, KNOB - 1)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.drawEllipse(QPointF(x, middle), KNOB + 1.5, KNOB + 1.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        x = event.position().x()
        if abs(x - self._x(self.value)) > KNOB + 2:
            self.change(self._value_at(x))
        self._grab = (x, self.value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grab is None:
            return
        x = event.position().x()
        start, value = self._grab
        scale = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        per_pixel = (self.maximum - self.minimum) / max(self.width() - 2 * KNOB, 1)
        wanted = value + (x - start) * per_pixel * scale
        # Kept unsnapped and within the range, so that slow drags add up and the end does not stick.
        self._grab = (x, min(max(wanted, self.minimum), self.maximum))
        self.change(wanted)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._grab is not None:
            self._grab = None
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.change(self.default)
        self.released.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not takes_wheel(self, event):
            event.ignore()
            return
        delta = event.angleDelta().y() or event.angleDelta().x()
        fine = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self._wheel += delta / 120
        notches = self._wheel if self.step <= 0 else float(math.trunc(self._wheel))
        if notches:
            self._wheel -= notches
            self.change(self.value + notches * self.small_step * (0.1 if fine and self.step <= 0 else 1.0))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        fine = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self.step <= 0 else 1.0
        step = self.small_step * fine
        moves = {
            keys.Key_Left: self.value - step,
            keys.Key_Down: self.value - step,
            keys.Key_Right: self.value + step,
            keys.Key_Up: self.value + step,
            keys.Key_PageUp: self.value + 10 * step,
            keys.Key_PageDown: self.value - 10 * step,
            keys.Key_Home: self.minimum,
            keys.Key_End: self.maximum,
            keys.Key_Backspace: self.default,
            keys.Key_Delete: self.default,
        }
        key = keys(event.key())
        if key in moves:
            self.change(moves[key])
            if not event.isAutoRepeat():
                self.released.emit()
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_F2):
            self.edit_asked.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        self.update()
        super().changeEvent(event)


class ValueEdit(QLineEdit):
    """A number that looks like text until it is clicked. Return takes it, Escape gives up.

    What is no number is not taken, and told on ``refused``; an emptied field gives up.
    """

    entered = Signal(float)
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "value")
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._shown = ""
        self.editingFinished.connect(self._finish)

    def show_text(self, text: str) -> None:
        """Show a value; what is being typed is left alone."""
        self._shown = text
        if not (self.hasFocus() and self.isModified()) and text != self.text():
            self.setText(text)

    def _finish(self) -> None:
        if not self.isModified():
            return
        typed = self.text()
        value = parse_number(typed)
        self.setModified(False)
        self.setText(self._shown)
        if value is not None:
            self.entered.emit(value)
        elif typed.strip():
            self.refused.emit(typed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.setText(self._shown)
            self.clearFocus()
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.clearFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()


def parse_number(text: str) -> float | None:
    """A finite number from what a person types: ``-1.5``, ``+2``, ``0,8``, ``−3``, ``80 %``; else None."""
    cleaned = text.strip().replace("−", "-").replace(",", ".").replace(" ", "")
    percent = cleaned.endswith("%")
    cleaned = cleaned.rstrip("%")
    # A unit after the number is allowed: "440 Hz", "-12 dB".
    while cleaned and not (cleaned[-1].isdigit() or cleaned[-1] == "."):
        cleaned = cleaned[:-1]
    try:
        value = float(cleaned)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return value / 100 if percent else value


class ValueSlider(QWidget):
    """``label ──●── value``.

    Drag, wheel, arrow keys (Page for ten steps, Home and End), typed value; double click or Backspace
    goes back to the default, Shift is ten times finer. ``changed`` follows the drag, ``released``
    tells that it is over.
    """

    changed = Signal(float)
    released = Signal()

    def __init__(
        self,
        title: str,
        minimum: float = 0.0,
        maximum: float = 1.0,
        default: float = 0.0,
        step: float = 0.0,
        unit: str = "",
        decimals: int | None = None,
        signed: bool = False,
        tip: str = "",
        label_width: int = 74,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        span = maximum - minimum
        if decimals is None:
            decimals = 0 if step >= 1 and float(step).is_integer() else (2 if span <= 20 else 1)
        self._decimals = decimals
        self._unit = unit
        self._signed = signed
        self.label = QLabel(title)
        self.label.setFixedWidth(label_width)
        self.track = Track(minimum, maximum, default, step)
        self.edit = ValueEdit()
        # Room for the unit where it is a word: "+12.00 semitones".
        self.edit.setFixedWidth(66 if len(unit) < 6 else 104)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.label)
        row.addWidget(self.track, 1)
        row.addWidget(self.edit)
        text = tip or title
        how = "Drag, wheel, arrows or type; double-click for the default; Shift is finer."
        self.setToolTip(f"{text}\n{how}")
        self.setAccessibleName(title)
        self.track.setAccessibleName(title)
        self.edit.setAccessibleName(f"{title}, typed value")
        self.track.changed.connect(self._on_changed)
        self.track.released.connect(self.released)
        self.track.edit_asked.connect(self.edit.setFocus)
        self.edit.entered.connect(self._on_entered)
        self._show()

    @property
    def value(self) -> float:
        return self.track.value

    def set_value(self, value: float) -> None:
        """Show ``value``, exactly and silently."""
        if value != self.track.value:
            self.track.set_value(value)
            self._show()

    def set_range(self, minimum: float, maximum: float, default: float) -> None:
        """Change the range; the value stays as it is."""
        self.track.minimum, self.track.maximum, self.track.default = minimum, maximum, default
        self.track.update()

    def text(self) -> str:
        """The value as shown."""
        sign = "+" if self._signed else ""
        text = f"{self.track.value:{sign}.{self._decimals}f}".replace("-", "−")
        return f"{text} {self._unit}".strip()

    def _show(self) -> None:
        text = self.text()
        self.edit.show_text(text)
        self.track.setAccessibleDescription(text)

    def _on_changed(self, value: float) -> None:
        self._show()
        self.changed.emit(value)

    def _on_entered(self, value: float) -> None:
        self.track.change(value)
        self._show()
        self.released.emit()
