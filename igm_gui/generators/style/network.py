"""A small style-based synthesis network for the CPU, and its encoder.

The synthesis network follows StyleGAN2 (Karras et al. 2020, arXiv:1912.04958): every 3x3
convolution is modulated by a style read from w and demodulated, every layer has a noise
input, and each resolution adds its own RGB picture (output skips). Four things are ours, all
for speed on a CPU:

* Modulation scales the activations and demodulation scales the result, so that one shared
  weight serves the whole batch. The arithmetic is the same; it is several times as fast as
  one convolution per sample.
* A layer that doubles the resolution convolves first and enlarges afterwards, which costs a
  quarter of the multiplications.
* At full resolution there is one convolution, of few features, and it too convolves before it
  enlarges; only the RGB picture is drawn from full resolution. (A network with `pixels` = 2 has none
  there: it draws 2x2 pixels for each place, Shi et al. 2016, arXiv:1609.05158. That is faster yet,
  but leaves a fine dotted texture.)
* In place of a constant, the first layer draws a coarse map from its style with dense layers.
  They remember what goes where at one multiplication for each weight, where a convolution
  takes one for each weight and place.
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
    """Leaky ReLU with slope 0.2, in place: memory traffic costs as much as arithmetic."""
    return F.leaky_relu_(x, 0.2)


def enlarge(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


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
    """w to a style near 1: at full strength it would turn the signs of features at random."""
    affine = ScaledLinear(w_dim, n_out, bias=1.0)
    affine.weight.data.mul_(0.3)
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
        style = self.affine(w).to(x.dtype)  # (B, in)
        weight = self.weight * self.gain
        power = weight.square().sum((2, 3))  # (out, in)
        demodulate = GAIN * torch.rsqrt(F.linear(style.square(), power) + 1e-8)  # (B, out)
        x = F.conv2d(x * style[:, :, None, None], weight, padding=1)
        x = x * demodulate[:, :, None, None].to(x.dtype) + self.bias[:, None, None].to(x.dtype)
        if self.up:
            x = enlarge(x)
        if noise is not None:
            x = x + (noise * self.noise_strength[:, None, None]).to(x.dtype)
        return leaky(x)


class ToRGB(nn.Module):
    """Modulated convolution to an RGB picture, without demodulation.

    With `pixels` = 1 it is 3x3 and draws a pixel for each place; with 2 it is 1x1 and draws 2x2.
    """

    def __init__(self, n_in: int, w_dim: int, pixels: int) -> None:
        super().__init__()
        size = 3 if pixels == 1 else 1
        self.affine = style_affine(w_dim, n_in)
        self.weight = nn.Parameter(0.1 * torch.randn(3 * pixels**2, n_in, size, size))
        self.bias = nn.Parameter(torch.zeros(3 * pixels**2))
        self.gain = 1.0 / math.sqrt(n_in * size**2)
        self.pixels, self.padding = pixels, size // 2

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(B, in, side, side) -> float32 (B, 3, pixels * side, pixels * side)."""
        style = self.affine(w).to(x.dtype)
        rgb = F.conv2d(x * style[:, :, None, None], self.weight * self.gain, padding=self.padding)
        rgb = rgb.float() + self.bias[:, None, None]
        return rgb if self.pixels == 1 else F.pixel_shuffle(rgb, self.pixels)


class Layout(nn.Module):
    """Dense layers from w to a coarse map of features: (B, w_dim) -> (B, channels, side, side)."""

    def __init__(self, w_dim: int, hidden: int, n_hidden: int, channels: int, side: int) -> None:
        super().__init__()
        sizes = [w_dim] + [hidden] * n_hidden
        self.layers = nn.ModuleList([ScaledLinear(n_in, n_out) for n_in, n_out in pairwise(sizes)])
        self.out = ScaledLinear(hidden, channels * side * side)
        self.channels, self.side = channels, side

    def forward(self, w: Tensor) -> Tensor:
        for layer in self.layers:
            w = leaky(layer(w)) * GAIN
        # Channels last in memory, which is what the convolutions want.
        return leaky(self.out(w)).unflatten(1, (self.side, self.side, -1)).permute(0, 3, 1, 2)


class Synthesis(nn.Module):
    """w, one for each layer, to a picture.

    Layer 0 is the layout. There are two modulated convolutions at each resolution, of `channels`
    features, and the resolution doubles between. Each resolution adds a picture of `pixels` times
    its side, with the style of the layer after it, as in StyleGAN2. With `pixels` = 1 the last
    resolution is the picture's own and has one convolution alone.
    """

    def __init__(self, w_dim: int, layout: Layout, channels: Sequence[int], pixels: int = 1) -> None:
        super().__init__()
        self.w_dim = w_dim
        self.layout = layout
        self.convs = nn.ModuleList([])
        self.to_rgb = nn.ModuleList([])
        n_in = layout.channels
        for i, n_out in enumerate(channels):
            self.convs.append(StyleConv(n_in, n_out, w_dim, up=i > 0))
            if pixels == 2 or i < len(channels) - 1:
                self.convs.append(StyleConv(n_out, n_out, w_dim, up=False))
            self.to_rgb.append(ToRGB(n_out, w_dim, pixels))
            n_in = n_out

    @property
    def n_layers(self) -> int:
        """How many styles a picture takes: the layout, then one for each convolution."""
        return 1 + len(self.convs)

    @property
    def noise_sizes(self) -> list[int]:
        """Side of the noise plane of each convolution, in places."""
        return [self.layout.side << i // 2 for i in range(len(self.convs))]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """(B, w_dim) or (B, n_layers, w_dim) float32 -> (B, 3, H, H), in about -1..1, not clipped.

        `noise`: one (B or 1, 1, side, side) plane for each convolution, or None for no noise.
        """
        if ws.ndim == 2:
            ws = ws[:, None].expand(-1, self.n_layers, -1)
        x = self.layout(ws[:, 0])
        picture: Tensor | None = None
        for i, conv in enumerate(self.convs):
            x = conv(x, ws[:, i + 1], None if noise is None else noise[i])
            if i % 2 or i == len(self.convs) - 1:  # the last convolution of a resolution
                finer = self.to_rgb[i // 2](x, ws[:, min(i + 2, self.n_layers - 1)])
                picture = finer if picture is None else enlarge(picture) + finer
        assert picture is not None
        return picture


class Encoder(nn.Module):
    """A picture to w: convolutions that each halve the resolution, and a linear layer."""

    def __init__(self, w_dim: int, channels: Sequence[int], side: int) -> None:
        super().__init__()
        sizes = [12, *channels]
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(n_in, n_out, 3, padding=1, stride=2 if i else 1)
                for i, (n_in, n_out) in enumerate(pairwise(sizes))
            ]
        )
        last = side // 2 >> (len(channels) - 1)
        self.linear = nn.Linear(channels[-1] * last * last, w_dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, H) in -1..1 -> w (B, w_dim)."""
        x = F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = leaky(conv(x))
        w: Tensor = self.linear(x.flatten(1))
        return w
