"""What every control that paints itself needs: the focus seen, the tooltip of what is under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent
from PySide6.QtWidgets import QToolTip, QWidget

_OURS = frozenset({QEvent.Type.ToolTip, QEvent.Type.ShortcutOverride})


class Painted(QWidget):
    """Painted anew when the focus comes or goes. Says what lies under the pointer, and keeps keys to itself
    that are shortcuts of the window too."""

    tip_beneath = False  # under the lower edge: the surface is where the hand is at work

    def tip_at(self, place: QPointF) -> str:
        """The tooltip for a place in the widget's coordinates; empty where there is none."""
        return self.toolTip()

    def claims(self, event: QKeyEvent) -> bool:
        """Whether a key means something here, so that the window's shortcut for it waits."""
        return False

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind not in _OURS:  # moves of the pointer come by the hundred
            return super().event(event)
        if kind == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip_at(QPointF(event.pos()))
            if text:  # else whatever it lies in may have something to say
                beneath = self.mapToGlobal(QPoint(0, self.height() - 14))
                QToolTip.showText(beneath if self.tip_beneath else event.globalPos(), text, self)
                return True
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self.claims(event):
            event.accept()
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)
