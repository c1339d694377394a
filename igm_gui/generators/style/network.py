"""A small style-based synthesis network for the CPU, and its encoder.

The synthesis network follows StyleGAN2 (Karras et al. 2020, arXiv:1912.04958): every 3x3
convolution is modulated by a style read from w and demodulated, every layer has a noise
input, and each resolution adds its own RGB picture (output skips). Two things are ours:

* Modulation scales the activations and demodulation scales the result, so that one shared
  weight serves the whole batch. The arithmetic is the same; on a CPU it is several times as
  fast as one convolution per sample.
* A layer that doubles the resolution convolves first and enlarges afterwards, which costs a
  quarter of the multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = math.sqrt(2.0)  # what a leaky ReLU takes from the variance; given back by the weights before it


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU with slope 0.2, in place: at 64x64 memory traffic costs as much as arithmetic."""
    return F.leaky_relu_(x, 0.2)


class ScaledLinear(nn.Module):
    """A linear layer with equalized learning rate (Karras et al. 2018, arXiv:1710.10196)."""

    def __init__(self, n_in: int, n_out: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in))
        self.bias = nn.Parameter(torch.full((n_out,), bias))
        self.gain = 1.0 / math.sqrt(n_in)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.gain, self.bias)


def style_affine(w_dim: int, n_out: int) -> ScaledLinear:
    """w to a style near 1. A start at full strength would turn the signs of features at random,
    differently for each w, and the sketch would be lost in it."""
    affine = ScaledLinear(w_dim, n_out, bias=1.0)
    affine.weight.data.mul_(0.1)
    return affine


class StyleConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU; doubles the resolution if `up`."""

    def __init__(self, n_in: int, n_out: int, w_dim: int, up: bool) -> None:
        super().__init__()
        self.affine = style_affine(w_dim, n_in)
        self.weight = nn.Parameter(torch.randn(n_out, n_in, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros(n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.gain = 1.0 / math.sqrt(n_in * 9)
        self.up = up

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        style = self.affine(w)  # (B, in)
        weight = self.weight * self.gain
        power = weight.square().sum((2, 3))  # (out, in)
        demodulate = GAIN * torch.rsqrt(style.square() @ power.T + 1e-8)  # (B, out)
        x = F.conv2d(x * style[:, :, None, None], weight, padding=1)
        x = torch.addcmul(self.bias[:, None, None], x, demodulate[:, :, None, None])
        if self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        if noise is not None:
            x = x + noise * self.noise_strength[:, None, None]
        return leaky(x)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to three channels, without demodulation."""

    def __init__(self, n_in: int, w_dim: int) -> None:
        super().__init__()
        self.affine = style_affine(w_dim, n_in)
        self.weight = nn.Parameter(torch.zeros(3, n_in, 1, 1))  # at first the sketch is the picture
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1.0 / math.sqrt(n_in)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight = self.affine(w)[:, :, None] * (self.weight[:, :, 0, 0].T * self.gain)  # (B, in, 3)
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H W, in)
        rgb = torch.baddbmm(self.bias, pixels, weight)
        return rgb.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


class Sketch(nn.Module):
    """Dense layers from w to a small picture: (B, w_dim) -> (B, 3, side, side).

    The picture is a sum of basis pictures (to begin with, principal components); w gives the
    coefficients by a linear map and by hidden layers that add what a linear map can't know. It
    remembers what goes where, at one multiplication for each weight, where a convolution takes
    one for each weight and pixel. What it draws is soft; the convolutions make it sharp.
    """

    def __init__(self, w_dim: int, hidden: int, n_hidden: int, n_basis: int, side: int) -> None:
        super().__init__()
        sizes = [w_dim] + [hidden] * n_hidden
        self.layers = nn.ModuleList([ScaledLinear(n_in, n_out) for n_in, n_out in pairwise(sizes)])
        self.coefficients = ScaledLinear(hidden, n_basis)
        self.linear = nn.Linear(w_dim, n_basis, bias=False)
        self.basis = nn.Linear(n_basis, 3 * side * side)
        self.side = side

    def weights(self, w: Tensor) -> Tensor:
        """The coefficients of the basis pictures: (B, n_basis)."""
        hidden = w
        for layer in self.layers:
            hidden = leaky(layer(hidden)) * GAIN
        return self.linear(w) + self.coefficients(hidden)

    def forward(self, w: Tensor) -> Tensor:
        return self.basis(self.weights(w)).reshape(-1, 3, self.side, self.side)


class Synthesis(nn.Module):
    """w, one for each layer, to a picture.

    Layer 0 is the sketch. Folded to half its side and four times its channels, it is where the
    modulated convolutions start; there are two at each resolution, of `channels` features, and the
    resolution doubles between. From the sketch's size on, each resolution adds to the picture, with
    the style of the layer after it, as in StyleGAN2; the sketch is the picture they add to.
    """

    def __init__(self, w_dim: int, sketch: Sketch, channels: Sequence[int]) -> None:
        super().__init__()
        self.w_dim = w_dim
        self.sketch = sketch
        self.convs = nn.ModuleList([])
        self.to_rgb = nn.ModuleList([])
        n_in = 12
        for i, n_out in enumerate(channels):
            self.convs.append(StyleConv(n_in, n_out, w_dim, up=i > 0))
            self.convs.append(StyleConv(n_out, n_out, w_dim, up=False))
            if i:
                self.to_rgb.append(ToRGB(n_out, w_dim))
            n_in = n_out

    @property
    def n_layers(self) -> int:
        """How many styles a picture takes: the sketch, then one for each convolution."""
        return 1 + len(self.convs)

    @property
    def noise_sizes(self) -> list[int]:
        """Side of the noise plane of each convolution, in pixels."""
        return [self.sketch.side << i // 2 >> 1 for i in range(len(self.convs))]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """(B, w_dim) or (B, n_layers, w_dim) float32 -> (B, 3, H, H), in about -1..1, not clipped.

        `noise`: one (B or 1, 1, side, side) plane for each convolution, or None for no noise.
        """
        if ws.ndim == 2:
            ws = ws[:, None].expand(-1, self.n_layers, -1)
        picture = self.sketch(ws[:, 0])
        x = F.pixel_unshuffle(picture, 2).contiguous(memory_format=torch.channels_last)
        for i, conv in enumerate(self.convs):
            x = conv(x, ws[:, i + 1], None if noise is None else noise[i])
            if i % 2 and i > 1:  # the last convolution of a resolution at or above the sketch's
                if x.shape[-1] > picture.shape[-1]:
                    picture = F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
                picture = picture + self.to_rgb[i // 2 - 1](x, ws[:, min(i + 2, self.n_layers - 1)])
        return picture


class Encoder(nn.Module):
    """A picture to w: a linear map of the picture at the sketch's size.

    `spread` is the standard deviation, by dimension, of the w that count as the same picture.
    """

    spread: Tensor

    def __init__(self, w_dim: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.linear = nn.Linear(3 * side * side, w_dim)
        self.register_buffer("spread", torch.ones(w_dim))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, H) in -1..1 -> w (B, w_dim)."""
        small = F.avg_pool2d(pictures, pictures.shape[-1] // self.side)
        w: Tensor = self.linear(small.flatten(1))
        return w
