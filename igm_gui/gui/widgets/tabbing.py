"""Tab goes where the eye goes, also to what is made while the window is open: Qt puts that last of all."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QWidget


def _stops(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def stops_in(container: QWidget) -> list[QWidget]:
    """What Tab stops at in ``container``, in the order in which it was made."""
    parts = (QAbstractSpinBox, QComboBox)  # their fields go along with them
    found = container.findChildren(QWidget)
    return [w for w in found if _stops(w) and not isinstance(w.parentWidget(), parts)]


def tab_after(anchor: QWidget, made: Sequence[QWidget]) -> None:
    """Tab goes to ``made``, one after the other, from ``anchor`` or, where it does not stop there, from what
    is before it in a chain that was not changed there. All in one window."""
    last = anchor
    while not _stops(last) or last in made:
        before = last.previousInFocusChain()
        if before is None or before is anchor:
            break
        last = before
    for widget in made:
        if widget is not last and _stops(widget):
            QWidget.setTabOrder(last, widget)
            last = widget
