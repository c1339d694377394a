"""The moment when a window is on screen for the first time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer


class FirstExpose(QObject):
    """An event filter for a QWindow that calls ``then`` once, after the window was first painted."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then = then
        self._seen = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Expose and not self._seen:
            self._seen = True
            watched.removeEventFilter(self)
            # The expose event itself paints; a turn of the loop later that is done.
            QTimer.singleShot(0, self._then)
        return False
