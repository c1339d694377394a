"""Where the sound of the view goes: device, latency, volume, level."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from igm_gui.engine.audio.output import NO_DEVICE
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine
from igm_gui.gui.settings import Settings
from igm_gui.gui.sound.hub import SoundHub
from igm_gui.gui.sound.view import SoundView
from igm_gui.gui.studio import Notice, Studio
from tests.engine.audio.fakes import FakeOpener
from tests.gui.sound_view_parts import (
    LEFT,
    WAIT,
    RealTimeOpener,
    is_heard,
    opener,
    studio,
    view,
    window,
)

__all__ = ["opener", "studio", "view", "window"]  # fixtures


def test_no_device_is_shown_and_said(
    view: SoundView, studio: Studio, opener: RealTimeOpener, qtbot: QtBot
) -> None:
    opener.notice = "No sound device was found. Connect one and play again."
    told: list[Notice] = []
    studio.notice.connect(told.append)
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        view.toggle_play()
    assert "no sound device" in view.health.text()
    assert [notice.text for notice in told] == [opener.notice]
    qtbot.waitUntil(lambda: view.device_button.text() == NO_DEVICE, timeout=WAIT)
    # The device is given back after a while of silence: the button goes on saying what the sentence says.
    view.hub.stop()
    qtbot.waitUntil(lambda: not view.hub.engine.status().player.rate, timeout=WAIT)
    view.hub._tick()
    assert view.device_button.text() == NO_DEVICE
    opener.notice = ""
    with qtbot.waitSignal(studio.notice, timeout=WAIT):
        view.toggle_play()
    assert told[-1].text == "speakers plays again."
    assert view.device_button.text() == "speakers"


def test_another_device_is_chosen_and_remembered(view: SoundView, qtbot: QtBot) -> None:
    menu = view.device_button.menu()
    menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: not view.device_button._look.isActive(), timeout=WAIT)
    titles = [action.text() for action in menu.actions()]
    assert titles[:4] == ["System default", "speakers", "headphones", "No sound"]
    next(action for action in menu.actions() if action.text() == "headphones").trigger()
    assert view.hub.device == "headphones"
    assert Settings().text("sound/device") == "headphones"
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        view.toggle_play()
    assert view.hub.status.player.device == "headphones"


def test_the_latency_is_chosen_and_remembered(view: SoundView, qtbot: QtBot) -> None:
    menu = view.device_button.menu()
    menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: not view.device_button._look.isActive(), timeout=WAIT)
    choices = {a.text(): a for a in menu.actions() if a.text().endswith(" ms")}
    assert list(choices) == ["Short, 60 ms", "Normal, 150 ms", "Long, 300 ms"]
    assert all(action.toolTip() != action.text() for action in choices.values())
    choices["Short, 60 ms"].trigger()
    qtbot.waitUntil(lambda: view.hub.latency == 0.06, timeout=WAIT)
    assert Settings().text("sound/latency") == "0.060"
    again = SoundHub(view._studio, SoundEngine(Player(FakeOpener())))
    qtbot.waitUntil(lambda: again.latency == 0.06, timeout=WAIT)
    again.close()


def test_volume_and_mute_are_remembered(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    track = view.volume.track
    qtbot.mouseClick(track, LEFT, pos=QPoint(track.width() // 2, track.height() // 2))
    assert view.hub.volume == pytest.approx(0.5, abs=0.03)
    qtbot.mouseClick(view.volume.mute, LEFT)
    assert view.hub.volume == 0.0
    qtbot.mouseClick(view.volume.mute, LEFT)
    assert view.hub.volume == pytest.approx(0.5, abs=0.03)
    again = SoundHub(Studio(studio.session, studio.loop), SoundEngine(Player(RealTimeOpener())))  # type: ignore[arg-type]
    assert again.volume == pytest.approx(view.hub.volume, abs=0.001)
    again.close()


def test_the_level_meter_moves(view: SoundView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(
        view.hub.ticked, timeout=WAIT, check_params_cb=lambda status: status.player.level > 0.02
    ):
        view.toggle_play()
    assert view.meter.level > 0.02
    view.stop()
    qtbot.waitUntil(lambda: view.meter.level == 0.0, timeout=WAIT)
