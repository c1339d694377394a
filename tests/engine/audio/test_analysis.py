from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.engine.audio import analysis
from tests.engine.audio.fakes import RATE, tone


@pytest.mark.parametrize(
    ("pitch", "name"), [(69, "A4"), (60, "C4"), (21, "A0"), (61, "C♯4"), (69.25, "A4 +25"), (68.6, "A4 -40")]
)
def test_names_of_notes(pitch: float, name: str) -> None:
    assert analysis.note_name(pitch) == name


@given(st.floats(0, 127))
def test_notes_and_hertz_agree(pitch: float) -> None:
    assert analysis.hertz_note(analysis.note_hertz(pitch)) == pytest.approx(pitch, abs=1e-9)
    assert analysis.note_hertz(69) == 440.0


@given(st.integers(1, 3000), st.integers(1, 400))
def test_the_outline_covers_every_sample(count: int, columns: int) -> None:
    samples = np.random.default_rng(count).uniform(-1, 1, count).astype(np.float32)
    low, high = analysis.outline(samples, columns)
    assert low.shape == high.shape == (columns,)
    assert (low <= high).all()
    assert low.min() == samples.min()
    assert high.max() == samples.max()
    # Neighbouring columns touch: a line drawn through them has no gap.
    assert (np.maximum(low[:-1], low[1:]) <= np.minimum(high[:-1], high[1:]) + 1e-6).all()


def test_the_outline_of_nothing() -> None:
    low, high = analysis.outline(np.zeros(0, np.float32), 7)
    assert not low.any()
    assert not high.any()
    assert low.shape == (7,)


@pytest.mark.parametrize("hertz", [110.0, 440.0, 1000.0, 3000.0, 9000.0])
@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000])
def test_a_tone_is_one_line_at_its_frequency(hertz: float, rate: int) -> None:
    picture = analysis.spectrogram(tone(hertz, 1.0, rate), rate)
    assert picture.shape == (240, 320)
    assert picture.dtype == np.float32
    rows = analysis.row_hertz(240, rate)[::-1]
    column = picture[:, 160]
    step = rows[0] / rows[1]
    assert rows[column.argmax()] / hertz == pytest.approx(1.0, abs=1.6 * (step - 1) + 0.01)
    assert column.max() > 0.98
    away = (np.abs(np.log2(rows / hertz)) > 0.75) & (np.abs(rows - hertz) > 70)
    assert column[away].max() < 0.3


def test_time_runs_to_the_right() -> None:
    sound = np.concatenate([np.zeros((1, RATE // 2), np.float32), tone(1000, 0.5)], axis=1)
    picture = analysis.spectrogram(sound, RATE)
    assert picture[:, :140].max() < 0.3
    assert picture[:, 180:].max(axis=0).min() > 0.8


@pytest.mark.parametrize("count", [0, 1, 10, 900, 5000])
def test_short_and_silent_sounds(count: int) -> None:
    picture = analysis.spectrogram(np.zeros((2, count), np.float32), RATE, 50, 40)
    assert picture.shape == (40, 50)
    assert np.isfinite(picture).all()
    assert not picture.any()


def test_values_that_are_no_sound_are_silence() -> None:
    assert not analysis.spectrogram(np.full((1, 9000), np.nan, np.float32), RATE).any()


@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000, 96_000])
def test_loudness_is_that_of_the_standard(rate: int) -> None:
    """EBU Tech 3341: a stereo sine at -23 dB has -23 LUFS; BS.1770: one channel at 0 dB has -3.01."""
    sine = tone(997.0, 5.0, rate, 10 ** (-23 / 20))
    both = np.repeat(sine, 2, axis=0)
    assert analysis.loudness(both, rate) == pytest.approx(-23.0, abs=0.1)
    assert analysis.loudness(tone(997.0, 5.0, rate, 1.0), rate) == pytest.approx(-3.01, abs=0.1)
    # What is quiet for long does not count (the relative gate), and silence is no sound.
    padded = np.concatenate([both, both * 1e-4, both * 0.0], axis=1)
    assert analysis.loudness(padded, rate) == pytest.approx(-23.0, abs=0.25)
    assert analysis.loudness(np.zeros((1, rate), np.float32), rate) == -np.inf
    assert analysis.loudness(both[:, : rate // 10], rate) == pytest.approx(
        -23.0, abs=0.5
    )  # shorter than a block


def test_k_weighting_hears_the_bass_less_and_the_treble_more() -> None:
    middle, low, high = (analysis.loudness(tone(hertz, 2.0, RATE), RATE) for hertz in (1000.0, 30.0, 8000.0))
    assert low < middle - 8
    assert high == pytest.approx(middle + 3.3, abs=0.7)


def test_a_part_of_a_spectrogram_is_that_part_of_it() -> None:
    sound = np.concatenate([tone(500.0, 1.0), 0.1 * tone(2000.0, 1.0)], axis=1)
    whole, top = analysis.spectrogram_of(sound, RATE, 200, 100)
    part, same = analysis.spectrogram_of(sound, RATE, 100, 100, (0.5, 1.0), top)
    assert same == top == pytest.approx(analysis.decibels(0.5), abs=1.0)
    np.testing.assert_allclose(part[:, 10:], whole[:, 110:], atol=1e-3)


def test_a_sound_is_made_as_loud_as_its_peak_leaves_room_for() -> None:
    sine = tone(997.0, 2.0, RATE, 0.1)
    assert analysis.loudness(analysis.at_loudness(sine, RATE, -16.0), RATE) == pytest.approx(-16.0, abs=0.05)
    click = np.zeros((1, RATE), np.float32)
    click[0, 1000] = 0.5
    assert np.abs(analysis.at_loudness(click, RATE, -10.0)).max() == pytest.approx(1.0)
    silence = np.zeros((1, RATE), np.float32)
    assert analysis.at_loudness(silence, RATE, -10.0) is silence
