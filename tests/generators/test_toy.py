"""The plane's toys: the marks are where the numbers say, and each switch shows what it names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.generators import registry, toy
from igm_gui.generators.toy import drawing
from igm_gui.generators.toy.picture import fixed_noise
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector

from .sound_folders import toy_folder


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return registry.load(str(toy_folder(tmp_path_factory.mktemp("toy") / "y")[0]))


def point(x: float, y: float, progress: float = 1.0, data: float = 0.0, grid: float = 0.0) -> LatentPoint:
    z = Vector(np.array([x, y], np.float32))
    return LatentPoint((("z", z), ("progress", progress), ("data", data), ("grid", grid)))


def pixel(x: float, y: float) -> tuple[int, int]:
    """Row and column of a place in the plane."""
    column, row = drawing.to_pixels(torch.tensor([x, y])).round().int().tolist()
    return row, column


def test_the_disc_is_where_the_generator_puts_z(generator):
    for progress in (0.0, 0.5, 1.0):
        picture = generator.render([point(0.2, -0.4, progress)])[0]
        assert picture.shape == (384, 384, 3)
        row, column = pixel(0.2 + progress, -0.4 + 0.5 * progress)
        np.testing.assert_allclose(picture[row, column], drawing.GOLD, atol=2)


def test_the_density_moves_with_progress(generator):
    def centre(progress: float) -> np.ndarray:
        blue = generator.render([point(-3.3, -3.3, progress)])[0][..., 2].astype(float)
        blue = np.clip(blue - 30, 0, None)[:330, 54:]  # without the mark
        rows, columns = np.indices(blue.shape)
        return np.array([(columns * blue).sum(), (rows * blue).sum()]) / blue.sum()

    moved = centre(1.0) - centre(0.0)
    scale = 384 / (2 * drawing.EXTENT)
    assert abs(moved[0] - scale) < 0.25 * scale
    assert moved[1] < -0.25 * scale  # up on the screen


def test_data_and_grid_are_shown_when_asked_for(generator):
    plain, data, grid = generator.render([point(2, -2), point(2, -2, data=1.0), point(2, -2, grid=1.0)])
    row, column = pixel(-2.0, 2.0)
    assert data[row, column, 0] > plain[row, column, 0] + 60
    assert (grid.astype(int) - plain > 20).mean() > 0.01


def test_the_same_point_gives_the_same_bytes_in_any_order(generator):
    first = generator.render([point(0.5, 0.5, 0.3)])
    generator.render([point(-1, 0.2, 0.8, 1.0, 1.0)])
    np.testing.assert_array_equal(first, generator.render([point(0.5, 0.5, 0.3)]))


def test_a_mark_outside_the_picture_is_no_fault(generator):
    assert generator.render([point(40.0, -40.0), point(1e6, 3.0)]).shape == (2, 384, 384, 3)


def test_the_folder_is_recognised_and_loads_what_was_saved(tmp_path):
    folder, network = toy_folder(tmp_path / "y")
    checkpoint = open_checkpoint(folder)
    assert toy.detect(checkpoint)
    loaded = toy.load(checkpoint).network.network
    for key, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[key], value)


def test_the_even_noise_is_standard_normal():
    noise = fixed_noise(20_000)
    torch.testing.assert_close(torch.cov(noise.T), torch.eye(2), atol=0.02, rtol=0)
    torch.testing.assert_close(noise.mean(0), torch.zeros(2), atol=0.02, rtol=0)


def test_a_splat_shares_each_point_among_four_pixels():
    points = torch.tensor([[0.013, -0.021], [9.0, 0.0]])
    plane = drawing.splat(points)
    assert abs(float(plane.sum()) - 1) < 1e-5  # the second lies outside
    assert int((plane > 0).sum()) <= 4


def test_doubling_is_bilinear_interpolation():
    planes = torch.rand(2, 5, 7)
    expected = torch.nn.functional.interpolate(planes[None], scale_factor=2, mode="bilinear")[0]
    torch.testing.assert_close(drawing.double(planes), expected)
