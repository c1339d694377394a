"""Sounds held against each other: the next model is heard from the place that the first has reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from igm_gui.engine.audio.analysis import loudness
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.sound.hub import SoundHub
from igm_gui.gui.studio import Studio
from igm_gui.session import actions
from tests.gui.alone import alone
from tests.gui.sound_view_parts import RealTimeOpener


@pytest.fixture
def workspace(qtbot: QtBot, make_studio: Callable[..., Studio]) -> CompareWorkspace:
    studio = make_studio("additive")
    SoundHub(studio, SoundEngine(Player(RealTimeOpener())))  # type: ignore[arg-type]
    studio.session.update(compare=("timbre",))
    made = alone(CompareWorkspace, qtbot, studio)
    made.activate()
    qtbot.waitUntil(
        lambda: len(made.columns) == 2 and all(column.view.sound is not None for column in made.columns),
        timeout=30_000,
    )
    return made


def test_all_are_heard_equally_loud_where_that_is_asked_for(
    qtbot: QtBot, workspace: CompareWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = workspace.columns[0].view._studio.findChild(SoundHub)
    heard: list[float] = []
    for name in ("play", "swap"):
        real = getattr(hub.engine, name)

        def listen(samples: np.ndarray, rate: int, *more: object, real: Any = real) -> None:
            heard.append(loudness(samples, rate))
            real(samples, rate, *more)

        monkeypatch.setattr(hub.engine, name, listen)
    workspace.next_sound()
    workspace.next_sound()
    assert abs(heard[0] - heard[1]) > 2  # as the models made them
    menus: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, *_: menus.append(menu))
    workspace.columns[1].menu_button.click()
    (match,) = (action for action in menus[0].actions() if action.isCheckable())
    match.trigger()
    workspace.next_sound()
    workspace.next_sound()
    assert len(heard) == 5  # the one that played changed too
    assert heard[2:] == pytest.approx([-23.0] * 3, abs=0.2)
    assert SoundHub(workspace.columns[0].view._studio, SoundEngine()).matched  # remembered


def test_the_sound_of_the_current_model_is_timed_until_it_is_painted(
    qtbot: QtBot, workspace: CompareWorkspace
) -> None:
    view = workspace.columns[0].view
    qtbot.waitUntil(lambda: view.waveform is not None and view.waveform._key != (), timeout=20_000)
    with qtbot.waitSignal(view._studio.painted, timeout=20_000):
        actions.randomize(view._studio.session, 7)


def test_the_next_model_is_heard_from_the_same_place(qtbot: QtBot, workspace: CompareWorkspace) -> None:
    first, second = workspace.columns
    player = first.view._studio.findChild(SoundHub).engine.player
    workspace.next_sound()  # none is heard: the first begins
    assert first.view.playing
    qtbot.waitUntil(lambda: player.status().position > 0.3, timeout=20_000)
    workspace.next_sound()
    assert second.view.playing
    assert not first.view.playing
    qtbot.waitUntil(lambda: second.view.waveform.playhead is not None, timeout=20_000)
    assert player.status().position > 0.3  # not from its start
    assert first.view.waveform.playhead is None
    QTest.mouseClick(first.play, Qt.MouseButton.LeftButton)  # a click on the other does the same
    assert first.view.playing
    assert player.status().position > 0.3
    QTest.mouseClick(first.play, Qt.MouseButton.LeftButton)
    assert not first.view.playing


def test_a_click_on_the_outline_is_seen_on_the_button_too(qtbot: QtBot, workspace: CompareWorkspace) -> None:
    column = workspace.columns[0]
    assert column.view.waveform is not None
    resting = column.play.icon().pixmap(32, 32).toImage()
    QTest.mouseClick(column.view.waveform, Qt.MouseButton.LeftButton)
    assert column.view.playing
    assert column.play.icon().pixmap(32, 32).toImage() != resting
    QTest.mouseClick(column.play, Qt.MouseButton.LeftButton)
    assert not column.view.playing
    assert column.play.icon().pixmap(32, 32).toImage() == resting
