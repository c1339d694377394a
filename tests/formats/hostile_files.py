"""Files made to do harm, or damaged, in every format but plain pickles. Each case writes what it is made of
into a folder and answers the path that is then opened."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save, save_file
from torch import nn

from igm_gui.paths import models_folder

Case = Callable[[Path], Path]

JUNK = {
    "empty": b"",
    "one byte": b"\x00",
    "text": b"hello world\n" * 50,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "tar": b"model/data.pkl" + bytes(86) + b"0000644\0" + bytes(404),
    "elf": b"\x7fELF" + bytes(100),
    "windows program": b"MZ" + bytes(100),
    "script": b"#!/bin/sh\ntouch ran\n",
    "html": b"<!DOCTYPE html><html></html>",
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "gguf": b"GGUF\x03\x00\x00\x00" + bytes(100),
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


def file(name: str, content: bytes) -> Case:
    """One file of this content."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


# -- safetensors


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape: Any, start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


HEADERS = {
    "seven bytes": b"1234567",
    "claims a terabyte": safetensors({"w": entry([1 << 19, 1 << 19], 0, 1 << 40)}),
    "shape overflows": safetensors({"w": entry([1 << 32, 1 << 32, 1 << 32], 0, 4)}, bytes(4)),
    "header longer than the file": struct.pack("<Q", 1 << 60) + b"{}",
    "header of a gigabyte": struct.pack("<Q", 1 << 30) + b"{}" * 10,
    "header of minus one": struct.pack("<q", -1) + b"{}",
    "header of nothing": struct.pack("<Q", 0),
    "not json": safetensors(b"nonsense"),
    "half of json": safetensors(b'{"w": {"dtype": "F32", "sha'),
    "a list": safetensors([1, 2, 3]),
    "a number": safetensors(b"5"),
    "a text": safetensors(b'"w"'),
    "entry is a number": safetensors({"w": 5}),
    "entry is a list": safetensors({"w": [1, 2]}),
    "no shape": safetensors({"w": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    "no offsets": safetensors({"w": {"dtype": "F32", "shape": [1]}}, bytes(4)),
    "no type": safetensors({"w": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "type is a number": safetensors({"w": entry([1], 0, 4, 7)}, bytes(4)),  # type: ignore[arg-type]
    "shape is a word": safetensors({"w": entry("abc", 0, 4)}, bytes(4)),
    "shape in shape": safetensors({"w": entry([[1], 1], 0, 4)}, bytes(4)),
    "shape of halves": safetensors({"w": entry([0.5, 2], 0, 4)}, bytes(4)),
    "shape of a hundred thousand sides": safetensors({"w": entry([1] * 100_000, 0, 4)}, bytes(4)),
    "negative shape": safetensors({"w": entry([-1, 4], 0, 16)}, bytes(16)),
    "negative offset": safetensors({"w": entry([1], -4, 0)}),
    "offsets backwards": safetensors({"w": entry([1], 4, 0)}, bytes(4)),
    "three offsets": safetensors({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, bytes(4)),
    "size does not fit": safetensors({"w": entry([3], 0, 4)}, bytes(4)),
    "unknown type": safetensors({"w": entry([1], 0, 4, "X99")}, bytes(4)),
    "complex numbers": save({"0.weight": torch.zeros(8, 4, dtype=torch.complex64), "1.weight": torch.zeros(64, 8)}),
    "eight-bit numbers": save({"w": torch.zeros(8, 4).to(torch.float8_e4m3fn)}),
    "whole numbers": save({"0.weight": torch.zeros(8, 4, dtype=torch.int64), "1.weight": torch.zeros(64, 8)}),
    "overlapping": safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
    "the same bytes twice": safetensors({"a": entry([2], 0, 8), "b": entry([2], 0, 8)}, bytes(8)),
    "hole": safetensors({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)),
    "bytes after the end": safetensors({"a": entry([1], 0, 4)}, bytes(64)),
    "deep nesting": safetensors(b"[" * 100_000 + b"]" * 100_000),
    "deep nesting in an entry": safetensors(b'{"w":' * 50_000 + b"1" + b"}" * 50_000),
    "huge number": safetensors(b'{"w": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 4]}}', bytes(4)),
    "number of a thousand digits": safetensors(
        b'{"w": {"dtype": "F32", "shape": [' + b"9" * 1000 + b'], "data_offsets": [0, 4]}}', bytes(4)
    ),
    "the same name twice": safetensors(
        b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        bytes(8),
    ),
    "empty": safetensors({}),
    "metadata only": safetensors({"__metadata__": {"a": "b"}}),
    "metadata is a list": safetensors({"__metadata__": [1], "w": entry([1], 0, 4)}, bytes(4)),
    "not utf-8": safetensors(b'{"\xff\xfe": 1}'),
    "name of a megabyte": safetensors({"w" * 1_000_000: entry([1], 0, 4)}, bytes(4)),
    "name with zeros": safetensors({"w\0w": entry([1], 0, 4)}, bytes(4)),
    "a hundred thousand empty tensors": safetensors({f"l{i}.weight": entry([0, 4], 0, 0) for i in range(100_000)}),
}  # fmt: skip


# -- torch archives


def generator() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 64), nn.Tanh()).eval()


@cache
def good(kind: str) -> bytes:
    """A file of each format that opens."""
    stream = io.BytesIO()
    module = generator()
    if kind == "safetensors":
        return save(module.state_dict())
    if kind == "pkl":
        return (Path(__file__).parent.parent / "data/stylegan/stylegan2-32-unconditional.pkl").read_bytes()
    if kind == "onnx":
        from hostile_onnx import picture

        return picture().SerializeToString()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "torchscript":
            torch.jit.save(torch.jit.script(module), stream)
        elif kind == "pt2":
            torch.export.save(torch.export.export(module, (torch.zeros(2, 4),)), stream)
        else:
            torch.save(module.state_dict(), stream, _use_new_zipfile_serialization=kind == "zip")
    return stream.getvalue()


SUFFIX = {
    "safetensors": "safetensors", "pkl": "pkl", "onnx": "onnx", "torchscript": "ts", "pt2": "pt2", "zip": "pt",
    "legacy": "pth",
}  # fmt: skip
PROGRAMS = ("torchscript", "pt2")


def damaged(kind: str, content: bytes) -> Case:
    """A damaged file; a program is said yes to, so that it is really opened."""

    def write(folder: Path) -> Path:
        path = folder / f"model.{SUFFIX[kind]}"
        path.write_bytes(content)
        if kind in PROGRAMS:
            from igm_gui.formats import trust
            from igm_gui.formats.files import sha256_of

            trust.trust(sha256_of(path))
        return path

    return write


PARTS = (1, 4, 16, 100, 0.25, 0.5, 0.9, -200, -1)


def cut(kind: str, part: float) -> bytes:
    data = good(kind)
    return data[: int(part * len(data)) if isinstance(part, float) else part]


def flipped(kind: str, seed: int) -> bytes:
    """A few bits turned round: one case in four near the start, where the frame is."""
    random = np.random.RandomState(seed)
    data = bytearray(good(kind))
    reach = 300 if seed % 4 == 0 else len(data)
    for _ in range(1 + seed % 3):
        data[random.randint(min(reach, len(data)))] ^= 1 << random.randint(8)
    return bytes(data)


def stuffed(kind: str, seed: int) -> bytes:
    """A run of bytes put in or taken out."""
    random = np.random.RandomState(1000 + seed)
    data = good(kind)
    at = random.randint(len(data))
    return data[:at] + random.bytes(40) + data[at:] if seed % 2 else data[:at] + data[at + 40 :]


def rewrite(
    change: Callable[[str, bytes], tuple[str, bytes] | None], method: int = zipfile.ZIP_STORED
) -> bytes:
    """A torch archive with ``change(name, data)`` applied; None drops an entry."""
    made = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(io.BytesIO(good("zip"))) as archive,
        zipfile.ZipFile(made, "w", method) as target,
    ):
        warnings.simplefilter("ignore")  # names that are there twice
        for info in archive.infolist():
            kept = change(info.filename, archive.read(info))
            if kept is not None:
                target.writestr(*kept)
    return made.getvalue()


def with_pickle(data: bytes) -> bytes:
    """A torch archive with another data.pkl."""
    return rewrite(lambda n, d: (n, data if n.endswith("data.pkl") else d))


def saved(value: Any, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def fan_out() -> bytes:
    """Six levels of dictionaries, each naming the one below two hundred times."""
    inner: dict[str, Any] = {"w": torch.zeros(2, 2)}
    for _ in range(6):
        inner = {f"n{i}": inner for i in range(200)}
    return saved(inner)


def deep(levels: int) -> bytes:
    inner: Any = {"w": torch.zeros(2, 2)}
    for _ in range(levels):
        inner = {"n": inner}
    sys.setrecursionlimit(20_000)
    try:
        return saved(inner, legacy=True)
    except RecursionError:
        return saved({}, legacy=True)


def claims(legacy: bool) -> bytes:
    """A storage that is said to hold 2^40 numbers."""
    data = saved({"0.weight": torch.zeros(5, 3), "1.weight": torch.zeros(64, 5)}, legacy)
    if not legacy:
        return rewrite(
            lambda n, d: (n, d.replace(b"K \x74", b"\x8a\x06\0\0\0\0\0\x01t") if n.endswith(".pkl") else d)
        )
    return data.replace(b"K\x0fNt", b"\x8a\x06\0\0\0\0\0\x01Nt")


def views() -> bytes:
    """A thousand names for one storage of eight megabytes."""
    base = torch.zeros(2_000_000)
    return saved({f"l{i}.weight": base.view(1000, 2000) for i in range(1000)})


class Evil:
    """Pickles as a call, with its canary in the open folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def evil_beside_weights(legacy: bool) -> Case:
    def write(folder: Path) -> Path:
        value = {"G": generator().state_dict(), "extra": Evil(folder / "ran")}
        (folder / "m.pt").write_bytes(saved(value, legacy))
        return folder / "m.pt"

    return write


def evil_archive(protocol: int) -> Case:
    def write(folder: Path) -> Path:
        data = pickle.dumps({"0.weight": Evil(folder / "ran")}, protocol)
        (folder / "m.pt").write_bytes(with_pickle(data))
        return folder / "m.pt"

    return write


def overlapped() -> bytes:
    """A directory that names the same bytes ten thousand times (Fifield 2019, "A better zip bomb")."""
    body = b"\0" * 100_000
    local = (
        struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, len(body), len(body), 1, 0)
        + b"a"
        + body
    )
    central = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            b"PK\x01\x02",
            20,
            20,
            0,
            0,
            0,
            0,
            0,
            len(body),
            len(body),
            6,
            0,
            0,
            0,
            0,
            0,
            0,
        )
        + f"m/{i:04}".encode()
        for i in range(10_000)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 10_000, 10_000, len(central), len(local), 0)
    return local + central + end


def many_entries(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for i in range(count):
            archive.writestr(f"m/{i}", b"")
    return made.getvalue()


def encrypted() -> bytes:
    data = bytearray(good("zip"))
    data[6] |= 1  # the flag of the first entry, and of the first in the directory
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


BIG = lambda n, d: (n, bytes(100_000_000) if n.endswith("data/0") else d)  # noqa: E731
ARCHIVES: dict[str, bytes | Callable[[], bytes]] = {
    "no data.pkl": lambda: rewrite(lambda n, d: None if n.endswith("data.pkl") else (n, d)),
    "two data.pkl": lambda: rewrite(lambda n, d: (n.replace("version", "data.pkl"), d)),
    "empty data.pkl": lambda: with_pickle(b""),
    "data.pkl is text": lambda: with_pickle(b"hello"),
    "data.pkl is a list": lambda: with_pickle(pickle.dumps([1, 2], 2)),
    "data.pkl is a list in itself": lambda: with_pickle(b"\x80\x02]q\x00h\x00a."),
    "data.pkl is deep": lambda: with_pickle(b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."),
    "data.pkl hashes for ever": lambda: with_pickle(b"\x80\x02)" + b"2\x86" * 60 + b"q\x00}h\x00Ns."),
    "data.pkl collides": lambda: with_pickle(__import__("hostile_pickles").colliding(60_000)),
    "data.pkl has a huge memo": lambda: with_pickle(b"\x80\x02Nr\x00\x00\x00\x70."),
    "data.pkl is cut": lambda: rewrite(lambda n, d: (n, d[: len(d) // 2] if n.endswith("data.pkl") else d)),
    "no storages": lambda: rewrite(lambda n, d: None if "/data/" in n else (n, d)),
    "storages cut": lambda: rewrite(lambda n, d: (n, d[: len(d) // 2] if "/data/" in n else d)),
    "storages of nothing": lambda: rewrite(lambda n, d: (n, b"" if "/data/" in n else d)),
    "leaves its folder": lambda: rewrite(lambda n, d: ("../" + n, d)),
    "leaves it in the middle": lambda: rewrite(lambda n, d: (n.replace("/", "/../../", 1), d)),
    "absolute": lambda: rewrite(lambda n, d: ("/" + n, d)),
    "backslashes": lambda: rewrite(lambda n, d: ("..\\" + n, d)),
    "a drive": lambda: rewrite(lambda n, d: ("C:\\" + n, d)),
    "a name with a zero": lambda: rewrite(lambda n, d: (n.replace("data", "da\0ta"), d)),
    "a bomb": lambda: rewrite(BIG, zipfile.ZIP_DEFLATED),
    "a bomb in bzip2": lambda: rewrite(BIG, zipfile.ZIP_BZIP2),
    "a bomb in lzma": lambda: rewrite(BIG, zipfile.ZIP_LZMA),
    "a zip in the zip": lambda: rewrite(lambda n, d: (n, good("zip") if n.endswith("data.pkl") else d)),
    "overlapping entries": overlapped,
    "ten thousand entries": lambda: many_entries(10_000),
    "encrypted": encrypted,
    "claims two to the forty": lambda: claims(legacy=False),
    "fan-out": fan_out,
    "one storage a thousand times": views,
    "a tensor over no bytes": lambda: saved({"a": torch.zeros(1).expand(1 << 20, 1 << 20), "b": torch.zeros(2, 2)}),
    "a tensor on no device": lambda: saved({"0.weight": torch.zeros(1 << 20, 1 << 20, device="meta")}),
    "sparse": lambda: saved({"0.weight": torch.sparse_coo_tensor([[0], [0]], [1.0], (1 << 20, 1 << 20))}),
    "complex": lambda: saved({"0.weight": torch.zeros(8, 4, dtype=torch.complex64), "1.weight": torch.zeros(64, 8)}),
    "whole numbers": lambda: saved({"0.weight": torch.zeros(8, 4, dtype=torch.int64)}),
    "no numbers": lambda: saved({"0.weight": torch.zeros(0, 4), "1.weight": torch.zeros(64, 0)}),
    "nine axes": lambda: saved({"0.weight": torch.zeros([1] * 9), "1.weight": torch.zeros(4, 4)}),
    "keys that are no names": lambda: saved({1: torch.zeros(2, 2), (1, 2): torch.zeros(3, 2), None: torch.ones(4, 3)}),
    "a picture of gigabytes": lambda: saved(
        {f"{i}.weight": torch.zeros(64, 64, 4, 4) for i in range(9)} | {"9.weight": torch.zeros(64, 3, 4, 4)}
    ),
    "ten thousand layers": lambda: saved({f"{i}.weight": torch.zeros(1, 1) for i in range(10_000)}),
    "layers in no order": lambda: saved(
        {f"{'abcdefghij'[i]}.weight": torch.zeros(4 + (7 * i) % 5, 4 + i % 7) for i in range(10)}
    ),
}  # fmt: skip
LEGACY: dict[str, bytes | Callable[[], bytes]] = {
    "claims two to the forty": lambda: claims(legacy=True),
    "deep": lambda: deep(3000),
    "hashes for ever": lambda: good("legacy")[:137] + b"\x80\x02)" + b"2\x86" * 60 + b"q\x00}h\x00Ns.",
    "a huge memo": lambda: good("legacy")[:137] + b"\x80\x02Nr\x00\x00\x00\x70.",
    "another number at the start": lambda: good("legacy").replace(b"l\xfc\x9cF", b"l\xfc\x9cG", 1),
    "a whole module": lambda: saved(generator(), legacy=True),
}


def bad_numbers(kind: str, value: float) -> bytes:
    state = generator().state_dict()
    state["0.weight"][3, 1] = value
    return save(state) if kind == "safetensors" else saved(state, kind == "legacy")


# -- model folders

CARD: dict[str, Any] = {
    "name": "m", "family": "uniform", "output": {"media": "image", "height": 4, "width": 4},
    "inputs": [{"name": "z", "kind": "latent", "shape": [4, 4, 1], "prior": "uniform"}],
}  # fmt: skip


def with_card(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**CARD, **changes}.items() if value is not ...}


def latent(**changes: Any) -> dict[str, Any]:
    return {**CARD["inputs"][0], **changes}


def sound(**changes: Any) -> dict[str, Any]:
    return {"media": "sound", "sample_rate": 24000, "samples": 2400, **changes}


CARDS: dict[str, Any] = {
    "not json": b"{",
    "empty": b"",
    "a list": b"[]",
    "a number": b"7",
    "not utf-8": b'{"name": "\xff"}',
    "utf-16": json.dumps(CARD).encode("utf-16"),
    "deep": b"[" * 50_000,
    "deep in a field": json.dumps(with_card(hyperparameters=0)).replace(": 0", ": " + "[" * 20_000).encode(),
    "two values": json.dumps(CARD).encode() * 2,
    "nine megabytes": with_card(description="x" * 9_000_000),
    "no name": with_card(name=...),
    "no family": with_card(family=...),
    "no output": with_card(output=...),
    "no inputs": with_card(inputs=...),
    "null name": with_card(name=None),
    "name is a number": with_card(name=5),
    "name of controls": with_card(name="m\x1b[2J"),
    "name that turns round": with_card(title="\u202egnp.m"),
    "name of a megabyte": with_card(name="m" * 1_000_000),
    "unknown family": with_card(family="os.system"),
    "family is a path": with_card(family="../../evil"),
    "family is a module": with_card(family="igm_gui.generators.probe"),
    "unknown field": with_card(colour="red"),
    "format is a word": with_card(format="one"),
    "newer format": with_card(format=99),
    "no such media": with_card(output={"media": "smell"}),
    "size zero": with_card(output={"media": "image", "height": 0, "width": 4}),
    "size left out": with_card(output={"media": "image"}),
    "size huge": with_card(output={"media": "image", "height": 1 << 30, "width": 4}),
    "size beyond numbers": b'{"name":"m","family":"uniform","output":{"media":"image","height":1e400,"width":4},"inputs":[]}',
    "size negative": with_card(output={"media": "image", "height": -4, "width": 4}),
    "two channels": with_card(output={"media": "image", "height": 4, "width": 4, "channels": 2}),
    "range backwards": with_card(output={"media": "image", "height": 4, "width": 4, "low": 1, "high": -1}),
    "range of nothing": with_card(output={"media": "image", "height": 4, "width": 4, "low": 1, "high": 1}),
    "another size than the latent": with_card(output={"media": "image", "height": 5, "width": 4}),
    "sound without rate": with_card(output={"media": "sound"}),
    "sound of hours": with_card(output=sound(samples=1 << 40), family="additive"),
    "sound of nine channels": with_card(output=sound(channels=9), family="additive"),
    "latent without shape": with_card(inputs=[{"name": "z", "kind": "latent"}]),
    "latent of a thousand million": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [1 << 30]}]),
    "latent of minus one": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [-1]}]),
    "latent of zero": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [0]}]),
    "two minus ones": with_card(inputs=[{"name": "z", "kind": "latent", "shape": [-4, -4]}]),
    "a thousand latents": with_card(inputs=[latent(name=f"z{i}", shape=[1_000_000]) for i in range(1000)]),
    "three hundred knobs": with_card(inputs=[{"name": f"k{i}", "kind": "scalar"} for i in range(300)]),
    "label without classes": with_card(inputs=[{"name": "l", "kind": "label"}]),
    "default outside": with_card(inputs=[{"name": "s", "kind": "scalar", "default": 7}]),
    "range of a knob backwards": with_card(inputs=[{"name": "s", "kind": "scalar", "minimum": 2}]),
    "no such prior": with_card(inputs=[latent(prior="cauchy")]),
    "two of a name": with_card(inputs=CARD["inputs"] * 2),
    "no such kind": with_card(inputs=[{"name": "z", "kind": "telepathy"}]),
    "inputs is a word": with_card(inputs="z"),
    "inputs in inputs": with_card(inputs=[[latent()]]),
    "a field too many in an input": with_card(inputs=[latent(eval="1+1")]),
    "direction of another size": with_card(directions=[{"name": "d", "input": "z", "vector": [1]}]),
    "direction of nothing": with_card(directions=[{"name": "d", "input": "w", "vector": []}]),
    "weights family without weights": with_card(family="fashion"),
    "dcgan without weights": with_card(family="dcgan"),
    "onnx without a file": with_card(family="onnx"),
    "program without a program": with_card(family="program"),
    "stylegan without weights": with_card(family="stylegan"),
}  # fmt: skip
# Read as JSON has it: the last of two names counts, and escapes are what they stand for.
HARMLESS_CARDS: dict[str, Any] = {
    "the same field twice": json.dumps(CARD).replace('"name": "m"', '"name": "x", "name": "m"', 1).encode(),
    "escaped letters": json.dumps(CARD).replace('"m"', '"\\u006d"', 1).encode(),
    "hyperparameters that nobody reads": with_card(
        hyperparameters={"__class__": "os.system", "a": [1] * 1000}
    ),
}


def folder_of(card: Any) -> Case:
    def write(folder: Path) -> Path:
        text = card if isinstance(card, bytes) else json.dumps(card).encode()
        (folder / "card.json").write_bytes(text)
        return folder

    return write


def side_card(card: Any, kind: str = "zip") -> Case:
    """A good file with a bad card beside it."""

    def write(folder: Path) -> Path:
        path = folder / f"model.{SUFFIX[kind]}"
        path.write_bytes(good(kind))
        text = card if isinstance(card, bytes) else json.dumps(card).encode()
        path.with_name(path.name + ".card.json").write_bytes(text)
        return path

    return write


BUNDLED = sorted(p.name for p in models_folder().iterdir() if (p / "model.safetensors").is_file())
DAMAGES = ("cut", "other", "missing key", "other shape", "nan", "inf")


def bundled(model: str, damage: str) -> Case:
    """A bundled model's card with weights that don't belong to it."""

    def write(folder: Path) -> Path:
        from safetensors.torch import load_file

        source = models_folder() / model
        (folder / "card.json").write_bytes((source / "card.json").read_bytes())
        target = folder / "model.safetensors"
        tensors = load_file(str(source / "model.safetensors"))
        first = next(key for key, tensor in tensors.items() if tensor.is_floating_point() and tensor.ndim)
        if damage == "cut":
            data = (source / "model.safetensors").read_bytes()
            target.write_bytes(data[: len(data) // 2])
            return folder
        if damage == "other":
            tensors = {"nothing": torch.zeros(3)}
        elif damage == "missing key":
            del tensors[first]
        elif damage == "other shape":
            tensors[first] = torch.zeros(*(side + 1 for side in tensors[first].shape))
        else:
            tensors[first] = torch.full_like(tensors[first], float(damage))
        save_file(tensors, str(target))
        return folder

    return write


# -- things in the file system


def _folder_called(name: str) -> Case:
    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def _socket(folder: Path) -> Path:
    here = Path.cwd()
    os.chdir(folder)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("model.pt")
    finally:
        os.chdir(here)
    return folder / "model.pt"


def _pipe(name: str, card: bool = False) -> Case:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        if card:
            (folder / "card.json").write_text(json.dumps(with_card(family="fashion")))
        return folder if name in ("card.json", "model.safetensors", "model.pt2") else folder / name

    return make


def _link(name: str, target: str) -> Case:
    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder if name == "card.json" else folder / name

    return make


def _sparse(name: str, start: bytes, size: int) -> Case:
    def make(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            file.write(start)
            file.truncate(size)
        return folder / name

    return make


def _beside_pipe(folder: Path) -> Path:
    path = file("model.pt", good("zip"))(folder)
    os.mkfifo(folder / "model.pt.card.json")
    return path


TERABYTE = 1 << 40
PLACES: dict[str, Case] = {
    "no such file": lambda folder: folder / "nothing.pt",
    "a name with a zero": lambda folder: folder / "a\0b.pt",
    "a name of ten thousand letters": lambda folder: folder / ("a" * 10_000 + ".pt"),
    "an empty folder": lambda folder: folder,
    "a folder called model.pkl": _folder_called("model.pkl"),
    "a folder called model.onnx": _folder_called("model.onnx"),
    "a folder called card.json": lambda folder: _folder_called("card.json")(folder).parent,
}
UNIX: dict[str, Case] = {
    "a socket": _socket,
    "a named pipe": _pipe("model.pt"),
    "a named pipe called onnx": _pipe("model.onnx"),
    "a card that is a pipe": _pipe("card.json"),
    "weights that are a pipe": _pipe("model.safetensors", card=True),
    "a program that is a pipe": _pipe("model.pt2", card=True),
    "a link to nothing": _link("model.pt", "gone"),
    "a link to itself": _link("model.pt", "model.pt"),
    "a link to zeros without end": _link("model.pt", "/dev/zero"),
    "a card without end": _link("card.json", "/dev/zero"),
    "a link to the folder above": _link("model.pt", ".."),
    "a pickle of a terabyte": _sparse("model.pkl", b"\x80\x04", TERABYTE),
    "an archive of a terabyte": _sparse("model.pt", b"PK\x03\x04", TERABYTE),
    "an old torch file of a terabyte": _sparse("model.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", TERABYTE),
    "safetensors of a terabyte": _sparse("model.safetensors", struct.pack("<Q", 1 << 39), TERABYTE),
    "onnx of a terabyte": _sparse("model.onnx", b"\x08\x09", TERABYTE),
}  # fmt: skip
UNIX_HARMLESS: dict[str, Case] = {"a card beside the file that is a pipe": _beside_pipe}
