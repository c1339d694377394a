"""The first hints speak of what is on show: a picture that moves, one at rest, a sound, another model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitter
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from tests.gui.fakes import TOY


def said(window: MainWindow) -> str:
    """What the bubble says."""
    assert window.hints.bubble is not None
    return window.hints.bubble.text.text()


def test_where_nothing_wanders_any_more_it_is_not_said(window: MainWindow, explore: ExploreWorkspace) -> None:
    window.hints.show()
    assert explore.drift.running
    assert said(window).startswith("The point wanders by itself")
    QTest.keyClick(window, Qt.Key.Key_R)
    assert not explore.drift.running
    assert "Space lets the point wander" in said(window)
    explore.drift.start()
    assert said(window).startswith("The point wanders by itself")


def test_shown_again_they_take_nothing_away(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    before = toy_studio.state.point
    window.commands.run("help.hints")
    qtbot.waitUntil(lambda: toy_studio.state.point != before, timeout=10_000)
    explore.drift.stop()
    toy_studio.session.undo()
    assert toy_studio.state.point == before


def test_work_that_is_opened_does_not_wander_off(window: MainWindow, explore: ExploreWorkspace) -> None:
    explore.drift.start()
    window.keeper.new()
    assert not explore.drift.running


def test_another_model_is_past_the_hint_at_the_strip(
    window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    window.hints.show()
    assert window.hints.bubble is not None
    toy_studio.open_model("other")
    assert window.hints.bubble.index == 1


def test_a_sound_waits_to_be_played(
    make_studio: Callable[..., Studio], make_window: Callable[[Studio], MainWindow]
) -> None:
    studio = make_studio("additive")
    window = make_window(studio)
    explore = window.stack.widget_of("explore")
    assert isinstance(explore, ExploreWorkspace)
    before = studio.state.point
    window.hints.show()
    assert not explore.drift.running
    assert "Space plays the sound" in said(window)
    assert studio.state.point == before


def test_they_point_at_the_strip_that_is_there(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    window.hints.show()
    bubble, before = window.hints.bubble, explore.inputs.strips["z"]
    assert bubble is not None
    # The same model told otherwise, as after a correction of what its inputs are.
    toy_studio.session.learn(replace(TOY, inputs=TOY.inputs[:1]))
    qtbot.waitUntil(lambda: not isValid(before), timeout=10_000)
    strip = explore.inputs.strips["z"]
    window.resize(1100, 700)
    QApplication.processEvents()
    assert bubble.isVisible()
    assert bubble.index == 0
    assert bubble.y() == strip.mapTo(window, QPoint(0, 0)).y()
    strip.drawn.emit({0: 1.0})
    assert bubble.index == 1


def test_they_stay_beside_the_strip_when_its_panel_changes(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace
) -> None:
    window.hints.show()
    bubble, strip = window.hints.bubble, explore.inputs.strips["z"]
    assert bubble is not None

    def beside() -> bool:
        right = strip.mapTo(window, QPoint(strip.width(), 0)).x()
        return right < bubble.x() < right + 20

    assert beside()
    splitter = explore.findChild(QSplitter)
    before = strip.width()
    left, *others = splitter.sizes()
    splitter.setSizes([left + 60, others[0] - 60, *others[1:]])
    qtbot.waitUntil(lambda: strip.width() > before and beside(), timeout=10_000)
