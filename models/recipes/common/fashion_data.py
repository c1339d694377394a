"""Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747), from the Debian package dataset-fashion-mnist."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .debian import DataMissing, package_root

PACKAGE = "dataset-fashion-mnist"
CLASSES = (
    "t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not (format: yann.lecun.com/exdb/mnist)."""
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if raw[:3] != b"\x00\x00\x08":
        raise DataMissing(f"{path} is not an IDX file of bytes")
    n_axes = raw[3]
    shape = np.frombuffer(raw, ">u4", n_axes, offset=4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def find_data(work: Path, data: Path | None = None) -> Path:
    """Folder with the four IDX files: `data` if given, else the Debian package's."""
    if data is not None:
        return data
    return package_root(PACKAGE, work) / "usr/share/datasets/fashion-mnist"


def load(split: str, work: Path, data: Path | None = None) -> tuple[Tensor, Tensor]:
    """Pictures (N, 1, 28, 28) uint8 and labels (N,) int64 of split "train" (60,000) or "test" (10,000)."""
    stem = {"train": "train", "test": "t10k"}[split]
    folder = find_data(work, data)
    arrays = []
    for kind in ("images-idx3", "labels-idx1"):
        found = [
            p for p in (folder / f"{stem}-{kind}-ubyte.gz", folder / f"{stem}-{kind}-ubyte") if p.exists()
        ]
        if not found:
            raise DataMissing(f"{folder} has no {stem}-{kind}-ubyte.gz")
        arrays.append(read_idx(found[0]))
    images, labels = arrays
    return torch.from_numpy(images[:, None].copy()), torch.from_numpy(labels.astype(np.int64))


def to_unit(images: Tensor) -> Tensor:
    """uint8 0..255 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1
