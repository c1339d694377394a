"""Files made to do harm, or damaged, in every format but pickles (test_hostile_pickles.py) and ONNX
(tests/generators/test_onnx.py): each is refused with a sentence, quickly, without much memory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.generators import registry
from igm_gui.paths import models_folder


def refused(path):
    with pytest.raises(ModelError) as refusal:
        registry.load(str(path))
    error = refusal.value
    assert error.message.endswith((".", ")"))
    assert len(error.message) > 15
    assert "Traceback" not in error.message


# -- things that are no model at all

JUNK = {
    "empty": b"",
    "one byte": b"\x00",
    "text": b"hello world\n" * 50,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "elf": b"\x7fELF" + bytes(100),
    "html": b"<!DOCTYPE html><html></html>",
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "random": np.random.RandomState(0).bytes(5000),
    "zip start": b"PK\x03\x04",
    "zip end only": b"PK\x05\x06" + bytes(18),
    "pickle start": b"\x80\x04",
    "legacy start": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
    "git lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
}
ENDINGS = ("pkl", "pt", "pth", "safetensors", "onnx", "ts", "pt2", "bin")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", sorted(JUNK))
def test_junk_under_every_name(tmp_path, name, ending):
    path = tmp_path / f"model.{ending}"
    path.write_bytes(JUNK[name])
    refused(path)


def test_no_such_file(tmp_path):
    refused(tmp_path / "nothing.pt")


def test_an_empty_folder(tmp_path):
    refused(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files on Windows")
def test_a_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("model.pt")
        refused(tmp_path / "model.pt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "model.pt")
    refused(tmp_path / "model.pt")


def test_a_link_to_nothing(tmp_path):
    (tmp_path / "model.pt").symlink_to(tmp_path / "gone")
    refused(tmp_path / "model.pt")


# -- safetensors


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


HEADERS = {
    "claims a terabyte": safetensors({"w": entry([1 << 19, 1 << 19], 0, 1 << 40)}),
    "header longer than the file": struct.pack("<Q", 1 << 60) + b"{}",
    "header of a gigabyte": struct.pack("<Q", 1 << 30) + b"{}" * 10,
    "not json": safetensors(b"nonsense"),
    "a list": safetensors([1, 2, 3]),
    "a number": safetensors(b"5"),
    "entry is a number": safetensors({"w": 5}),
    "no shape": safetensors({"w": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    "shape is a word": safetensors({"w": entry("abc", 0, 4)}, bytes(4)),
    "negative shape": safetensors({"w": entry([-1, 4], 0, 16)}, bytes(16)),
    "negative offset": safetensors({"w": entry([1], -4, 0)}),
    "offsets backwards": safetensors({"w": entry([1], 4, 0)}, bytes(4)),
    "size does not fit": safetensors({"w": entry([3], 0, 4)}, bytes(4)),
    "unknown type": safetensors({"w": entry([1], 0, 4, "X99")}, bytes(4)),
    "overlapping": safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
    "hole": safetensors({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
    "bytes after the end": safetensors({"a": entry([1], 0, 4)}, bytes(64)),
    "deep nesting": safetensors(b"[" * 100_000 + b"]" * 100_000),
    "huge number": safetensors(
        b'{"w": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 4]}}', bytes(4)
    ),
    "empty": safetensors({}),
    "metadata only": safetensors({"__metadata__": {"a": "b"}}),
    "not utf-8": safetensors(b'{"\xff\xfe": 1}'),
}


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_safetensors_headers(tmp_path, name):
    (tmp_path / "model.safetensors").write_bytes(HEADERS[name])
    refused(tmp_path / "model.safetensors")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_numbers(tmp_path, bad):
    weight = torch.zeros(8, 4)
    weight[3, 1] = bad
    save_file({"0.weight": weight, "1.weight": torch.zeros(64, 8)}, str(tmp_path / "m.safetensors"))
    refused(tmp_path / "m.safetensors")


# -- torch archives


def generator():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 64), nn.Tanh())


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """The archive with ``change(name, data)`` applied; None drops an entry."""
    with zipfile.ZipFile(path) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            kept = change(name, data)
            if kept is not None:
                archive.writestr(*kept)


CHANGES = {
    "no data.pkl": lambda n, d: None if n.endswith("data.pkl") else (n, d),
    "empty data.pkl": lambda n, d: (n, b"" if n.endswith("data.pkl") else d),
    "data.pkl runs a program": lambda n, d: (
        n,
        b"cos\nsystem\n(S'true'\ntR." if n.endswith("data.pkl") else d,
    ),
    "data.pkl is cut": lambda n, d: (n, d[: len(d) // 2] if n.endswith("data.pkl") else d),
    "no storages": lambda n, d: None if "/data/" in n else (n, d),
    "storages cut": lambda n, d: (n, d[: len(d) // 2] if "/data/" in n else d),
    "leaves its folder": lambda n, d: ("../" + n, d),
    "absolute": lambda n, d: ("/" + n, d),
    "backslashes": lambda n, d: ("..\\" + n, d),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_torch_archives_changed(tmp_path, name):
    torch.save(generator().state_dict(), tmp_path / "m.pt")
    rewrite(tmp_path / "m.pt", CHANGES[name])
    refused(tmp_path / "m.pt")


def test_a_bomb_in_an_archive(tmp_path):
    torch.save(generator().state_dict(), tmp_path / "m.pt")
    big = lambda n, d: (n, bytes(100_000_000) if n.endswith("data/0") else d)  # noqa: E731
    rewrite(tmp_path / "m.pt", big, zipfile.ZIP_DEFLATED)
    refused(tmp_path / "m.pt")


def test_ten_thousand_entries(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        for i in range(10_000):
            archive.writestr(f"m/{i}", b"")
    refused(tmp_path / "m.pt")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("part", [1, 4, 16, 100, 400, 1000, -200, -1])
def test_torch_files_cut_short(tmp_path, part, legacy):
    path = tmp_path / "m.pt"
    torch.save(generator().state_dict(), path, _use_new_zipfile_serialization=not legacy)
    path.write_bytes(path.read_bytes()[:part])
    refused(path)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["zip", "legacy", "safetensors"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bits_give_a_generator_or_a_sentence(tmp_path_factory, kind, flips):
    folder = tmp_path_factory.mktemp("flip")
    path = folder / ("m.safetensors" if kind == "safetensors" else "m.pt")
    if kind == "safetensors":
        save_file(generator().state_dict(), str(path))
    else:
        torch.save(generator().state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    data = bytearray(path.read_bytes())
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    path.write_bytes(bytes(data))
    with contextlib.suppress(ModelError):
        registry.load(str(path))


# -- model folders

CARD = {
    "name": "m", "family": "uniform", "output": {"media": "image", "height": 4, "width": 4},
    "inputs": [{"name": "z", "kind": "latent", "shape": [4, 4, 1], "prior": "uniform"}],
}  # fmt: skip


def with_card(**changes):
    return {key: value for key, value in {**CARD, **changes}.items() if value is not ...}


CARDS = {
    "not json": b"{",
    "a list": b"[]",
    "not utf-8": b'{"name": "\xff"}',
    "deep": b"[" * 50_000,
    "no name": with_card(name=...),
    "no family": with_card(family=...),
    "no output": with_card(output=...),
    "no inputs": with_card(inputs=...),
    "name is a number": with_card(name=5),
    "unknown family": with_card(family="os.system"),
    "unknown field": with_card(colour="red"),
    "newer format": with_card(format=99),
    "no such media": with_card(output={"media": "smell"}),
    "size zero": with_card(output={"media": "image", "height": 0, "width": 4}),
    "size huge": with_card(output={"media": "image", "height": 1 << 30, "width": 4}),
    "two channels": with_card(output={"media": "image", "height": 4, "width": 4, "channels": 2}),
    "range backwards": with_card(output={"media": "image", "height": 4, "width": 4, "low": 1, "high": -1}),
    "sound without rate": with_card(output={"media": "sound"}),
    "latent without shape": with_card(inputs=[{"name": "z", "kind": "latent"}]),
    "latent of a thousand million": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [1 << 30]}]),
    "latent of minus one": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [-1]}]),
    "label without classes": with_card(inputs=[{"name": "l", "kind": "label"}]),
    "default outside": with_card(inputs=[{"name": "s", "kind": "scalar", "default": 7}]),
    "two of a name": with_card(inputs=CARD["inputs"] * 2),
    "no such kind": with_card(inputs=[{"name": "z", "kind": "telepathy"}]),
    "inputs is a word": with_card(inputs="z"),
    "direction of another size": with_card(directions=[{"name": "d", "input": "z", "vector": [1]}]),
    "weights family without weights": with_card(family="fashion"),
}


@pytest.mark.parametrize("name", sorted(CARDS))
def test_cards(tmp_path, name):
    card = CARDS[name]
    (tmp_path / "card.json").write_bytes(card if isinstance(card, bytes) else json.dumps(card).encode())
    refused(tmp_path)


def test_a_card_of_nine_megabytes(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(with_card(description="x" * 9_000_000)))
    refused(tmp_path)


BUNDLED = sorted(p.name for p in models_folder().iterdir() if (p / "model.safetensors").is_file())


@pytest.mark.parametrize("model", BUNDLED)
@pytest.mark.parametrize("damage", ["cut", "other", "missing key", "other shape", "nan"])
def test_bundled_families_with_damaged_weights(tmp_path, model, damage):
    from safetensors.torch import load_file

    source = models_folder() / model
    (tmp_path / "card.json").write_bytes((source / "card.json").read_bytes())
    target = tmp_path / "model.safetensors"
    data = (source / "model.safetensors").read_bytes()
    tensors = load_file(str(source / "model.safetensors"))
    first = next(key for key, tensor in tensors.items() if tensor.is_floating_point() and tensor.ndim)
    if damage == "cut":
        target.write_bytes(data[: len(data) // 2])
    elif damage == "other":
        save_file({"nothing": torch.zeros(3)}, str(target))
    else:
        if damage == "missing key":
            del tensors[first]
        elif damage == "other shape":
            tensors[first] = torch.zeros(*(side + 1 for side in tensors[first].shape))
        else:
            tensors[first] = torch.full_like(tensors[first], float("nan"))
        save_file(tensors, str(target))
    refused(tmp_path)


def test_memory_stays_near_the_files_size(tmp_path):
    """A file that claims much takes little: the peak is measured over the worst headers."""
    import tracemalloc

    tracemalloc.start()
    for name in ("claims a terabyte", "header of a gigabyte", "deep nesting"):
        path = Path(tmp_path / "m.safetensors")
        path.write_bytes(HEADERS[name])
        refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
