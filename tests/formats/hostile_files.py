"""Files that are something else, safetensors headers, and what is no ordinary file. Each case writes what it is
made of into a folder and answers the path that is then opened."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hostile_cards import with_card
from hostile_good import Case, file, good
from safetensors.torch import save

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
