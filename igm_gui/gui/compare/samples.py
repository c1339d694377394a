"""Rows of samples from seeds that all models share; a click takes every model to that seed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.errors import IgmError
from igm_gui.gui import theme
from igm_gui.gui.compare.lineup import held_values, sample_points
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.track_paint import draw_fitted
from igm_gui.gui.widgets import media_image
from igm_gui.gui.widgets.painted import Painted
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.requests import RenderResult

CELL = 54
GAP = 4
PAD = 8
ROWS = 2


class Samples(Painted):
    """``ROWS`` rows, as many columns as there is room for in all of the models' (:meth:`set_columns`).
    Rendered in pieces, only when something that the samples depend on has changed."""

    picked = Signal(int)  # number of the sample
    room_changed = Signal()
    timed = Signal(int, float)  # samples in a batch, the network's seconds for all of them

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._take)
        self._pieces.failed.connect(self._fail)
        self._key: tuple[object, ...] = ()
        self._model = ""
        self._of = ""  # the model whose samples are shown
        self._info: GeneratorInfo | None = None
        self._every = False
        self._images: list[QImage | None] = []
        self._hovered = -1
        self._cursor = 0
        self._shown = -1  # the sample that is on show above
        self._most = 0  # columns of the narrowest of the models; 0 while there is only this one
        self.setFixedHeight(ROWS * (CELL + GAP) - GAP + 2 * PAD)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Samples from shared seeds")
        self.setAccessibleDescription("Arrows walk, Return shows the sample above in every model")

    @property
    def room(self) -> int:
        """How many columns fit."""
        return max(1, (self.width() - 2 * PAD + GAP) // (CELL + GAP))

    @property
    def columns(self) -> int:
        return min(self.room, self._most) if self._most else self.room

    def set_columns(self, most: int) -> None:
        """At most so many columns: every model shows the same seeds, and as many."""
        if most != self._most:
            self._most = most
            if self._key:
                self.show_model(self._model, self._info, self._every)

    @property
    def images(self) -> tuple[QImage | None, ...]:
        """What is shown, row by row; None while it is not there."""
        return tuple(self._images)

    def seed_of(self, index: int) -> int:
        """The seed of sample ``index``."""
        return self._studio.state.compare_seed + index

    def show_model(self, model: str, info: GeneratorInfo | None, every_class: bool) -> None:
        """Show samples of ``model``; what has not changed is not rendered again."""
        self._model, self._info, self._every = model, info, every_class
        state = self._studio.state
        if info is None:
            return
        count = ROWS * self.columns
        points = sample_points(info, state.point, state.compare_seed, every_class)
        shown = self._sample_on_show(info, points, count)
        if shown != self._shown:
            self._shown = shown
            self.update()
        held = held_values(state.point, info)
        key = (model, info, state.device, state.compare_seed, every_class, held, count)
        if key == self._key:
            return
        # With more room only the new samples are missing, but rows wrap elsewhere: begin again.
        self._key = key
        if model != self._of:
            self._of, self._images = model, []  # what another model made is not taken for this one's
        if len(self._images) != count:
            self._images = (self._images + [None] * count)[:count]
        self._pieces.start(model, count, points, self._side)
        self.update()

    def _sample_on_show(self, info: GeneratorInfo, points: Callable[[int], LatentPoint], count: int) -> int:
        """The sample that stands above: its seed, and its class too."""
        state = self._studio.state
        number = -1 if state.point.seed is None else state.point.seed - state.compare_seed
        if not 0 <= number < count:
            return -1
        sample, now = points(number), conform(state.point, info)
        same = all(sample.get(label.name) == now.get(label.name) for label in info.of_kind("label"))
        return number if same else -1

    @property
    def _side(self) -> int:
        """Pixels of the screen in a cell."""
        return round(CELL * max(1.0, self.devicePixelRatioF()))

    def stop(self) -> None:
        """Render nothing more; what is unfinished is asked for again at the next :meth:`show_model`."""
        if self._pieces.running:
            self._key = ()
        self._pieces.stop()

    def _take(self, first: int, result: RenderResult) -> None:
        for i in range(len(result.request.points)):
            if first + i < len(self._images):
                self._images[first + i] = media_image(result, i, self._side)
        self.timed.emit(len(result.request.points), result.model_seconds)
        self.update()

    def _fail(self, _error: IgmError) -> None:
        # The column's own result says why; an empty sheet says the rest.
        self._images = [None] * len(self._images)
        self._key = ()
        self.update()

    # -- events

    def sizeHint(self) -> QSize:
        return QSize(4 * CELL, self.height())

    def _cell(self, index: int) -> QRectF:
        row, column = divmod(index, self.columns)
        spare = self.width() - 2 * PAD - self.columns * (CELL + GAP) + GAP
        return QRectF(PAD + spare / 2 + column * (CELL + GAP), PAD + row * (CELL + GAP), CELL, CELL)

    def _at(self, position: QPoint) -> int:
        return next((i for i in range(len(self._images)) if self._cell(i).contains(position)), -1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("background"))
        for i, image in enumerate(self._images):
            cell = self._cell(i)
            painter.fillRect(cell, theme.colour("canvas"))
            if image is not None and not image.isNull():
                draw_fitted(painter, cell, image)
            focused = self.hasFocus() and i == self._cursor
            shown = i == self._shown
            if i == self._hovered or focused or shown:
                tint = "accent" if focused or shown else "quiet"
                painter.setPen(QPen(theme.colour(tint), 2))
                painter.drawRect(cell.adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.room_changed.emit()
        if self._key and self.isVisible():
            self.show_model(self._model, self._info, self._every)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hovered = self._at(event.position().toPoint())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._cursor = index
            self.picked.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.columns,
            Qt.Key.Key_Down: self.columns,
        }
        key = Qt.Key(event.key())
        if key in moves and self._images:
            self._cursor = min(max(self._cursor + moves[key], 0), len(self._images) - 1)
            self.setAccessibleDescription(f"Seed {self.seed_of(self._cursor)}")
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._images:
            self.picked.emit(self._cursor)
        else:
            super().keyPressEvent(event)

    def tip_at(self, place: QPointF) -> str:
        index = self._at(place.toPoint())
        if index < 0:
            return ""
        text = f"Seed {self.seed_of(index)}, drawn by this model's own prior\n"
        return text + "Click takes every model there."
