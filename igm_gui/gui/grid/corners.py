"""The four corners of a plane: each a seed, the current point, or a saved one dropped on it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QGridLayout, QMenu, QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.points import tell_stranger
from igm_gui.gui.timeline.thumbs import KeyThumbs
from igm_gui.gui.widgets import Thumbnail
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session import actions
from igm_gui.session.grid import drawn

NAMES = ("Top left", "Top right", "Bottom left", "Bottom right")
SIDE = 72


class Corner(Thumbnail):
    """One corner. A saved point can be dropped on it."""

    dropped = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__(SIDE, name)
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(POINT_MIME):
            self.set_selected(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: object) -> None:
        self.set_selected(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.set_selected(False)
        self.dropped.emit(bytes(event.mimeData().data(POINT_MIME).data()).decode(errors="replace"))
        event.acceptProposedAction()


class Corners(QWidget):
    """Shows and changes ``state.grid.corners``."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._thumbs = KeyThumbs(studio, SIDE * 2, self)
        self._thumbs.changed.connect(self._paint)
        self._points: list[LatentPoint] = []
        self.corners = [Corner(name) for name in NAMES]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setSpacing(6)
        grid.setAlignment(Qt.AlignmentFlag.AlignLeft)
        for index, corner in enumerate(self.corners):
            grid.addWidget(corner, index // 2, index % 2)
            corner.clicked.connect(partial(self._menu, index, None))
            corner.menu_asked.connect(partial(self._menu, index))
            corner.dropped.connect(partial(self.use_saved, index))

    def refresh(self) -> None:
        """Show the corners as they are now."""
        state, info = self._studio.state, self._studio.session.info
        if info is None or not state.point.values:
            return
        self._points = []
        for index, (corner, point) in enumerate(zip(self.corners, state.grid.corners, strict=True)):
            drawing = drawn(info, state.point, state.grid.seed + index)
            shown = drawing if point is None else conform(point, info)
            self._points.append(shown)
            text = "a point" if shown.seed is None else f"seed {shown.seed}"
            corner.set_caption(text)
            corner.set_name(f"{NAMES[index]} corner: {text}\nClick to choose, or drop a saved point here")
            corner.setAccessibleName(f"{NAMES[index]} corner, {text}")
        self._thumbs.want(state.model, self._points)
        self._paint()

    def stop(self) -> None:
        """Render nothing more."""
        self._thumbs.stop()

    def _paint(self) -> None:
        for corner, point in zip(self.corners, self._points, strict=False):
            image = self._thumbs.get(self._studio.state.model, point)
            if image is not None:
                corner.set_image(image)

    # -- changes

    def use(self, index: int, point: LatentPoint | None) -> None:
        """Put ``point`` in a corner; None goes back to the grid's seeds."""
        corners = list(self._studio.state.grid.corners)
        corners[index] = point
        actions.set_grid(self._studio.session, corners=tuple(corners))

    def use_saved(self, index: int, id: str) -> None:
        """Put a saved point in a corner."""
        saved = next((s for s in self._studio.state.saved if s.id == id), None)
        if saved is not None:
            tell_stranger(self._studio, saved)
            self.use(index, saved.point)

    def _menu(self, index: int, where: QPoint | None) -> None:
        corner, state = self.corners[index], self._studio.state
        info = self._studio.session.info
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("The current point", lambda: self.use(index, state.point))
        if info is not None:
            menu.addAction(
                "A new seed", lambda: self.use(index, drawn(info, state.point, actions.new_seed()))
            )
        menu.addAction(f"The grid's seed, {state.grid.seed + index}", lambda: self.use(index, None))
        kept = menu.addMenu("A saved point")
        kept.setEnabled(bool(state.saved))
        for saved in state.saved:
            kept.addAction(saved.name, partial(self.use_saved, index, saved.id))
        menu.popup(where or corner.mapToGlobal(QPoint(0, corner.height())))
