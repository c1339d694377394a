"""Drum analysis, synthesis and family: what is taken apart can be put together again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from igm_gui.errors import InputError
from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.generators import drums, registry
from igm_gui.generators.base import CanEncode
from igm_gui.generators.drums.analysis import SAMPLE_RATE, SAMPLES, SIZE, Hit, analyse, times
from igm_gui.generators.drums.network import band_noise, synthesise
from igm_gui.latent.point import point_from_seed

from .sound_folders import drums_folder

T = torch.arange(SAMPLES, dtype=torch.float64) / SAMPLE_RATE


def kick() -> torch.Tensor:
    """A sine that falls from 180 to 50 Hz."""
    hertz = 50 + 130 * torch.exp(-T / 0.04)
    return (torch.sin(2 * math.pi * hertz.cumsum(0) / SAMPLE_RATE) * torch.exp(-T / 0.15)).float()


def batched(hit: Hit) -> Hit:
    return Hit(*(value[None] for value in vars(hit).values()))


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return registry.load(str(drums_folder(tmp_path_factory.mktemp("drums") / "d")[0]))


def test_time_is_densest_at_the_start():
    step = times().diff()
    assert float(times()[0]) == 0
    assert abs(float(times()[-1]) - 1) < 1e-6
    assert bool((step.diff() > 0).all())
    assert float(step[0]) < 0.001


def test_a_falling_kick_keeps_its_course():
    hit = analyse(kick())
    place = int((times() - 0.05).abs().argmin())
    expected = 50 + 130 * math.exp(-float(times()[place]) / 0.04)
    assert abs(float(hit.body_hertz[place]) - expected) < 8
    made = synthesise(batched(hit), band_noise(0))[0]
    energy = float(made.square().mean() / kick().square().mean())
    assert 0.8 < energy < 1.25


def test_a_bell_is_tone_and_a_hiss_is_noise():
    bell = (torch.sin(2 * math.pi * 2000 * T) * torch.exp(-T / 0.3)).float()
    hit = analyse(bell)
    band = int(hit.tone_level.amax(1).argmax())
    assert abs(float(hit.tone_hertz[band]) - 2000) < 10
    assert float(hit.tone_level[band, 30]) > float(hit.noise_level[:, 30].max()) + 20
    torch.manual_seed(0)
    hiss = torch.randn(SAMPLES) * torch.exp(-T / 0.2).float()
    hit = analyse(hiss)
    tone = float((10 ** (hit.tone_level[4:, 5:35] / 10)).sum())
    noise = float((10 ** (hit.noise_level[4:, 5:35] / 10)).sum())
    assert tone < 0.1 * noise


def test_the_noise_made_has_the_level_measured():
    torch.manual_seed(1)
    hiss = torch.randn(SAMPLES) * 0.2
    made = synthesise(batched(analyse(hiss)), band_noise(5))[0]
    scaled = hiss / hiss.abs().max()
    ratio = float(made[2000:40_000].square().mean() / scaled[2000:40_000].square().mean())
    # Above 16.6 kHz, a quarter of white noise, nothing is made: -1.3 dB.
    assert -2.3 < 10 * math.log10(ratio) < 0.5


def test_numbers_and_hits_are_each_others_inverse():
    vector = analyse(kick()).vector()
    assert vector.shape == (SIZE,)
    torch.testing.assert_close(Hit.from_vector(vector).vector(), vector, atol=1e-4, rtol=1e-4)


def test_noise_depends_on_its_seed_alone():
    assert torch.equal(band_noise(3), band_noise(3))
    assert not torch.equal(band_noise(3), band_noise(4))


def test_the_folder_is_recognised_and_loads_what_was_saved(tmp_path):
    folder, network = drums_folder(tmp_path / "d")
    checkpoint = open_checkpoint(folder)
    assert drums.detect(checkpoint)
    loaded = drums.load(checkpoint)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[key], value)


def test_hits_are_one_second_at_full_level_and_repeatable(generator):
    points = [point_from_seed(generator.info, s, s % 2).with_value("noise_seed", s % 2) for s in range(3)]
    sounds = generator.render(points)
    assert sounds.shape == (3, 1, 44_100)
    np.testing.assert_allclose(np.abs(sounds).max((1, 2)), 0.89, atol=1e-3)
    np.testing.assert_array_equal(sounds, generator.render(points))
    for point, sound in zip(points, sounds, strict=True):
        np.testing.assert_allclose(generator.render([point])[0], sound, atol=5e-3)


def test_another_noise_seed_is_the_same_hit_with_other_noise(generator):
    point = point_from_seed(generator.info, 1)
    first = generator.render([point])[0, 0]
    second = generator.render([point.with_value("noise_seed", 9)])[0, 0]
    assert not np.array_equal(first, second)
    assert abs(20 * np.log10(np.sqrt(np.mean(first**2)) / np.sqrt(np.mean(second**2)))) < 3


def test_encode_gives_a_point_that_renders(generator):
    assert isinstance(generator, CanEncode)
    point = generator.encode(kick().numpy()[None], SAMPLE_RATE)
    assert abs(float(point.vector("label").array.sum()) - 1) < 1e-6
    assert np.isfinite(generator.render([point])).all()


def test_encode_of_silence_says_so(generator):
    with pytest.raises(InputError, match="nothing to hear"):
        generator.encode(np.zeros((1, 4000), np.float32), 44_100)
