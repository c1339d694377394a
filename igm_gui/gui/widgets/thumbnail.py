"""Small pictures of points; a waveform where the model gives sound."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QMimeData, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDrag,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from igm_gui.gui import theme
from igm_gui.gui.sound.shaded import shaded_picture
from igm_gui.gui.widgets.picture import screen_image
from igm_gui.requests import RenderResult

POINT_MIME = "application/x-igm-point"
CTRL = Qt.KeyboardModifier.ControlModifier


def media_image(result: RenderResult, index: int = 0, side: int = 96) -> QImage:
    """A small picture of one rendering of ``result``; a null image where there is none."""
    if result.media is None or result.info is None or index >= len(result.media):
        return QImage()
    if result.info.media == "image":
        return screen_image(result.media[index])
    return shaded_picture(result.media[index], result.info.output.sample_rate, side, side)


class Thumbnail(QWidget):
    """A square button with a picture. A drag carries the saved point's id (``application/x-igm-point``)."""

    clicked = Signal()
    activated = Signal()  # double click
    menu_asked = Signal(object)  # QPoint, global
    rename_asked = Signal()
    move_asked = Signal(int)  # places to the right
    delete_asked = Signal()

    def __init__(
        self, side: int = 64, name: str = "", point_id: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.point_id = point_id
        self._side = side
        self._image = QImage()
        self._selected = False
        self._hovered = False
        self._busy = False
        self._caption = ""
        self._press: QPointF | None = None
        self.setFixedSize(side, side)
        # Its keys (F2, Delete) act on the kept point that was clicked; any other is only something to click.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if point_id else Qt.FocusPolicy.TabFocus)
        self.set_name(name)

    @property
    def image(self) -> QImage:
        return self._image

    @property
    def selected(self) -> bool:
        return self._selected

    def set_name(self, name: str) -> None:
        """The tooltip and the accessible name."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def set_caption(self, text: str) -> None:
        """A few letters written over the lower edge."""
        self._caption = text
        self.update()

    def set_image(self, image: QImage) -> None:
        """Show ``image`` (a null one shows an empty frame)."""
        self._image = image
        self._busy = False
        self.update()

    def set_picture(self, pixels: NDArray[Any]) -> None:
        """Show uint8 (H, W, C)."""
        self.set_image(screen_image(pixels))

    @property
    def busy(self) -> bool:
        """Whether it is dimmed: what it shows is of the place before."""
        return self._busy

    def set_busy(self, busy: bool = True) -> None:
        """Dimmed, until the next picture."""
        if busy != self._busy:
            self._busy = busy
            self.update()

    def set_selected(self, selected: bool) -> None:
        if selected != self._selected:
            self._selected = selected
            self.update()

    def set_side(self, side: int) -> None:
        """Another size on screen; the picture stays."""
        self._side = side
        self.setFixedSize(side, side)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        path = QPainterPath()
        path.addRoundedRect(frame, 4, 4)
        painter.fillPath(path, theme.colour("raised"))
        if not self._image.isNull():
            painter.setClipPath(path)
            pixel_art = max(self._image.width(), self._image.height()) < self.width() * 0.75
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not pixel_art)
            size = QSize(self._image.size()).scaled(frame.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveCenter(frame.center())
            painter.setOpacity(0.45 if self._busy else 1.0)
            painter.drawImage(place, self._image)
            painter.setOpacity(1.0)
            painter.setClipping(False)
        if self._caption:
            self._paint_caption(painter, frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._selected:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRoundedRect(frame, 4, 4)
        elif self._hovered and not self.hasFocus():
            painter.setPen(QPen(theme.colour("quiet"), 1))
            painter.drawRoundedRect(frame, 4, 4)
        if self.hasFocus():  # where the keys are is another thing than what is selected
            inset = 4 if self._selected else 0
            painter.setPen(QPen(theme.colour("accent"), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(frame.adjusted(inset, inset, -inset, -inset), 4, 4)

    def _paint_caption(self, painter: QPainter, frame: QRectF) -> None:
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        text = QFontMetrics(font).elidedText(
            self._caption, Qt.TextElideMode.ElideRight, int(frame.width()) - 8
        )
        band = QRectF(frame.left(), frame.bottom() - 15, frame.width(), 15)
        painter.fillRect(band, QColor(0, 0, 0, 150))
        painter.setPen(QColor("#ffffff"))
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, text)

    def enterEvent(self, event: Any) -> None:
        self._hovered = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: Any) -> None:
        self._hovered = False
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position()
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_asked.emit(event.globalPosition().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None or not self.point_id:
            return
        if (event.position() - self._press).manhattanLength() < 10:
            return
        self._press = None
        data = QMimeData()
        data.setData(POINT_MIME, QByteArray(self.point_id.encode()))
        drag = QDrag(self)
        drag.setMimeData(data)
        if not self._image.isNull():
            drag.setPixmap(QPixmap.fromImage(self._image.scaled(48, 48, Qt.AspectRatioMode.KeepAspectRatio)))
        drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is not None and event.button() == Qt.MouseButton.LeftButton:
            self._press = None
            if self.rect().contains(event.position().toPoint()):
                self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.clicked.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and event.modifiers() & CTRL:
            self.move_asked.emit(1 if event.key() == Qt.Key.Key_Right else -1)
        elif event.key() == Qt.Key.Key_F2:
            self.rename_asked.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
        elif event.key() == Qt.Key.Key_Menu:
            self.menu_asked.emit(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)
