"""StyleGAN2 and StyleGAN3 the obvious way, as a yardstick for benchmarks/stylegan.py.

Modulated weights for each sample, grouped convolution, float32, resampling by inserting zeros, padding,
a depthwise filter at the high rate and throwing samples away. Written from the papers; it reads the same
nodes that the program's own networks are built from, so both can be held against each other.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from igm_gui.generators.stylegan.records import Node
from igm_gui.generators.stylegan.synthesis3 import FourierInput


def affine(node: Node, w: Tensor) -> Tensor:
    """The layer's style (N, channels)."""
    return F.linear(w, node.tensors["weight"] * float(node.values["weight_gain"]), node.tensors["bias"])


def modulated_conv(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    demodulate: bool,
    up: int = 1,
    gain: float = 1.0,
    padding: int = 0,
) -> Tensor:
    """x (N, I, H, W), weight (O, I, k, k), style (N, I): weights for each sample, one grouped convolution."""
    count, channels = x.shape[:2]
    out = weight.shape[0]
    w = weight[None] * style[:, None, :, None, None]
    if demodulate:
        w = w * (w.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    w = w * gain
    x = x.reshape(1, count * channels, *x.shape[2:])
    if up == 1:
        x = F.conv2d(x, w.flatten(0, 1), padding=padding, groups=count)
    else:
        w = w.transpose(1, 2).flatten(0, 1)
        x = F.conv_transpose2d(x, w, stride=2, groups=count)
    return x.reshape(count, out, *x.shape[2:])


def resample(
    x: Tensor, taps: Tensor, up: int, down: int, pads: tuple[int, int, int, int], gain: float
) -> Tensor:
    """Insert zeros, pad or crop, filter (1-D taps on both axes, or 2-D), keep every ``down``-th."""
    count, channels, height, width = x.shape
    if up > 1:
        grown = x.new_zeros(count, channels, height, up, width, up)
        grown[:, :, :, 0, :, 0] = x
        x = grown.reshape(count, channels, height * up, width * up)
    x = F.pad(x, pads)
    taps = taps.flip(tuple(range(taps.ndim))) * gain ** (taps.ndim / 2)
    if taps.ndim == 2:
        x = F.conv2d(x, taps.expand(channels, 1, *taps.shape), groups=channels)
    else:
        x = F.conv2d(x, taps[None, None, :, None].expand(channels, 1, -1, 1), groups=channels)
        x = F.conv2d(x, taps[None, None, None, :].expand(channels, 1, 1, -1), groups=channels)
    return x[:, :, ::down, ::down]


def _layer2(node: Node, x: Tensor, w: Tensor) -> Tensor:
    up = int(node.values["up"])
    x = modulated_conv(x, node.tensors["weight"], affine(node.children["affine"], w), True, up, padding=1)
    if up == 2:
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        x = resample(x, torch.outer(taps, taps) / 64, 1, 1, (1, 1, 1, 1), 4.0)
    x = x + node.tensors["noise_const"] * node.tensors["noise_strength"]
    return F.leaky_relu(x + node.tensors["bias"][:, None, None], 0.2) * math.sqrt(2)


def synthesis2(node: Node, ws: Tensor) -> Tensor:
    """The skip and orig architectures: ws (N, num_ws, w_dim) -> pictures (N, C, H, W)."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    x = picture = None
    at = 0
    for name in sorted(node.children, key=lambda n: int(n[1:])):
        block = node.children[name]
        if x is None:
            x = block.tensors["const"].expand(ws.shape[0], -1, -1, -1)
        for conv in ("conv0", "conv1"):
            if conv in block.children:
                x = _layer2(block.children[conv], x, ws[:, at])
                at += 1
        if "torgb" not in block.children:
            continue
        rgb = block.children["torgb"]
        style = affine(rgb.children["affine"], ws[:, at]) / math.sqrt(rgb.tensors["weight"][0].numel())
        colour = modulated_conv(x, rgb.tensors["weight"], style, False) + rgb.tensors["bias"][:, None, None]
        if picture is not None:
            picture = resample(picture, torch.outer(taps, taps) / 64, 2, 1, (2, 1, 2, 1), 4.0)
        picture = colour if picture is None else picture + colour
    assert picture is not None
    return picture


def synthesis3(node: Node, ws: Tensor) -> Tensor:
    """ws (N, num_ws, w_dim) -> pictures (N, C, H, W)."""
    x = FourierInput(node.children["input"])(ws[:, 0], None)
    names = sorted((n for n in node.children if n.startswith("L")), key=lambda n: int(n[1:].split("_")[0]))
    for index, name in enumerate(names):
        layer = node.children[name]
        v, t = layer.values, layer.tensors
        weight, style = t["weight"], affine(layer.children["affine"], ws[:, index + 1])
        gain = float(t["magnitude_ema"]) ** -0.5
        if v["is_torgb"]:
            style = style / math.sqrt(weight[0].numel())
        else:
            weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
            style = style * style.square().mean(1, keepdim=True).rsqrt()
        x = modulated_conv(x, weight, style, not v["is_torgb"], 1, gain, weight.shape[-1] - 1)
        x = x + t["bias"][:, None, None]
        if v["is_torgb"]:
            continue
        up, down = int(v["up_factor"]), int(v["down_factor"])
        pads = tuple(int(p) for p in v["padding"])
        x = resample(x, t["up_filter"], up, 1, pads, up**2)  # type: ignore[arg-type]
        x = (F.leaky_relu(x, 0.2) * math.sqrt(2)).clamp(-256, 256)
        x = resample(x, t["down_filter"], 1, down, (0, 0, 0, 0), 1.0)
    return x * float(node.values.get("output_scale", 0.25))
