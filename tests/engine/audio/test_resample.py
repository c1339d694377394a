from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from igm_gui.engine.audio.resample import Resampler, resample

RATES = [(24_000, 48_000), (44_100, 48_000), (48_000, 44_100), (48_000, 16_000), (22_050, 44_100)]


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_tone_stays_a_tone(source: int, target: int) -> None:
    seconds = 0.5
    time = np.arange(int(source * seconds)) / source
    sound = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 440 * time)], 1).astype(np.float32)
    result = resample(sound, source, target)
    assert result.shape == (round(len(sound) * target / source), 2)
    assert result.dtype == np.float32
    later = np.arange(len(result)) / target
    middle = slice(len(result) // 10, -len(result) // 10)
    np.testing.assert_allclose(result[middle, 0], np.sin(2 * np.pi * 1000 * later)[middle], atol=2e-4)
    np.testing.assert_allclose(result[middle, 1], np.cos(2 * np.pi * 440 * later)[middle], atol=2e-4)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_blocks_give_the_same_bits_as_the_whole(source: int, target: int) -> None:
    sound = np.random.default_rng(0).standard_normal((9000, 2)).astype(np.float32) * 0.2
    whole = Resampler(source, target).process(sound)
    tool, parts, start = Resampler(source, target), [], 0
    for count in np.random.default_rng(1).integers(1, 700, 60):
        parts.append(tool.process(sound[start : start + count]))
        start += int(count)
        if start >= len(sound):
            break
    joined = np.concatenate(parts)
    np.testing.assert_allclose(joined, whole[: len(joined)], atol=1e-6)
    assert len(whole) - len(joined) <= 1 or start < len(sound)


def test_above_the_new_nyquist_nothing_is_left() -> None:
    time = np.arange(48_000) / 48_000
    sound = np.sin(2 * np.pi * 9500 * time)[:, None].astype(np.float32)
    result = resample(sound, 48_000, 16_000)
    assert np.abs(result[500:-500]).max() < 1e-3


def test_close_to_scipy() -> None:
    # Content well below both Nyquist frequencies: different filters must then agree.
    time = np.arange(24_000) / 24_000
    sound = sum(np.sin(2 * np.pi * f * time + f) for f in (110, 523, 1760, 4000)).astype(np.float32)
    ours = resample(sound[:, None], 24_000, 48_000)[:, 0]
    theirs = resample_poly(sound, 2, 1)
    np.testing.assert_allclose(ours[1000:-1000], theirs[1000:-1000], atol=4e-3)


def test_the_same_rate_is_left_alone() -> None:
    sound = np.ones((10, 2), np.float32)
    assert resample(sound, 48_000, 48_000) is sound


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(0, 48_000)
