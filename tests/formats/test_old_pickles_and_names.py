"""Pickles of protocol 0 and 1 are pickles; names that are no UTF-8 are names; what training scripts keep
beside their weights is no reason to refuse them."""

from __future__ import annotations

import collections
import os
import pickle
import sys
import tracemalloc
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from igm_gui.api import load, make_point
from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.checkpoint import open_checkpoint
from igm_gui.formats.contents import describe
from igm_gui.formats.hashes import cached_sha256
from igm_gui.formats.pickle_scan import is_pickle, scan
from igm_gui.formats.torch_file import read_torch

sys.path.insert(0, str(Path(__file__).parent))
from hostile_pickles import CALLS, called

NAME = b"caf\xe9"  # Latin-1, as old disks and archives have names


def generator() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 300), nn.LeakyReLU(0.2), nn.Linear(300, 784), nn.Tanh())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_of_any_protocol_is_named_as_one(tmp_path: Path, name: str, protocol: int) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(called(name, protocol, True)(tmp_path / "ran"))
    assert open_checkpoint(path).kind == "pickle"
    found = describe(path)
    assert found.kind == "pickle"
    assert found.globals
    with pytest.raises(ModelError) as refusal:
        load(path)
    assert "plain text" not in refusal.value.message
    assert "not a model" not in refusal.value.message
    assert not (tmp_path / "ran").exists()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.integers(0, 5))
def test_every_pickle_is_known_as_one(
    tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    path.write_bytes(pickle.dumps([value, collections.OrderedDict(a=1)], protocol))
    assert is_pickle(path, path.read_bytes()[:32])


@pytest.mark.parametrize(
    "text", ["Notes on models.", "I am happy.\n", "(see above).", "cat\nfoo\nbar", "N.", "X.", "0000.", "c."]
)
def test_text_is_no_pickle(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.pkl"
    path.write_text(text)
    assert not is_pickle(path, text.encode()[:32]) or scan(text.encode()).opcodes == 2
    with pytest.raises(ModelError):
        load(path)


@pytest.mark.parametrize("start", [b"\x80\x02", b"("])
def test_a_pickle_of_endless_instructions_is_told_soon(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(start + b"N" * 2_500_000 + b".")  # each look at a million takes a second or two
    with pytest.raises(ModelError, match="instructions"):
        open_checkpoint(path).pickled  # noqa: B018


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xfcr dich"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has no such names")
    return folder


def named(folder: Path, ending: str) -> Path:
    return folder / os.fsdecode(NAME + ending.encode())


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_a_name_that_is_no_utf8_opens(odd: Path, ending: str) -> None:
    path = named(odd, ending)
    weights = generator().state_dict()
    weights["0.weight"] = weights["0.weight"].contiguous()
    if ending == ".pt":
        torch.save(weights, path)
    else:
        save_file(weights, str(odd.parent / "plain.safetensors"))
        (odd.parent / "plain.safetensors").rename(path)
    opened = load(path)
    assert opened.info.name == "caf\N{REPLACEMENT CHARACTER}"
    assert len(opened.sample(seed=0, n=1)) == 1


def test_an_onnx_file_of_such_a_name_opens(odd: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    made = helper.make_graph(
        [helper.make_node("Tanh", ["z"], ["out"])],
        "g",
        [helper.make_tensor_value_info("z", 1, ["N", 64])],
        [helper.make_tensor_value_info("out", 1, ["N", 64])],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for path in (named(odd, ".onnx"), odd / "plain.onnx"):
        path.write_bytes(model.SerializeToString())
        opened = load(path)
        assert opened.render(make_point(opened.info, 0)).size == 64


def test_hashes_and_answers_of_such_names_are_remembered(odd: Path) -> None:
    first, second = named(odd, ".a"), odd / os.fsdecode(b"caf\xe8.a")
    first.write_bytes(b"1" * 300_000)
    second.write_bytes(b"2" * 300_000)
    assert len({cached_sha256(first), cached_sha256(second), cached_sha256(first)}) == 2
    trust.trust("0" * 64, first.name)
    assert trust.trusted()["0" * 64] == "caf\N{REPLACEMENT CHARACTER}.a"


@pytest.mark.parametrize("legacy", [False, True])
def test_what_training_scripts_keep_is_read_as_plain_values(tmp_path: Path, legacy: bool) -> None:
    weights = generator().state_dict()
    path = tmp_path / "checkpoint.ckpt"
    beside = {
        "best": np.float32(1.5),
        "rng": np.random.RandomState(0).get_state(),
        "losses": np.arange(4.0),
        "folder": PurePosixPath("/data/runs"),
        "elsewhere": PureWindowsPath("C:/runs"),
        "G": weights,
    }
    torch.save(beside, path, _use_new_zipfile_serialization=not legacy)
    read = read_torch(path)
    assert all(torch.equal(read[name], tensor) for name, tensor in weights.items())


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"G": generator().state_dict(), "o": np.array([{}], dtype=object)}, path)
    with pytest.raises(ModelError):
        read_torch(path)


def test_a_blocked_name_is_told(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.system, ("true",)

    path = tmp_path / "checkpoint.pt"
    torch.save({"G": generator().state_dict(), "o": Evil()}, path)
    with pytest.raises(ModelError, match=r"asks for (posix|nt)\.system"):
        read_torch(path)


@pytest.mark.parametrize("kept", ["ema_model", "model_ema", "G_ema"])
def test_the_average_is_taken_beside_the_trained_weights(tmp_path: Path, kept: str) -> None:
    average, trained = generator().state_dict(), nn.Linear(8, 8).state_dict()
    flat = {f"online_model.{k}": v for k, v in trained.items()} | {
        f"{kept}.{k}": v for k, v in average.items()
    }
    torch.save({**flat, "initted": torch.tensor(True), "step": torch.tensor(5)}, tmp_path / "ema.pt")
    read = read_torch(tmp_path / "ema.pt")
    assert list(read) == list(average)


@pytest.mark.parametrize("inside", [b"[" + b"[]," * 3_000_000 + b"[]]", b"[" + b"{}," * 3_000_000 + b"{}]"])
def test_a_header_of_millions_of_lists_is_refused_before_it_is_read(tmp_path: Path, inside: bytes) -> None:
    header = b'{"a":' + inside + b"}"
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="header"):
            open_checkpoint(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 5 * len(header)  # as lists it would be twenty times its length
