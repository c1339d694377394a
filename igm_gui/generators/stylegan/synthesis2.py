"""StyleGAN2's synthesis network, arranged for speed (Karras et al. 2020).

The paper modulates the weights of each convolution by the sample's style and demodulates them.
That is the same as scaling the input channels by the style, convolving with shared weights and
scaling the output channels by the demodulation factor: the coarse layers, which have many weights and
small pictures, are run so. The fine ones have few weights and large pictures: there the weights of each
sample take less than one pass over its picture. Demodulation factors come from the squared weights, summed
once. The resampling filter [1, 3, 3, 1] after a stride-2 transposed convolution can be folded into
it: each output phase is then an ordinary 3x3 convolution of the small picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.generators.half import kept
from igm_gui.generators.stylegan.convolve import Winograd, ordered
from igm_gui.generators.stylegan.mapping import Dense
from igm_gui.generators.stylegan.trail import State, Step, Trail, row_keys

FILTER = (1.0, 3.0, 3.0, 1.0)
FOLDED_CHANNELS = 32  # of wider layers, four times the products cost more than any pass over the picture


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


class _Ready(NamedTuple):
    """A layer's weights as one arrangement wants them."""

    smooth: Tensor  # the resampling filter for each channel
    bias: Tensor
    squares: Tensor
    weight: Tensor | None = None  # where every sample gets weights of its own
    shared: Callable[[Tensor], Tensor] | None = None  # the convolution where all have the same
    winograd: Winograd | None = None  # the same, with fewer products


class ModulatedConv(nn.Module):
    """Style, convolution, demodulation, noise, bias, leaky ReLU: one layer of the network.

    ``up`` doubles the picture. x (N, I, H, W), w (N, w_dim) -> (N, O, H*up, W*up). Going up is either a
    transposed convolution and the filter [1, 3, 3, 1] after it, or both folded into one convolution
    (``folded``): fewer passes, but four times the products.
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
        self.register_buffer("weight", kept(weight.contiguous()))
        # The gain goes through the leaky ReLU: it is positive. Noise gets it in :meth:`noise_gain`.
        self.gain = math.sqrt(2) * gain
        self.register_buffer("bias", bias * self.gain)
        self.noise_strength = noise_strength
        self.register_buffer("noise_const", noise_const if noise_const is not None else torch.zeros(1, 1))
        self.has_noise = noise_const is not None
        self.clamp = clamp * gain if clamp is not None else None
        self.folded = self.winograd = False
        self.dtype: torch.dtype = torch.float32
        self.layout: torch.memory_format = torch.contiguous_format
        self._ready: _Ready | None = None

    @property
    def foldable(self) -> bool:
        """Whether folding could win."""
        return self.up == 2 and self.weight.shape[1] <= FOLDED_CHANNELS

    @property
    def noise_gain(self) -> float:
        """What a picture of noise N(0, 1) is multiplied by before it is given to :meth:`forward`."""
        return self.noise_strength * self.gain

    def arrange(
        self, dtype: torch.dtype, layout: torch.memory_format, folded: bool = False, winograd: bool = False
    ) -> None:
        """Compute in ``dtype`` and ``layout``. The float32 weights stay for other arrangements."""
        self.dtype, self.layout, self.folded = dtype, layout, folded and self.foldable
        self.winograd = winograd and self.up == 1
        self._ready = None

    def _prepare(self, shape: torch.Size) -> _Ready:
        """The weights as :meth:`forward` wants them for an input of ``shape``."""
        weight, squares = self.weight.float(), self.squares
        if self.dtype == torch.float16:
            norm = squares.sum(1).clamp(min=1e-16).sqrt()
            weight, squares = weight / norm[:, None, None, None], squares / norm.square()[:, None]
        if self.folded:
            weight = fold_upsampling(weight)
        elif self.up == 2:
            weight = weight.transpose(0, 1)
        taps = torch.tensor(FILTER, dtype=torch.float64, device=weight.device) / sum(FILTER) * 2
        smooth = torch.outer(taps, taps).to(self.dtype).expand(self.weight.shape[0], 1, 4, 4)
        ready = _Ready(smooth.contiguous(memory_format=self.layout), self.bias.to(self.dtype), squares)
        # A large picture and few weights: one pass over the weights costs less than one over the picture.
        pixels = shape[2] * shape[3] * self.up**2
        if 4 * self.weight.numel() <= pixels * self.weight.shape[0]:
            return ready._replace(weight=weight.contiguous(memory_format=self.layout))
        if self.winograd and Winograd.serves(weight, *shape[2:]):
            return ready._replace(winograd=Winograd(weight, self.dtype))
        weight = weight.to(self.dtype).contiguous(memory_format=self.layout)
        if self.layout == torch.channels_last:
            return ready._replace(shared=ordered(weight, shape, self.up == 2 and not self.folded))
        return ready._replace(shared=partial(self._plainly, weight, None))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """``noise`` (N or 1, 1, H*up, W*up) is scaled already, see :attr:`noise_gain`."""
        if self._ready is None:
            self._ready = self._prepare(x.shape)
        ready = self._ready
        if self.weight.dtype == torch.float16:
            self._ready = None  # kept in half because memory is short: no wide copy stays
        style = self.affine(w)
        if x.dtype == torch.float16:
            # Demodulation undoes the scale; without this, products could leave float16's range.
            style = style / style.abs().amax(1, keepdim=True).clamp(min=1e-8)
        demodulate = (style.square() @ ready.squares.t() + 1e-8).rsqrt() * self.gain
        if ready.weight is not None:
            rows = []
            for one, s, d in zip(x, style, demodulate, strict=True):
                weight = self._modulated(ready.weight, s, d).to(x.dtype)
                rows.append(self._sized(self._plainly(weight, ready.bias, one[None]), ready))
            x = rows[0] if len(rows) == 1 else torch.cat(rows)
        else:
            used, scale = style.to(x.dtype), demodulate.to(x.dtype)[:, :, None, None]
            if ready.winograd is not None:
                x = ready.winograd(x, used)
            else:
                assert ready.shared is not None
                x = self._sized(ready.shared(x * used[:, :, None, None]), ready)
            x = torch.addcmul(ready.bias[None, :, None, None], x, scale)
        if noise is not None:
            x = x.add_(noise.to(x.dtype))
        x = F.leaky_relu_(x, 0.2)
        return x.clamp_(-self.clamp, self.clamp) if self.clamp is not None else x

    def _modulated(self, weight: Tensor, style: Tensor, demodulate: Tensor) -> Tensor:
        if self.folded:
            demodulate = demodulate.repeat_interleave(4)
        elif self.up == 2:
            return weight * (style[:, None] * demodulate)[:, :, None, None]
        return weight * (demodulate[:, None] * style)[:, :, None, None]

    def _plainly(self, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
        """The convolution; with the bias where no filter comes after it."""
        if self.up == 2 and not self.folded:
            return F.conv_transpose2d(x, weight, stride=2)
        if self.folded and bias is not None:
            bias = bias.repeat_interleave(4)
        return F.conv2d(x, weight, bias, padding=self.kernel // 2)

    def _sized(self, x: Tensor, ready: _Ready) -> Tensor:
        """What comes after the convolution of a layer that doubles the picture."""
        if self.folded:
            return F.pixel_shuffle(x, 2)
        if self.up == 2:
            bias = ready.bias if ready.weight is not None else None
            return F.conv2d(x, ready.smooth, bias, padding=1, groups=x.shape[1])
        return x


class ToRGB(nn.Module):
    """Style, 1x1 convolution without demodulation, bias. x (N, I, H, W) -> float32 (N, channels, H, W)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, affine: Dense, clamp: float | None) -> None:
        super().__init__()
        self.affine = affine
        self.register_buffer("weight", weight / math.sqrt(weight[0].numel()))
        self.register_buffer("bias", bias)
        self.clamp = clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        # So few weights that each sample has its own. As a product of matrices: a convolution to three
        # channels would rearrange the whole picture.
        weights = (self.weight[:, :, 0, 0] * self.affine(w)[:, None]).to(x.dtype)  # (N, channels, I)
        count, _, height, width = x.shape
        if x.is_contiguous(memory_format=torch.channels_last):
            flat = x.permute(0, 2, 3, 1).flatten(1, 2)
            y = torch.bmm(flat, weights.transpose(1, 2)).float().transpose(1, 2)
        else:
            y = torch.bmm(weights, x.flatten(2)).float()
        y = y.add(self.bias[None, :, None]).reshape(count, -1, height, width).contiguous()
        return y.clamp_(-self.clamp, self.clamp) if self.clamp is not None else y


@dataclass
class Block2:
    """One resolution: the layers it has (some may be missing) and its number in the chain."""

    resolution: int
    const: Tensor | None = None
    conv0: ModulatedConv | None = None
    conv1: ModulatedConv | None = None
    torgb: ToRGB | None = None
    skip: Tensor | None = None  # (O, I, 1, 1), gains folded in
    half: bool = False  # trained in float16


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
        self.trained_half = parts.half
        self.compute: torch.dtype = torch.float32

    @property
    def layers(self) -> list[ModulatedConv]:
        return [layer for layer in (self.conv0, self.conv1) if layer is not None]


class Synthesis2(nn.Module):
    """ws (N, num_ws, w_dim) -> pictures (N, C, H, W), nominally in [-1, 1].

    ``architecture`` is skip, resnet or orig.
    """

    def __init__(self, blocks: list[Block], architecture: str) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.architecture = architecture
        self.smooth = Smooth()
        self.num_ws = sum(len(block.layers) for block in blocks) + 1
        self.layout: torch.memory_format = torch.contiguous_format

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What each row of ws drives, coarse to fine; the last one only colours."""
        names = []
        for block in self.blocks:
            size = f"{block.resolution}×{block.resolution}"
            names += [f"{size} up"] * (block.conv0 is not None) + [size] * (block.conv1 is not None)
        return (*names, "colour")

    def arrange(
        self, dtype: torch.dtype, layout: torch.memory_format, folded: bool = False, winograd: bool = False
    ) -> None:
        """Compute activations and convolutions in ``dtype``; colours are always added in float32."""
        self.layout = layout
        for module in self.blocks:
            block = cast(Block, module)
            # float16's range is small: it serves the blocks that were trained in it.
            block.compute = dtype if dtype != torch.float16 or block.trained_half else torch.float32
            for layer in block.layers:
                layer.arrange(block.compute, layout, folded, winograd)

    @property
    def largest(self) -> int:
        """Numbers of the largest layer's features for one picture."""
        const = cast(Block, self.blocks[0]).const
        pixels, most = 0 if const is None else const.shape[2] * const.shape[3], 0
        for layer in self.layers():
            pixels *= layer.up**2
            most = max(most, pixels * layer.weight.shape[0])
        return most

    @property
    def precisions(self) -> set[str]:
        """The numbers that its layers compute in, such as ``float32``."""
        return {str(layer.dtype).removeprefix("torch.") for layer in self.layers()}

    def layers(self) -> list[ModulatedConv]:
        """The convolution layers in the order that ws feeds them."""
        return [layer for block in self.blocks for layer in cast(Block, block).layers]

    def forward(
        self,
        ws: Tensor,
        noise: Sequence[Tensor | None],
        noise_keys: Sequence[Hashable] = (),
        trail: Trail | None = None,
    ) -> Tensor:
        """``noise`` holds one (N or 1, 1, h, w) picture, already scaled, for each convolution.

        With a ``trail``, only the layers from the first change on are run; ``noise_keys`` then tell one noise
        from another.
        """
        rows = row_keys(ws) if trail is not None else [b""] * self.num_ws
        keys = noise_keys or [None] * len(noise)
        steps: list[Step] = []
        at = 0
        for module in self.blocks:
            block = cast(Block, module)
            steps.append(Step((len(ws), rows[at]), partial(self._enter, block, len(ws))))
            for layer in block.layers:
                steps.append(Step((rows[at], keys[at]), partial(self._layer, layer, ws[:, at], noise[at])))
                at += 1
            steps.append(Step(rows[at], partial(self._leave, block, ws[:, at])))
        last = (trail or Trail(0)).run(steps)
        assert last[2] is not None
        return last[2]

    def _enter(self, block: Block, count: int, state: State) -> State:
        """A block begins: its input is kept for the residual way."""
        x, _, picture = state
        if x is None:
            assert block.const is not None
            x = block.const.expand(count, -1, -1, -1)
        x = x.to(block.compute).contiguous(memory_format=self.layout)
        return x, x if block.skip is not None else None, picture

    def _layer(self, layer: nn.Module, w: Tensor, noise: Tensor | None, state: State) -> State:
        return layer(state[0], w, noise), state[1], state[2]

    def _leave(self, block: Block, w: Tensor, state: State) -> State:
        """A block ends: residual way and colour are added."""
        x, residual, picture = state
        assert x is not None
        if block.skip is not None and residual is not None:
            x = x + self.smooth(F.conv2d(residual, block.skip.to(residual.dtype)))
        if picture is not None:
            picture = self.smooth(picture)
        if block.torgb is not None:
            colour = block.torgb(x, w)
            picture = colour if picture is None else colour.add_(picture)
        return x, None, picture
