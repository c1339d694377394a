"""Networks from the plain records of an official pickle, or from a flat state dict.

Only tensors and a few numbers are read; the classes named in the file are never made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import Record
from igm_gui.generators.stylegan.mapping import ClassTable, Dense, Mapping

HINT = "Supported are StyleGAN2, StyleGAN2-ADA, StyleGAN3 and StyleGAN-XL networks in the official layout."


@dataclass
class Node:
    """One embedded module: its own tensors, its numbers, its children, and where it stands."""

    path: str
    class_name: str
    values: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)

    def tensor(self, name: str) -> Tensor:
        """A tensor in float32; ModelError where it is missing or not finite."""
        found = self.tensors.get(name)
        if found is None:
            raise ModelError(f"The network has no {self.path}{name}.", HINT)
        if not bool(torch.isfinite(found).all()):
            raise ModelError(f"{self.path}{name} holds values that are not numbers (NaN or infinity).", HINT)
        return found.float()

    def child(self, name: str) -> Node:
        found = self.children.get(name)
        if found is None:
            raise ModelError(f"The network has no {self.path}{name}.", HINT)
        return found

    def number(self, name: str, default: float | None = None) -> float:
        """A number among the attributes; ModelError where it is missing or not one."""
        value = self.values.get(name, default)
        try:
            made = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ModelError(f"{self.path}{name} is {value!r}, not a number.", HINT) from error
        if not np.isfinite(made):
            raise ModelError(f"{self.path}{name} is {made}.", HINT)
        return made

    def integer(self, name: str, default: int | None = None) -> int:
        return int(self.number(name, default))

    def clamp(self) -> float | None:
        return None if self.values.get("conv_clamp") is None else self.number("conv_clamp")


# What the official modules are called and hold. Anything else is somebody's change of the architecture.
CLASSES = frozenset(
    {
        "Generator",
        "MappingNetwork",
        "SynthesisNetwork",
        "SynthesisBlock",
        "SynthesisLayer",
        "SynthesisInput",
        "ToRGBLayer",
        "FullyConnectedLayer",
        "Conv2dLayer",
        # StyleGAN-XL's
        "SuperresGenerator",
        "Embedding",
    }
)
TENSORS = frozenset({"weight", "bias", "const", "w_avg", "noise_const", "noise_strength", "magnitude_ema"})
TENSORS |= {"resample_filter", "up_filter", "down_filter", "freqs", "phases", "transform"}
CHILDREN = re.compile(
    r"mapping|synthesis|embed|embed_proj|fc\d+|b\d+|conv[01]|torgb|skip|affine|input|L\d+_\d+_\d+", re.ASCII
)


def unknown_parts(node: Node) -> list[str]:
    """Modules and tensors that the official networks don't have, by their paths."""
    found = []
    if node.class_name and node.class_name not in CLASSES:
        found.append(f"{node.path.rstrip('.') or 'the network'} ({node.class_name[:60]})")
    found += [f"{node.path}{name}" for name in node.tensors if name not in TENSORS]
    for name, child in node.children.items():
        if CHILDREN.fullmatch(name):
            found += unknown_parts(child)
        else:
            found.append(f"{node.path}{name}")
    return found


def _as_tensor(value: Any) -> Tensor | None:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(np.ascontiguousarray(value.astype(np.float32)))
    return None


def node_from_record(record: Any, path: str = "") -> Node:
    """A tree of nodes from a pickled module. ModelError where it isn't one."""
    if not isinstance(record, Record):
        raise ModelError("The file holds no network where one was expected.", HINT)
    node = Node(path, record.class_name)
    for key, value in record.state.items():
        if key in ("_parameters", "_buffers") and isinstance(value, dict):
            for name, entry in value.items():
                tensor = _as_tensor(entry)
                if tensor is not None:
                    node.tensors[str(name)] = tensor
        elif key == "_modules" and isinstance(value, dict):
            for name, entry in value.items():
                if entry is not None:
                    node.children[str(name)] = node_from_record(entry, f"{path}{name}.")
        elif isinstance(key, str) and not key.startswith("_"):
            node.values[key] = value
    return node


def dense(node: Node, gain: float | None = None, activate: bool | None = None) -> Dense:
    """A fully connected layer; its gains as stored on it."""
    weight = node.tensor("weight")
    if weight.ndim != 2:
        raise ModelError(f"{node.path}weight has the shape {tuple(weight.shape)}.", HINT)
    bias = node.tensor("bias") if "bias" in node.tensors else None
    if activate is None:
        activate = node.values.get("activation", "linear") == "lrelu"
    return Dense(weight, bias, gain or node.number("weight_gain"), node.number("bias_gain", 1.0), activate)


def mapping(node: Node) -> Mapping:
    """The mapping network under ``node``."""
    layers: list[Dense] = []
    while (child := node.children.get(f"fc{len(layers)}")) is not None:
        layers.append(dense(child))
    if not layers and node.integer("num_layers", 0) > 0:
        raise ModelError("The mapping network has no layers.", HINT)
    c_dim = node.integer("c_dim", 0)
    w_dim = layers[-1].weight.shape[0] if layers else node.integer("w_dim")
    w_avg = node.tensor("w_avg") if "w_avg" in node.tensors else torch.zeros(w_dim)
    if w_avg.shape not in ((w_dim,), (c_dim, w_dim)):
        raise ModelError(f"{node.path}w_avg has the shape {tuple(w_avg.shape)}.", HINT)
    return Mapping(layers, _embed(node, c_dim), w_avg, node.integer("z_dim"), c_dim)


def _embed(node: Node, c_dim: int) -> Dense | ClassTable | None:
    """What makes a class part of the mapping network's input. StyleGAN-XL has a table even without any."""
    if "embed" not in node.children or not c_dim:
        return None
    if "embed_proj" not in node.children:
        return dense(node.child("embed"))
    table = node.child("embed").tensor("weight")
    if table.ndim != 2 or len(table) < c_dim:
        raise ModelError(f"{node.path}embed.weight has the shape {tuple(table.shape)}.", HINT)
    return ClassTable(table[:c_dim].contiguous(), dense(node.child("embed_proj")))
