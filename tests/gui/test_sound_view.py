"""The sound view as a person uses it: mouse, keys, and what is then heard and seen."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.sound.keyboard import PianoKeyboard
from igm_gui.gui.sound.view import SoundView
from igm_gui.gui.studio import Notice, Studio
from tests.gui.sound_view_parts import (
    LEFT,
    WAIT,
    is_heard,
    opener,
    studio,
    view,
    window,
    with_pitch,
)

__all__ = ["opener", "studio", "view", "window"]  # fixtures


def test_the_newest_sound_is_shown(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    assert view.hub is hub_of(studio)
    assert view.waveform.samples is not None
    assert view.waveform.seconds == pytest.approx(2.0)
    assert view.health.text() == "A3 · 48 kHz · 2.00 s"
    qtbot.waitUntil(lambda: view.spectrogram._maker.idle, timeout=WAIT)
    with qtbot.waitSignal(view.spectrogram.shown, timeout=WAIT):
        studio.session.set_input("pitch", 81.0)
    assert view.spectrogram.levels is not None
    assert view.health.text().startswith("A5 · ")
    row = view.spectrogram.levels[:, 20].argmax() / view.spectrogram.levels.shape[0]
    hertz = view.spectrogram.hertz_at(row * view.spectrogram.height())
    assert any(hertz == pytest.approx(880 * k, rel=0.05) for k in (1, 2, 3, 4))


def test_play_and_stop_with_the_mouse(view: SoundView, qtbot: QtBot) -> None:
    button = view.play_button
    assert button.text() == "Play"
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        qtbot.mouseClick(button, LEFT)
    assert button.text() == "Stop"
    assert view.waveform.playhead is not None
    assert "block 512 · 0 underruns · latency" in view.health.text()
    qtbot.mouseClick(button, LEFT)
    assert button.text() == "Play"
    assert view.waveform.playhead is None
    assert not view.hub.is_playing(view)


def test_a_click_on_the_waveform_plays_from_there_to_the_end(view: SoundView, qtbot: QtBot) -> None:
    wave = view.waveform
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        qtbot.mouseClick(wave, LEFT, pos=QPoint(int(wave.width() * 0.8), 10))
    assert view.hub.status.player.position == pytest.approx(1.6, abs=0.25)
    assert view.hub.status.player.position >= 1.59
    qtbot.waitUntil(lambda: not view.hub.is_playing(view), timeout=WAIT)
    assert view.play_button.text() == "Play"
    assert wave.playhead is None
    qtbot.waitUntil(lambda: not view.hub._timer.isActive(), timeout=WAIT)  # nothing runs at rest


def test_a_click_on_the_spectrogram_plays_too(view: SoundView, qtbot: QtBot) -> None:
    picture = view.spectrogram
    with qtbot.waitSignal(picture.seek_asked, timeout=WAIT) as asked:
        qtbot.mouseClick(picture, LEFT, pos=QPoint(picture.width() // 2, 40))
    assert asked.args[0] == pytest.approx(1.0, abs=0.01)
    assert view.hub.is_playing(view)


def test_the_pointer_over_the_spectrogram_names_the_note(view: SoundView, qtbot: QtBot) -> None:
    picture = view.spectrogram
    qtbot.mouseMove(picture, QPoint(picture.width() // 2, round(picture.y_of(440.0))))
    assert "A4" in view.readout.text()
    assert "1.00" in view.readout.text()


def test_the_loudness_of_what_is_shown_is_told(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "LUFS" in view.health.text(), timeout=WAIT)
    before = view.health.text()
    with qtbot.waitSignal(studio.rendered, timeout=WAIT):
        studio.session.set_input("loudness", -30.0)
    qtbot.waitUntil(lambda: "LUFS" in view.health.text() and view.health.text() != before, timeout=WAIT)

    def lufs(text: str) -> float:
        return float(text.split(" LUFS")[0].split(" ")[-1].replace("−", "-"))

    default = studio.session.info.input("loudness").default
    assert lufs(before) - lufs(view.health.text()) == pytest.approx(default + 30.0, abs=1.0)


def test_loop_goes_on_past_the_end(view: SoundView, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.loop_button, LEFT)
    assert view.loop
    view.play_from(1.9)
    with qtbot.waitSignal(
        view.hub.ticked,
        timeout=WAIT,
        check_params_cb=lambda status: is_heard(status) and status.player.position < 1.0,
    ):
        pass
    assert view.hub.is_playing(view)
    qtbot.mouseClick(view.loop_button, LEFT)
    assert not view.loop


def test_a_piano_key_changes_the_pitch_and_is_heard(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    place = dict(view.keyboard.shown_keys())[60]
    with (
        qtbot.waitSignal(studio.rendered, timeout=WAIT, check_params_cb=with_pitch(60.0)),
        qtbot.waitSignal(view.hub.changed, timeout=WAIT),
    ):
        qtbot.mouseClick(view.keyboard, LEFT, pos=place.center().toPoint() + QPoint(0, 30))
    assert studio.state.point.scalar("pitch") == 60.0
    assert view.hub.is_playing(view)
    assert view.keyboard.note == 60.0
    assert studio.session.undo()
    assert studio.state.point.scalar("pitch") == 57.0
    assert view.keyboard.note == 57.0


def test_a_slide_over_the_keys_is_one_step_to_undo(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    places = dict(view.keyboard.shown_keys())
    low = QPoint(0, 30)
    qtbot.mousePress(view.keyboard, LEFT, pos=places[48].center().toPoint() + low)
    for note in (50, 52, 53):
        _drag_to(view.keyboard, places[note].center().toPoint() + low)
    qtbot.mouseRelease(view.keyboard, LEFT, pos=places[53].center().toPoint() + low)
    assert studio.state.point.scalar("pitch") == 53.0
    studio.session.undo()
    assert studio.state.point.scalar("pitch") == 57.0


def _drag_to(widget: QWidget, place: QPoint) -> None:
    # qtbot.mouseMove carries no button.
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(place), QPointF(widget.mapToGlobal(place)),
        Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_same_key_again_is_heard_again(view: SoundView, qtbot: QtBot) -> None:
    place = dict(view.keyboard.shown_keys())[57].center().toPoint() + QPoint(0, 30)
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        qtbot.mouseClick(view.keyboard, LEFT, pos=place)


def test_letters_are_notes_while_the_keyboard_has_the_focus(
    view: SoundView, window: QWidget, studio: Studio, qtbot: QtBot
) -> None:
    kept: list[str] = []
    view._commands.add("test.keep", "Keep", lambda: kept.append("K"), "K")
    assert view._commands.run("sound.keys")
    qtbot.waitUntil(view.keyboard.hasFocus)
    qtbot.keyClick(view.keyboard, Qt.Key.Key_K)
    assert studio.state.point.scalar("pitch") == 72.0
    qtbot.keyClick(view.keyboard, Qt.Key.Key_Z)
    qtbot.keyClick(view.keyboard, Qt.Key.Key_W)
    assert studio.state.point.scalar("pitch") == 49.0
    qtbot.keyClick(view.keyboard, Qt.Key.Key_Right)
    assert studio.state.point.scalar("pitch") == 50.0
    assert not kept
    view.waveform.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert kept == ["K"]


def test_live_follows_every_move(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.live_button, LEFT)
    assert view.live
    with qtbot.waitSignal(
        view.hub.ticked,
        timeout=WAIT,
        check_params_cb=lambda status: status.live is not None and status.live.ready,
    ):
        pass
    assert view.live  # its own start does not end it
    assert view.live_button.property("role") == "accent"
    engine = view.hub.engine
    assert engine.live_model == "additive"
    studio.session.set_input("pitch", 66.0)
    assert engine._live is not None
    assert engine._live.point.scalar("pitch") == 66.0
    qtbot.waitUntil(lambda: "× real time" in view.health.text(), timeout=WAIT)
    assert "ring" in view.health.text()
    qtbot.mouseClick(view.live_button, LEFT)
    assert not view.live
    assert engine.live_model == ""
    assert not view.hub.is_playing(view)


def test_live_of_a_model_that_cannot_stream_crossfades(
    view: SoundView, studio: Studio, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SoundView, "_streams", property(lambda _self: False))
    swapped: list[float] = []
    real_swap = view.hub.engine.swap

    def swap(samples: Any, rate: int, loop: bool = False) -> None:
        swapped.append(view.hub.engine.status().player.position)
        real_swap(samples, rate, loop)

    monkeypatch.setattr(view.hub.engine, "swap", swap)
    view.toggle_loop()
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        view.toggle_live()
    with qtbot.waitSignal(studio.rendered, timeout=WAIT, check_params_cb=with_pitch(70.0)):
        studio.session.set_input("pitch", 70.0)
    assert len(swapped) >= 1
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT):
        pass
    assert view.hub.status.player.position > swapped[-1] * 0.5  # the same place, not the start
    view.toggle_live()
    assert not view.live
    assert view.hub.is_playing(view)  # the loop goes on


def test_live_goes_on_with_another_model_whether_it_streams_or_not(
    view: SoundView, studio: Studio, qtbot: QtBot
) -> None:
    view.toggle_live()
    qtbot.waitUntil(lambda: (live := view.hub.engine.status().live) is not None and live.ready, timeout=WAIT)
    studio.open_model("drums")  # which does not stream: its rendering takes over from the stream
    qtbot.waitUntil(lambda: view.hub.engine.status().player.length == pytest.approx(1.0), timeout=WAIT)
    assert view.hub.engine.live_model == ""
    assert view.live
    studio.open_model("additive")
    qtbot.waitUntil(lambda: view.hub.engine.live_model == "additive", timeout=WAIT)
    assert view.live


def test_a_live_model_that_fails_is_said(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    def broken(_model: str) -> Any:
        raise RuntimeError("no such layer")

    view.hub.engine._load = broken
    with qtbot.waitSignal(studio.notice, timeout=WAIT) as told:
        view.toggle_live()
    notice = told.args[0]
    assert isinstance(notice, Notice)
    assert "no such layer" in notice.text
    assert not view.live
    assert not view.live_button.isChecked()
    assert view.play_button.text() == "Play"


def test_what_is_hidden_is_silent(view: SoundView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        view.toggle_play()
    view.hide()
    assert not view.hub.is_playing(view)


@pytest.mark.parametrize("width", [430, 660, 1400])
def test_it_fits_where_it_stands(view: SoundView, window: QWidget, width: int, qtbot: QtBot) -> None:
    window.resize(width, 620)
    qtbot.waitUntil(lambda: window.width() == width, timeout=WAIT)
    assert view.keyboard.isVisible()
    shown = [note for note, _ in view.keyboard.shown_keys()]
    assert shown[0] <= 57 <= shown[-1]
    right = max(place.right() for _, place in view.keyboard.shown_keys())
    assert right <= view.keyboard.width() + 0.5


def test_a_picture_model_hides_the_keys_and_silences(view: SoundView, studio: Studio, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.hub.ticked, timeout=WAIT, check_params_cb=is_heard):
        view.toggle_play()
    with qtbot.waitSignal(studio.rendered, timeout=WAIT):
        studio.open_model("uniform-pixels")
    assert view.keyboard.isHidden()
    assert not view.hub.is_playing(view)


def test_keyboard_stays_in_its_range(qtbot: QtBot) -> None:
    keyboard = PianoKeyboard(41, 70)
    qtbot.addWidget(keyboard)
    keyboard.resize(400, 84)
    keyboard.show()
    heard: list[int] = []
    keyboard.pressed.connect(heard.append)
    for note, place in keyboard.shown_keys():
        qtbot.mouseClick(keyboard, LEFT, pos=QPoint(round(place.center().x()), round(place.bottom()) - 3))
        assert heard[-1:] == ([note] if 41 <= note <= 70 else heard[-1:])
    assert min(heard) >= 41
    assert max(heard) <= 70
    keyboard.set_note(43)
    assert keyboard.shown_keys()[0][0] <= 43 <= keyboard.shown_keys()[-1][0]
    keyboard.set_note(70)
    assert keyboard.shown_keys()[0][0] <= 70 <= keyboard.shown_keys()[-1][0]
