"""Driving the Timeline workspace as a person does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDragEnterEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.track_paint import key_rect
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from tests.gui.alone import alone

MakeStudio = Callable[..., Studio]


def make(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return alone(TimelineWorkspace, qtbot, studio)


def spot(workspace: TimelineWorkspace, seconds: float, y: float | None = None) -> QPoint:
    """A place on the track; without ``y`` the middle of a keyframe at that time."""
    if y is None:
        return key_rect(workspace.track.axis, seconds).center().toPoint()
    return QPoint(round(workspace.track.axis.x(seconds)), round(y))


def drag(widget: QWidget, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier | None = None) -> None:
    held = modifiers or Qt.KeyboardModifier.NoModifier
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(widget, left, held, start)
    for part in (0.25, 0.5, 0.75, 1.0):
        where = QPointF(start) + (QPointF(end) - QPointF(start)) * part
        # QTest.mouseMove carries neither buttons nor modifiers; the event does.
        event = QMouseEvent(QEvent.Type.MouseMove, where, widget.mapToGlobal(where), left, left, held)
        QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, left, held, end)


def times(workspace: TimelineWorkspace) -> list[float]:
    return [round(k.time, 3) for k in workspace.track.studio.state.timeline.keyframes]


def drop(workspace: TimelineWorkspace, id: str, where: QPoint) -> None:
    data = QMimeData()
    data.setData(POINT_MIME, QByteArray(id.encode()))
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(where, copy, data, left, none),
        QDragMoveEvent(where, copy, data, left, none),
        QDropEvent(QPointF(where), copy, data, left, none),
    ):
        QApplication.sendEvent(workspace.track, event)


def entry(menu: QMenu, *titles: str) -> QAction:
    """The entry of a menu, through its sub-menus."""
    for title in titles[:-1]:
        menu = next(m for m in menu.findChildren(QMenu) if m.title() == title)
    return next(a for a in menu.actions() if a.text() == titles[-1])
