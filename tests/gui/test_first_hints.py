"""The first hints speak of what is on show: a picture that moves, one at rest, a sound, another model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.asking import Asking
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio


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


def test_another_model_is_past_the_hint_at_the_strip(
    window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    window.hints.show()
    assert window.hints.bubble is not None
    toy_studio.open_model("other")
    assert window.hints.bubble.index == 1


@pytest.fixture
def sounding(
    qtbot: QtBot, make_studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[MainWindow, Studio]]:
    """The window on ``additive``, with its first sound there."""
    studio = make_studio("additive")
    made = MainWindow(studio)
    with qtbot.waitExposed(made):
        made.show()
    yield made, studio
    monkeypatch.setattr(Asking, "may_close", lambda _self: True)
    made.close()
    made.deleteLater()


def test_a_sound_waits_to_be_played(sounding: tuple[MainWindow, Studio]) -> None:
    window, studio = sounding
    explore = window.stack.widget_of("explore")
    assert isinstance(explore, ExploreWorkspace)
    before = studio.state.point
    window.hints.show()
    assert not explore.drift.running
    assert "Space plays the sound" in said(window)
    assert studio.state.point == before
