"""Oscillators, hearing, analysis and the ddsp family: in tune, seamless, and back again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from igm_gui.errors import InputError, ModelError
from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.generators import ddsp, registry
from igm_gui.generators.base import CanEncode, CanStream
from igm_gui.generators.ddsp.analysis import SAMPLE_RATE, analyse, band_centres
from igm_gui.generators.ddsp.hearing import estimate_pitch, onset, resample, to_mono
from igm_gui.generators.ddsp.oscillators import oscillate, soft_limit
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector

from .sound_folders import timbre_folder

RATE = SAMPLE_RATE


def tone(f0: float, levels: list[float], seconds: float = 2.4) -> torch.Tensor:
    """A steady harmonic tone: amplitude of each harmonic."""
    t = torch.arange(int(seconds * RATE)) / RATE
    return sum(a * torch.sin(2 * math.pi * f0 * (k + 1) * t) for k, a in enumerate(levels))


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return registry.load(str(timbre_folder(tmp_path_factory.mktemp("ddsp") / "t")[0]))


def test_an_oscillator_is_the_sine_it_should_be():
    freqs = torch.full((1, 101, 1), 1000.0)
    sound, _ = oscillate(freqs, torch.ones(1, 101, 1), torch.zeros(1, 1, dtype=torch.float64), 48_000, 64)
    expected = torch.sin(2 * math.pi * 1000 * torch.arange(6400, dtype=torch.float64) / 48_000)
    assert sound.shape == (1, 6400)
    assert float((sound[0] - expected).abs().max()) < 1e-3


def test_a_partial_above_nyquist_is_silent():
    freqs = torch.full((1, 11, 1), 13_000.0)
    sound, _ = oscillate(freqs, torch.ones(1, 11, 1), torch.zeros(1, 1, dtype=torch.float64), 24_000, 64)
    assert float(sound.abs().max()) == 0


def test_the_limiter_leaves_quiet_samples_alone_and_bounds_loud_ones():
    sound = torch.tensor([-5.0, -0.5, 0.0, 0.79, 1.0, 50.0])
    limited = soft_limit(sound)
    assert torch.equal(limited[1:4], sound[1:4])
    assert float(limited.abs().max()) <= 1


@pytest.mark.parametrize("pitch", [33.0, 47.3, 60.0, 71.9, 84.0, 95.0])
def test_pitch_is_heard_within_a_few_cents(pitch):
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    heard, clarity = estimate_pitch(tone(f0, [0.2, 0.1, 0.15, 0.05]), RATE)
    assert abs(heard - pitch) < 0.05
    assert clarity > 0.9


def test_resampling_keeps_frequency_and_level():
    t = torch.arange(44_100) / 44_100
    sound = resample(torch.sin(2 * math.pi * 997 * t), 44_100, 24_000)
    expected = torch.sin(2 * math.pi * 997 * torch.arange(24_000) / 24_000)
    assert len(sound) == 24_000
    assert float((sound - expected)[500:-500].abs().max()) < 0.01


@pytest.mark.parametrize("bad", [np.zeros((1, 0)), np.zeros((2, 500)), np.full((1, 500), np.nan)])
def test_nothing_to_hear_is_said(bad):
    with pytest.raises(InputError, match="nothing to hear"):
        to_mono(bad, 44_100, RATE)


def test_onset_skips_the_silence_before_a_note():
    sound = torch.cat([torch.zeros(5000), tone(440.0, [0.5], 0.2)])
    assert 4900 <= onset(sound, RATE) <= 5000


def test_analysis_measures_each_harmonic_and_the_noise_between():
    levels = [0.2, 0.1, 0.05, 0.025]
    torch.manual_seed(0)
    sound = tone(220.0, levels) + 0.01 * torch.randn(int(2.4 * RATE))
    note = analyse(sound, 57.0)
    measured = note.harmonic[60, :4] + note.level
    expected = 20 * torch.log10(torch.tensor(levels))
    assert float((measured - expected).abs().max()) < 0.5
    density = note.noise[40:80].mean(0) + note.level  # dB per Hz; the median of many looks is a little low
    inside = band_centres() > 200
    assert abs(float(density[inside].mean()) - 10 * math.log10(1e-4 / 12_000)) < 3
    assert note.tonality > 0.95


def test_analysis_follows_a_detuned_note_and_a_vibrato():
    t = torch.arange(int(2.4 * RATE), dtype=torch.float64) / RATE
    cents = 15 + 25 * torch.sin(2 * math.pi * 5 * t)
    phase = (2 * math.pi * 220 / RATE * 2 ** (cents / 1200)).cumsum(0)
    sound = sum(0.2 / k * torch.sin(k * phase) for k in range(1, 21)).float()
    note = analyse(sound, 57.0)
    assert abs(note.detune - 15) < 8
    assert note.tonality > 0.97  # the high harmonics too, though each sways by more than its distance


def test_the_folder_is_recognised_and_loads_what_was_saved(tmp_path):
    folder, network = timbre_folder(tmp_path / "t")
    checkpoint = open_checkpoint(folder)
    assert ddsp.detect(checkpoint)
    loaded = ddsp.load(checkpoint)
    assert set(loaded.info.abilities) == {"encode", "stream"}
    for key, value in network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[key], value)


def test_weights_of_another_shape_are_refused_with_a_sentence(tmp_path):
    from safetensors.torch import load_file, save_file

    folder, _ = timbre_folder(tmp_path / "t")
    tensors = load_file(folder / "model.safetensors")
    del tensors["decoder.note.0.bias"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"decoder\.note\.0\.bias is missing"):
        registry.load(str(folder))


def test_a_note_is_two_seconds_in_tune_and_the_same_every_time(generator):
    points = [point_from_seed(generator.info, s).with_value("noise", 0.0) for s in range(3)]
    sounds = generator.render(points)
    assert sounds.shape == (3, 1, 48_000)
    assert np.abs(sounds).max() <= 1
    np.testing.assert_array_equal(sounds, generator.render(points))
    heard, _ = estimate_pitch(torch.from_numpy(sounds[0, 0]), RATE)
    assert abs(heard - 60) < 0.1


def test_loudness_and_hold_do_what_they_say(generator):
    point = point_from_seed(generator.info, 1)
    loud = generator.render([point.with_value("loudness", -12.0)])
    soft = generator.render([point.with_value("loudness", -40.0)])
    assert np.abs(soft).max() < 0.3 * np.abs(loud).max()
    short = generator.render([point.with_value("hold", 0.2)])[0, 0]
    held = generator.render([point.with_value("hold", 2.0)])[0, 0]
    np.testing.assert_allclose(short[:4000], held[:4000], atol=1e-5)
    assert np.abs(short[30_000:]).mean() < 0.3 * np.abs(held[30_000:40_000]).mean() + 1e-4


def test_blocks_join_to_the_rendered_note(generator):
    assert isinstance(generator, CanStream)
    point = point_from_seed(generator.info, 2)
    stream = generator.stream()
    blocks = [stream.block(point, n) for n in (1, 127, 128, 500, 2048, 40_000)]
    joined = np.concatenate(blocks, 1)[0]
    np.testing.assert_allclose(joined, generator.render([point])[0, 0, : len(joined)], atol=2e-4)


def test_no_click_when_z_and_pitch_move(generator):
    """The largest jump of slope while moving stays near that of the still sounds."""
    a = point_from_seed(generator.info, 3).with_value("noise", 0.0).with_value("hold", 2.0)
    b = point_from_seed(generator.info, 4).with_value("noise", 0.0).with_value("hold", 2.0)

    def roughness(points: list[LatentPoint]) -> float:
        stream = generator.stream()
        sound = np.concatenate([stream.block(point, 1024) for point in points], 1)[0]
        return float(np.abs(np.diff(sound, 2)).max())

    still = max(roughness([a] * 40), roughness([b] * 40))
    assert roughness([a, b] * 20) < 1.6 * still


def test_encode_inverts_the_frame_of_the_latent_space(generator):
    """The encoder's code, in the person's coordinates: mean + z @ basis gives it back."""
    assert isinstance(generator, CanEncode)
    sound = tone(330.0, [0.1, 0.05]).numpy()[None]
    point = generator.encode(sound, RATE)
    assert abs(point.scalar("pitch") - 64.0) < 0.1
    assert point.seed is None
    note = analyse(torch.from_numpy(sound[0]), point.scalar("pitch"))
    dynamics = torch.tensor([min(max(point.scalar("loudness") + 12.0, -36.0), 0.0)])
    pitch = torch.tensor([point.scalar("pitch")])
    network = generator.network
    code, _ = network.encoder(note.harmonic[None], note.noise[None], pitch, dynamics)
    z = torch.from_numpy(point.vector("z").array.copy())
    torch.testing.assert_close(network.mean + z @ network.basis, code[0], atol=1e-3, rtol=1e-3)


def test_encode_takes_stereo_at_another_rate(generator):
    sound = np.stack([tone(330.0, [0.1], 1.0).numpy()] * 2)
    point = generator.encode(sound, 48_000)  # half as many seconds, an octave up
    assert abs(point.scalar("pitch") - 76.0) < 0.1
    assert isinstance(point.get("z"), Vector)
