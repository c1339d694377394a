"""All dimensions of a latent as one instrument: bars drawn with the pointer, the wheel and the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from igm_gui.gui.explore.strip_view import PAD, SMALLEST_PITCH, StripView
from igm_gui.gui.widgets.scrolling import takes_wheel
from igm_gui.gui.widgets.slider import parse_number


def _none() -> float:
    return 0.0


class ValueField(QLineEdit):
    """A field that keeps Return to itself: passed on, it would ask the strip to open the field again."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class LatentStrip(StripView):
    """A multi-slider over the flat dimensions of one latent.

    Drag across to draw (Shift: finer, one bar), double click zeroes, wheel is a fine step (Shift: finer),
    Alt-click or ``L`` locks, arrows move the focus and change the value, Return types it; Ctrl and the
    wheel zooms, the bar below scrolls. It shows what :meth:`set_values` gave and asks for changes.

    Moves of a drag are gathered for as many seconds as ``patience()`` says and asked for together: where a
    network takes every core, each change costs it time. For the ``due()`` seconds before a long picture is to
    be asked for, they are only shown here.
    """

    drawn = Signal(object)  # dict of flat index -> value
    finished = Signal()  # a drag is over
    lock_asked = Signal(int)
    locks_asked = Signal(object)  # frozenset of flat indices that shall be locked

    def __init__(
        self,
        name: str,
        size: int,
        low: float = -3.0,
        high: float = 3.0,
        names: tuple[str, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, size, low, high, names, parent)
        self._pen: tuple[int, float] | None = None  # the bar and value drawn last
        self._fine: tuple[int, float, float] | None = None  # bar, pointer y, value
        self._editor: ValueField | None = None
        self.patience: Callable[[], float] = _none
        self.due: Callable[[], float] = _none
        self._gathered: list[QPointF] = []
        self._ahead: dict[int, float] = {}  # drawn and shown, but not asked for yet
        self._pause = QTimer(self, singleShot=True)
        self._pause.setTimerType(Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._follow)

    # -- pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        index = self.bar_at(event.position().x())
        self._move_focus(index)
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.lock_asked.emit(index)
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._fine = (index, event.position().y(), float(self._values[index]))
            return
        value = self.value_at(event.position().y())
        self._pen = (index, value)
        self.drawn.emit({index: value})

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pen is None and self._fine is None:
            self._set_hover(self.bar_at(event.position().x()))
            return
        self._gathered.append(event.position())
        if self._pause.isActive():
            return
        patience = round(1000 * self.patience())
        if patience:
            self._pause.start(patience)
        else:
            self._follow()

    def _follow(self, now: bool = False) -> None:
        """Do what the pointer did since the last time. Where the picture that is made takes longer still, it
        is only shown here, and asked for with what follows; ``now`` asks at once."""
        self._pause.stop()
        places, self._gathered = self._gathered, []
        changes: dict[int, float] = {}
        if self._fine is not None and places:
            index, start, value = self._fine
            way = (start - places[-1].y()) / max(self._content().height(), 1.0)
            step = way * (self.high - self.low) * 0.1
            changes[index] = min(max(value + step, self.low), self.high)
        elif self._pen is not None:
            last, before = self._pen
            for index, value in self.drawn_at(places):
                # A fast pointer skips bars; they lie on the line between the two places.
                step = (value - before) / (index - last) if index != last else 0.0
                for between in range(min(last, index) + 1, max(last, index)):
                    changes[between] = before + step * (between - last)
                changes[index] = value
                last, before = index, value
            self._pen = (last, before)
        self._ahead.update(changes)
        if self._ahead and not now and self.due() > 0:
            if changes:
                self.show_drawn(changes)
            self._pause.start(max(1, round(1000 * self.patience())))
        elif self._ahead:
            changes, self._ahead = self._ahead, {}
            self.drawn.emit(changes)
        if not places:
            return
        # What only the strip shows comes after the picture was asked for.
        self._set_hover(self.bar_at(places[-1].x()))
        if self._pen is not None:
            self._move_focus(self._pen[0])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._follow(now=True)
        if self._pen is not None or self._fine is not None:
            self._pen = self._fine = None
            self.finished.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pen = None
        self.drawn.emit({self.bar_at(event.position().x()): 0.0})
        self.finished.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not takes_wheel(self, event):
            event.ignore()
            return
        delta, across = event.angleDelta().y(), event.angleDelta().x()
        keys = event.modifiers()
        if keys & Qt.KeyboardModifier.ControlModifier:
            pitch = self.pitch * 1.2 ** (delta / 120)
            room = max(1.0, self.width() - 2.0 * PAD) / max(1, self.count)
            self.zoom_to(0.0 if pitch <= max(room, SMALLEST_PITCH) else pitch, event.position().x())
        elif across and not delta and not keys:
            self._bar.setValue(self._bar.value() - across // 4)
        else:
            index = self.bar_at(event.position().x())
            fine = 0.1 if keys & Qt.KeyboardModifier.ShiftModifier else 1.0
            step = (self.high - self.low) / 120 * fine
            self._set_hover(index)
            self._move_focus(index)
            self.drawn.emit({index: float(self._values[index]) + (delta or across) / 120 * step})
        event.accept()

    def leaveEvent(self, event: Any) -> None:
        self._set_hover(-1)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self._focus_bar
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index = self.bar_at(event.pos().x())
            self._move_focus(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        name = self.dimension_name(index)
        menu.addAction(
            f"Unlock {name}" if index in self._locked else f"Lock {name}",
            lambda: self.lock_asked.emit(index),
        )
        everything = frozenset(range(self.count))
        menu.addAction("Lock all others", lambda: self.locks_asked.emit(everything - {index}))
        menu.addAction("Unlock all", lambda: self.locks_asked.emit(frozenset())).setEnabled(
            bool(self._locked)
        )
        menu.addSeparator()
        menu.addAction(f"Type a value for {name}…", lambda: self.edit_value(index))
        menu.addAction(f"Set {name} to zero", lambda: self._set_one(index, 0.0))
        menu.addSeparator()
        menu.addAction("Show all dimensions", lambda: self.zoom_to(0.0, 0.0)).setEnabled(self._zoom > 0)
        menu.popup(event.globalPos())

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        fine = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        step = (self.high - self.low) / 60 * fine
        key = keys(event.key())
        index = self._focus_bar
        value = float(self._values[index])
        values = {
            keys.Key_Up: value + step,
            keys.Key_Down: value - step,
            keys.Key_PageUp: value + 10 * step,
            keys.Key_PageDown: value - 10 * step,
            keys.Key_Delete: 0.0,
            keys.Key_Backspace: 0.0,
        }
        moves = {
            keys.Key_Left: index - 1,
            keys.Key_Right: index + 1,
            keys.Key_Home: 0,
            keys.Key_End: self.count - 1,
        }
        if key == keys.Key_Escape and self._editor is not None:
            self._close_editor()
        elif event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
        elif key in values:
            self._set_hover(-1)  # the pointer may rest on another bar: the keys' own is told about
            self.drawn.emit({index: values[key]})
            if not event.isAutoRepeat():
                self.finished.emit()
        elif key in moves:
            self._set_hover(-1)
            self._move_focus(min(max(moves[key], 0), self.count - 1))
            self._reveal(self._focus_bar)
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_F2):
            self.edit_value(index)
        elif key == keys.Key_L:
            self.lock_asked.emit(index)
        else:
            super().keyPressEvent(event)

    def edit_value(self, index: int) -> None:
        """Open a small field over the bar to type its value."""
        self._close_editor()
        self._set_hover(-1)
        self._move_focus(index)
        self._reveal(index)
        editor = ValueField(f"{float(self._values[index]):.3f}", self)
        editor.setAccessibleName(f"Value of {self.dimension_name(index)}")
        editor.setFixedSize(72, 24)
        x = min(max(self.bar_centre(index).x() - 36, 2), self.width() - 74)
        editor.move(round(x), self.height() // 2 - 12)
        editor.returnPressed.connect(lambda: self._take_typed(index))
        editor.editingFinished.connect(self._close_editor)
        editor.selectAll()
        editor.show()
        editor.setFocus()
        self._editor = editor

    def _take_typed(self, index: int) -> None:
        if self._editor is None:
            return
        value = parse_number(self._editor.text())
        self._close_editor()
        if value is not None:
            self._set_one(index, value)

    def _close_editor(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            editor.deleteLater()
            editor.hide()
            self.setFocus()

    def _set_one(self, index: int, value: float) -> None:
        self.drawn.emit({index: value})
        self.finished.emit()

    def claims(self, event: QKeyEvent) -> bool:
        # L is a letter that a window's shortcut may claim; with the focus here it locks.
        return event.key() == Qt.Key.Key_L and not event.modifiers()
