"""Find in latent space: a place to drop a picture or a sound of one's own, shown where the model encodes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.dialogs import ask_open
from igm_gui.gui.drops import accept_copy, dropped_files, meant
from igm_gui.gui.find_place import PICTURES, SOUNDS, can_find, find_place
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.session.state import SessionState

HEIGHT = 44
DASH = (4.0, 3.0)


class DropZone(QPushButton):
    """A dashed box. ``dropped`` carries the file; a click asks for one."""

    dropped = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._over = False
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lit = self._over or self.hasFocus()
        pen = QPen(theme.colour("accent" if lit else "quiet", 1.0 if lit else 0.5), 1.2)
        pen.setDashPattern(list(DASH))
        painter.setPen(pen)
        painter.setBrush(theme.colour("raised" if self._over or self.underMouse() else "background"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.setPen(theme.colour("text" if lit or self.underMouse() else "quiet"))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 16)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            self._over = True
            self.update()
            accept_copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._over = False
        self.update()
        if files := dropped_files(event):
            accept_copy(event)
            self.dropped.emit(meant(files))


class FindPlace(QWidget):
    """Hidden while the model has no encoder. A file dropped here is always looked for, also one of our own
    whose recipe would bring its point back."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = Settings()
        self.zone = DropZone()
        self.zone.clicked.connect(self.ask)
        self.zone.dropped.connect(self.look_for)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(3)
        column.addWidget(SectionHead("Find in latent space"))
        column.addWidget(self.zone)
        commands.add(
            "explore.find", "Find a picture or sound of your own…", self.ask, "Shift+F", enabled=self._encodes
        )
        self._tip = commands.tip(
            "explore.find", "The nearest point the model's encoder finds; undo brings you back"
        )
        studio.changed.connect(self._on_changed)
        self._show()

    def _encodes(self) -> bool:
        info = self._studio.session.info
        return info is not None and "encode" in info.abilities

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"info", "model"}:
            self._show()

    def _show(self) -> None:
        info = self._studio.session.info
        if info is None:
            return  # what is being opened may encode as well: nothing moves until it is known
        self.setVisible(self._encodes())
        thing = "picture" if info.media == "image" else "sound"
        self.zone.setText(f"Drop a {thing} here, or click")
        self.zone.setAccessibleName(f"Find a {thing} in latent space")
        self.zone.setToolTip(self._tip)

    def ask(self) -> None:
        """Ask for a file."""
        info = self._studio.session.info
        if info is None:
            return
        image = info.media == "image"
        endings = " ".join(f"*{ending}" for ending in (PICTURES if image else SOUNDS))
        title = "Find a picture" if image else "Find a sound"
        kind = f"{'Pictures' if image else 'Sounds'} ({endings})"
        ask_open(self, self._settings, "find", title, kind, self.look_for)

    def look_for(self, path: Path) -> None:
        """Go to where the model has ``path``."""
        if can_find(self._studio, path):
            find_place(self._studio, path)
            return
        info = self._studio.session.info
        wanted = PICTURES if info is not None and info.media == "image" else SOUNDS
        self._studio.say(
            f"{path.name} can't be looked for.",
            f"This model finds files that end in {', '.join(ending[1:] for ending in wanted)}.",
            "error",
        )
