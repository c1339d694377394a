"""Mouse events as a person's hand makes them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.studio import Studio

LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier


def move(widget: QWidget, at: QPoint, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
    """A mouse move with the left button held."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        LEFT,
        keys,
    )
    QApplication.sendEvent(widget, event)


def wheel(widget: QWidget, at: QPoint, notches: int, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
    """Turn the wheel by ``notches`` of 15 degrees."""
    event = QWheelEvent(
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def spot(strip: LatentStrip, index: int, value: float) -> QPoint:
    """Where the pointer has to be to give bar ``index`` about ``value``."""
    area = strip.rect().adjusted(4, 4, -4, -4)
    part = (value - strip.low) / (strip.high - strip.low)
    return QPoint(round(strip.bar_centre(index).x()), round(area.bottom() + 1 - part * area.height()))


def z(studio: Studio) -> np.ndarray:
    """The current point's latent."""
    return studio.state.point.vector("z").array
