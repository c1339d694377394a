"""Full screen belongs to the window; what lies over a workspace leaves with it; no field keeps the keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui import placing
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.grid.workspace import GridWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Notice
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.gui.tokens import LIGHT
from igm_gui.session import actions

KEYS = {"explore": Qt.Key.Key_1, "timeline": Qt.Key.Key_2, "compare": Qt.Key.Key_3, "grid": Qt.Key.Key_4}


def around(window: MainWindow, name: str) -> list[QWidget]:
    """What is in a workspace beside its output."""
    found = window.stack.widget_of(name)
    if isinstance(found, ExploreWorkspace):
        return [found.left, found.right, found.points, found.canvas.tools, found.canvas.view_button]
    if isinstance(found, TimelineWorkspace):
        return [found.points, found.bottom, found.track, found.place]
    if isinstance(found, GridWorkspace):
        return [found.panel]
    assert isinstance(found, CompareWorkspace)
    return [found.bar]


def press(window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(window, key)


@pytest.mark.parametrize("first", KEYS)
@pytest.mark.parametrize("then", KEYS)
def test_it_is_the_windows_whichever_workspace_comes(window: MainWindow, first: str, then: str) -> None:
    press(window, KEYS[first], Qt.Key.Key_F, KEYS[then])
    assert window.isFullScreen()
    assert window.top.isHidden()
    assert not [part for part in around(window, then) if part.isVisible()]
    press(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    for name in (then, first):
        press(window, KEYS[name])
        assert all(part.isVisible() for part in around(window, name)), name


def ground(window: MainWindow) -> QColor:
    """The colour in the corner of the workspace's output."""
    found = window.stack.active()
    assert isinstance(found, ExploreWorkspace | TimelineWorkspace | GridWorkspace)
    if isinstance(found, GridWorkspace):
        return found.sheet.grab().toImage().pixelColor(2, 2)
    view = found.canvas.picture if isinstance(found, ExploreWorkspace) else found.view.picture
    return view.grab().toImage().pixelColor(2, 2)


@pytest.mark.parametrize("name", ["explore", "timeline", "grid"])
def test_the_output_stands_on_black(qtbot: QtBot, window: MainWindow, name: str) -> None:
    window.set_theme("light")
    try:
        press(window, KEYS[name], Qt.Key.Key_F)
        qtbot.waitUntil(lambda: ground(window) == QColor("black"))
        press(window, Qt.Key.Key_F)
        qtbot.waitUntil(lambda: ground(window) == QColor(LIGHT.canvas))
    finally:
        window.set_theme("dark")


def test_hints_wait_until_it_is_over(window: MainWindow, explore: ExploreWorkspace) -> None:
    window.hints.show()
    hints = window.hints.bubble
    assert hints is not None
    press(window, Qt.Key.Key_F)
    assert not hints.isVisible()
    strip = explore.inputs.strips["z"]
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.rect().center())
    assert hints.index == 1
    assert not hints.isVisible()
    press(window, Qt.Key.Key_K)
    assert not hints.isVisible()
    press(window, Qt.Key.Key_2, Qt.Key.Key_Escape)
    assert not hints.isVisible()
    press(window, Qt.Key.Key_1)
    assert hints.isVisible()
    hints.end()


def test_passing_remarks_are_not_made_but_errors_are(window: MainWindow) -> None:
    window.studio.notice.emit(Notice("Copied the picture."))
    assert window.toast.isVisible()
    press(window, Qt.Key.Key_F)
    assert not window.toast.isVisible()
    window.studio.notice.emit(Notice("Copied the picture."))
    assert not window.toast.isVisible()
    window.studio.notice.emit(Notice("It failed.", kind="error"))
    assert window.toast.isVisible()
    press(window, Qt.Key.Key_F)


def test_a_panel_that_is_folded_meanwhile_stays_out_of_the_picture(
    window: MainWindow, explore: ExploreWorkspace
) -> None:
    press(window, Qt.Key.Key_F, Qt.Key.Key_BracketLeft)
    assert explore.left.isHidden()
    press(window, Qt.Key.Key_Escape)
    assert explore.left.isHidden()
    assert explore.right.isVisible()
    press(window, Qt.Key.Key_BracketLeft)
    assert explore.left.isVisible()


def test_the_keys_go_to_nothing_that_marks_itself(window: MainWindow) -> None:
    press(window, Qt.Key.Key_3)
    compare = window.stack.widget_of("compare")
    assert isinstance(compare, CompareWorkspace)
    compare.bar.seed.setFocus()
    press(window, Qt.Key.Key_F)
    assert window.focusWidget() is compare
    press(window, Qt.Key.Key_F)


class TestInformation:
    @pytest.mark.parametrize("inside", [True, False])
    def test_escape_closes_it_wherever_the_keys_go(
        self, window: MainWindow, explore: ExploreWorkspace, inside: bool
    ) -> None:
        window.commands.run("model.information")
        assert window.information.isVisible()
        at: QWidget = window.information.facts if inside else explore.canvas.picture
        at.setFocus()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
        assert not window.information.isVisible()

    def test_it_is_left_with_the_workspace(self, window: MainWindow) -> None:
        window.commands.run("model.information")
        press(window, Qt.Key.Key_3)
        assert not window.information.isVisible()
        assert window.stack.current == "compare"

    def test_escape_closes_it_before_full_screen(self, window: MainWindow) -> None:
        press(window, Qt.Key.Key_F)
        window.commands.run("model.information")
        press(window, Qt.Key.Key_Escape)
        assert not window.information.isVisible()
        assert window.isFullScreen()
        press(window, Qt.Key.Key_Escape)
        assert not window.isFullScreen()

    def test_escape_is_the_fields_own_where_there_is_nothing_to_close(
        self, window: MainWindow, explore: ExploreWorkspace
    ) -> None:
        actions.set_seed(window.studio.session, 7)
        edit = explore.inputs.directions["direction:tilt"].edit
        edit.setFocus()
        before = edit.text()
        QTest.keyClicks(edit, "9")
        QTest.keyClick(edit, Qt.Key.Key_Escape)
        assert edit.text() == before
        assert not edit.hasFocus()


@pytest.mark.parametrize("name", KEYS)
def test_a_field_that_was_left_does_not_get_the_keys_again(
    qtbot: QtBot, window: MainWindow, name: str
) -> None:
    away = "grid" if name == "explore" else "explore"
    press(window, KEYS[name])
    workspace = window.stack.widget_of(name)
    assert workspace is not None
    fields = [f for f in workspace.findChildren(QLineEdit) if f.isVisible() and f.isEnabled()]
    assert fields
    window.activateWindow()
    for field in fields:
        field.setFocus()
        text = field.text()
        QTest.mouseClick(window.top.tabs[away], Qt.MouseButton.LeftButton)
        # As when a button took the keys, or none did.
        press(window, KEYS[name])
        at = window.focusWidget()
        assert not isinstance(at, QLineEdit | QAbstractSpinBox)
        QTest.keyClick(at or window, KEYS[away])
        assert window.stack.current == away, (field, at)
        assert field.text() == text
        press(window, KEYS[name])


class TestFirstSize:
    def test_there_is_room_for_a_frame(self, window: MainWindow) -> None:
        room = QApplication.primaryScreen().availableGeometry()
        made = QWidget()
        placing.restore(made, None)
        assert made.height() <= room.height() - placing.FRAME.height()
        assert made.width() <= room.width() - placing.FRAME.width()

    def test_with_its_frame_it_is_brought_onto_the_screen(
        self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = QWidget()
        qtbot.addWidget(made)
        room = made.screen().availableGeometry()

        def framed(self: QWidget) -> QRect:
            return self.geometry().adjusted(-3, -60, 3, 5)

        monkeypatch.setattr(QWidget, "frameGeometry", framed)
        made.setGeometry(room)
        made.show()
        placing.fit(made)
        assert made.size() == room.size() - QSize(6, 65)
