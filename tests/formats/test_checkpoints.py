"""Weights on disk: cut short, not numbers, not weights at all."""

from __future__ import annotations

import json
import random
import shutil
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import open_checkpoint, read_header, read_tensors
from igm_gui.formats.files import sha256_of
from igm_gui.formats.plain_folder import model_at
from igm_gui.generators import registry
from igm_gui.paths import models_folder

TENSORS = {"a.weight": torch.randn(4, 3), "a.bias": torch.randn(4), "steps": torch.tensor([7])}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a small bundled model that has weights."""
    copy = tmp_path / "copy"
    shutil.copytree(models_folder() / "fashion-gan", copy)
    return copy


def test_the_header_tells_names_and_shapes(weights):
    assert read_header(weights) == {"a.weight": (4, 3), "a.bias": (4,), "steps": (1,)}


def test_tensors_come_as_float32_and_whole_numbers_stay(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({"w": torch.randn(3).half(), "n": torch.tensor([1, 2])}, str(path))
    tensors = read_tensors(path)
    assert tensors["w"].dtype == torch.float32
    assert tensors["n"].dtype == torch.int64


def test_weights_cut_anywhere_are_refused(weights):
    whole = weights.read_bytes()
    for length in random.Random(0).sample(range(len(whole)), 60):
        weights.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"cut short|bytes long|damaged"):
            read_tensors(weights)


def test_weights_with_bytes_too_many_are_refused(weights):
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="cut short or damaged"):
        read_tensors(weights)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_numbers_are_refused_by_name(value, tmp_path):
    path = tmp_path / "bad.safetensors"
    bad = torch.zeros(3)
    bad[1] = value
    save_file({"good": torch.zeros(3), "layer.bad": bad}, str(path))
    with pytest.raises(ModelError, match=r"not numbers.*layer\.bad"):
        read_tensors(path)


def header(raw: object) -> bytes:
    text = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        struct.pack("<Q", 2**63) + b"{}",
        header(b"{" * 50_000),
        header(b"\xff\xff"),
        header([]),
        header(7),
        header({"a": 3}),
        header({"a": {"shape": [2]}}),
        header({"a": {"shape": ["x"], "data_offsets": [0, 8]}}),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0]}}),
        header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
    ],
)
def test_hostile_headers_are_refused_before_anything_is_allocated(content, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        read_header(path)


def test_a_header_that_contradicts_itself_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(header({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 8]}}) + b"\0" * 8)
    with pytest.raises(ModelError, match="can't be read as safetensors"):
        read_tensors(path)


def test_a_folder_is_opened_by_its_name_its_card_or_its_weights(folder):
    for path in (folder, folder / "card.json", folder / "model.safetensors"):
        checkpoint = open_checkpoint(path)
        assert checkpoint.path == folder
        assert checkpoint.name == "fashion-gan"
        assert checkpoint.sha256 == sha256_of(folder / "model.safetensors")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        open_checkpoint(tmp_path / "missing")
    with pytest.raises(ModelError, match=r"card\.json"):
        open_checkpoint(tmp_path)
    empty = tmp_path / "empty.bin"
    empty.write_bytes(b"")
    with pytest.raises(ModelError, match="is empty"):
        open_checkpoint(empty)
    text = tmp_path / "notes.txt"
    text.write_text("not a model")
    with pytest.raises(ModelError):
        open_checkpoint(text)


def test_a_model_whose_weights_do_not_fit_its_card_says_which(folder):
    save_file(TENSORS, str(folder / "model.safetensors"))
    with pytest.raises(ModelError):
        registry.load(str(folder))


def test_a_card_of_an_unknown_family_names_the_known_ones(folder):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "family": "telepathy"}))
    with pytest.raises(ModelError, match="telepathy") as caught:
        registry.load(str(folder))
    assert "style" in caught.value.hint


def test_hyperparameters_of_the_wrong_kind_do_not_end_the_program(folder):
    card = json.loads((folder / "card.json").read_text())
    for wrong in ({}, {"channels": "many"}, {"width": -3}):
        (folder / "card.json").write_text(json.dumps({**card, "hyperparameters": wrong}))
        try:
            registry.load(str(folder))
        except ModelError as error:
            assert error.message  # noqa: PT017 - any other exception fails the test


def test_a_folder_that_is_no_model_says_what_is_in_it(tmp_path):
    def refusal():
        with pytest.raises(ModelError) as caught:
            open_checkpoint(tmp_path)
        return f"{caught.value.message} {caught.value.hint}"

    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.pt").touch()
    assert "holds no model" in refusal()
    assert "card.json" in refusal()
    (tmp_path / "network.pkl").write_bytes(b"weights")
    assert "Open network.pkl" in refusal()
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text("{}")
    assert "a, b, c and 1 more" in refusal()


def test_a_folder_that_may_not_be_looked_into_is_no_model(tmp_path):
    """To whom nothing is forbidden (root) it is an empty one."""
    (tmp_path / "lost+found").mkdir(mode=0)
    (tmp_path / "network.pkl").write_bytes(b"weights")
    with pytest.raises(ModelError) as caught:
        open_checkpoint(tmp_path)
    assert "Open network.pkl" in caught.value.hint
    for name in ("x" * 300, "a\0b"):  # no file can be called that
        path = tmp_path / name / "card.json"
        assert model_at(path) == path
