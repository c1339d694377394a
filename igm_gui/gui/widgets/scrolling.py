"""Whose a turn of the wheel is: decided here, for every control.

A wheel that scrolls a column goes on scrolling it when a control comes under the pointer. A box to choose
from or to type in takes the wheel while it has the keys; sliders and strips take it under the pointer.
What a control does not take goes to the column it lies in.
"""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QScrollArea, QSpinBox, QWidget

PAUSE_MS = 500  # the wheel has to rest for this long before it is another gesture
STILL = 4.0  # pixels: a hand on a wheel is not quite still


class ScrollColumn(QScrollArea):
    """A scroll area that remembers where and when the wheel moved it last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scrolled = QElapsedTimer()
        self._place = QPointF()

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event)
        if self.verticalScrollBar().maximum() > 0:
            self._place = event.globalPosition()
            self._scrolled.restart()

    def goes_on(self, event: QWheelEvent) -> bool:
        """Whether ``event`` belongs to a scrolling that has begun: at the same place, without a pause."""
        if not self._scrolled.isValid() or self._scrolled.hasExpired(PAUSE_MS):
            return False
        return (event.globalPosition() - self._place).manhattanLength() <= STILL


def takes_wheel(widget: QWidget, event: QWheelEvent, with_keys: bool = False) -> bool:
    """Whether a wheel event that reached ``widget`` is meant for it; with ``with_keys`` only while it has the
    keys. Where not, the widget ignores the event."""
    if with_keys and not widget.hasFocus():
        return False
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, ScrollColumn):
            return not parent.goes_on(event)
        parent = parent.parentWidget()
    return True


class Combo(QComboBox):
    """A combo box that the wheel changes only while it has the keys."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if takes_wheel(self, event, with_keys=True):
            super().wheelEvent(event)
        else:
            event.ignore()


class Spin(QSpinBox):
    """A box for a whole number that the wheel changes only while it has the keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel does not bring them

    def wheelEvent(self, event: QWheelEvent) -> None:
        if takes_wheel(self, event, with_keys=True):
            super().wheelEvent(event)
        else:
            event.ignore()


class DoubleSpin(QDoubleSpinBox):
    """A box for a number that the wheel changes only while it has the keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if takes_wheel(self, event, with_keys=True):
            super().wheelEvent(event)
        else:
            event.ignore()
