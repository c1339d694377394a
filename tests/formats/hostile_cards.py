"""Model folders and side-cards that are wrong, and weights that don't belong to their card."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from hostile_good import SUFFIX, Case, good
from safetensors.torch import save_file

from igm_gui.paths import models_folder

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
