from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from igm_gui.engine.audio.mixer import Mixer
from igm_gui.engine.audio.ring import RingBuffer
from igm_gui.engine.audio.voices import Clip, LiveVoice, stereo
from tests.engine.audio.fakes import RATE, tone

BLOCK = 512


def mixed(mixer: Mixer, blocks: int) -> np.ndarray:
    out = np.zeros((BLOCK, 2), np.float32)
    parts = []
    for _ in range(blocks):
        mixer.mix(out)
        parts.append(out.copy())
    return np.concatenate(parts)


def steepest(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound, axis=0)).max())


TONE_STEP = 0.5 * 2 * np.pi * 440 / RATE * 1.02


def test_a_clip_is_played_bit_for_bit_and_then_is_over() -> None:
    samples = tone(seconds=0.05)
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(samples, RATE), 0.0, 0.0)
    sound = mixed(mixer, 6)
    faded = int(0.004 * RATE)
    kept = samples.shape[1] - faded
    np.testing.assert_array_equal(sound[:kept, 0], samples[0, :kept])
    np.testing.assert_array_equal(sound[:, 0], sound[:, 1])
    assert not sound[samples.shape[1] :].any()
    assert not mixer.sounding
    assert mixer.current is None


def test_a_clip_cut_in_mid_swing_ends_without_a_click() -> None:
    samples = tone(seconds=0.0255)
    assert abs(samples[0, -1]) > 0.1
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(samples, RATE), 0.0, 0.0)
    assert steepest(mixed(mixer, 6)) < TONE_STEP


def test_stop_fades() -> None:
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(tone(), RATE), 0.0, 0.0)
    mixed(mixer, 4)
    mixer.stop(0.015)
    tail = mixed(mixer, 4)
    assert steepest(tail) < TONE_STEP
    assert not tail[int(0.016 * RATE) :].any()
    assert not mixer.sounding


def test_a_crossfade_between_equal_sounds_is_not_heard() -> None:
    samples = tone()
    mixer = Mixer(BLOCK, RATE)
    first = Clip(samples, RATE)
    mixer.start(first, 0.0, 0.0)
    mixed(mixer, 3)
    second = Clip(samples, RATE)
    second.follow(first)
    mixer.start(second, 0.025, 0.025)
    sound = mixed(mixer, 6)
    np.testing.assert_allclose(sound[:, 0], samples[0, 3 * BLOCK : 9 * BLOCK], atol=2e-6)


def test_a_loop_goes_round() -> None:
    samples = np.linspace(-0.5, 0.5, 700, dtype=np.float32)[None]
    clip = Clip(samples, RATE, loop=True)
    mixer = Mixer(BLOCK, RATE)
    mixer.start(clip, 0.0, 0.0)
    sound = mixed(mixer, 5)[:, 0]
    np.testing.assert_array_equal(sound[:400], sound[1400:1800])
    assert mixer.sounding


def test_volume_moves_without_a_step() -> None:
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(np.full((1, RATE), 0.5, np.float32), RATE), 0.0, 0.0)
    mixed(mixer, 1)
    mixer.volume = 0.0
    sound = mixed(mixer, 2)
    assert steepest(sound) < 0.002
    assert not sound[BLOCK:].any()


def test_level_follows_the_peak_and_falls() -> None:
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(tone(seconds=0.1), RATE), 0.0, 0.0)
    mixed(mixer, 5)
    assert mixer.level == pytest.approx(0.5, abs=0.01)
    mixed(mixer, int(RATE / BLOCK) + 12)
    assert mixer.level < 0.06


def test_many_voices_do_not_pile_up_and_are_clipped() -> None:
    mixer = Mixer(BLOCK, RATE)
    for _ in range(30):
        mixer.start(Clip(np.ones((1, RATE), np.float32), RATE), 0.0, 1.0)
    sound = mixed(mixer, 2)
    assert np.abs(sound).max() <= 1.0
    assert len(mixer._slots) <= 8


def test_a_stream_that_runs_dry_makes_a_gap_without_clicks() -> None:
    ring = RingBuffer(8192)
    voice = LiveVoice(RATE, ring, lead=1024)
    samples = stereo(tone())
    mixer = Mixer(BLOCK, RATE)
    ring.write(samples[:1300])
    mixer.start(voice, 0.0, 0.0)
    first = mixed(mixer, 4)
    assert voice.underruns == 1
    ring.write(samples[1300:2000])  # less than the lead: it waits
    assert not mixed(mixer, 1).any()
    ring.write(samples[2000:6000])
    second = mixed(mixer, 4)
    assert voice.underruns == 1
    assert second.any()
    # 48 frames of fade at most: steeper than the tone, far from a jump.
    assert steepest(np.concatenate([first, second])) < TONE_STEP + 0.5 / 47


def test_a_stream_that_ends_is_no_underrun() -> None:
    ring = RingBuffer(8192)
    voice = LiveVoice(RATE, ring, lead=512)
    ring.write(stereo(tone())[:700])
    mixer = Mixer(BLOCK, RATE)
    mixer.start(voice, 0.0, 0.0)
    voice.ended = True
    mixed(mixer, 3)
    assert voice.underruns == 0
    assert not mixer.sounding


def test_a_late_stream_still_fades_out() -> None:
    voice = LiveVoice(RATE, RingBuffer(1024), lead=512)
    mixer = Mixer(BLOCK, RATE)
    mixer.start(voice, 0.01, 0.0)
    mixed(mixer, 2)
    mixer.stop(0.01)
    mixed(mixer, 3)
    assert not mixer.sounding


def test_mixing_allocates_no_arrays() -> None:
    ring = RingBuffer(RATE)
    ring.write(stereo(tone()))
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(tone(), RATE, loop=True), 0.0, 0.0)
    mixer.start(LiveVoice(RATE, ring, 512), 0.5, 0.5)
    out = np.zeros((BLOCK, 2), np.float32)
    mixer.volume = 0.5
    mixer.mix(out)
    gc.collect()
    tracemalloc.start()
    try:
        for i in range(40):
            mixer.volume = 0.5 + 0.01 * i
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            mixer.mix(out)
            peak = tracemalloc.get_traced_memory()[1] - before
            assert peak < out.nbytes  # views and numbers, no block
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("shape", "expected"), [((5,), 5), ((1, 5), 5), ((2, 5), 5), ((3, 5), 5), ((1, 0), 0)]
)
def test_stereo_takes_any_channels(shape: tuple[int, ...], expected: int) -> None:
    assert stereo(np.zeros(shape, np.float32)).shape == (expected, 2)


def test_stereo_mends_values_that_are_no_sound() -> None:
    frames = stereo(np.array([[np.nan, np.inf, -3.0, 0.25]], np.float32))
    np.testing.assert_array_equal(frames[:, 0], [0, 0, -1, 0.25])


def test_many_starts_within_one_block_leave_the_fades_whole() -> None:
    """A fast model renders several sounds in the time of one block: only the last of them is heard."""
    samples = tone(seconds=2.0)
    mixer = Mixer(BLOCK, RATE)
    current = Clip(samples, RATE)
    mixer.start(current, 0.0, 0.0)
    parts = [mixed(mixer, 3)]
    for number in range(40):
        for _ in range(5):
            following = Clip(samples * (0.2 + 0.8 * (number % 2)), RATE)
            following.follow(current)
            mixer.start(following, 0.025, 0.025)
            current = following
        parts.append(mixed(mixer, 1))
    assert steepest(np.concatenate(parts)) < TONE_STEP


def test_a_sound_that_was_taken_back_before_its_first_block_is_not_heard() -> None:
    mixer = Mixer(BLOCK, RATE)
    mixer.start(Clip(tone(), RATE), 0.0, 0.0)
    mixer.start(Clip(np.zeros((1, RATE), np.float32), RATE), 0.0, 0.008)
    assert not mixed(mixer, 2).any()
