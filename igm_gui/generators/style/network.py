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
START = 8  # pixels of the first feature map


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


class ScaledConv(nn.Module):
    """A convolution with equalized learning rate; padding keeps the size at stride 1."""

    def __init__(self, n_in: int, n_out: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, size, size))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.gain = GAIN / math.sqrt(n_in * size * size)
        self.stride = stride
        self.padding = size // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.gain, self.bias, self.stride, self.padding)


class StyleConv(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU; doubles the resolution if `up`."""

    def __init__(self, n_in: int, n_out: int, w_dim: int, up: bool) -> None:
        super().__init__()
        self.affine = ScaledLinear(w_dim, n_in, bias=1.0)
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
        self.affine = ScaledLinear(w_dim, n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, n_in, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1.0 / math.sqrt(n_in)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight = self.affine(w)[:, :, None] * (self.weight[:, :, 0, 0].T * self.gain)  # (B, in, 3)
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H W, in)
        rgb = torch.baddbmm(self.bias, pixels, weight)
        return rgb.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


class Synthesis(nn.Module):
    """w, one for each layer, to a picture.

    `channels` are the widths at 8, 16, 32, ... pixels. Layer 0 draws the 8x8 start from w with two
    dense layers: most of what the network remembers is there, at a multiplication for each weight,
    where a convolution takes one for each weight and pixel. Then come one modulated convolution
    at 8x8 and two for each further resolution; each picture output shares the style of the
    layer after it, as in StyleGAN2.
    """

    def __init__(self, w_dim: int, hidden: int, channels: Sequence[int]) -> None:
        super().__init__()
        first = channels[0]
        self.w_dim = w_dim
        self.channels = tuple(channels)
        self.start_hidden = ScaledLinear(w_dim, hidden)
        self.start = ScaledLinear(hidden, first * START * START)
        self.convs = nn.ModuleList([StyleConv(first, first, w_dim, up=False)])
        self.to_rgb = nn.ModuleList([ToRGB(first, w_dim)])
        for n_in, n_out in pairwise(channels):
            self.convs.append(StyleConv(n_in, n_out, w_dim, up=True))
            self.convs.append(StyleConv(n_out, n_out, w_dim, up=False))
            self.to_rgb.append(ToRGB(n_out, w_dim))

    @property
    def n_layers(self) -> int:
        """How many styles a picture takes: the start, then one for each convolution."""
        return 1 + len(self.convs)

    @property
    def noise_sizes(self) -> list[int]:
        """Side of the noise plane of each convolution, in pixels."""
        return [START] + [START << (i // 2 + 1) for i in range(len(self.convs) - 1)]

    def forward(self, ws: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """(B, w_dim) or (B, n_layers, w_dim) float32 -> (B, 3, H, H), in about -1..1, not clipped.

        `noise`: one (B or 1, 1, side, side) plane for each convolution, or None for no noise.
        """
        if ws.ndim == 2:
            ws = ws[:, None].expand(-1, self.n_layers, -1)
        start = self.start(leaky(self.start_hidden(ws[:, 0])))
        x = leaky(start).reshape(-1, self.channels[0], START, START)
        x = x.contiguous(memory_format=torch.channels_last)
        picture: Tensor | None = None
        for i, conv in enumerate(self.convs):
            x = conv(x, ws[:, i + 1], None if noise is None else noise[i])
            if i % 2 == 0:  # the last convolution of this resolution
                rgb = self.to_rgb[i // 2](x, ws[:, min(i + 2, self.n_layers - 1)])
                if picture is None:
                    picture = rgb
                else:
                    picture = rgb + F.interpolate(
                        picture, scale_factor=2, mode="bilinear", align_corners=False
                    )
        assert picture is not None
        return picture


class Encoder(nn.Module):
    """A picture to the mean and log variance of its w (Kingma and Welling 2014)."""

    def __init__(self, w_dim: int, channels: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in = 3
        for i, n_out in enumerate(channels):
            layers.append(ScaledConv(n_in, n_out, stride=2))
            if i:  # the first is the largest and would cost as much as the rest together
                layers.append(ScaledConv(n_out, n_out))
            n_in = n_out
        self.convs = nn.ModuleList(layers)
        self.out = ScaledLinear(channels[-1] * 16, 2 * w_dim)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, H) in -1..1 -> mean and log variance, (B, w_dim) each."""
        x = pictures.contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = leaky(conv(x))
        mean, log_variance = self.out(x.flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)
