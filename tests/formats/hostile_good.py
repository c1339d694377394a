"""A file of each format that opens, and what may happen to it on the way: cut, flipped, stuffed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

Case = Callable[[Path], Path]


def file(name: str, content: bytes) -> Case:
    """One file of this content."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


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
    "safetensors": "safetensors", "pkl": "pkl", "onnx": "onnx", "torchscript": "ts", "pt2": "pt2",
    "zip": "pt", "legacy": "pth",
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
