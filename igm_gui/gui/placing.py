"""How large the window is and where, so that all of it is on the screen."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QWidget

FIRST = QSize(1440, 900)
FRAME = QSize(4, 40)  # about what a title bar and its borders take


def restore(window: QWidget, kept: QByteArray | None) -> None:
    """Where it was the last time (``kept``), or a first size. How wide its frame is a window learns when it
    is on screen: :func:`fit` is for then."""
    room = window.screen().availableGeometry()
    window.resize(FIRST.boundedTo(room.size() - FRAME))
    window.move(room.topLeft())
    if kept is not None:
        window.restoreGeometry(kept)


def fit(window: QWidget) -> None:
    """Bring all of the window, with its frame, into what the screen has free."""
    if window.isFullScreen() or window.isMaximized() or window.isMinimized():
        return
    room, frame = window.screen().availableGeometry(), window.frameGeometry()
    if room.contains(frame):
        return
    over = (frame.size() - room.size()).expandedTo(QSize(0, 0))
    if not over.isNull():
        window.resize(window.size() - over)
        frame.setSize(frame.size() - over)
    window.move(
        max(room.left(), min(frame.left(), room.right() + 1 - frame.width())),
        max(room.top(), min(frame.top(), room.bottom() + 1 - frame.height())),
    )
