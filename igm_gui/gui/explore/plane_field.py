"""The latent plane's field: small pictures in rows and columns, and a handle that is dragged over them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.gui import theme
from igm_gui.gui.widgets.painted import Painted

COLUMNS = ROWS = 5
STALE = 0.25  # opacity of a picture of another place


class PlaneField(Painted):
    """The field itself: ``moved`` gives fractions (0, 0) top left to (1, 1) bottom right."""

    tip_beneath = True

    moved = Signal(float, float)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.images: list[QImage] = [QImage()] * (ROWS * COLUMNS)
        self.at = (0.5, 0.5)
        self._dragging = False
        self._tiles: QPixmap | None = None  # the images as drawn: the handle moves far more often
        self._old: set[int] = set()  # pictures of another place, dimmed until the new ones come
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Latent plane")

    @property
    def dragging(self) -> bool:
        return self._dragging

    def sizeHint(self) -> QSize:
        return QSize(262, 262)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setFixedHeight(max(self.width(), 60))

    def set_at(self, at: tuple[float, float]) -> None:
        """Put the handle at fractions of the field."""
        if at != self.at:
            self.at = at
            self.update()

    def set_image(self, index: int, image: QImage) -> None:
        self.images[index] = image
        self._old.discard(index)
        self._tiles = None
        self.update()

    @property
    def stale(self) -> bool:
        """Whether some of the pictures belong to another place."""
        return bool(self._old)

    def set_stale(self) -> None:
        """Dim every picture until its place's own comes."""
        if len(self._old) == len(self.images):
            return
        self._old = set(range(len(self.images)))
        self._tiles = None
        self.update()

    def set_fresh(self) -> None:
        """The pictures are this place's own after all."""
        if self._old:
            self._old = set()
            self._tiles = None
            self.update()

    def clear(self) -> None:
        """Take the pictures away: they were another model's."""
        self.images = [QImage()] * len(self.images)
        self.set_stale()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("raised"))
        ratio = self.devicePixelRatioF()
        if self._tiles is None or self._tiles.deviceIndependentSize() != QSizeF(self.size()):
            self._tiles = self._drawn_tiles(ratio)
        painter.drawPixmap(0, 0, self._tiles)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre = QPointF(self.at[0] * self.width(), self.at[1] * self.height())
        painter.setPen(QPen(theme.colour("canvas", 0.9), 4))
        painter.setBrush(theme.colour("accent", 0.35))
        painter.drawEllipse(centre, 7, 7)
        painter.setPen(QPen(theme.colour("accent"), 2))
        painter.drawEllipse(centre, 7, 7)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _drawn_tiles(self, ratio: float) -> QPixmap:
        tiles = QPixmap(self.size() * ratio)
        tiles.setDevicePixelRatio(ratio)
        tiles.fill(Qt.GlobalColor.transparent)
        painter = QPainter(tiles)
        width, height = self.width() / COLUMNS, self.height() / ROWS
        for index, image in enumerate(self.images):
            if image.isNull():
                continue
            cell = QRectF((index % COLUMNS) * width, (index // COLUMNS) * height, width - 1, height - 1)
            size = image.size().scaled(cell.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRectF(0, 0, size.width(), size.height())
            target.moveCenter(cell.center())
            smooth = image.width() > cell.width() * 0.75
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.setOpacity(STALE if index in self._old else 1.0)
            painter.drawImage(target, image)
        painter.end()
        return tiles

    def _go(self, x: float, y: float) -> None:
        at = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self.set_at(at)
        self.moved.emit(*at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging = True
            self._go(event.position().x() / self.width(), event.position().y() / self.height())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._go(event.position().x() / self.width(), event.position().y() / self.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._dragging = False
            self.released.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        fine = 0.01 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.05
        steps = {
            Qt.Key.Key_Left: (-fine, 0.0),
            Qt.Key.Key_Right: (fine, 0.0),
            Qt.Key.Key_Up: (0.0, -fine),
            Qt.Key.Key_Down: (0.0, fine),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        self._go(self.at[0] + step[0], self.at[1] + step[1])
        if not event.isAutoRepeat():
            self.released.emit()
