"""The strip of saved points."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QScrollArea, QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.tabbing import tab_after
from igm_gui.gui.widgets.thumbnail import POINT_MIME, Thumbnail, media_image
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from igm_gui.session.state import SavedPoint, SessionState

UNNAMED = re.compile(r"Point \d+")  # as actions.keep names them
GAP = 7
AT_ONCE = 24  # thumbnails made in one turn of the event loop


class PointStrip(QScrollArea):
    """The saved points of the session in a row: click recalls, a drag along the row puts one elsewhere and
    a drag beyond it carries it out, the menu renames and deletes. ``picked`` tells the id that was clicked,
    before it is recalled."""

    picked = Signal(str)

    def __init__(
        self, studio: Studio, side: int = 64, recall: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._side = side
        self._recall = recall
        self._thumbs: dict[str, Thumbnail] = {}
        self._models: dict[str, SavedPoint] = {}
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._fill)
        self._new = ""
        self.horizontalScrollBar().rangeChanged.connect(lambda: QTimer.singleShot(0, self, self._reveal))
        body = QWidget()
        self._row = QHBoxLayout(body)
        self._row.setContentsMargins(12, 6, 12, 6)
        self._row.setSpacing(GAP)
        self._empty = QLabel("Points you keep (K) stand here: click one to come back, drag it to a timeline.")
        self._empty.setProperty("role", "quiet")
        self._empty.setWordWrap(True)
        self._row.addWidget(self._empty, 1)
        self._row.addStretch()
        self._line = QFrame(body)  # where a dragged point would go
        self._line.setObjectName("insertion")
        self._line.hide()
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.viewport().setAcceptDrops(True)
        self.setFixedHeight(side + 22)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Saved points")
        studio.changed.connect(self._on_changed)
        self._rebuild(studio.state)

    def set_side(self, side: int) -> None:
        """Another size of the thumbnails; those whose pictures are too small for it are rendered again."""
        if side == self._side:
            return
        grown = side > self._side
        self._side = side
        self.setFixedHeight(side + 22)
        for id, thumb in self._thumbs.items():
            thumb.set_side(side)
            if grown:
                self._render(self._models[id], thumb)

    def thumbnail(self, id: str) -> Thumbnail | None:
        """The widget of a saved point."""
        return self._thumbs.get(id)

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "saved" in changed:
            new = [saved.id for saved in state.saved if saved.id not in self._models]
            self._rebuild(state)
            self._new = new[0] if len(new) == 1 else ""  # kept just now, or brought back by undo
        if changed & {"saved", "point", "model"}:
            self._mark(state)

    def _reveal(self) -> None:
        """Bring what is new into sight; called once it has its place."""
        thumb, self._new = self._thumbs.get(self._new), ""
        if thumb is not None:
            self.ensureWidgetVisible(thumb, GAP, 0)

    def _mark(self, state: SessionState) -> None:
        for saved in state.saved:
            thumb = self._thumbs.get(saved.id)
            if thumb is not None:
                thumb.set_selected(saved.point == state.point and saved.model == state.model)

    def _rebuild(self, state: SessionState) -> None:
        wanted = {saved.id: saved for saved in state.saved}
        for id in [id for id in self._thumbs if id not in wanted]:
            self._thumbs.pop(id).deleteLater()
        for id, thumb in self._thumbs.items():
            if wanted[id] != self._models.get(id):
                self._name(wanted[id], thumb)
        self._models = wanted
        self._empty.setVisible(not wanted)
        if self.isVisible():
            self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fill()

    def _fill(self) -> None:
        """Make what is missing, from the left, some in each turn: a large project has hundreds."""
        made = 0
        before: QWidget = self
        for index, saved in enumerate(self._models.values()):
            thumb = self._thumbs.get(saved.id)
            if thumb is None:
                if made == AT_ONCE:
                    self._more.start()
                    break
                made += 1
                thumb = self._thumbs[saved.id] = self._make(saved)
            if self._row.indexOf(thumb) != index:
                self._row.insertWidget(index, thumb)
                tab_after(before, [thumb])
            before = thumb
        self._mark(self._studio.state)

    @staticmethod
    def _name(saved: SavedPoint, thumb: Thumbnail) -> None:
        thumb.set_name(
            f"{saved.name} · {saved.model}\nClick to come back; drag along the strip, to a timeline or "
            "to a grid's corner; right-click for more"
        )
        thumb.set_caption("" if UNNAMED.fullmatch(saved.name) else saved.name)
        thumb.setAccessibleName(saved.name)

    def _make(self, saved: SavedPoint) -> Thumbnail:
        thumb = Thumbnail(self._side, saved.name, saved.id)
        thumb.clicked.connect(lambda: self._pick(saved.id))
        thumb.menu_asked.connect(lambda where: self._menu(saved.id, where))
        thumb.rename_asked.connect(lambda: self.ask_name(saved.id))
        thumb.move_asked.connect(lambda places: self.move_by(saved.id, places))
        thumb.delete_asked.connect(lambda: actions.forget(self._studio.session, saved.id))
        self._name(saved, thumb)
        thumb.set_busy()
        self._render(saved, thumb)
        return thumb

    def _render(self, saved: SavedPoint, thumb: Thumbnail) -> None:
        side = round(self._side * max(1.0, self.devicePixelRatioF()))

        def done(result: RenderResult) -> None:
            if saved.id in self._thumbs:
                thumb.set_image(media_image(result, 0, side))

        self._studio.thumbnail(f"saved:{id(self)}:{saved.id}", saved.model, (saved.point,), side, done)

    def _pick(self, id: str) -> None:
        self.picked.emit(id)
        if self._recall:
            actions.recall(self._studio.session, id)

    def _menu(self, id: str, where: Any) -> None:
        menu = QMenu(self)
        menu.addAction("Come back to it", lambda: self._pick(id))
        menu.addAction("Rename…\tF2", lambda: self.ask_name(id))
        index, count = list(self._models).index(id), len(self._models)
        left = menu.addAction("Move left\tCtrl+Left", lambda: self.move_by(id, -1))
        left.setEnabled(index > 0)
        right = menu.addAction("Move right\tCtrl+Right", lambda: self.move_by(id, 1))
        right.setEnabled(index < count - 1)
        menu.addAction("Delete\tDel", lambda: actions.forget(self._studio.session, id))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def ask_name(self, id: str) -> QLineEdit | None:
        """A small field over the thumbnail for another name: Return takes it, Escape gives up."""
        saved, thumb = self._models.get(id), self._thumbs.get(id)
        if saved is None or thumb is None:
            return None
        field = QLineEdit(saved.name, self)
        field.setWindowFlags(Qt.WindowType.Popup)
        field.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        field.setAccessibleName("Name of the point")
        field.setFixedWidth(180)
        field.selectAll()

        def take() -> None:
            name = field.text()
            field.close()
            actions.rename(self._studio.session, id, name)

        field.returnPressed.connect(take)
        field.move(thumb.mapToGlobal(QPoint(0, thumb.height() - field.sizeHint().height())))
        field.show()
        field.setFocus()
        return field

    # -- another order

    def move_by(self, id: str, places: int) -> None:
        """Move a point ``places`` to the right."""
        ids = list(self._models)
        if id in ids:
            actions.move_saved(self._studio.session, id, ids.index(id) + places)
            if id in self._thumbs:
                self.ensureWidgetVisible(self._thumbs[id])

    def place_at(self, x: float) -> int:
        """How many thumbnails lie left of ``x``, in the viewport's coordinates."""
        inner = x + self.horizontalScrollBar().value()
        return sum(thumb.geometry().center().x() < inner for thumb in self._thumbs.values())

    def _dragged(self, event: QDropEvent) -> str:
        data = event.mimeData()
        id = bytes(data.data(POINT_MIME).data()).decode("ascii", "replace")
        return id if data.hasFormat(POINT_MIME) and id in self._thumbs else ""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._dragged(event):
            event.acceptProposedAction()
        else:
            event.ignore()  # a file is the window's

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if not self._dragged(event):
            event.ignore()
            return
        index = self.place_at(event.position().x())
        margins = self._row.contentsMargins()
        x = margins.left() + index * (self._side + GAP) - (GAP + 2) // 2
        self._line.setGeometry(x, margins.top(), 2, self._side)
        self._line.show()
        self._line.raise_()
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._line.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._line.hide()
        id = self._dragged(event)
        if not id:
            event.ignore()
            return
        index = self.place_at(event.position().x())
        index -= list(self._models).index(id) < index  # it leaves a place on its left
        actions.move_saved(self._studio.session, id, index)
        event.acceptProposedAction()

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (event.angleDelta().y() or event.angleDelta().x()))
        event.accept()
