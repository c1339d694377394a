"""Official StyleGAN pickles give the pictures that the official code gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import igm_gui
from igm_gui.generators import registry
from igm_gui.latent.point import Vector, one_hot

DATA = Path(__file__).parent.parent / "data" / "stylegan"
NETWORKS = sorted(path.stem for path in DATA.glob("*.pkl"))
CASES = ((1.0, None), (0.5, None), (0.7, 3))


@pytest.fixture(scope="module", params=NETWORKS)
def opened(request):
    generator = registry.load(str(DATA / f"{request.param}.pkl"))
    with np.load(DATA / f"{request.param}.npz") as arrays:
        return generator, dict(arrays)


def _point(generator, arrays, row, psi, cutoff):
    point = igm_gui.api.make_point(generator.info, int(arrays["seeds"][row]))
    if generator.info.input("label"):
        point = point.with_value("label", Vector(arrays["c"][row]))
    layers = generator.info.input("cutoff").maximum
    return point.with_value("truncation", psi).with_value("cutoff", float(cutoff or layers))


@pytest.mark.parametrize(("psi", "cutoff"), CASES)
def test_same_seed_same_picture_as_the_official_code(opened, psi, cutoff):
    generator, arrays = opened
    points = [_point(generator, arrays, row, psi, cutoff) for row in range(len(arrays["seeds"]))]
    key = f"psi{psi:g}_cut{cutoff}"
    ws = generator.map(points)
    assert np.abs(ws.numpy() - arrays[f"ws_{key}"]).max() < 1e-4
    with torch.inference_mode():
        pictures = generator.forward(generator.prepare(points)).numpy()
    assert np.abs(pictures - arrays[f"image_{key}"]).max() < 1e-3


def test_without_noise(opened):
    generator, arrays = opened
    if "image_nonoise" not in arrays:
        assert generator.info.input("noise") is None  # StyleGAN3 has no noise inputs
        return
    points = [
        _point(generator, arrays, row, 1.0, None).with_value("noise", 0.0)
        for row in range(len(arrays["seeds"]))
    ]
    with torch.inference_mode():
        pictures = generator.forward(generator.prepare(points)).numpy()
    assert np.abs(pictures - arrays["image_nonoise"]).max() < 1e-3


def test_a_seed_of_noise_changes_the_picture_and_repeats(opened):
    generator, arrays = opened
    if generator.info.input("noise_seed") is None:
        assert generator.info.input("rotate") is not None  # StyleGAN3 has a transform instead
        return
    point = _point(generator, arrays, 0, 1.0, None)
    plain, first, again = (generator.render([point.with_value("noise_seed", n)]) for n in (0, 5, 5))
    assert (first == again).all()
    assert (first != plain).any()


def test_a_shift_moves_the_picture():
    generator = registry.load(str(DATA / "stylegan3-t-32.pkl"))
    point = igm_gui.api.make_point(generator.info, 3)
    still = generator.render([point])[0].astype(float)
    # A quarter of the picture to the right: equivariance up to the borders (Karras et al. 2021).
    moved = generator.render([point.with_value("translate_x", 0.25)])[0].astype(float)
    inside = np.abs(moved[4:-4, 12:-4] - still[4:-4, 4:-12]).mean()
    outside = np.abs(moved[4:-4, 4:-12] - still[4:-4, 4:-12]).mean()
    assert inside < 0.5 * outside


def test_a_mixture_of_classes_lies_between():
    generator = registry.load(str(DATA / "stylegan2-64-conditional-resnet.pkl"))
    point = igm_gui.api.make_point(generator.info, 0)
    ends = [generator.map([point.with_value("label", one_hot(5, i))]) for i in (0, 1)]
    mixed = generator.map([point.with_value("label", Vector([0.5, 0.5, 0, 0, 0]))])
    assert float((mixed - ends[0]).norm()) < float((ends[1] - ends[0]).norm())


def test_info_says_what_it_is(opened):
    generator, arrays = opened
    info = generator.info
    picture = arrays["image_psi1_cutNone"]
    assert (info.output.channels, info.output.height, info.output.width) == picture.shape[1:]
    assert info.parameters > 10_000
    assert len(info.sha256) == 64
    assert replace(info).family == "stylegan"


def test_a_changed_latent_is_not_taken_from_the_cache(opened):
    generator, arrays = opened
    first, second = (generator.render([_point(generator, arrays, row, 1.0, None)]) for row in (0, 1))
    again = generator.render([_point(generator, arrays, 0, 1.0, None)])
    assert (first != second).any()
    assert (first == again).all()
