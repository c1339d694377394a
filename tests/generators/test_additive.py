"""The weightless sound generator: in tune, deterministic, and seamless when streamed."""

from __future__ import annotations

import numpy as np
import pytest

from igm_gui.generators import registry
from igm_gui.generators.base import CanStream
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector


@pytest.fixture(scope="module")
def generator():
    return registry.load("additive")


def with_z(point: LatentPoint, **values: float) -> LatentPoint:
    z = np.zeros(16, np.float32)
    for name, value in values.items():
        z[int(name[1:])] = value
    return point.with_value("z", Vector(z))


def test_a_note_has_the_pitch_asked_for(generator):
    point = with_z(point_from_seed(generator.info, 0)).with_value("pitch", 69.0)
    sound = generator.render([point])[0, 0]
    assert sound.shape == (96_000,)
    part = sound[24_000:56_768] * np.hanning(32_768)
    spectrum = np.abs(np.fft.rfft(part))
    peak = int(spectrum.argmax())
    left, here, right = np.log(spectrum[peak - 1 : peak + 2])
    frequency = (peak + 0.5 * (left - right) / (left - 2 * here + right)) * 48_000 / 32_768
    assert abs(1200 * np.log2(frequency / 440)) < 2


def test_a_batch_is_its_single_notes_and_the_same_every_time(generator):
    points = [point_from_seed(generator.info, seed) for seed in range(3)]
    together = generator.render(points)
    assert together.dtype == np.float32
    assert np.abs(together).max() <= 1
    for point, sound in zip(points, together, strict=True):
        np.testing.assert_allclose(generator.render([point])[0], sound, atol=1e-6)
    np.testing.assert_array_equal(together, generator.render(points))


def test_brightness_raises_the_spectral_centroid(generator):
    start = point_from_seed(generator.info, 0)
    centroids = []
    for value in (-2.0, 0.0, 2.0):
        sound = generator.render([with_z(start, z0=value)])[0, 0]
        power = np.abs(np.fft.rfft(sound)) ** 2
        centroids.append(float((power * np.arange(len(power))).sum() / power.sum()))
    assert centroids[0] < centroids[1] < centroids[2]


def test_blocks_of_any_length_join_to_the_rendered_note(generator):
    assert isinstance(generator, CanStream)
    point = point_from_seed(generator.info, 5)
    stream = generator.stream()
    blocks = [stream.block(point, length) for length in (1, 255, 256, 1000, 4096, 44_000)]
    joined = np.concatenate(blocks, axis=1)[0]
    np.testing.assert_allclose(joined, generator.render([point])[0, 0, : len(joined)], atol=1e-5)


def test_no_click_when_everything_moves_between_blocks(generator):
    """The largest jump of slope while moving stays near that of the still sounds."""
    first = point_from_seed(generator.info, 1).with_value("pitch", 45.0)
    second = point_from_seed(generator.info, 2).with_value("pitch", 45.0)

    def roughness(points: list[LatentPoint]) -> float:
        stream = generator.stream()
        sound = np.concatenate([stream.block(point, 1024) for point in points], axis=1)[0]
        return float(np.abs(np.diff(sound, 2)).max())

    still = max(roughness([first] * 60), roughness([second] * 60))
    assert roughness([first, second] * 30) < 1.5 * still


def test_the_stream_goes_on_after_the_note_and_strikes_it_again(generator):
    point = point_from_seed(generator.info, 5)
    stream = generator.stream()
    stream.block(point, 96_000)
    again = stream.block(point, 96_000)
    assert np.sqrt(np.mean(again**2)) > 0.01
