"""The preview of a grid: cells that appear as they are rendered, to point at and to click."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.errors import IgmError
from igm_gui.gui import theme
from igm_gui.gui.compare.lineup import held_values
from igm_gui.gui.grid.controls import shown_scale
from igm_gui.gui.grid.labels import Labels
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.sound.shaded import shaded_picture
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import to_qimage
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult
from igm_gui.session.grid import grid_cells, grid_shape
from igm_gui.session.state import GridSpec

MARGIN = 24
DRAW_SECONDS = 0.008
SOUND_CELL = QSize(132, 72)  # of a waveform, before it is fitted


class Sheet(QWidget):
    """Shows the session's grid. Rendered in pieces, and only when its pictures would change: gap and
    scale only move them."""

    picked = Signal(int)  # cell, clicked
    menu_asked = Signal(object, int)  # QPoint (global), cell
    hovered = Signal(int)  # cell under the pointer or cursor, -1 for none
    progressed = Signal(int, int)  # cells done, cells in all

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._take)
        self._pieces.failed.connect(self._fail)
        self._pieces.finished.connect(lambda: self.progressed.emit(self.count, self.count))
        self._info: GeneratorInfo | None = None
        self._grid = GridSpec()
        self._key: tuple[object, ...] = ()
        self._image: QImage | None = None  # all cells without gaps
        self._screen: QPixmap | None = None  # the sheet as it is seen, filled bit by bit
        self._screen_key: tuple[object, ...] = ()
        self._todo: deque[int] = deque()  # cells that are to be drawn on it
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.timeout.connect(self._draw_more)
        self._cell = QSize()
        self._of = ""  # the model whose cells are shown
        self._sounds: deque[tuple[int, NDArray[Any]]] = deque()  # that have come and are to be drawn
        self._at = -1
        self._cursor = False
        self.rows = self.columns = 0
        self.message = ""
        self.labels = Labels()
        self.point: Callable[[int], LatentPoint] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Grid preview")
        self.setAccessibleDescription("Arrows walk over the cells, Return goes to the cell's point")

    @property
    def count(self) -> int:
        return self.rows * self.columns

    @property
    def cell(self) -> int:
        """The cell under the pointer or the keyboard's cursor; -1 for none."""
        return self._at

    @property
    def running(self) -> bool:
        return self._pieces.running or bool(self._sounds)

    def image_of(self, index: int) -> QImage:
        """What is shown in a cell; null where nothing is."""
        if self._image is None or not 0 <= index < self.count:
            return QImage()
        row, column = divmod(index, self.columns)
        size = self._cell
        return self._image.copy(column * size.width(), row * size.height(), size.width(), size.height())

    # -- rendering

    def refresh(self) -> None:
        """Show the session's grid; render what has changed."""
        state, info = self._studio.state, self._studio.session.info
        self._grid = state.grid
        self.update()
        if info is None or not state.point.values:
            return
        # Gap and scale change where the pictures stand, not the pictures.
        asked = replace(state.grid, gap=0, scale=1)
        key = (state.model, info, state.device, asked, held_values(state.point, info), self._side(info))
        if key == self._key:
            return
        self._key = key
        try:
            rows, columns = grid_shape(info, state.grid)
            count, cells = grid_cells(info, state.grid, state.point)
        except IgmError as error:
            self._fail(error)
            return
        self.message = ""
        size = self._cell_size(info)
        other = state.model != self._of  # what another model made is not taken for this one's
        self._of = state.model
        self._sounds.clear()
        if self._image is None or other or (rows, columns, size) != (self.rows, self.columns, self._cell):
            self._image = QImage(columns * size.width(), rows * size.height(), QImage.Format.Format_RGB32)
            self._image.fill(theme.colour("background"))
            self._screen, self._at = None, -1
            self._todo.clear()
        self._info, self.rows, self.columns, self._cell = info, rows, columns, size
        self.labels.show(info, state.grid)
        self.point = cells
        self.progressed.emit(0, count)
        self._pieces.start(state.model, count, cells, max(size.width(), size.height()))

    def stop(self) -> None:
        """Render nothing more; what is unfinished is begun again at the next :meth:`refresh`."""
        if self._pieces.running:
            self._key = ()
        self._pieces.stop()

    def _side(self, info: GeneratorInfo) -> int:
        """Pixels of a cell's longer side: no more than are seen, in steps, so that a resize rarely
        renders anew."""
        rows = self._grid.rows
        if self._grid.mode == "classes":
            rows = max((len(spec.classes) for spec in info.of_kind("label")), default=rows)
        room = max(self.width() / self._grid.columns, self.height() / rows, 8.0)
        side = 16
        while side < room * self.devicePixelRatioF():
            side *= 2
        return side

    def _cell_size(self, info: GeneratorInfo) -> QSize:
        side = self._side(info)
        if info.media == "sound":
            return SOUND_CELL.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        # As igm_gui.engine.renderer.scaled makes them.
        height, width = info.output.height, info.output.width
        factor = min(1.0, side / max(height, width))
        return QSize(max(1, round(width * factor)), max(1, round(height * factor)))

    def _take(self, first: int, result: RenderResult) -> None:
        if result.media is None or result.info is None or self._image is None:
            return
        if result.info.media == "sound":
            self._sounds.extend(enumerate(result.media, first))  # some milliseconds each: drawn in slices
        else:
            for i, media in enumerate(result.media, first):
                self._put(i, to_qimage(media))
        self.progressed.emit(min(first + len(result.media), self.count), self.count)
        self._drawing.start(0)

    def _put(self, index: int, image: QImage) -> None:
        """A cell's picture has come."""
        assert self._image is not None
        size = self._cell
        row, column = divmod(index, self.columns)
        target = QRect(column * size.width(), row * size.height(), size.width(), size.height())
        painter = QPainter(self._image)
        painter.fillRect(target, theme.colour("panel"))
        painter.drawImage(target, image)
        painter.end()
        self._todo.append(index)

    def _fail(self, error: IgmError) -> None:
        self._pieces.stop()
        self._image, self._screen, self.point, self._at = None, None, None, -1
        self._todo.clear()
        self._sounds.clear()
        self.rows = self.columns = 0
        self.message = f"{error.message}\n{error.hint}".strip()
        self.progressed.emit(0, 0)
        self.update()

    # -- where things are

    def _layout(self) -> tuple[QRectF, float, float, float]:
        """(the sheet's frame, a cell's width, its height, the gap), in the widget's coordinates."""
        output = self._info.output if self._info is not None else None
        wide, high = float(self._cell.width() or 1), float(self._cell.height() or 1)
        if output is not None and output.media == "image":
            wide, high = float(output.width), float(output.height)
        gap = 4.0
        if output is None or output.media == "image":
            gap = self._grid.gap / shown_scale(self._info, self._grid)
        full_wide = self.columns * wide + (self.columns - 1) * gap
        full_high = self.rows * high + (self.rows - 1) * gap
        left = self.labels.width(self.font())
        room_wide, room_high = self.width() - left - 2 * MARGIN, self.height() - 2 * MARGIN
        zoom = max(min(room_wide / max(full_wide, 1), room_high / max(full_high, 1)), 1e-3)
        frame = QRectF(
            left + (self.width() - left - full_wide * zoom) / 2,
            (self.height() - full_high * zoom) / 2,
            full_wide * zoom,
            full_high * zoom,
        )
        return frame, wide * zoom, high * zoom, gap * zoom

    def cell_rect(self, index: int) -> QRectF:
        """Where a cell lies in the widget."""
        frame, wide, high, gap = self._layout()
        row, column = divmod(index, max(self.columns, 1))
        return QRectF(frame.x() + column * (wide + gap), frame.y() + row * (high + gap), wide, high)

    def cell_at(self, position: QPointF) -> int:
        """The cell at a place of the widget; -1 in gaps and outside."""
        if self.count == 0:
            return -1
        frame, wide, high, gap = self._layout()
        column = int((position.x() - frame.x()) // (wide + gap))
        row = int((position.y() - frame.y()) // (high + gap))
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            return -1
        index = row * self.columns + column
        return index if self.cell_rect(index).contains(position) else -1

    # -- events

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.ground())
        if self._image is None:
            painter.setPen(theme.colour("quiet"))
            area = self.rect().adjusted(40, 40, -40, -40)
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(area, flags, self.message)
            return
        self._prepare_screen()
        assert self._screen is not None
        painter.drawPixmap(0, 0, self._screen)
        frame, wide, high, gap = self._layout()
        self.labels.paint(painter, frame, QSizeF(wide, high), gap)
        if self._at >= 0:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRect(self.cell_rect(self._at).adjusted(-1, -1, 1, 1))

    def _prepare_screen(self) -> None:
        """Begin the picture of the sheet anew where sizes have changed."""
        ratio = self.devicePixelRatioF()
        key = (self._layout(), self.size(), ratio, self._cell, self.count, theme.ground().rgb())
        if key == self._screen_key and self._screen is not None:
            return
        self._screen_key = key
        self._screen = QPixmap(self.size() * ratio)
        self._screen.setDevicePixelRatio(ratio)
        self._screen.fill(theme.ground())
        self._todo = deque(range(self.count))
        self._draw_more()

    def _draw_more(self) -> None:
        """Draw cells for a few milliseconds: thousands of them must not stop the window."""
        if self._screen is None or self._image is None:
            return
        frame, wide, high, gap = self._layout()
        ratio, size = self.devicePixelRatioF(), self._cell
        end = time.perf_counter() + DRAW_SECONDS
        while self._sounds and self._info is not None and time.perf_counter() < end:
            index, samples = self._sounds.popleft()
            rate = self._info.output.sample_rate
            self._put(index, shaded_picture(samples, rate, size.width(), size.height()))
        end += DRAW_SECONDS / 4  # what was drawn just now is shown too
        painter = QPainter(self._screen)
        # Pixels stay pixels, but for a picture that is made smaller and for outlines.
        sound = self._info is not None and self._info.media == "sound"
        smooth = wide * ratio < size.width() or sound
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        dirty = QRectF()
        while self._todo and time.perf_counter() < end:
            row, column = divmod(self._todo.popleft(), self.columns)
            target = QRectF(frame.x() + column * (wide + gap), frame.y() + row * (high + gap), wide, high)
            source = QRectF(column * size.width(), row * size.height(), size.width(), size.height())
            painter.drawImage(target, self._image, source)
            dirty |= target
        painter.end()
        self.update(dirty.toAlignedRect())
        if self._todo or self._sounds:
            self._drawing.start(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible() and self._key:
            self.refresh()

    def _point_at(self, index: int) -> None:
        if index != self._at:
            for changed in (self._at, index):
                if changed >= 0:
                    self.update(self.cell_rect(changed).adjusted(-3, -3, 3, 3).toAlignedRect())
            self._at = index
            self.hovered.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.cell_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
        self._point_at(index)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._point_at(-1)
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.picked.emit(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self._at if keyboard else self.cell_at(QPointF(event.pos()))
        if index >= 0:
            where = self.mapToGlobal(self.cell_rect(index).center().toPoint()) if keyboard else QPoint()
            self.menu_asked.emit(where if keyboard else event.globalPos(), index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        key = Qt.Key(event.key())
        if key in moves and self.count:
            row, column = divmod(max(self._at, 0), self.columns)
            if self._at >= 0:
                row = min(max(row + moves[key][0], 0), self.rows - 1)
                column = min(max(column + moves[key][1], 0), self.columns - 1)
            self._point_at(row * self.columns + column)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._at >= 0:
            self.picked.emit(self._at)
        elif key == Qt.Key.Key_Escape:
            self._point_at(-1)
        else:
            super().keyPressEvent(event)
