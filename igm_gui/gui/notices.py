"""Sentences for the person: never over a control, never a dialog.

What passes stands in the top bar, where nothing is, or, where that is too narrow, in the place of the status
line. What stays until it is dealt with (errors, questions) gets room of its own over the status line.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from igm_gui.gui import theme
from igm_gui.gui.studio import Notice
from igm_gui.gui.widgets.buttons import Button, IconButton, flat_button

SECONDS_SHOWN = 5.0
WIDEST, NARROWEST, LOWEST = 620, 260, 30
STAYS = ("error", "question")
ICONS = {
    "error": ("triangle-alert", "bad"),
    "good": ("circle-check", "good"),
    "info": ("info", "value"),
    "question": ("info", "accent"),
}


class Toast(QFrame):
    """The newest notice. An error stays until it is dismissed or mended; others leave by themselves.

    The window says where there is ``free`` room (in its coordinates), how high its status line is (``below``)
    and how much of it something else takes (``lift``); ``room_wanted`` tells it how many pixels over it this
    wants for itself.
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
        self.lift: Callable[[], int] = lambda: 0
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
        self._dress("bar" if notice.kind in STAYS else "", anew=True)
        name, tint = ICONS.get(notice.kind, ICONS["info"])
        self._icon.setPixmap(theme.icon_pixmap(name, tint, 16, self.devicePixelRatioF()))
        self.hint.setText(notice.hint)
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
        self._say(low=False)
        if self._notice.kind in STAYS:
            height = max(self._fit(window.width(), 7), LOWEST)
            self.setFixedHeight(height)
            self.room_wanted.emit(height)
            self.move(0, window.height() - height - self.below())
            return
        free = self.free()
        width = min(WIDEST, free.width())
        if width >= NARROWEST and self._fit(width, 1) <= free.height():
            self._dress("")
            self.setFixedHeight(free.height())
            self.move(free.x() + (free.width() - width) // 2, free.y())
            self.room_wanted.emit(0)
            return
        self._dress("low")
        self._say(low=True)
        height = max(self._fit(window.width(), 1), self.below())
        self.setFixedHeight(height)
        self.room_wanted.emit(max(0, height + self.lift() - self.below()))
        self.move(0, window.height() - height - self.lift())

    def _say(self, low: bool) -> None:
        """The words, in one line where they stand ``low``."""
        if self._notice is not None:
            text, hint = self._notice.text, self._notice.hint
            self.text.setText(f"{text} {hint}" if low and hint else text)
            self.hint.setVisible(bool(hint) and not low)

    def _dress(self, place: str, anew: bool = False) -> None:
        """Its looks at another ``place``: the buttons are lower in the status line's."""
        if place == self.property("place") and not anew:
            return
        self.setProperty("place", place)
        for piece in (self, *self.findChildren(QPushButton)):
            piece.style().unpolish(piece)
            piece.style().polish(piece)

    def _fit(self, width: int, margin: int) -> int:
        """Take ``width``, and the height that the words need then, which is returned."""
        self._column.setContentsMargins(12, margin, 8, margin)
        self.setFixedWidth(width)
        self._column.activate()
        column = self._column
        height = column.totalHeightForWidth(width) if column.hasHeightForWidth() else self.sizeHint().height()
        self.setFixedHeight(height)
        return height
