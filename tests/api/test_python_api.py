"""``import igm_gui; igm_gui.load(...).sample(...)``."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import igm_gui
from igm_gui.errors import InputError, ModelError


@pytest.fixture(scope="module")
def fashion() -> igm_gui.Generator:
    return igm_gui.load("fashion-gan", "cpu")


def test_pictures_from_seeds(fashion):
    pictures = fashion.sample(seed=3, n=5)
    assert pictures.shape == (5, 28, 28, 1)
    assert pictures.dtype == np.uint8
    assert (pictures[1:] != pictures[0]).any()


def test_the_same_seed_gives_the_same_bytes(fashion):
    assert fashion.sample(seed=3, n=5).tobytes() == fashion.sample(seed=3, n=5).tobytes()


def test_batches_change_nothing_to_see(fashion):
    one, many = fashion.sample(seed=3, n=5, batch=2), fashion.sample(seed=3, n=5)
    np.testing.assert_allclose(one.astype(int), many.astype(int), atol=1)


def test_a_class_by_number_or_name(fashion):
    by_name = fashion.sample(seed=1, n=2, label="Trousers")
    assert (by_name == fashion.sample(seed=1, n=2, label=1)).all()
    assert (by_name == fashion.sample(seed=1, n=2, label="1")).all()
    assert (by_name != fashion.sample(seed=1, n=2, label=7)).any()


@pytest.mark.parametrize("label", ["umbrella", 10, -1, "-1", "10"])
def test_a_class_that_is_none_lists_those_that_are(fashion, label):
    with pytest.raises(InputError, match="no class") as caught:
        fashion.sample(label=label)
    assert "trousers" in caught.value.hint


def test_a_truncation_it_does_not_have(fashion):
    with pytest.raises(InputError, match="no truncation"):
        fashion.sample(truncation=0.7)


def test_points_can_be_rendered_one_or_many(fashion):
    a, b = fashion.point(seed=1), fashion.point(seed=2, label="bag")
    both = fashion.render([a, b])
    np.testing.assert_allclose(both[0].astype(int), fashion.render(a)[0].astype(int), atol=1)
    assert both.shape[0] == 2
    with pytest.raises(InputError):
        fashion.render(igm_gui.LatentPoint())


def test_sound_from_seeds():
    generator = igm_gui.load("additive", "cpu")
    sounds = generator.sample(seed=1, n=2)
    assert sounds.dtype == np.float32
    assert sounds.shape == (2, 1, generator.info.output.samples)
    assert 0.001 < np.abs(sounds).max() <= 1.0


def test_a_model_that_is_none():
    with pytest.raises(ModelError, match="no model called"):
        igm_gui.load("nonsense")


def test_importing_the_package_imports_neither_torch_nor_qt():
    code = "import igm_gui, sys; print([m for m in ('torch', 'PySide6', 'av', 'PIL') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": -1}, "n is -1"),
        ({"n": 2.5}, r"n is 2\.5"),
        ({"batch": 0}, "batch is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"seed": 1.5}, r"seed is 1\.5"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"seed": 2**32 - 1, "n": 2}, "last seed"),
        ({"label": 3.7}, r"label is 3\.7"),
    ],
)
def test_numbers_that_are_none_are_told(fashion, asked, words):
    with pytest.raises(InputError, match=words):
        fashion.sample(**asked)
    if "seed" in asked and "n" not in asked:
        with pytest.raises(InputError, match=words):
            fashion.point(asked["seed"])


@pytest.mark.parametrize("psi", ["x", float("nan"), float("inf"), [1]])
def test_a_truncation_that_is_no_number(psi):
    with pytest.raises(InputError, match="truncation is"):
        igm_gui.load("emoji-64", "cpu").point(truncation=psi)


def test_numbers_of_numpy_are_welcome(fashion):
    picked = fashion.sample(seed=np.uint32(2**32 - 1), n=np.int64(1), label=np.int64(2))
    assert (picked == fashion.sample(seed=2**32 - 1, n=1, label=2)).all()


def test_what_is_no_point_is_told(fashion):
    with pytest.raises(InputError, match="no point to render"):
        fashion.render([])
    with pytest.raises(InputError, match="ndarray is no point"):
        fashion.render([np.zeros(64)])


def test_a_model_by_its_path_and_what_is_no_model(fashion):
    from pathlib import Path

    assert igm_gui.load(Path(fashion.info.path), "cpu").info.sha256 == fashion.info.sha256
    with pytest.raises(ModelError, match="None is no model"):
        igm_gui.load(None)
    with pytest.raises(ModelError) as caught:
        igm_gui.load("Fashon-gan")
    assert caught.value.hint.startswith("Did you mean fashion-gan?")
    with pytest.raises(ModelError) as caught:
        igm_gui.load("nothing-of-the-kind")
    assert "Did you mean" not in caught.value.hint
