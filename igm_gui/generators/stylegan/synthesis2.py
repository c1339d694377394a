"""StyleGAN2's synthesis network, arranged for speed (Karras et al. 2020).

The paper modulates the weights of each convolution by the sample's style and demodulates them.
That is the same as scaling the input channels by the style, convolving with shared weights and
scaling the output channels by the demodulation factor: no weights are built for each sample and
the batch needs no grouped convolution. The resampling filter [1, 3, 3, 1] after a stride-2
transposed convolution is folded into the convolution where that wins: each output phase is then an
ordinary 3x3 convolution of the small picture (see :class:`UpConv`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.generators.stylegan.mapping import Dense

FILTER = (1.0, 3.0, 3.0, 1.0)


def fold_upsampling(weight: Tensor) -> Tensor:
    """Weights (O, I, 3, 3) of "insert zeros, convolve, smooth with [1, 3, 3, 1]" as those of a 3x3
    convolution of the small picture with 4*O outputs, to be shuffled into 2x2 pixels.

    The composed kernel is 6x6 at the double resolution; output phase (py, px) sees every second tap.
    """
    taps = torch.tensor(FILTER, dtype=torch.float64)
    smooth = torch.outer(taps, taps) / taps.sum() ** 2 * 4.0
    w = weight.double()
    out_channels, in_channels = w.shape[:2]
    # True convolution of the two kernels: conv2d correlates, so flip one of them.
    full = F.conv2d(w.reshape(-1, 1, 3, 3), smooth.flip(0, 1)[None, None], padding=3)
    full = full.reshape(out_channels, in_channels, 6, 6)
    phases = []
    for py in (0, 1):
        for px in (0, 1):
            # y[2i + p] = sum_k full[k] x_up[2i + p + 2 - k], x_up nonzero at even places only.
            rows = torch.arange(p_start(py), 6, 2)[:3].flip(0)
            columns = torch.arange(p_start(px), 6, 2)[:3].flip(0)
            phases.append(full[:, :, rows][:, :, :, columns])
    folded = torch.stack(phases, 1)  # (O, 4, I, 3, 3)
    return folded.reshape(4 * out_channels, in_channels, 3, 3).to(weight.dtype)


def p_start(phase: int) -> int:
    """The first kernel tap that meets a sample for an output phase."""
    return phase


class Smooth(nn.Module):
    """Doubles pictures with the separable filter [1, 3, 3, 1] / 4, as a polyphase sum.

    Each output is 3/4 of the near and 1/4 of the far sample, per axis, zeros outside.
    """

    def forward(self, x: Tensor) -> Tensor:
        for axis in (2, 3):
            size = x.shape[axis]
            pad = (0, 0, 1, 1) if axis == 2 else (1, 1, 0, 0)
            padded = F.pad(x, pad)
            near = x * 0.75
            before = torch.add(near, padded.narrow(axis, 0, size), alpha=0.25)
            after = torch.add(near, padded.narrow(axis, 2, size), alpha=0.25)
            x = torch.stack((before, after), axis + 1).flatten(axis, axis + 1)
        return x


class ModulatedConv(nn.Module):
    """Style, convolution, demodulation, noise, bias, leaky ReLU: one layer of the network.

    ``up`` doubles the picture. x (N, I, H, W), w (N, w_dim) -> (N, O, H*up, W*up).
    """

    weight: Tensor
    squares: Tensor
    bias: Tensor
    noise_const: Tensor

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        affine: Dense,
        up: int,
        noise_const: Tensor | None,
        noise_strength: float,
        clamp: float | None,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.affine = affine
        self.up = up
        self.kernel = weight.shape[-1]
        self.register_buffer("squares", weight.square().sum((2, 3)))
        self.register_buffer("weight", (fold_upsampling(weight) if up == 2 else weight).contiguous())
        self.register_buffer("bias", bias)
        self.noise_strength = noise_strength
        self.register_buffer("noise_const", noise_const if noise_const is not None else torch.zeros(1, 1))
        self.has_noise = noise_const is not None
        self.gain = math.sqrt(2) * gain
        self.clamp = clamp * gain if clamp is not None else None

    def arrange(self, dtype: torch.dtype, layout: torch.memory_format) -> None:
        """Hold the convolution's weights in ``dtype`` and ``layout``; the float32 ones are kept beside."""
        master = getattr(self, "master", self.weight)
        self.master = master
        self.weight = master.to(dtype).contiguous(memory_format=layout)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        style = self.affine(w)
        demodulate = (style.square() @ self.squares.t() + 1e-8).rsqrt().to(x.dtype)
        x = F.conv2d(x * style.to(x.dtype)[:, :, None, None], self.weight, padding=self.kernel // 2)
        if self.up == 2:
            x = F.pixel_shuffle(x, 2)
        x = x.mul_(demodulate[:, :, None, None])
        if noise is not None:
            x = x.add_(noise.to(x.dtype))
        x = F.leaky_relu_(x.add_(self.bias[None, :, None, None]), 0.2).mul_(self.gain)
        return x.clamp_(-self.clamp, self.clamp) if self.clamp is not None else x


class ToRGB(nn.Module):
    """Style, 1x1 convolution without demodulation, bias. x (N, I, H, W) -> (N, channels, H, W)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, affine: Dense, clamp: float | None) -> None:
        super().__init__()
        self.affine = affine
        self.register_buffer("weight", weight / math.sqrt(weight[0].numel()))
        self.register_buffer("bias", bias)
        self.clamp = clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w).to(x.dtype)
        x = F.conv2d(x * style[:, :, None, None], self.weight.to(x.dtype), self.bias.to(x.dtype))
        return x.clamp_(-self.clamp, self.clamp) if self.clamp is not None else x


@dataclass
class Block2:
    """One resolution: the layers it has (some may be missing) and its number in the chain."""

    resolution: int
    const: Tensor | None = None
    conv0: ModulatedConv | None = None
    conv1: ModulatedConv | None = None
    torgb: ToRGB | None = None
    skip: Tensor | None = None  # (O, I, 1, 1), gains folded in


class Block(nn.Module):
    """A :class:`Block2` as a module."""

    const: Tensor | None
    skip: Tensor | None

    def __init__(self, parts: Block2) -> None:
        super().__init__()
        self.resolution = parts.resolution
        self.register_buffer("const", parts.const)
        self.register_buffer("skip", parts.skip)
        self.conv0, self.conv1, self.torgb = parts.conv0, parts.conv1, parts.torgb

    @property
    def convolutions(self) -> int:
        return (self.conv0 is not None) + (self.conv1 is not None)


class Synthesis2(nn.Module):
    """ws (N, num_ws, w_dim) -> pictures (N, C, H, W), nominally in [-1, 1].

    ``architecture`` is skip, resnet or orig. ``compute`` is the activations' dtype.
    """

    def __init__(self, blocks: list[Block], architecture: str) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.architecture = architecture
        self.smooth = Smooth()
        self.num_ws = sum(block.convolutions for block in blocks) + 1
        self.compute: torch.dtype = torch.float32
        self.layout: torch.memory_format = torch.contiguous_format

    def arrange(self, dtype: torch.dtype, layout: torch.memory_format) -> None:
        """Compute activations and convolutions in ``dtype``; colours are always added in float32."""
        self.compute, self.layout = dtype, layout
        for layer in self.layers():
            layer.arrange(dtype, layout)

    def layers(self) -> list[ModulatedConv]:
        """The convolution layers in the order that ws feeds them."""
        found = []
        for block in self.blocks:
            found += [c for c in (block.conv0, block.conv1) if c is not None]
        return found  # type: ignore[return-value]

    def forward(self, ws: Tensor, noise: list[Tensor | None]) -> Tensor:
        """``noise`` holds one (N or 1, 1, h, w) picture, already scaled, for each convolution."""
        x = picture = None
        position = 0
        for block in self.blocks:
            x = self._block(block, x, ws, noise, position)
            position += cast(Block, block).convolutions
            if picture is not None:
                picture = self.smooth(picture)
            if block.torgb is not None:
                colour = block.torgb(x, ws[:, position]).float()  # type: ignore[operator]
                picture = colour if picture is None else picture.add_(colour)
        assert picture is not None
        return picture

    def _block(
        self, block: nn.Module, x: Tensor | None, ws: Tensor, noise: list[Tensor | None], at: int
    ) -> Tensor:
        if x is None:
            assert isinstance(block.const, Tensor)
            x = (
                block.const.to(self.compute)
                .expand(ws.shape[0], -1, -1, -1)
                .contiguous(memory_format=self.layout)
            )
        residual = x
        for layer in (block.conv0, block.conv1):
            if layer is not None:
                x = layer(x, ws[:, at], noise[at])  # type: ignore[operator]
                at += 1
        if isinstance(block.skip, Tensor):
            x = x + self.smooth(F.conv2d(residual, block.skip.to(residual.dtype)))
        return x
