"""Nine pictures: the current point in the middle and eight neighbours to go to."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import IconButton
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.thumbnail import Thumbnail, media_image
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState

REST_MS = 180  # the point has to rest for this long before its neighbours are rendered
GAP = 5


def neighbour(session: Session, seed: int) -> LatentPoint:
    """What :func:`actions.mutate` would make of the current point with ``seed``; nothing is changed."""
    scratch = Session(session.state)
    scratch.infos = dict(session.infos)
    actions.mutate(scratch, seed)
    return scratch.state.point


class Variations(QWidget):
    """A 3 × 3 field. A click goes to a neighbour (one step to undo); the die throws new ones."""

    went = Signal()

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._seed = 1
        self._model = studio.state.model
        self._points: list[LatentPoint] = []
        self._shown_for: object = None
        self._field = QWidget()
        self.head = SectionHead("Variations", body=self._field)
        self.again = IconButton("refresh-cw", commands.tip("explore.variations"), role="flat")
        self.again.clicked.connect(lambda: commands.run("explore.variations"))
        self.head.remark.setToolTip("How far they are from the current point: Spread, under Sampling")
        self.head.add(self.again)
        self.head.folded.connect(self._folded)
        grid = QGridLayout(self._field)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP)
        self.thumbs: list[Thumbnail] = []
        for place in range(9):
            thumb = Thumbnail(84, "The current point" if place == 4 else f"Variation {place + 1}: go there")
            thumb.setMinimumSize(40, 40)
            thumb.clicked.connect(lambda place=place: self.go(place))
            grid.addWidget(thumb, place // 3, place % 3)
            self.thumbs.append(thumb)
        self.thumbs[4].set_selected(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addWidget(self._field)
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._arrived)
        self._pieces.finished.connect(self._ask)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._render)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)

    def reroll(self) -> None:
        """Other neighbours of the same point."""
        self._seed += 9
        self._render()

    def go(self, place: int) -> None:
        """Go to the neighbour at a place of the field, 0 to 8."""
        if place != 4 and place < len(self._points):
            self._seed += 9
            self._studio.session.end_merge()
            actions.go_to(self._studio.session, self._points[place])
            self.went.emit()

    @property
    def points(self) -> list[LatentPoint]:
        """The nine points, the current one in the middle; empty before the first rendering."""
        return self._points

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "model" in changed and state.model != self._model:
            self._model = state.model
            self._pieces.stop()
            self._shown_for = None
            for thumb in self.thumbs:
                thumb.set_image(QImage())  # what stood there was another model's
        if changed & {"point", "model", "spread", "info", "locks"}:
            self._ask()

    def _on_rendered(self, result: RenderResult) -> None:
        # The first picture of a model: now its neighbours can be rendered too.
        if result.ok and result.request.slot == "main" and not self._points:
            self._ask()

    def _ask(self) -> None:
        empty = any(thumb.image.isNull() for thumb in self.thumbs)
        if empty and (self._rest.isActive() or self._pieces.running):
            return  # the first filling goes through even while the point keeps moving
        if self._key() == self._shown_for:
            if not self._pieces.running:
                self._rest.stop()
                for thumb in self.thumbs:
                    thumb.set_busy(False)  # back where they are of, before others were begun
            return
        if self._pieces.running:
            self._pieces.stop()
            self._shown_for = None
        if self.isVisible() and not self.head.is_folded and self._studio.last is not None:
            for thumb in self.thumbs:
                thumb.set_busy()
            self._rest.start()

    def _folded(self, folded: bool) -> None:
        if not folded:
            self._ask()

    def _key(self) -> object:
        state = self._studio.state
        return (state.model, state.point, state.spread, state.locks, self._seed)

    def _render(self) -> None:
        state = self._studio.state
        info = self._studio.session.info
        key = self._key()
        if info is None or not state.point.values or key == self._shown_for:
            return
        self._shown_for = key
        here = state.point
        points = [
            here if place == 4 else neighbour(self._studio.session, self._seed + place) for place in range(9)
        ]
        self._points = [
            replace(point, seed=here.seed if place == 4 else None) for place, point in enumerate(points)
        ]
        self.head.set_remark(f"spread {state.spread:.2f}")
        side = round(self.thumbs[0].width() * max(1.0, self.devicePixelRatioF()))
        for thumb in self.thumbs:
            thumb.set_busy()  # other neighbours of the same point, too
        self._pieces.start(state.model, 9, self._points.__getitem__, side)

    def _arrived(self, first: int, result: RenderResult) -> None:
        if result.media is None:
            return
        for offset in range(len(result.media)):
            self.thumbs[first + offset].set_image(media_image(result, offset, 96))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = max(40, (self.width() - 2 * GAP) // 3)
        for thumb in self.thumbs:
            # The width may shrink with the panel; only the height is held, to keep them square.
            thumb.setMinimumWidth(40)
            thumb.setMaximumWidth(side)
            thumb.setFixedHeight(side)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._rest.stop()
        if self._pieces.running:
            self._pieces.stop()
            self._shown_for = None
