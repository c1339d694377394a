"""Playing the timeline: in real time, looped, with pictures and with sound."""

from __future__ import annotations

from dataclasses import replace

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


@pytest.mark.parametrize("model", ["additive", "drums"])  # one streams, the other does not
def test_a_sound_model_is_heard_and_the_playhead_goes_by_that(
    qtbot: QtBot, make_studio: MakeStudio, model: str
) -> None:
    studio = make_studio(model)
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    workspace.toggle_play()
    assert hub.is_playing(workspace.sound)
    stream = hub.engine.timeline
    assert stream is not None
    assert stream.model == model
    shown: list[tuple[float, float]] = []

    def look(playhead: float) -> None:
        heard = stream.heard
        if heard is not None and not heard.moving:
            assert playhead == heard.place  # it waits for the sound
        elif heard is not None:
            shown.append((playhead, heard.place))

    studio.playhead_changed.connect(look)
    qtbot.waitUntil(lambda: len(shown) >= 12, timeout=20_000)
    assert max(abs(playhead - heard) for playhead, heard in shown[1:]) < 0.3
    # A click on the ruler: it goes on from there.
    shown.clear()
    workspace.player.seek(1.5)
    qtbot.waitUntil(lambda: len(shown) >= 3, timeout=20_000)
    assert shown[0][1] == pytest.approx(1.5, abs=0.2)
    # What is edited meanwhile is played.
    studio.session.update(timeline=replace(studio.state.timeline, interpolation="lerp"))
    assert stream.timeline == studio.state.timeline
    studio.playhead_changed.disconnect(look)
    workspace.toggle_play()
    assert not hub.is_playing(workspace.sound)
    assert workspace.player.follow is None


def test_another_model_takes_over_while_a_timeline_plays(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("additive")
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    workspace.toggle_play()
    qtbot.waitUntil(lambda: (studio.playhead or 0.0) > 0.4, timeout=20_000)
    studio.open_model("drums")
    qtbot.waitUntil(lambda: (t := hub.engine.timeline) is not None and t.model == "drums", timeout=20_000)
    assert hub.engine.timeline is not None
    heard = hub.engine.timeline.heard
    assert heard is not None
    assert heard.place > 0.4, "it goes on from there, not from the start"
    assert workspace.player.playing
    studio.open_model("fashion-gan")
    qtbot.waitUntil(lambda: not hub.is_playing(workspace.sound), timeout=20_000)
    assert workspace.player.playing  # its pictures go on, by the clock
    workspace.toggle_play()
