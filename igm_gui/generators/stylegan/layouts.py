"""Other layouts of StyleGAN2's weights, rearranged into the official one.

- rosinality's PyTorch state dict (``style.N``, ``convs.N``, ``to_rgbs.N``),
- a flat state dict with the official names (``synthesis.b4.conv1.weight``), from safetensors say,
- TensorFlow pickles (``4x4/Const/const``, ``Conv0_up``), versions of StyleGAN2 and ADA.

Each gives a tree of :class:`Node` for build2. What those files leave out (gains, activations) has fixed
values in StyleGAN2: Karras et al. 2020, appendix B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import Record
from igm_gui.generators.stylegan.records import HINT, Node

MAPPING_LR = 0.01


def _dense(path: str, weight: Tensor, bias: Tensor, lr: float = 1.0, activation: str = "linear") -> Node:
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise ModelError(f"{path}weight has the shape {tuple(weight.shape)}.", HINT)
    values = {"weight_gain": lr * weight.shape[1] ** -0.5, "bias_gain": lr, "activation": activation}
    return Node(path, "FullyConnectedLayer", values, {"weight": weight, "bias": bias})


def _mapping(layers: list[Node], w_avg: Tensor | None, z_dim: int, embed: Node | None = None) -> Node:
    if not layers:
        raise ModelError("The weights hold no mapping network.", HINT)
    c_dim = embed.tensors["weight"].shape[1] if embed else 0
    node = Node("mapping.", "MappingNetwork", {"z_dim": z_dim, "c_dim": c_dim, "num_layers": len(layers)})
    node.children = {f"fc{i}": layer for i, layer in enumerate(layers)}
    if embed is not None:
        node.children["embed"] = embed
    if w_avg is not None:
        node.tensors["w_avg"] = w_avg.reshape(-1)
    return node


def _conv(
    path: str, weight: Tensor, affine: Node, bias: Tensor, strength: Tensor, noise: Tensor | None, up: int
) -> Node:
    tensors = {"weight": weight, "bias": bias.reshape(-1), "noise_strength": strength.reshape(())}
    if noise is not None:
        tensors["noise_const"] = noise.reshape(noise.shape[-2:])
    values = {"up": up, "use_noise": noise is not None, "activation": "lrelu", "conv_clamp": None}
    return Node(path, "SynthesisLayer", values, tensors, {"affine": affine})


def is_rosinality(shapes: Mapping[str, Any]) -> bool:
    """Whether a state dict's names are rosinality's."""
    return {"input.input", "conv1.conv.weight", "style.1.weight"} <= set(shapes)


def from_rosinality(tensors: Mapping[str, Tensor], w_avg: Tensor | None = None) -> Node:
    """The official tree of a rosinality ``g_ema`` state dict. ModelError names a missing tensor."""

    def take(name: str) -> Tensor:
        found = tensors.get(name)
        if found is None:
            raise ModelError(f"The network has no {name}.", HINT)
        return found.float()

    def layer(name: str, path: str, noise: str, up: int) -> Node:
        weight = take(f"{name}.conv.weight")[0]
        # Stored weights are divided by sqrt(fan-in) at run time; demodulation sees them divided.
        weight = weight * weight[0].numel() ** -0.5
        affine = _dense(
            f"{path}affine.", take(f"{name}.conv.modulation.weight"), take(f"{name}.conv.modulation.bias")
        )
        strength = take(f"{name}.noise.weight")
        return _conv(path, weight, affine, take(f"{name}.activate.bias"), strength, tensors.get(noise), up)

    def colour(name: str, path: str) -> Node:
        affine = _dense(
            f"{path}affine.", take(f"{name}.conv.modulation.weight"), take(f"{name}.conv.modulation.bias")
        )
        parts = {"weight": take(f"{name}.conv.weight")[0], "bias": take(f"{name}.bias").reshape(-1)}
        return Node(path, "ToRGBLayer", {"conv_clamp": None}, parts, {"affine": affine})

    root = Node("", "Generator")
    synthesis = root.children["synthesis"] = Node("synthesis.", "SynthesisNetwork")
    first = Node(
        "synthesis.b4.", "SynthesisBlock", {"architecture": "skip"}, {"const": take("input.input")[0]}
    )
    first.children = {
        "conv1": layer("conv1", "synthesis.b4.conv1.", "noises.noise_0", 1),
        "torgb": colour("to_rgb1", "synthesis.b4.torgb."),
    }
    synthesis.children["b4"] = first
    count = sum(1 for key in tensors if re.fullmatch(r"to_rgbs\.\d+\.conv\.weight", key))
    for i in range(count):
        path = f"synthesis.b{8 << i}."
        block = Node(path, "SynthesisBlock", {"architecture": "skip"})
        block.children = {
            "conv0": layer(f"convs.{2 * i}", f"{path}conv0.", f"noises.noise_{2 * i + 1}", 2),
            "conv1": layer(f"convs.{2 * i + 1}", f"{path}conv1.", f"noises.noise_{2 * i + 2}", 1),
            "torgb": colour(f"to_rgbs.{i}", f"{path}torgb."),
        }
        synthesis.children[f"b{8 << i}"] = block
    layers: list[Node] = []
    while f"style.{len(layers) + 1}.weight" in tensors:
        name = f"style.{len(layers) + 1}"
        layers.append(
            _dense(
                f"mapping.fc{len(layers)}.", take(f"{name}.weight"), take(f"{name}.bias"), MAPPING_LR, "lrelu"
            )
        )
    z_dim = layers[0].tensors["weight"].shape[1] if layers else 0
    root.children["mapping"] = _mapping(layers, w_avg, z_dim)
    return root


def is_official_flat(shapes: Mapping[str, Any]) -> bool:
    """Whether a state dict has StyleGAN2's official names."""
    return "synthesis.b4.const" in shapes and "mapping.fc0.weight" in shapes


def from_official_flat(tensors: Mapping[str, Tensor]) -> Node:
    """The official tree of a flat state dict; gains and activations as the paper has them."""
    root = Node("", "Generator")
    for key, tensor in tensors.items():
        node = root
        *parents, name = key.split(".")
        for parent in parents:
            node = node.children.setdefault(parent, Node(f"{node.path}{parent}.", ""))
        node.tensors[name] = tensor
    mapping = root.child("mapping")
    resnet = any("skip" in block.children for block in root.child("synthesis").children.values())
    _complete(root, "resnet" if resnet else "skip")
    first = mapping.child("fc0").tensor("weight").shape[1]
    embed = mapping.children.get("embed")
    c_dim = embed.tensor("weight").shape[1] if embed else 0
    inner = embed.tensor("weight").shape[0] if embed else 0
    mapping.values.update(z_dim=first - inner, c_dim=c_dim)
    return root


def _complete(node: Node, architecture: str) -> None:
    """Fill in what the modules' attributes would have said."""
    name = node.path.rstrip(".").rpartition(".")[2]
    weight = node.tensors.get("weight")
    if weight is not None and weight.ndim == 2:
        mapped = name.startswith("fc") and node.path.startswith("mapping.")
        lr = MAPPING_LR if mapped else 1.0
        node.values.update(
            weight_gain=lr * weight.shape[1] ** -0.5, bias_gain=lr, activation="lrelu" if mapped else "linear"
        )
    elif weight is not None and name.startswith("conv"):
        node.values.update(up=2 if name == "conv0" else 1, activation="lrelu", conv_clamp=256)
    elif weight is not None and name == "torgb":
        node.values.update(conv_clamp=256)
    if name[:1] == "b" and name[1:].isdigit():
        node.values["architecture"] = architecture
    for child in node.children.values():
        _complete(child, architecture)


def is_tensorflow(content: Any) -> bool:
    """Whether a pickle's content is (G, D, Gs) of TensorFlow networks."""
    return (
        isinstance(content, tuple | list)
        and len(content) == 3
        and all(isinstance(part, Record) and part.class_name == "tflib.Network" for part in content)
    )


def tensorflow_variables(network: Record) -> dict[str, Tensor]:
    """All variables of a TensorFlow network and its components, by name."""
    found: dict[str, Tensor] = {}

    def visit(state: Any, depth: int) -> None:
        if not isinstance(state, dict) or depth > 4:
            return
        for entry in state.get("variables", ()):
            if isinstance(entry, tuple | list) and len(entry) == 2:
                name, value = entry
                if isinstance(value, np.ndarray | float | int) and not isinstance(value, bool):
                    found[str(name)] = torch.from_numpy(np.array(value, np.float32, order="C"))
        components = state.get("components")
        for inner in (components or {}).values() if isinstance(components, dict) else ():
            visit(inner.state if isinstance(inner, Record) else inner, depth + 1)

    visit(network.state, 0)
    return found


def from_tensorflow(network: Record) -> Node:
    """The official tree of a TensorFlow StyleGAN2 network (skip or resnet), else ModelError."""
    variables = tensorflow_variables(network)

    def take(name: str) -> Tensor:
        found = variables.get(name)
        if found is None:
            raise ModelError(f"The TensorFlow network has no {name}.", HINT)
        return found

    def affine(name: str, path: str) -> Node:
        # TensorFlow stores (in, out) and the style's bias without the 1 that is added.
        return _dense(f"{path}affine.", take(f"{name}/mod_weight").t(), take(f"{name}/mod_bias") + 1)

    def kernel(name: str, flip: bool) -> Tensor:
        weight = take(f"{name}/weight")
        weight = weight.flip(0, 1) if flip else weight
        return weight.permute(3, 2, 0, 1).contiguous()

    def layer(name: str, path: str, number: int, up: int) -> Node:
        return _conv(
            path,
            kernel(name, up == 2),
            affine(name, path),
            take(f"{name}/bias"),
            take(f"{name}/noise_strength"),
            variables.get(f"noise{number}"),
            up,
        )

    root = Node("", "Generator")
    synthesis = root.children["synthesis"] = Node("synthesis.", "SynthesisNetwork")
    resolution = 4
    while f"{resolution}x{resolution}/Conv1/weight" in variables or resolution == 4:
        tag, path = f"{resolution}x{resolution}", f"synthesis.b{resolution}."
        block = Node(path, "SynthesisBlock")
        residual = f"{tag}/Skip/weight" in variables
        block.values["architecture"] = "resnet" if residual else "skip"
        level = resolution.bit_length() - 1
        if resolution == 4:
            block.tensors["const"] = take("4x4/Const/const")[0]
            block.children["conv1"] = layer("4x4/Conv", f"{path}conv1.", 0, 1)
        else:
            block.children["conv0"] = layer(f"{tag}/Conv0_up", f"{path}conv0.", 2 * level - 5, 2)
            block.children["conv1"] = layer(f"{tag}/Conv1", f"{path}conv1.", 2 * level - 4, 1)
        if residual:
            block.children["skip"] = Node(f"{path}skip.", "", {}, {"weight": kernel(f"{tag}/Skip", True)})
        if f"{tag}/ToRGB/weight" in variables:
            rgb = f"{tag}/ToRGB"
            block.children["torgb"] = Node(
                f"{path}torgb.",
                "ToRGBLayer",
                {"conv_clamp": None},
                {"weight": kernel(rgb, False), "bias": take(f"{rgb}/bias")},
                {"affine": affine(rgb, f"{path}torgb.")},
            )
        synthesis.children[f"b{resolution}"] = block
        resolution *= 2
    layers: list[Node] = []
    while f"Dense{len(layers)}/weight" in variables:
        name = f"Dense{len(layers)}"
        layers.append(
            _dense(
                f"mapping.fc{len(layers)}.",
                take(f"{name}/weight").t(),
                take(f"{name}/bias"),
                MAPPING_LR,
                "lrelu",
            )
        )
    embed = None
    if "LabelEmbed/weight" in variables:
        embed = _dense("mapping.embed.", take("LabelEmbed/weight").t(), take("LabelEmbed/bias"))
    elif "LabelConcat/weight" in variables:
        raise ModelError("The TensorFlow network is conditional in StyleGAN2's first way.", HINT)
    first = layers[0].tensors["weight"].shape[1] if layers else 0
    inner = embed.tensors["weight"].shape[0] if embed else 0
    root.children["mapping"] = _mapping(layers, variables.get("dlatent_avg"), first - inner, embed)
    return root
