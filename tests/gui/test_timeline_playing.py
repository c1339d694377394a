"""Playing the timeline: in real time, looped, with pictures and with sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.session import actions
from tests.gui.timeline_parts import MakeStudio, make


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return make(qtbot, studio)


def test_playing_moves_the_playhead_in_real_time_and_loops(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    now = [100.0]
    workspace.player._clock = lambda: now[0]
    qtbot.mouseClick(workspace.transport.play, Qt.MouseButton.LeftButton)
    assert workspace.transport.play.text() == "Pause"

    def until(seconds: float) -> None:
        now[0] = 100.0 + seconds
        with qtbot.waitSignal(studio.playhead_changed, timeout=5000):
            workspace.player._timer.start(0)

    until(0.5)
    assert studio.playhead == pytest.approx(0.5)
    until(5.21)  # late: what lies between is left out, the clock decides
    assert studio.playhead == pytest.approx(round(5.21 * 30 - 0.5) / 30, abs=1e-6)
    until(8.0 + 1.0)
    assert studio.playhead == pytest.approx(1.0, abs=1e-6)
    until(8.0 * 1000 + 2.0)
    assert studio.playhead == pytest.approx(2.0, abs=1e-6), "no drift after a thousand rounds"
    workspace.toggle_play()
    assert not workspace.player.playing


def test_without_loop_it_stops_at_the_end_and_starts_over(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, loop=False)
    now = [0.0]
    workspace.player._clock = lambda: now[0]
    workspace.toggle_play()
    now[0] = 9.0
    with qtbot.waitSignal(workspace.player.playing_changed, timeout=5000):
        workspace.player._timer.start(0)
    assert studio.playhead == studio.state.timeline.length
    workspace.toggle_play()
    assert studio.playhead == 0.0


def test_real_playing_shows_pictures(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    shown: list[float] = []
    studio.rendered.connect(lambda r: shown.append(studio.playhead or 0.0))
    workspace.toggle_play()
    qtbot.waitUntil(lambda: len(shown) >= 10, timeout=20_000)
    workspace.toggle_play()
    assert shown == sorted(shown)


def test_playing_a_sound_model_streams_the_moving_point(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("additive")
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    workspace.toggle_play()
    assert hub.is_playing(workspace.sound)
    assert hub.engine.live_model == "additive"
    with qtbot.waitSignal(studio.playhead_changed, timeout=10_000, check_params_cb=lambda at: at > 0.3):
        pass
    live = hub.engine._live
    assert live is not None
    assert live.point != studio.state.timeline.keyframes[0].point
    workspace.toggle_play()
    assert not hub.is_playing(workspace.sound)


def test_a_model_that_can_not_stream_plays_one_rendering_after_the_other(
    qtbot: QtBot, make_studio: MakeStudio
) -> None:
    studio = make_studio("additive")
    # Such a model: what it is known for, without the ability.
    info = studio.session.infos["additive"]
    still = replace(info, abilities=(), output=replace(info.output, samples=24_000))
    studio.session.learn = lambda *_: None  # type: ignore[method-assign]
    studio.session.infos["additive"] = still
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    played: list[bytes] = []
    play = hub.play

    def listen(owner: object, samples: np.ndarray, rate: int) -> None:
        played.append(samples.tobytes())
        play(owner, samples, rate)

    hub.play = listen  # type: ignore[method-assign,assignment]
    workspace.toggle_play()
    qtbot.waitUntil(lambda: len(played) >= 2, timeout=20_000)
    assert hub.is_playing(workspace.sound)
    assert not hub.engine.live_model
    assert played[0] != played[1]
    workspace.toggle_play()
    assert not hub.is_playing(workspace.sound)
