"""Points, vectors and the drawing of latents."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from igm_gui.errors import InputError
from igm_gui.info import Direction, GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, check, conform, one_hot, point_from_seed, stack
from igm_gui.latent.priors import MAX_SEED, clip_range, draw
from igm_gui.latent.vector import Vector

INFO = GeneratorInfo(
    "faces",
    "style",
    OutputSpec("image", 8, 8, 3),
    (
        InputSpec("z", "latent", shape=(16,)),
        InputSpec("label", "label", classes=("cat", "dog", "fox")),
        InputSpec("truncation", "scalar", minimum=0, maximum=2, default=1),
        InputSpec("noise_seed", "seed"),
        InputSpec("extra", "latent", shape=(2, 3), prior="uniform"),
    ),
    directions=(Direction("smile", "z", (1.0,) + (0.0,) * 15),),
)


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3, max_side=5)))
def test_a_vector_is_its_bits(array):
    vector = Vector(array)
    assert vector == Vector(array.copy())
    assert hash(vector) == hash(Vector(array.copy()))
    assert pickle.loads(pickle.dumps(vector)) == vector
    assert vector.array.tobytes() == array.tobytes()


def test_nothing_that_is_still_held_changes_a_vector():
    array = np.zeros(3, np.float32)
    vector = Vector(array)
    array[0] = 1
    assert vector[0] == 0
    with pytest.raises(ValueError):
        vector.array[0] = 1


def test_vectors_of_other_shapes_or_signs_of_zero_differ():
    assert Vector(np.zeros(4)) != Vector(np.zeros((2, 2)))
    assert Vector([0.0]) != Vector([-0.0])


def test_replace_changes_one_or_many_flat_places():
    vector = Vector(np.zeros((2, 2)))
    assert vector.replace(3, 5).array.tolist() == [[0, 0], [0, 5]]
    assert vector.replace([0, 1], [1, 2]).array.tolist() == [[1, 2], [0, 0]]
    assert vector.array.sum() == 0


@given(st.integers(0, MAX_SEED))
def test_a_normal_latent_is_the_fields_own(seed):
    spec = InputSpec("z", "latent", shape=(5,))
    want = np.random.RandomState(seed).randn(5).astype(np.float32)
    assert draw(spec, seed).tobytes() == want.tobytes()


@given(st.integers(0, MAX_SEED), st.integers(0, MAX_SEED))
def test_what_was_drawn_before_changes_nothing(first, second):
    spec, uniform = (
        InputSpec("z", "latent", shape=(3,)),
        InputSpec("u", "latent", shape=(3,), prior="uniform"),
    )
    fresh = draw(spec, second)
    draw(spec, first)  # an odd count leaves half a pair of normals behind
    draw(uniform, first)
    assert draw(spec, second).tobytes() == fresh.tobytes()


def test_priors_have_their_supports():
    uniform = draw(InputSpec("z", "latent", shape=(4000,), prior="uniform"), 1)
    assert -1 <= uniform.min() < -0.99
    assert 0.99 < uniform.max() <= 1
    sphere = draw(InputSpec("z", "latent", shape=(64,), prior="sphere"), 1)
    assert np.linalg.norm(sphere) == pytest.approx(8.0, rel=1e-5)
    assert clip_range(InputSpec("z", "latent", shape=(1,))) == (-3.0, 3.0)


def test_a_seed_gives_the_same_point_for_ever():
    point = point_from_seed(INFO, 7)
    assert point == point_from_seed(INFO, 7)
    assert point != point_from_seed(INFO, 8)
    assert point.seed == 7
    assert point.vector("z").array.tobytes() == np.random.RandomState(7).randn(16).astype("f4").tobytes()
    assert point.vector("label") == one_hot(3, 0)
    assert point.scalar("truncation") == 1.0
    check(point, INFO)


def test_a_class_is_chosen_by_number():
    assert point_from_seed(INFO, 0, 2).vector("label") == one_hot(3, 2)
    for wrong in (3, -1):
        with pytest.raises(InputError, match=r"no class.*cat, dog, fox"):
            point_from_seed(INFO, 0, wrong)


def test_conform_keeps_what_fits_and_draws_the_rest():
    other = LatentPoint(
        (
            ("z", Vector(np.ones(16))),
            ("label", Vector([1.0, 0.0])),
            ("stranger", 3.0),
            ("direction:smile", 1.5),
            ("direction:frown", 1.5),
        ),
        11,
    )
    made = conform(other, INFO)
    check(made, INFO)
    assert made.vector("z") == Vector(np.ones(16))
    assert made.vector("label") == one_hot(3, 0)
    assert made.get("stranger") is None
    assert made.scalar("direction:smile") == 1.5
    assert made.get("direction:frown") is None
    assert made.vector("extra") == point_from_seed(INFO, 11).vector("extra")
    assert conform(made, INFO) == made


def test_conform_says_the_seed_of_a_latent_it_drew():
    made = conform(LatentPoint((("z", Vector([1.0])),), None), INFO)
    assert made.seed == 0
    assert made.vector("z") == point_from_seed(INFO, 0).vector("z")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("z", 1.0, "needs numbers of shape"),
        ("z", Vector(np.ones(3)), "needs shape"),
        ("z", Vector(np.full(16, np.nan)), "not finite"),
        ("label", Vector([2.0, 0.0, 0.0]), "sum to 1"),
        ("label", Vector([1.5, -0.5, 0.0]), "sum to 1"),
        ("truncation", Vector([1.0]), "one number"),
        ("truncation", float("inf"), "not a finite number"),
        ("noise_seed", -1, "a seed from 0"),
    ],
)
def test_check_says_what_does_not_fit(name, value, why):
    point = point_from_seed(INFO, 0).with_value(name, value)
    with pytest.raises(InputError, match=f"{name} of faces.*{why}"):
        check(point, INFO)


def test_check_names_a_missing_input():
    with pytest.raises(InputError, match="z of faces is missing"):
        check(LatentPoint(), INFO)


def test_stack_puts_points_along_a_first_axis():
    points = [point_from_seed(INFO, i) for i in range(3)]
    assert stack(points, "extra").shape == (3, 2, 3)
    assert stack(points, "truncation").tolist() == [1, 1, 1]
    with pytest.raises(InputError, match="Input w is missing"):
        stack(points, "w")
