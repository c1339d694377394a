"""State dicts from torch files: ``torch.save`` zips and legacy files, read as weights only."""

from __future__ import annotations

import argparse
import io
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import torch

from igm_gui.errors import ModelError
from igm_gui.formats import pickle_values as values
from igm_gui.formats.archive import check_zip
from igm_gui.formats.torch_stream import check_pickle, check_stream, check_tensors

PATHS = ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
HINT = "Only plain weights are read from such files; nothing in a file is ever executed."
LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"
# Where checkpoints keep a generator, best first: averaged weights before raw ones.
PREFERRED = (
    "g_ema",
    "G_ema",
    "ema",
    "ema_model",
    "model_ema",
    "generator_ema",
    "params_ema",
    "netG_ema",
    "netG_state_dict",
    "netG",
    "G_state_dict",
    "generator_state_dict",
    "generator",
    "gen",
    "G",
    "g",
    "decoder",
    "model_state_dict",
    "state_dict",
    "model",
    "params",
    "weights",
)
# Of these, words that may as well be a part of the generator itself.
VAGUE = ("decoder", "model", "params", "weights", "state_dict", "gen")
# Other networks of a checkpoint, which are never the generator.
OTHERS = (
    "discriminator",
    "netd",
    "critic",
    "optimizer",
    "optim",
    "encoder",
    "d",
    "d_state_dict",
    "netd_state_dict",
    "dis",
    "disc",
    "loss",
    "criterion",
    "perceptual",
    "vgg",
    "lpips",
)
MAX_DEPTH = 6
ASKED = re.compile(r"GLOBAL ([\w.]{1,200}) (?:was not an allowed|whose module)")


def read_torch(path: Path, half: bool = False) -> dict[str, torch.Tensor]:
    """The generator's state dict in a torch file: names and tensors on the CPU, in the file's order; with
    ``half`` floating ones in float16.

    ModelError where it holds objects, other things than tensors, or nothing that could be a generator.
    """
    size = path.stat().st_size
    try:
        zipped = _check(path, size)
        with torch.serialization.safe_globals(_company(size)):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped and half)
        check_tensors(content, size)
    except MemoryError:
        raise
    except Exception as error:
        asked = ASKED.search(str(error))
        raise ModelError(
            f"{path.name} asks for {asked[1]}, and holds more than plain weights; nothing of it was run."
            if asked
            else f"{path.name} holds something other than plain weights, or is damaged.",
            "Save the generator's weights alone: torch.save(generator.state_dict(), path).",
            str(error),
        ) from error
    found = find_state_dict(content)
    if found is None:
        raise ModelError(f"{path.name} holds no weights of a generator.", HINT)
    if half:
        return {name: t.half() if t.is_floating_point() else t for name, t in found.items()}
    return found


def _company(size: int) -> list[Any]:
    """What training scripts keep beside the weights, and who answers for it: arguments, paths of files,
    numpy's numbers and arrays (losses, the state of a random generator). All of it becomes plain values."""
    budget = values.Budget(size)

    class Dtype(values.Dtype):  # made anew for each file, so that one can't change another's
        __slots__ = ()

    class Array(values.Array):
        __slots__ = ()

    def call(function: Any) -> values.Call:
        return values.Call(partial(function, budget))

    known: list[Any] = [argparse.Namespace, (Dtype, "numpy.dtype"), (Array, "numpy.ndarray")]
    for core in ("numpy.core", "numpy._core"):
        known += [
            (call(values.scalar), f"{core}.multiarray.scalar"),
            (values.Call(lambda *_: Array(budget)), f"{core}.multiarray._reconstruct"),
            (call(values.frombuffer), f"{core}.numeric._frombuffer"),
        ]
    for module in ("pathlib", "pathlib._local"):
        known += [(values.Call(values.file_path), f"{module}.{kind}") for kind in PATHS]
    return known


def _check(path: Path, size: int) -> bool:
    """Look at a torch file before torch does; whether it is an archive. Refused or ModelError as found."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"PK"
        if not zipped:
            stream.seek(0)
            check_stream(stream, size)
            return False
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                check_pickle(io.BytesIO(archive.read(name)), size)
    return True


def find_state_dict(content: Any) -> dict[str, torch.Tensor] | None:
    """The most likely generator in nested dicts: a dict of tensors, under the best of the usual names."""
    found: list[tuple[int, int, dict[str, torch.Tensor]]] = []
    visited: dict[int, int] = {}

    def visit(value: Any, rank: int, depth: int) -> None:
        if not isinstance(value, dict) or depth > MAX_DEPTH:
            return
        if visited.get(id(value), rank + 1) <= rank:
            return  # the same dict may be named many times over
        visited[id(value)] = rank
        tensors = {str(k): v for k, v in value.items() if isinstance(v, torch.Tensor)}
        if tensors and any(t.ndim >= 2 for t in tensors.values()):
            found.append((rank, depth, tensors))
        for key, inner in value.items():
            name = str(key)
            if name.lower() in OTHERS:
                continue
            better = PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)
            visit(inner, min(rank, better), depth + 1)

    visit(content, len(PREFERRED) + 1, 0)
    if not found:
        return None
    return split_networks(min(found, key=lambda entry: entry[:2])[2])


def split_networks(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """One network out of a flat dict that holds several (``generator.…``, ``netG.…``), without the
    prefix that all its names share."""
    heads = list(dict.fromkeys(key.partition(".")[0] for key in tensors))
    for name in PREFERRED:
        inside = {key[len(name) + 1 :]: v for key, v in tensors.items() if key.startswith(f"{name}.")}
        if len(name) < 2 or not inside or len(inside) == len(tensors):
            continue
        # "model.0.weight" beside "label_emb.weight" is one network; beside "discriminator.…" it is two.
        beside = [head for head in heads if head != name]
        if name not in VAGUE or all(head.lower() in OTHERS or head in PREFERRED for head in beside):
            return split_networks(inside)
    if len(heads) == 1 and all("." in key for key in tensors):
        stripped = {key.partition(".")[2]: value for key, value in tensors.items()}
        # "main.0.weight" keeps its number: only a word in front of further structure is a prefix.
        if all("." in key for key in stripped):
            return split_networks(stripped)
    return tensors
