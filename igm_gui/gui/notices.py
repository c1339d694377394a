"""Sentences for the person: never over a control, never a dialog.

What passes stands in the top bar, where nothing is. What stays until it is dealt with (errors, questions)
gets room of its own over the status line. Only where there is neither, a sentence lies over the lower edge.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from igm_gui.gui import theme
from igm_gui.gui.studio import Notice
from igm_gui.gui.widgets.buttons import Button, IconButton, flat_button

SECONDS_SHOWN = 5.0
BOTTOM = 40
WIDEST, NARROWEST = 620, 260
STAYS = ("error", "question")
ICONS = {
    "error": ("triangle-alert", "bad"),
    "good": ("circle-check", "good"),
    "info": ("info", "value"),
    "question": ("info", "accent"),
}


class Toast(QFrame):
    """The newest notice. An error stays until it is dismissed or mended; others leave by themselves.

    The window says where there is ``free`` room (in its coordinates) and how many pixels at its lower edge
    are taken (``below``); ``room_wanted`` tells it how many more this wants for itself.
    """

    room_wanted = Signal(int)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        theme.dress(self)
        self.setObjectName("toast")
        self._notice: Notice | None = None
        self._icon = QLabel()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setProperty("role", "quiet")
        self.hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = flat_button("Details", tip="Show what is known about it")
        self.copy = flat_button("Copy", tip="Copy the message and its details")
        self.retry = Button("Retry", "refresh-cw", "Try it again")
        self.open = Button("Open", "play", "Open it in the program that the system has for it")
        self.close_button = IconButton("x", "Dismiss", role="flat")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFixedHeight(160)
        self.details.setAccessibleName("Details")
        self.details.setToolTip("What is known about it; Copy takes all of it")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.text)
        words.addWidget(self.hint)
        row = QHBoxLayout()
        row.setSpacing(7)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for button in (self.more, self.copy, self.open, self.retry, self.close_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 9, 8, 9)
        column.addLayout(row)
        column.addWidget(self.details)
        self.more.clicked.connect(self._toggle_details)
        self.copy.clicked.connect(self._copy)
        self.retry.clicked.connect(self._retry)
        self.open.clicked.connect(self._open)
        self.close_button.clicked.connect(self.dismiss)
        self._column = column
        self.free: Callable[[], QRect] = QRect
        self.below: Callable[[], int] = lambda: 0
        self.lift = 0  # pixels that something else takes at the lower edge
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.dismiss)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """What is shown; None when nothing is."""
        return self._notice

    def show_notice(self, notice: Notice) -> None:
        """Show ``notice`` in place of what is there; a passing remark does not push an error away."""
        if self._notice is not None and self._notice.kind in STAYS and notice.kind == "info":
            return
        self._notice = notice
        error = notice.kind == "error"
        self.setProperty("kind", notice.kind)
        self.setProperty("place", "bar" if notice.kind in STAYS else "")
        self.style().unpolish(self)
        self.style().polish(self)
        name, tint = ICONS.get(notice.kind, ICONS["info"])
        self._icon.setPixmap(theme.icon_pixmap(name, tint, 16, self.devicePixelRatioF()))
        self.text.setText(notice.text)
        self.hint.setText(notice.hint)
        self.hint.setVisible(bool(notice.hint))
        self.more.setVisible(bool(notice.details))
        self.copy.setVisible(error)
        self.retry.setVisible(notice.retry is not None)
        self.open.setVisible(notice.open is not None)
        self.retry.setText(notice.action)
        asked = notice.kind == "question"
        self.retry.set_role("accent" if asked else "")
        self.retry.set_icon("refresh-cw" if error else "check" if asked else notice.icon)
        self.retry.setToolTip("Try it again" if error else "" if asked else notice.action)
        self.close_button.setToolTip("Leave it" if asked else "Dismiss")
        self.retry.setAccessibleName(notice.action)
        self.details.hide()
        self.details.setPlainText(notice.details)
        self.setAccessibleName(f"{notice.text} {notice.hint}")
        self._timer.stop()
        if notice.kind not in STAYS:
            # Long enough to be read.
            self._timer.start(round(1000 * (SECONDS_SHOWN + len(notice.text + notice.hint) / 40)))
        self.place()
        self.show()
        self.raise_()

    def dismiss(self) -> None:
        """Take the notice away."""
        self._notice = None
        self._timer.stop()
        self.hide()
        self.room_wanted.emit(0)

    def leave(self) -> None:
        """The person has gone elsewhere: an error that was there to be read is not taken along."""
        if self._notice is not None and self._notice.kind == "error":
            self.dismiss()

    def clear_error(self) -> None:
        """What failed works again."""
        if self._notice is not None and self._notice.kind in STAYS and self._notice.retry is not None:
            self.dismiss()

    def _toggle_details(self) -> None:
        self.details.setVisible(self.details.isHidden())
        self.place()

    def _copy(self) -> None:
        if self._notice is not None:
            parts = (self._notice.text, self._notice.hint, self._notice.details)
            QGuiApplication.clipboard().setText("\n".join(part for part in parts if part))

    def _retry(self) -> None:
        notice = self._notice
        self.dismiss()
        if notice is not None and notice.retry is not None:
            notice.retry()

    def _open(self) -> None:
        notice = self._notice
        self.dismiss()
        if notice is not None and notice.open is not None:
            notice.open()

    def place(self) -> None:
        """Where it covers nothing; the window calls it when its size or what is free changes."""
        window = self.parentWidget()
        if self._notice is None or window is None:
            return
        if self._notice.kind in STAYS:
            height = self._fit(window.width(), 7)
            self.room_wanted.emit(height)
            self.move(0, window.height() - height - self.below())
            return
        free = self.free()
        width = min(WIDEST, free.width())
        if width >= NARROWEST and self._fit(width, 1) <= free.height():
            self.setFixedHeight(free.height())
            self.move(free.x() + (free.width() - width) // 2, free.y())
            self.room_wanted.emit(0)
            return
        width = min(WIDEST, window.width() - 40)
        height = self._fit(width, 9)
        self.room_wanted.emit(0)
        self.move((window.width() - width) // 2, window.height() - height - BOTTOM - self.lift)

    def _fit(self, width: int, margin: int) -> int:
        """Take ``width``, and the height that the words need then, which is returned."""
        self._column.setContentsMargins(12, margin, 8, margin)
        self.setFixedWidth(width)
        self._column.activate()
        column = self._column
        height = column.totalHeightForWidth(width) if column.hasHeightForWidth() else self.sizeHint().height()
        height = max(height, 30)
        self.setFixedHeight(height)
        return height
