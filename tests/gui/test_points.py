"""Saved points in Explore: kept, recalled, renamed, put in another order, made keyframes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import PointStrip
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import picture
from tests.gui.pointer import LEFT

NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestPoints:
    def test_keep_recall_rename_and_delete(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        QTest.keyClick(window, Qt.Key.Key_K)
        (saved,) = toy_studio.state.saved
        kept = toy_studio.state.point
        next_picture(lambda: QTest.keyClick(window, Qt.Key.Key_R))
        strip: PointStrip = explore.points
        thumb = strip.thumbnail(saved.id)
        assert thumb is not None
        assert not thumb.selected
        next_picture(lambda: QTest.mouseClick(thumb, LEFT))
        assert toy_studio.state.point == kept
        assert thumb.selected
        actions.rename(toy_studio.session, saved.id, "Smile")
        assert thumb.accessibleName() == "Smile"
        actions.forget(toy_studio.session, saved.id)
        assert strip.thumbnail(saved.id) is None
        toy_studio.session.undo()
        assert strip.thumbnail(saved.id) is not None

    def test_a_point_kept_comes_into_sight(
        self, qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        window.resize(900, 560)

        def seen(index: int) -> bool:
            strip, thumb = explore.points, explore.points.thumbnail(toy_studio.state.saved[index].id)
            assert thumb is not None
            left = thumb.mapTo(strip.viewport(), QPoint(0, 0)).x()
            return left >= 0 and left + thumb.width() <= strip.viewport().width()

        for seed in range(12):
            actions.set_seed(toy_studio.session, seed)
            QTest.keyClick(window, Qt.Key.Key_K)
        qtbot.waitUntil(lambda: seen(-1) and not seen(0), timeout=10_000)
        bar = explore.points.horizontalScrollBar()
        widest = bar.maximum()
        actions.forget(toy_studio.session, toy_studio.state.saved[0].id)
        qtbot.waitUntil(lambda: bar.maximum() < widest, timeout=10_000)
        toy_studio.session.undo()
        qtbot.waitUntil(lambda: seen(0), timeout=10_000)

    def test_rename_and_delete_from_the_keyboard(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow
    ) -> None:
        saved = actions.keep(toy_studio.session)
        thumb = explore.points.thumbnail(saved.id)
        assert thumb is not None
        qtbot.waitUntil(thumb.isVisible)
        QTest.mouseClick(thumb, Qt.MouseButton.LeftButton)
        assert QApplication.focusWidget() is thumb  # a click is enough
        QTest.keyClick(thumb, Qt.Key.Key_F2)
        field = next(f for f in explore.points.findChildren(QLineEdit) if f.isVisible())
        QTest.keyClicks(field, "Smile")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert toy_studio.state.saved[0].name == "Smile"
        QTest.keyClick(thumb, Qt.Key.Key_Delete)
        assert toy_studio.state.saved == ()

    def test_another_order_by_keys_and_by_a_drag(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow
    ) -> None:
        a, b, c = (actions.keep(toy_studio.session, name) for name in "abc")
        strip = explore.points

        def order() -> str:
            return "".join(saved.name for saved in toy_studio.state.saved)

        thumb = strip.thumbnail(c.id)
        assert thumb is not None
        QTest.keyClick(thumb, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
        assert order() == "acb"
        last = strip.thumbnail(b.id)
        assert last is not None
        qtbot.waitUntil(lambda: thumb.x() < last.x())
        behind = thumb.mapTo(strip.viewport(), thumb.rect().center()).x() + 40
        data = QMimeData()
        data.setData(POINT_MIME, a.id.encode())
        keys = Qt.KeyboardModifier.NoModifier
        at, copy = QPoint(behind, 20), Qt.DropAction.CopyAction
        for event in (
            QDragEnterEvent(at, copy, data, LEFT, keys),
            QDragMoveEvent(at, copy, data, LEFT, keys),
            QDropEvent(QPointF(at), copy, data, LEFT, keys),
        ):
            QApplication.sendEvent(strip.viewport(), event)
            assert event.isAccepted()
        assert order() == "cab"
        toy_studio.session.undo()
        assert order() == "acb"
        assert not actions.move_saved(toy_studio.session, "nobody", 0)
        assert b in toy_studio.state.saved

    def test_thumbnail_shows_the_point(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, qtbot: QtBot
    ) -> None:
        saved = actions.keep(toy_studio.session)
        thumb = explore.points.thumbnail(saved.id)
        assert thumb is not None
        qtbot.waitUntil(lambda: not thumb.image.isNull(), timeout=10_000)
        assert thumb.image.pixelColor(0, 0).red() == picture(saved.point)[0, 0, 0]

    def test_keyframes_go_to_the_end_of_the_timeline(self, window: MainWindow, toy_studio: Studio) -> None:
        for _ in range(3):
            window.commands.run("explore.keyframe")
        assert [k.time for k in toy_studio.state.timeline.keyframes] == [0.0, 2.0, 4.0]

    def test_copy_puts_the_picture_on_the_clipboard(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        next_picture(lambda: window.commands.run("explore.random"))
        window.commands.run("explore.copy")
        image = QGuiApplication.clipboard().image()
        assert image.width() == 16
        assert image.pixelColor(2, 1).red() == picture(toy_studio.state.point)[1, 2, 0]
