"""What the window says: notices and what is being opened, each where it covers nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect
from PySide6.QtWidgets import QWidget

from igm_gui.gui.models.opening_bar import OpeningBar
from igm_gui.gui.notices import STAYS, Toast
from igm_gui.gui.status import StatusLine
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.topbar import TopBar


class Messages(QObject):
    """Owns the notice and the line that tells of opening, and the ``room`` over the status line that errors
    take; the window puts ``room`` into its column and calls :meth:`place` when its size changes."""

    def __init__(self, studio: Studio, window: QWidget, top: TopBar, status: StatusLine) -> None:
        super().__init__(window)
        self._top = top
        self.room = QWidget()
        self.room.hide()
        self._bare = False
        self.toast = Toast(window)
        self.opening = OpeningBar(studio, window)
        self.opening.free = top.free
        self.opening.placed.connect(self.toast.place)
        self.toast.free = self._free
        self.toast.below = self.opening.below = lambda: 0 if status.isHidden() else status.height()
        self.toast.lift = self._taken
        self.toast.room_wanted.connect(self._make_room)
        studio.notice.connect(self._show_notice)
        studio.opener.began.connect(self.toast.leave)

    def set_bare(self, bare: bool) -> None:
        """Where the output stands alone, remarks that pass are not made; errors and questions are."""
        self._bare = bare
        notice = self.toast.notice
        if bare and notice is not None and notice.kind not in STAYS:
            self.toast.dismiss()
        self.place()

    def _show_notice(self, notice: Notice) -> None:
        if not self._bare or notice.kind in STAYS:
            self.toast.show_notice(notice)

    def place(self) -> None:
        """Everything anew, for another size of the window."""
        if not self.opening.isHidden():
            self.opening.place()
        self.toast.place()

    def _free(self) -> QRect:
        return QRect() if self.opening.isVisible() and self.opening.on_top else self._top.free()

    def _make_room(self, height: int) -> None:
        self.room.setFixedHeight(height)
        self.room.setVisible(height > 0)

    def _taken(self) -> int:
        """Pixels at the lower edge where the line says what is being opened."""
        return self.opening.height() if self.opening.isVisible() and not self.opening.on_top else 0
