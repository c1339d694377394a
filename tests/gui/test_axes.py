"""Axes of the latent plane, by arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from igm_gui.gui.explore.axes import axes_of, coordinate, place, random_lines
from igm_gui.info import InputSpec
from igm_gui.latent.point import point_from_seed
from tests.gui.fakes import TOY

NAMED = replace(
    TOY, directions=(), inputs=(InputSpec("z", "latent", shape=(3,), dimensions=("attack", "decay", "tone")),)
)
BIG = replace(TOY, directions=(), inputs=(InputSpec("z", "latent", shape=(512,)),))


def test_directions_come_first_and_random_lines_last() -> None:
    titles = [axis.title for axis in axes_of(TOY)]
    assert titles[:2] == ["tilt", "glow"]
    assert titles[-2:] == ["random 1", "random 2"]
    assert "z 3" in titles


def test_many_unnamed_dimensions_are_not_listed() -> None:
    assert [axis.title for axis in axes_of(BIG)] == ["random 1", "random 2"]


def test_a_plane_of_two_dimensions() -> None:
    x, y = axes_of(NAMED)[:2]
    assert (x.title, y.title) == ("attack", "decay")
    base = point_from_seed(NAMED, 3)
    point = place(NAMED, base, (x, y), np.zeros((2, 0), np.float32), (1.5, -2.0))
    assert point.vector("z").array[:2].tolist() == [1.5, -2.0]
    assert point.vector("z")[2] == base.vector("z")[2]
    assert point.seed is None
    assert coordinate(NAMED, point, x) == 1.5
    assert coordinate(NAMED, point, y) == -2.0


def test_random_lines_are_orthogonal_and_as_long_as_half_a_sample() -> None:
    spec = BIG.inputs[0]
    lines = random_lines(spec, 7)
    assert float(lines[0] @ lines[1]) == pytest.approx(0, abs=1e-3)
    assert np.linalg.norm(lines, axis=1) == pytest.approx([np.sqrt(512) / 2] * 2, rel=1e-5)
    assert (random_lines(spec, 7) == lines).all()
    assert not (random_lines(spec, 8) == lines).all()


def test_the_middle_of_a_random_plane_is_the_point_itself() -> None:
    x, y = axes_of(BIG)
    base = point_from_seed(BIG, 3)
    assert place(BIG, base, (x, y), random_lines(BIG.inputs[0], 1), (0.0, 0.0)) == base
    assert coordinate(BIG, base, x) is None
