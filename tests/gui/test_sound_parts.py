"""The painted parts of the sound view, alone."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QThreadPool
from PySide6.QtGui import QColor, QFontMetrics, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from igm_gui.engine.audio import analysis
from igm_gui.engine.audio.live import LiveStatus
from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.engine.audio.status import PlayerStatus
from igm_gui.gui import theme
from igm_gui.gui.sound.axis import TimeAxis
from igm_gui.gui.sound.health import explanation, figures, fitted
from igm_gui.gui.sound.hub import eased
from igm_gui.gui.sound.shaded import shaded_picture
from igm_gui.gui.sound.spectrogram import SpectrogramMaker, SpectrogramView, colour_table
from igm_gui.gui.sound.waveform import WaveformView, waveform_picture
from igm_gui.info import GeneratorInfo, OutputSpec
from tests.engine.audio.fakes import RATE, tone

GOLD = QColor("#e3b557")


def wheel(at: QPointF, delta: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> QWheelEvent:
    none = Qt.MouseButton.NoButton
    return QWheelEvent(at, at, QPoint(), QPoint(0, delta), none, held, Qt.ScrollPhase.NoScrollPhase, False)


def alphas(image: QImage) -> np.ndarray:
    converted = image.convertToFormat(QImage.Format.Format_ARGB32)
    data = np.frombuffer(converted.constBits(), np.uint8).reshape(converted.height(), converted.width(), 4)
    return data[..., 3].copy()  # the memory is the image's


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (801, 299), (1640, 300)])
def test_the_outline_has_the_size_asked_for(width: int, height: int) -> None:
    image = waveform_picture(tone(), width, height, GOLD)
    assert (image.width(), image.height()) == (width, height)


def test_a_full_scale_tone_fills_its_lane_evenly() -> None:
    cover = alphas(waveform_picture(tone(amplitude=1.0), 400, 200, GOLD))
    assert (cover[15:185].min(axis=1) > 0).all()
    assert not cover[:5].any()
    assert not cover[-5:].any()
    top, bottom = np.argmax(cover > 128, axis=0), np.argmax(cover[::-1] > 128, axis=0)
    assert abs(int(np.median(top)) - int(np.median(bottom))) <= 1


def test_silence_is_a_thin_line_and_nothing_is_nothing() -> None:
    cover = alphas(waveform_picture(np.zeros((1, 1000), np.float32), 300, 100, GOLD))
    assert cover.sum(axis=0).max() <= 256
    assert cover.sum(axis=0).min() >= 254
    assert waveform_picture(np.zeros((1, 0), np.float32), 300, 100, GOLD).width() == 300


def test_two_channels_have_a_lane_each() -> None:
    sound = np.concatenate([tone(), np.zeros_like(tone())])
    cover = alphas(waveform_picture(sound, 300, 200, GOLD))
    assert cover[:100].astype(int).sum() > 20 * cover[100:].astype(int).sum()


def test_bad_values_are_drawn_as_silence() -> None:
    sound = np.full((1, 1000), np.nan, np.float32)
    assert alphas(waveform_picture(sound, 100, 50, GOLD)).any()


def test_the_playhead_is_painted_where_it_stands(qtbot: QtBot) -> None:
    view = WaveformView(tone(seconds=2.0), RATE)
    qtbot.addWidget(view)
    view.resize(400, 100)
    view.show()
    before = view.grab().toImage()
    view.set_playhead(1.0)
    after = view.grab().toImage()
    ratio = after.width() / 400
    red = theme.colour("bad")
    seen = after.pixelColor(round(200 * ratio), round(4 * ratio))
    assert abs(seen.red() - red.red()) < 60
    assert after.pixelColor(round(100 * ratio), 4) == before.pixelColor(round(100 * ratio), 4)
    view.set_playhead(None)
    assert view.grab().toImage() == before


def test_clicks_and_keys_seek(qtbot: QtBot) -> None:
    view = WaveformView(tone(seconds=2.0), RATE)
    qtbot.addWidget(view)
    view.resize(400, 100)
    view.show()
    asked: list[float] = []
    view.seek_asked.connect(asked.append)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 50))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    view.set_playhead(1.0)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert asked == [pytest.approx(0.5, abs=0.01), 0.0, pytest.approx(1.1)]


def test_a_view_without_a_sound_is_empty(qtbot: QtBot) -> None:
    view = WaveformView()
    qtbot.addWidget(view)
    view.resize(100, 40)
    view.show()
    assert view.seconds == 0.0
    assert view.grab().toImage().pixelColor(50, 20) == theme.colour("canvas")


def test_only_the_newest_of_many_sounds_is_analysed(qtbot: QtBot) -> None:
    maker = SpectrogramMaker()
    made: list[object] = []
    maker.made.connect(lambda token, _levels, _top: made.append(token))
    for number in range(50):
        maker.ask(number, tone(200.0 + number), RATE, 100)
    qtbot.waitUntil(lambda: maker.idle, timeout=20_000)
    assert made[-1] == 49
    assert len(made) <= 3
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_the_spectrogram_shows_the_tone_where_its_frequency_is(qtbot: QtBot) -> None:
    view = SpectrogramView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    with qtbot.waitSignal(view.shown, timeout=20_000):
        view.set_sound(tone(1000.0, 1.0), RATE)
    image = view.grab().toImage()
    ratio = image.height() / 300
    column = [image.pixelColor(round(240 * ratio), round(y * ratio)).lightness() for y in range(280)]
    assert abs(int(np.argmax(column)) - view.y_of(1000.0)) <= 3
    assert view.hertz_at(view.y_of(440.0)) == pytest.approx(440.0)
    view.set_sound(None, RATE)
    assert view.levels is None
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_both_views_zoom_together_and_the_spectrogram_of_a_part_is_sharp(qtbot: QtBot) -> None:
    axis = TimeAxis()
    wave, picture = WaveformView(axis=axis), SpectrogramView(axis=axis)
    for view in (wave, picture):
        qtbot.addWidget(view)
        view.resize(400, 200)
        view.show()
    sound = np.zeros((1, 2 * RATE), np.float32)
    sound[:, RATE:] = tone(1000.0, 1.0)
    wave.set_sound(sound, RATE)
    with qtbot.waitSignal(picture.shown, timeout=20_000):
        picture.set_sound(sound, RATE)
    level = picture.level_at(300, picture.y_of(1000.0))
    assert level == pytest.approx(analysis.decibels(0.5), abs=1.0)
    assert picture.level_at(100, picture.y_of(1000.0)) is None  # silence
    at = QPointF(200, 100)
    with qtbot.waitSignal(picture.shown, timeout=20_000):
        for _ in range(12):
            QApplication.sendEvent(wave, wheel(at, 120))
    assert axis.zoomed
    assert (axis.start + axis.end) / 2 == pytest.approx(1.0, abs=1e-6)  # what is under the pointer stays
    assert wave.seconds_at(200) == picture.seconds_at(200) == pytest.approx(1.0)
    qtbot.waitUntil(lambda: picture._maker.idle and picture._shows == (axis.start, axis.end), timeout=20_000)
    # The same place has the same level, as it is shown in the colours of the whole.
    assert picture.level_at(399, picture.y_of(1000.0)) == pytest.approx(level, abs=1.5)
    start = axis.start
    QApplication.sendEvent(picture, wheel(at, -120, Qt.KeyboardModifier.ShiftModifier))
    assert axis.start > start
    qtbot.keyClick(wave, Qt.Key.Key_Minus)
    assert axis.span > 0.9 * 1.5 * 2 / 1.25**12
    qtbot.keyClick(wave, Qt.Key.Key_Backspace)
    assert not axis.zoomed
    outside = wheel(at, -120)
    QApplication.sendEvent(wave, outside)
    assert not outside.isAccepted()  # all is on show: whatever scrolls may have it
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_a_sound_that_came_while_zoomed_in_has_its_own_levels_when_all_of_it_is_shown(qtbot: QtBot) -> None:
    view = SpectrogramView()
    qtbot.addWidget(view)
    view.resize(400, 200)
    view.show()
    with qtbot.waitSignal(view.shown, timeout=20_000):
        view.set_sound(tone(500.0, 2.0), RATE)
    view.axis.zoom(4, 0.0)
    louder = np.concatenate([tone(1000.0, 1.0, amplitude=0.05), tone(1000.0, 1.0, amplitude=0.5)], axis=1)
    with qtbot.waitSignal(view.shown, timeout=20_000):
        view.set_sound(louder, RATE)
    assert view.level_at(200, view.y_of(1000.0)) == pytest.approx(analysis.decibels(0.05), abs=1.0)
    with qtbot.waitSignal(view.shown, timeout=20_000):
        view.axis.show_all()
    assert view.level_at(300, view.y_of(1000.0)) == pytest.approx(analysis.decibels(0.5), abs=1.0)
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_of_two_views_the_second_waits_for_its_sound_where_the_first_has_one_of_another_length(
    qtbot: QtBot,
) -> None:
    axis = TimeAxis()
    wave, picture = WaveformView(axis=axis), SpectrogramView(axis=axis)
    for view in (wave, picture):
        qtbot.addWidget(view)
        view.resize(400, 200)
    before, after = tone(500.0, 1.0), tone(1000.0, 2.0)
    wave.set_sound(before, RATE)
    with qtbot.waitSignal(picture.shown, timeout=20_000):
        picture.set_sound(before, RATE)
    qtbot.waitUntil(lambda: perf_counter() > picture._maker._not_before, timeout=20_000)  # it may begin
    made: list[object] = []
    picture._maker.made.connect(lambda token, _levels, _top: made.append(token[0]))
    wave.set_sound(after, RATE)
    with qtbot.waitSignal(picture.shown, timeout=20_000):
        picture.set_sound(after, RATE)
    assert [sound is after for sound in made] == [True]
    assert QThreadPool.globalInstance().waitForDone(20_000)


def test_a_zoomed_view_turns_the_page_with_the_playhead_and_keeps_its_place_for_the_next_sound(
    qtbot: QtBot,
) -> None:
    view = WaveformView(tone(440.0, 2.0), RATE)
    qtbot.addWidget(view)
    view.resize(400, 100)
    view.axis.zoom(10, 0.1)
    span = view.axis.span
    view.set_playhead(1.3)
    assert view.axis.start == pytest.approx(1.3)
    assert view.axis.span == pytest.approx(span)
    view.set_sound(tone(300.0, 2.0), RATE)  # as while a slider is dragged
    assert view.axis.zoomed
    view.set_sound(tone(300.0, 1.0), RATE)
    assert not view.axis.zoomed
    assert view.x_of(0.5) == 200


@pytest.mark.parametrize(
    ("seconds", "width"), [(2.0, 640), (0.005, 300), (600.0, 1200), (0.4, 90), (2.0, 20)]
)
def test_the_times_have_room_and_are_round(seconds: float, width: int) -> None:
    axis = TimeAxis()
    axis.set_seconds(seconds)
    ticks = axis.ticks(width)
    places = [axis.x(moment, width) for moment, _ in ticks]
    assert all(0 <= place <= width + 1e-6 for place in places)
    assert all(b - a >= 80 for a, b in pairwise(places))
    assert len({label for _, label in ticks}) == len(ticks)
    for moment, label in ticks:
        number, unit = label.split()
        assert float(number) * (1e-3 if unit == "ms" else 1.0) == pytest.approx(moment, abs=1e-9)


def test_the_pointer_over_the_outline_tells_the_peak_there(qtbot: QtBot) -> None:
    sound = np.zeros((1, RATE), np.float32)
    sound[0, RATE // 2 :] = 0.25
    view = WaveformView(sound, RATE)
    qtbot.addWidget(view)
    view.resize(400, 100)
    view.show()
    told: list[object] = []
    view.hovered.connect(told.append)
    qtbot.mouseMove(view, QPoint(300, 50))
    assert told[-1] == "0.750 s · −12.0 dB"
    qtbot.mouseMove(view, QPoint(100, 50))
    assert told[-1] == "0.250 s"


def test_lightness_rises_with_the_level() -> None:
    table = colour_table()
    lightness = [
        0.2126 * (int(c) >> 16 & 255) + 0.7152 * (int(c) >> 8 & 255) + 0.0722 * (int(c) & 255) for c in table
    ]
    assert (np.diff(lightness) > -0.3).all()
    assert lightness[-1] > 200
    assert lightness[0] < 20


def lights(image: QImage) -> np.ndarray:
    """Lightness of each pixel where the picture covers, else NaN."""
    converted = image.convertToFormat(QImage.Format.Format_RGBA8888)
    data = np.frombuffer(converted.constBits(), np.uint8).reshape(converted.height(), converted.width(), 4)
    light = data[..., :3].mean(axis=2)
    light[data[..., 3] < 200] = np.nan
    return light


def test_a_small_picture_tells_held_tones_apart_by_their_timbre(qapp) -> None:
    theme.apply(qapp, "dark")
    time = np.arange(RATE) / RATE
    low = (0.8 * np.sin(2 * np.pi * 100 * time))[None].astype(np.float32)
    high = (0.8 * np.sin(2 * np.pi * 6000 * time))[None].astype(np.float32)
    pictures = [lights(shaded_picture(sound, RATE, 80, 80)) for sound in (low, high)]
    assert [np.isnan(light).mean() for light in pictures] == pytest.approx([0.1, 0.1], abs=0.05)
    middle, edge = slice(34, 46), [*range(8, 13), *range(67, 72)]
    assert np.nanmean(pictures[0][middle]) > np.nanmean(pictures[0][edge]) + 20
    assert np.nanmean(pictures[1][edge]) > np.nanmean(pictures[1][middle]) + 20


@pytest.mark.parametrize("sound", [np.zeros((1, 0)), np.zeros((2, 500)), np.full((1, 9), np.nan)])
def test_a_small_picture_of_nothing(sound: np.ndarray) -> None:
    image = shaded_picture(sound.astype(np.float32), RATE, 40, 30)
    assert (image.width(), image.height()) == (40, 30)
    assert alphas(image).sum(axis=0).max() <= 2 * 255


def test_figures_without_room_go_by_their_worth(qapp) -> None:
    metrics = QFontMetrics(qapp.font())
    info = GeneratorInfo("m", "f", OutputSpec("sound", sample_rate=44_100, samples=10), (), delay=0.25)
    player = PlayerStatus(playing=True, rate=44_100, block=512, underruns=2, latency=0.2, real=False)
    live = LiveStatus(ready=True, real_time_factor=0.3, fill=0.05)
    parts = figures(info, SoundStatus(player, live), True, 60.0, 1.0)
    whole = fitted(parts, metrics, 1e6)
    assert whole == (
        "C4 · 44.1 kHz · no sound device · block 512 · 0.30 × real time · ring 50 ms · 2 underruns · "
        "latency 200 + 250 ms"
    )
    shorter = fitted(parts, metrics, metrics.horizontalAdvance(whole) - 1)
    assert "block" not in shorter
    assert "ring" in shorter
    assert fitted(parts, metrics, 5) == "no sound device"
    tip = explanation(info, SoundStatus(player, live), True)
    assert "250 ms more inside the model" in tip
    assert "unheard" in tip


def test_a_beginning_that_would_click_is_eased_for_the_ear_alone() -> None:
    hit = np.full((2, 4410), 0.5, np.float32)
    heard = eased(hit, 44100)
    assert float(np.abs(np.diff(heard, axis=1, prepend=0)).max()) < 0.5 / 10, "no step"
    assert heard[0, 0] == 0
    np.testing.assert_array_equal(heard[:, 22:], hit[:, 22:])  # half a millisecond
    assert (hit == 0.5).all(), "what is shown and written is untouched"
    soft = tone()
    soft[:, 0] = 0
    assert eased(soft, RATE) is soft
    assert eased(np.zeros((1, 0), np.float32), RATE).size == 0
