"""The sound models and toys that come with the program do what their cards say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from igm_gui.generators import registry
from igm_gui.generators.ddsp.hearing import estimate_pitch
from igm_gui.latent.point import point_from_seed


@pytest.mark.parametrize("name", ["toy-ring", "toy-moons", "toy-checkerboard"])
def test_a_toy_is_far_from_noise_and_shows_it(name):
    generator = registry.load(name)
    quality = generator.info.card["quality"]
    assert quality["sliced_wasserstein_2"] < 0.25 * quality["noise_to_data"]
    point = point_from_seed(generator.info, 1)
    noise, data = generator.render([point.with_value("progress", 0.0), point])
    assert np.abs(noise.astype(int) - data).mean() > 3


def test_timbre_plays_in_tune_over_its_range():
    generator = registry.load("timbre")
    assert set(generator.info.abilities) == {"encode", "stream"}
    pitches = [36.0, 48.5, 60.0, 72.25, 84.0, 94.0]
    points = [point_from_seed(generator.info, s).with_value("pitch", p) for s, p in enumerate(pitches)]
    for sound, pitch in zip(generator.render(points), pitches, strict=True):
        heard, _ = estimate_pitch(torch.from_numpy(sound[0, :36_000]), 24_000)
        assert abs(heard - pitch) < 0.2


def test_a_timbre_that_was_played_is_found_again():
    """A rendered note, encoded and rendered again, is nearer to itself than to another timbre."""
    generator = registry.load("timbre")
    points = [point_from_seed(generator.info, s).with_value("hold", 2.0) for s in range(12)]
    sounds = generator.render(points)
    found = [generator.encode(sound, 24_000).with_value("hold", 2.0) for sound in sounds[:6]]
    assert all(abs(point.scalar("pitch") - 60) < 0.2 for point in found)

    def far(a: np.ndarray, b: np.ndarray) -> float:
        size = np.hanning(2048)
        spectra = [np.abs(np.fft.rfft(x[0, :40_960].reshape(-1, 2048) * size)) + 1e-2 for x in (a, b)]
        return float(np.abs(np.log(spectra[0] / spectra[1])).mean())

    again = generator.render(found)
    own = np.mean([far(a, b) for a, b in zip(again, sounds[:6], strict=True)])
    other = np.mean([far(a, b) for a, b in zip(sounds[6:], sounds[:6], strict=True)])
    assert own < 0.6 * other


def test_drums_of_a_kind_are_heard_as_that_kind():
    generator = registry.load("drums")
    classes = generator.info.input("label").classes
    right = 0
    for kind in range(len(classes)):
        for seed in range(5):
            sound = generator.render([point_from_seed(generator.info, seed, kind)])[0]
            right += int(generator.encode(sound, 44_100).vector("label").array.argmax()) == kind
    assert right >= 0.7 * 5 * len(classes)


def test_a_kick_is_lower_than_a_hat():
    generator = registry.load("drums")
    classes = generator.info.input("label").classes

    def centroid(kind: str) -> float:
        points = [point_from_seed(generator.info, s, classes.index(kind)) for s in range(4)]
        power = np.abs(np.fft.rfft(generator.render(points)[:, 0])) ** 2
        return float((power * np.arange(power.shape[1])).sum() / power.sum())

    assert centroid("kick") < 400 < 3000 < centroid("hat")
