"""A picture with zoom and pan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.gui import theme

MAX_ZOOM = 64.0
MIN_ZOOM = 1 / 32
SMOOTH_FROM = 128  # pixels of the longer side
_FORMATS = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_RGB888,
    4: QImage.Format.Format_RGBA8888,
}


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage that shares ``pixels``: uint8 ``(H, W, C)`` with C of 1, 3 or 4 (or ``(H, W)``).

    No copy is made of a contiguous array, so the caller keeps the array for as long as the image.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    image = QImage(pixels.data, width, height, width * channels, _FORMATS[channels])
    image.ndarray = pixels  # type: ignore[attr-defined]  # the image only borrows the memory
    return image


def screen_image(pixels: NDArray[np.uint8]) -> QImage:
    """A QImage of ``pixels`` (as in :func:`to_qimage`) in the screen's own format: Qt magnifies that ten
    times faster than grey or RGB, which is worth far more than the conversion costs."""
    image = to_qimage(pixels)
    if image.hasAlphaChannel():
        return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    return image.convertToFormat(QImage.Format.Format_RGB32)


class PictureView(QWidget):
    """Shows one picture: fit or any zoom, smooth or pixel-exact.

    Wheel zooms about the pointer, drag pans, double click goes between fit and a closer look (1:1 where that
    is closer, else twice the fit); keys ``+``, ``-``,
    ``0`` (fit), ``1`` (1:1) and the arrows do the same. Pixel-exact fitting takes whole-number
    zooms, so that every pixel has the same size on screen.
    """

    view_changed = Signal()
    painted = Signal()
    """A new picture has just been painted for the first time."""

    def __init__(self, parent: QWidget | None = None, margin: int = 36, interactive: bool = True) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._zoom: float | None = None  # screen pixels per picture pixel; None fits
        self._centre = QPointF(0.5, 0.5)  # the point of the picture in the middle of the view
        self._smooth: bool | None = None
        self._fresh = False
        self._drag: QPointF | None = None
        self._margin = margin
        self._interactive = interactive
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if interactive else Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Picture")
        if interactive:
            self.setAccessibleDescription("Wheel or + and − zoom, drag or arrows move, 0 fits, 1 is 1:1")

    # -- picture

    def set_picture(self, pixels: NDArray[Any] | None) -> None:
        """Show uint8 ``(H, W, C)``, C of 1, 3 or 4; None shows nothing. The array is kept, not copied."""
        before = self.picture_size
        if pixels is None:
            self._image = self._pixels = None
        else:
            self._pixels = np.ascontiguousarray(pixels)
            self._image = screen_image(self._pixels)
            self._fresh = True
        if self.picture_size != before:
            self.update()
            self.view_changed.emit()
        else:
            self.update(self.target().toAlignedRect())  # what lies beside it need not be painted again

    @property
    def picture(self) -> NDArray[np.uint8] | None:
        """What is shown, uint8 (H, W, C)."""
        return self._pixels

    @property
    def picture_size(self) -> QSize:
        return QSize() if self._image is None else self._image.size()

    def image(self) -> QImage:
        """A copy of what is shown, for the clipboard; null where there is nothing."""
        return QImage() if self._image is None else self._image.copy()

    # -- view

    @property
    def smooth(self) -> bool:
        """Whether magnification is smooth; by itself for large pictures, where pixels are no content."""
        if self._smooth is None:
            return self._image is not None and max(self._image.width(), self._image.height()) >= SMOOTH_FROM
        return self._smooth

    def set_smooth(self, smooth: bool | None) -> None:
        """Smooth (bilinear) or pixel-exact (nearest) magnification; None chooses by the picture's size."""
        if smooth != self._smooth:
            self._smooth = smooth
            self.update()
            self.view_changed.emit()

    @property
    def fits(self) -> bool:
        return self._zoom is None

    @property
    def zoom(self) -> float:
        """Screen pixels (of the device) per pixel of the picture."""
        return self._fit_zoom() if self._zoom is None else self._zoom

    def fit(self) -> None:
        """Show all of the picture, as large as there is room."""
        self._zoom = None
        self._centre = QPointF(0.5, 0.5)
        self._look_changed()

    def actual_size(self) -> None:
        """One pixel of the picture on one pixel of the screen."""
        self.set_zoom(1.0)

    def set_zoom(self, zoom: float, about: QPointF | None = None) -> None:
        """Magnify to ``zoom``; the point of the picture under ``about`` (view coordinates) stays put."""
        zoom = min(max(zoom, MIN_ZOOM), MAX_ZOOM)
        if self._image is None:
            return
        if about is not None:
            target = self.target()
            if target.width() > 0 and target.height() > 0:
                u = (about.x() - target.x()) / target.width()
                v = (about.y() - target.y()) / target.height()
                side = zoom / self.devicePixelRatioF()
                self._centre = QPointF(
                    u + (self.width() / 2 - about.x()) / (self._image.width() * side),
                    v + (self.height() / 2 - about.y()) / (self._image.height() * side),
                )
        self._zoom = zoom
        self._keep_in_view()
        self._look_changed()

    def target(self) -> QRectF:
        """Where the picture lies in the view, in the view's coordinates."""
        if self._image is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        side = self.zoom / ratio
        width, height = self._image.width() * side, self._image.height() * side
        x = self.width() / 2 - self._centre.x() * width
        y = self.height() / 2 - self._centre.y() * height
        # On whole pixels of the device, so that pixel-exact is exact.
        return QRectF(round(x * ratio) / ratio, round(y * ratio) / ratio, width, height)

    def info_text(self) -> str:
        """Such as ``64×64 → 448×448 · pixels · 700 %``; empty without a picture."""
        if self._image is None:
            return ""
        width, height = self._image.width(), self._image.height()
        zoom = self.zoom
        how = "smooth" if self.smooth else "pixels"
        return f"{width}×{height} → {round(width * zoom)}×{round(height * zoom)} · {how} · {zoom:.0%}"

    def _fit_zoom(self) -> float:
        if self._image is None:
            return 1.0
        ratio = self.devicePixelRatioF()
        room_x = max(1.0, (self.width() - 2 * self._margin) * ratio)
        room_y = max(1.0, (self.height() - 2 * self._margin) * ratio)
        zoom = min(room_x / self._image.width(), room_y / self._image.height(), MAX_ZOOM)
        if not self.smooth and zoom >= 1:
            return float(int(zoom))
        return zoom

    def _keep_in_view(self) -> None:
        self._centre = QPointF(min(max(self._centre.x(), 0.0), 1.0), min(max(self._centre.y(), 0.0), 1.0))

    def _look_changed(self) -> None:
        self.update()
        self.view_changed.emit()

    # -- events

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(64, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        ground = theme.ground()
        if self._image is None:
            painter.fillRect(self.rect(), ground)
            return
        target = self.target()
        inner = target.toAlignedRect()
        if not inner.contains(event.rect()):  # else the picture covers all that is to be painted
            painter.setClipRegion(event.region().subtracted(QRegion(inner)))
            painter.fillRect(self.rect(), ground)
            painter.setClipRegion(event.region())
        if self._image.hasAlphaChannel():
            self._chequers(painter, target)
        magnified = self.zoom >= 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth or not magnified)
        painter.drawImage(target, self._image)
        painter.end()
        if self._fresh:
            self._fresh = False
            self.painted.emit()

    def _chequers(self, painter: QPainter, target: QRectF) -> None:
        painter.fillRect(target, QColor("#ffffff" if not theme.is_dark() else "#3a3f48"))
        painter.setBrushOrigin(target.topLeft())
        painter.fillRect(target, Qt.BrushStyle.Dense4Pattern)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view_changed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self._interactive or self._image is None:
            event.ignore()
            return
        steps = event.angleDelta().y() / 120
        self.set_zoom(self.zoom * 1.25**steps, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._interactive and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag = event.position()
            if not self.fits:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None or self.fits:
            return
        moved = event.position() - self._drag
        self._drag = event.position()
        self._pan(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._interactive:
            event.ignore()
        elif self.fits:
            fit = self._fit_zoom()
            # Who clicks twice wants to see it closer: 1:1 of a small picture would be farther away.
            self.set_zoom(1.0 if fit < 1 else 2 * fit, event.position())
        else:
            self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        pans = {
            keys.Key_Left: (40, 0),
            keys.Key_Right: (-40, 0),
            keys.Key_Up: (0, 40),
            keys.Key_Down: (0, -40),
        }
        key = keys(event.key())
        if key in (keys.Key_Plus, keys.Key_Equal):
            self.set_zoom(self.zoom * 1.25)
        elif key == keys.Key_Minus:
            self.set_zoom(self.zoom / 1.25)
        elif key == keys.Key_0:
            self.fit()
        elif key in pans and not self.fits:
            self._pan(*pans[key])
        else:
            super().keyPressEvent(event)

    def _pan(self, dx: float, dy: float) -> None:
        target = self.target()
        self._centre = QPointF(
            self._centre.x() - dx / max(target.width(), 1), self._centre.y() - dy / max(target.height(), 1)
        )
        self._keep_in_view()
        self._look_changed()
