"""What Compare says of two models: what they share, and which samples are drawn of them."""

from __future__ import annotations

import numpy as np

from igm_gui.gui.compare.lineup import details, parameters_text, sample_points, sharing, time_text
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import conform, point_from_seed


def model(name: str, size: int, *classes: str, distance: str = "") -> GeneratorInfo:
    inputs = [InputSpec("z", "latent", shape=(size,))]
    if classes:
        inputs.append(InputSpec("label", "label", classes=classes))
    output = OutputSpec("image", 28, 28, 1)
    return GeneratorInfo(name, "fashion", output, tuple(inputs), distance=distance)


def test_same_numbers_where_the_shapes_agree() -> None:
    a, b = model("a", 8, "coat", "bag"), model("b", 8, "coat", "bag")
    point = point_from_seed(a, 3, 1)
    assert sharing(point, a, b)[0] == "same z · same class"
    assert conform(point, b).vector("z") == point.vector("z")


def test_same_seed_where_they_do_not() -> None:
    a, b = model("a", 8), model("b", 5)
    point = point_from_seed(a, 3)
    assert sharing(point, a, b)[0] == "same seed, not paired"
    assert conform(point, b).vector("z") == point_from_seed(b, 3).vector("z")


def test_a_point_set_by_hand_has_no_seed_to_share() -> None:
    a, b = model("a", 8), model("b", 5)
    point = point_from_seed(a, 3)
    by_hand = type(point)(point.values, None)
    words, why = sharing(by_hand, a, b)
    assert words == "seed 0, not paired"
    assert "no seed" in why
    assert conform(by_hand, b).vector("z") == point_from_seed(b, 0).vector("z")


def test_classes_of_other_names_are_named() -> None:
    a, b = model("a", 8, "coat", "bag"), model("b", 8, "cat", "dog")
    assert sharing(point_from_seed(a, 3, 1), a, b)[0] == "same z · class dog"
    c = model("c", 8, "one", "two", "three")
    assert sharing(point_from_seed(a, 3, 1), a, c)[0] == "same z · class one"


def test_texts() -> None:
    info = model("a", 8, distance="Wasserstein-1")
    assert details(info) == "fashion · Wasserstein-1 · image 28×28 grey"
    assert [time_text(s) for s in (0.00004, 0.0021, 0.118)] == ["0.04 ms", "2.1 ms", "118 ms"]
    assert [parameters_text(n) for n in (0, 12, 45_300, 1_120_000)] == ["", "12", "45 k", "1.1 M"]


def test_samples_count_on_from_the_seed_and_take_the_classes_in_turn() -> None:
    info = model("a", 8, "coat", "bag")
    base = point_from_seed(info, 99, 1)
    held = sample_points(info, base, 10, every_class=False)
    assert [held(i).seed for i in range(3)] == [10, 11, 12]
    assert all(held(i).vector("label")[1] == 1 for i in range(3))
    turning = sample_points(info, base, 10, every_class=True)
    assert [int(np.argmax(turning(i).vector("label").array)) for i in range(4)] == [0, 1, 0, 1]
    assert turning(1).vector("z") == held(1).vector("z")
