"""A tooltip that does not lie over what it speaks of."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QToolTip, QWidget


def tip_below(widget: QWidget) -> None:
    """Show the widget's tooltip under its lower edge: its surface is where the hand is at work."""
    QToolTip.showText(widget.mapToGlobal(QPoint(0, widget.height() - 14)), widget.toolTip(), widget)
