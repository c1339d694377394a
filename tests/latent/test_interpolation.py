"""Ways between points: exact ends, lengths kept, symmetric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from igm_gui.latent.interpolate import between, lerp, plane, slerp
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector

SIZES = st.integers(2, 48)
FRACTIONS = st.floats(0, 1, allow_nan=False)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(SIZES),)
    values = st.floats(-4, 4, width=32)
    return draw(hnp.arrays(np.float32, shape, elements=values)), draw(
        hnp.arrays(np.float32, shape, elements=values)
    )


@pytest.mark.parametrize("path", [lerp, slerp])
@given(pair=pairs())
def test_the_ends_are_exact(path, pair):
    a, b = pair
    assert path(a, b, 0.0).tobytes() == a.tobytes()
    assert path(a, b, 1.0).tobytes() == b.tobytes()


@pytest.mark.parametrize("path", [lerp, slerp])
@given(pair=pairs(), t=FRACTIONS)
def test_there_and_back_is_the_same_way(path, pair, t):
    a, b = pair
    np.testing.assert_allclose(path(a, b, t), path(b, a, 1.0 - t), atol=2e-4)


@given(pair=pairs(), t=FRACTIONS)
def test_slerp_keeps_the_length_between_those_of_the_ends(pair, t):
    a, b = (x.astype(np.float64) for x in pair)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    assume(min(lengths) > 1e-2)
    angle = np.arccos(np.clip(np.dot(a, b) / (lengths[0] * lengths[1]), -1, 1))
    assume(1e-2 < angle < np.pi - 1e-2)
    made = np.linalg.norm(slerp(*pair, t))
    assert made == pytest.approx((1 - t) * lengths[0] + t * lengths[1], rel=1e-3, abs=1e-3)


@given(pair=pairs(), t=FRACTIONS)
def test_slerp_turns_in_proportion_to_the_fraction(pair, t):
    a, b = (x.astype(np.float64) for x in pair)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    assume(min(lengths) > 1e-1)
    angle = np.arccos(np.clip(np.dot(a, b) / (lengths[0] * lengths[1]), -1, 1))
    assume(5e-2 < angle < np.pi - 5e-2)
    made = slerp(*pair, t).astype(np.float64)
    turned = np.arccos(np.clip(np.dot(a, made) / (lengths[0] * np.linalg.norm(made)), -1, 1))
    assert turned == pytest.approx(t * angle, abs=2e-3)


@given(pair=pairs(), t=FRACTIONS)
def test_every_way_is_finite_float32_of_the_same_shape(pair, t):
    for path in (lerp, slerp):
        made = path(*pair, t)
        assert made.dtype == np.float32
        assert made.shape == pair[0].shape
        assert np.isfinite(made).all()


def test_slerp_serves_opposite_equal_and_zero_vectors():
    a = np.array([1, 2, 3], np.float32)
    np.testing.assert_allclose(slerp(a, -a, 0.25), 0.5 * a)
    np.testing.assert_allclose(slerp(a, a, 0.3), a)
    np.testing.assert_allclose(slerp(a, 0 * a, 0.5), 0.5 * a)


def point(seed: int, **values: object) -> LatentPoint:
    z = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
    return LatentPoint((("z", Vector(z)), *values.items()), seed)


def test_between_gives_the_ends_themselves():
    a, b = point(1, truncation=0.5), point(2, truncation=1.0)
    assert between(a, b, 0.0) is a
    assert between(a, b, 1.0) is b
    assert between(a, point(1, truncation=0.5), 0.4) is a


def test_between_takes_each_kind_of_value_its_own_way():
    a = point(1, label=Vector([1, 0, 0]), truncation=0.5, noise_seed=3)
    b = point(2, label=Vector([0, 0, 1]), truncation=1.0, noise_seed=9)
    made = between(a, b, 0.25)
    assert made.seed is None
    assert made.vector("z") == Vector(slerp(a.vector("z").array, b.vector("z").array, 0.25))
    np.testing.assert_allclose(made.vector("label").array, [0.75, 0, 0.25])
    assert made.scalar("truncation") == 0.625
    assert made.get("noise_seed") == 3
    assert between(a, b, 0.75).get("noise_seed") == 9


def test_between_points_of_different_models_takes_the_nearer_one():
    a, b = point(1), LatentPoint((("z", Vector(np.ones(3))), ("pitch", 60.0)), 5)
    assert between(a, b, 0.2).vector("z") == a.vector("z")
    assert between(a, b, 0.8).vector("z") == b.vector("z")
    assert between(a, b, 0.2).get("pitch") is None
    assert between(a, b, 0.8).get("pitch") == 60.0


def test_a_direction_that_one_end_lacks_counts_as_zero_there():
    a, b = point(1), point(2).with_value("direction:smile", 2.0)
    assert between(a, b, 0.25).scalar("direction:smile") == pytest.approx(0.5)
    assert between(b, a, 0.25).scalar("direction:smile") == pytest.approx(1.5)


def test_a_plane_has_its_corners_at_its_corners():
    corners = tuple(point(i) for i in range(4))
    assert plane(corners, 0, 0) == corners[0]
    assert plane(corners, 1, 0) == corners[1]
    assert plane(corners, 0, 1) == corners[2]
    assert plane(corners, 1, 1) == corners[3]
