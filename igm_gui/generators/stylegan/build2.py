"""StyleGAN2 networks from nodes: official pickles of StyleGAN2-ADA and of the StyleGAN3 repository."""

from __future__ import annotations

import math

from igm_gui.errors import ModelError
from igm_gui.generators.stylegan.records import HINT, Node, dense
from igm_gui.generators.stylegan.synthesis2 import FILTER, Block, Block2, ModulatedConv, Synthesis2, ToRGB


def _check_filter(node: Node) -> None:
    found = node.tensors.get("resample_filter")
    if found is None:
        return
    total = sum(FILTER)
    expected = [[a * b / total**2 for b in FILTER] for a in FILTER]
    if tuple(found.shape) != (4, 4) or (found - found.new_tensor(expected)).abs().max() > 1e-4:
        raise ModelError(f"{node.path[:-1]} uses a resampling filter other than [1, 3, 3, 1].", HINT)


def _conv(node: Node, gain: float = 1.0) -> ModulatedConv:
    weight = node.tensor("weight")
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or weight.shape[2] not in (1, 3):
        raise ModelError(f"{node.path}weight has the shape {tuple(weight.shape)}.", HINT)
    up = node.integer("up", 1)
    if up not in (1, 2) or (up == 2 and weight.shape[2] != 3):
        raise ModelError(f"{node.path[:-1]} resamples by {up}.", HINT)
    if node.values.get("activation", "lrelu") != "lrelu":
        raise ModelError(f"{node.path[:-1]} uses the activation {node.values.get('activation')}.", HINT)
    _check_filter(node)
    noise = None
    if node.values.get("use_noise", True) and "noise_const" in node.tensors:
        noise = node.tensor("noise_const")
    strength = float(node.tensor("noise_strength")) if "noise_strength" in node.tensors else 0.0
    return ModulatedConv(
        weight, node.tensor("bias"), dense(node.child("affine")), up, noise, strength, node.clamp(), gain
    )


def _block(node: Node, resolution: int) -> Block2:
    architecture = node.values.get("architecture", "skip")
    residual = architecture == "resnet" and "skip" in node.children
    parts = Block2(resolution, half=bool(node.values.get("use_fp16", False)))
    if "const" in node.tensors:
        parts.const = node.tensor("const")[None]
    if "conv0" in node.children:
        parts.conv0 = _conv(node.child("conv0"))
    if "conv1" in node.children:
        parts.conv1 = _conv(node.child("conv1"), math.sqrt(0.5) if residual else 1.0)
    if "torgb" in node.children:
        rgb = node.child("torgb")
        parts.torgb = ToRGB(rgb.tensor("weight"), rgb.tensor("bias"), dense(rgb.child("affine")), rgb.clamp())
    if residual:
        weight = node.child("skip").tensor("weight")
        parts.skip = weight / math.sqrt(weight[0].numel()) * math.sqrt(0.5)
    return parts


def synthesis2(node: Node) -> Synthesis2:
    """The synthesis network under ``node`` (children ``b4``, ``b8``, ...)."""
    names = sorted((int(name[1:]), name) for name in node.children if name[:1] == "b" and name[1:].isdigit())
    if not names or names[0][0] != 4:
        raise ModelError("The synthesis network has no 4x4 block.", HINT)
    blocks = [Block(_block(node.child(name), resolution)) for resolution, name in names]
    if blocks[-1].torgb is None:
        raise ModelError("The synthesis network's last block has no colour layer.", HINT)
    return Synthesis2(blocks, str(node.child(names[-1][1]).values.get("architecture", "skip")))
