"""A column that goes on scrolling when a slider comes under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QPointF
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QScrollArea, QWidget

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


def is_scrolling(widget: QWidget, event: QWheelEvent) -> bool:
    """Whether a wheel event that reached ``widget`` is meant for the column it lies in. The widget then
    ignores it, so that values do not change because they happen to pass under the pointer."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, ScrollColumn):
            return parent.goes_on(event)
        parent = parent.parentWidget()
    return False


class ColumnCombo(QComboBox):
    """A combo box that lets the column it lies in scroll on."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if is_scrolling(self, event):
            event.ignore()
        else:
            super().wheelEvent(event)
