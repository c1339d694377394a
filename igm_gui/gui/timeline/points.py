"""The saved points beside the timeline: drag one to the track, or Return to put it at the playhead."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import SectionHead, Thumbnail, media_image
from igm_gui.requests import RenderResult
from igm_gui.session.state import SavedPoint, SessionState

SIDE = 66
GAP = 6
AT_ONCE = 24  # thumbnails made in one turn of the event loop


def tell_stranger(studio: Studio, saved: SavedPoint) -> None:
    """Say so where a point was found in another model than the one it is used in."""
    model = studio.state.model
    if saved.model and saved.model != model:
        theirs, ours = Path(saved.model).name, Path(model).name
        studio.say(
            f"{saved.name} was found in {theirs}: this is what {ours} makes of it.",
            "Numbers that fit are the same; otherwise its seed draws others.",
        )


class PointThumb(Thumbnail):
    """A saved point; Return does what a double click does."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit()
        else:
            super().keyPressEvent(event)


class PointsPanel(QFrame):
    """Thumbnails of ``state.saved``, as many in a row as there is room for."""

    chosen = Signal(str)  # id of the point to put at the playhead

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._thumbs: dict[str, Thumbnail] = {}
        self._active = False
        self._columns = 0
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._fill)
        self.setObjectName("panelRight")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(2 * SIDE + GAP + 36)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 4, 8)
        head = SectionHead("Points", "drag to the track")
        head.setContentsMargins(0, 0, 8, 0)
        column.addWidget(head)
        self._empty = QLabel(
            "Points that you keep stand here. In Explore, press K to keep what is on show; then drag it"
            " to the track, or double-click it to put it at the playhead."
        )
        self._empty.setWordWrap(True)
        self._empty.setProperty("role", "quiet")
        self._empty.setContentsMargins(0, 0, 8, 0)
        column.addWidget(self._empty)
        body = QWidget()
        body.setObjectName("panelBody")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._grid = QGridLayout(body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(scroll, 1)
        self.setAccessibleName("Saved points")
        studio.changed.connect(self._on_changed)

    def thumbnail(self, id: str) -> Thumbnail | None:
        """The widget of a saved point."""
        return self._thumbs.get(id)

    def set_active(self, active: bool) -> None:
        """Build and render only while it is seen."""
        self._active = active
        if active:
            self._rebuild()
        else:
            self._more.stop()
            self._studio.drop_thumbnails(f"points:{id(self)}:")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _on_changed(self, _state: SessionState, changed: frozenset[str]) -> None:
        if self._active and "saved" in changed:
            self._rebuild()

    def _rebuild(self) -> None:
        saved = self._studio.state.saved
        wanted = {s.id for s in saved}
        for gone in [key for key in self._thumbs if key not in wanted]:
            self._thumbs.pop(gone).deleteLater()
        for point in saved:
            thumb = self._thumbs.get(point.id)
            if thumb is not None:
                self._name(point, thumb)
                if thumb.image.isNull():
                    self._ask(point)
        self._empty.setVisible(not saved)
        self._fill()

    def _fill(self) -> None:
        """Make what is missing, some in each turn: a large project has hundreds."""
        missing = [point for point in self._studio.state.saved if point.id not in self._thumbs]
        for point in missing[:AT_ONCE]:
            thumb = self._thumbs[point.id] = PointThumb(SIDE, point.name, point.id)
            thumb.clicked.connect(partial(self._mark, point.id))
            thumb.activated.connect(partial(self.chosen.emit, point.id))
            self._name(point, thumb)
            thumb.set_busy()
            self._ask(point)
        if len(missing) > AT_ONCE:
            self._more.start()
        self._columns = 0
        self._lay_out()

    @staticmethod
    def _name(point: SavedPoint, thumb: Thumbnail) -> None:
        thumb.set_name(
            f"{point.name} · {point.model}\nDrag to the track; double-click or Return: at the playhead"
        )
        thumb.setAccessibleName(point.name)

    def _ask(self, point: SavedPoint) -> None:
        side = round(SIDE * max(1.0, self.devicePixelRatioF()))

        def done(result: RenderResult) -> None:
            thumb = self._thumbs.get(point.id)
            if thumb is not None:
                thumb.set_image(media_image(result, 0, side))

        self._studio.thumbnail(f"points:{id(self)}:{point.id}", point.model, (point.point,), side, done)

    def _lay_out(self) -> None:
        columns = max(1, (self.width() - 26 + GAP) // (SIDE + GAP))
        if columns == self._columns:
            return
        self._columns = columns
        for index, point in enumerate(self._studio.state.saved):
            thumb = self._thumbs.get(point.id)
            if thumb is not None:
                self._grid.addWidget(thumb, index // columns, index % columns)

    def _mark(self, id: str) -> None:
        for key, thumb in self._thumbs.items():
            thumb.set_selected(key == id)
