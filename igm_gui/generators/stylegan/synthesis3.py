"""StyleGAN3's alias-free synthesis network, configurations T and R (Karras et al. 2021)."""

from __future__ import annotations

import math
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.generators.half import kept
from igm_gui.generators.stylegan.mapping import Dense
from igm_gui.generators.stylegan.records import HINT, Node, dense
from igm_gui.generators.stylegan.resample import FilteredLeakyReLU, plan_axis
from igm_gui.generators.stylegan.trail import State, Step, Trail, row_keys

GAIN = math.sqrt(2)  # of the activation
CHANNELS_AT_ONCE = 16


class FourierInput(nn.Module):
    """w (N, w_dim) and the person's transform (N, 3, 3) -> Fourier features (N, C, H, W).

    Section 3.1: frequencies drawn once, turned and shifted by a learnt function of w, then by
    ``transform`` (the inverse of what the picture should do).
    """

    weight: Tensor
    freqs: Tensor
    phases: Tensor
    transform: Tensor
    grid: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__()
        for name in ("weight", "freqs", "phases", "transform"):
            self.register_buffer(name, node.tensor(name))
        self.affine = dense(node.child("affine"))
        self.width, self.height = _pair(node.values.get("size"), node, "size")
        if not (1 <= self.width <= 4096 and 1 <= self.height <= 4096):
            raise ModelError(f"{node.path}size is {self.width} by {self.height}.", HINT)
        self.rate = node.number("sampling_rate")
        self.bandwidth = node.number("bandwidth")
        theta = torch.zeros(1, 2, 3)
        theta[0, 0, 0] = 0.5 * self.width / self.rate
        theta[0, 1, 1] = 0.5 * self.height / self.rate
        grid = F.affine_grid(theta, [1, 1, self.height, self.width], align_corners=False)
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, w: Tensor, transform: Tensor | None) -> Tensor:
        t = self.affine(w)
        t = t / t[:, :2].norm(dim=1, keepdim=True)
        count = t.shape[0]
        turn = torch.eye(3, device=w.device).repeat(count, 1, 1)
        turn[:, 0, 0], turn[:, 0, 1] = t[:, 0], -t[:, 1]
        turn[:, 1, 0], turn[:, 1, 1] = t[:, 1], t[:, 0]
        shift = torch.eye(3, device=w.device).repeat(count, 1, 1)
        shift[:, 0, 2], shift[:, 1, 2] = -t[:, 2], -t[:, 3]
        user = self.transform if transform is None else transform
        whole = turn @ shift @ user
        freqs, phases = self.freqs[None], self.phases[None]
        phases = phases + (freqs @ whole[:, :2, 2:])[..., 0]
        freqs = freqs @ whole[:, :2, :2]
        # Frequencies that the transform pushed past the band fade out.
        amplitudes = (1 - (freqs.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)).clamp(0, 1)
        x = torch.einsum("hwk,nck->nhwc", self.grid[0], freqs) + phases[:, None, None]
        x = torch.sin(x * (2 * math.pi)) * amplitudes[:, None, None]
        weight = self.weight / math.sqrt(self.weight.shape[1])
        return (x @ weight.t()).permute(0, 3, 1, 2)


class Layer3(nn.Module):
    """Style, convolution, filtered leaky ReLU; or the colour layer, a plain 1x1 convolution."""

    weight: Tensor
    squares: Tensor
    bias: Tensor

    def __init__(self, node: Node) -> None:
        super().__init__()
        weight = node.tensor("weight")
        if weight.ndim != 4:
            raise ModelError(f"{node.path}weight has the shape {tuple(weight.shape)}.", HINT)
        self.affine: Dense = dense(node.child("affine"))
        self.colour = bool(node.values.get("is_torgb"))
        self.kernel = weight.shape[-1]
        gain = (
            float(node.tensor("magnitude_ema").reshape(-1)[0]) ** -0.5
            if "magnitude_ema" in node.tensors
            else 1.0
        )
        self.clamp = node.clamp()
        self.trained_half = bool(node.values.get("use_fp16", False))
        self.style_gain = 1.0
        if self.colour:
            self.style_gain = 1 / math.sqrt(weight[0].numel())
        else:
            # Equation (4) of the paper's appendix: unit-energy weights, so that only the style scales.
            weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        self.register_buffer("squares", weight.square().sum((2, 3)))
        self.register_buffer("weight", kept((weight * gain).contiguous()))
        self.register_buffer("bias", node.tensor("bias"))
        self.dtype: torch.dtype = torch.float32
        self._ready: tuple[Tensor, Tensor, Tensor] | None = None  # weight, squares, bias as arranged
        self._arranged: tuple[torch.memory_format, int, int] | None = None  # layout, channels in and out
        self.filtered = None if self.colour else _filtered(node, self.kernel)
        plans = None if self.filtered is None else (self.filtered.columns, self.filtered.rows)
        self.size = (0, 0) if plans is None else (plans[0].out_size, plans[1].out_size)

    def arrange(self, dtype: torch.dtype, layout: torch.memory_format, channels: int) -> int:
        """Compute in ``dtype`` and ``layout`` on pictures of ``channels``; how many come out.

        With the channels last their number is rounded up to whole vector registers: the ones added are
        zero throughout, and odd numbers would cost more than they do.
        """
        self.dtype, self._ready = dtype, None
        made = self.weight.shape[0]
        if layout == torch.channels_last and not self.colour:
            made = -(-made // CHANNELS_AT_ONCE) * CHANNELS_AT_ONCE
        self._arranged = layout, channels, made
        if self.filtered is not None:
            self.filtered.arrange(dtype)
        return made

    def _prepare(
        self, layout: torch.memory_format, channels: int, made: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        more = (made - self.weight.shape[0], channels - self.weight.shape[1])
        weight = F.pad(self.weight.float(), (0, 0, 0, 0, 0, more[1], 0, more[0]))
        return (
            weight.to(self.dtype).contiguous(memory_format=layout),
            F.pad(self.squares, (0, more[1], 0, more[0])),
            F.pad(self.bias * (1.0 if self.colour else GAIN), (0, more[0])).to(self.dtype),
        )

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        if self._arranged is None:
            self.arrange(x.dtype, torch.contiguous_format, x.shape[1])
        assert self._arranged is not None
        if self._ready is None:
            self._ready = self._prepare(*self._arranged)
        weight, squares, bias = self._ready
        if self.weight.dtype == torch.float16:
            self._ready = None  # kept in half because memory is short: no wide copy stays
        style = self.affine(w) * self.style_gain
        if not self.colour:
            style = style * style.square().mean(1, keepdim=True).rsqrt()
        style = F.pad(style, (0, x.shape[1] - style.shape[1]))
        x = x.to(weight.dtype)
        x = F.conv2d(x * style.to(x.dtype)[:, :, None, None], weight, padding=self.kernel - 1)
        bias = bias[None, :, None, None]
        if self.filtered is not None:
            # The activation's gain is positive and goes through it and through the filters.
            scale = (style.square() @ squares.t() + 1e-8).rsqrt() * GAIN
            return self.filtered(torch.addcmul(bias, x, scale.to(x.dtype)[:, :, None, None]))
        x = x.add_(bias)
        return x.clamp_(-self.clamp, self.clamp) if self.clamp is not None else x


def _pair(value: object, node: Node, name: str) -> tuple[int, int]:
    numbers = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(numbers, int | float):
        return int(numbers), int(numbers)
    if isinstance(numbers, list | tuple) and len(numbers) == 2:
        return int(numbers[0]), int(numbers[1])
    raise ModelError(f"{node.path}{name} is {value!r}.", HINT)


def _filtered(node: Node, kernel: int) -> FilteredLeakyReLU:
    up, down = node.integer("up_factor"), node.integer("down_factor")
    padding = [int(v) for v in node.values.get("padding", ())]
    if len(padding) != 4 or up not in (1, 2, 4) or down not in (1, 2, 4):
        raise ModelError(f"{node.path[:-1]} resamples by {up} and {down} with padding {padding}.", HINT)
    up_filter = node.tensor("up_filter") if "up_filter" in node.tensors else torch.ones(1)
    down_filter = node.tensor("down_filter") if "down_filter" in node.tensors else torch.ones(1)
    if (
        up_filter.ndim != 1
        or down_filter.ndim not in (1, 2)
        or max(up_filter.numel(), down_filter.shape[0]) > 256
    ):
        raise ModelError(f"{node.path[:-1]} has filters of an unknown shape.", HINT)
    # Symmetric filters need no flip; the gain up² is shared by the two axes.
    taps = (up_filter.flip(0) * up).tolist()
    width, height = _pair(node.values.get("in_size"), node, "in_size")
    # The convolution before it is padded by kernel - 1 on both sides.
    plans = []
    for size, pad0, pad1 in ((height, *padding[2:]), (width, *padding[:2])):
        try:
            plans.append(plan_axis(size + kernel - 1, up, down, taps, down_filter.shape[0], pad0, pad1))
        except ValueError as error:
            raise ModelError(f"{node.path[:-1]} can't be built: {error}.", HINT) from error
    flipped = down_filter.flip(tuple(range(down_filter.ndim)))
    return FilteredLeakyReLU(plans[0], plans[1], flipped, 0.2, node.clamp())


class Synthesis3(nn.Module):
    """ws (N, num_ws, w_dim) -> pictures (N, C, H, W), nominally in [-1, 1]."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.input = FourierInput(node.child("input"))
        names = sorted(
            (int(name[1:].split("_")[0]), name)
            for name in node.children
            if name[:1] == "L" and name[1:].split("_")[0].isdigit()
        )
        if not names:
            raise ModelError("The synthesis network has no layers.", HINT)
        self.layers3 = nn.ModuleList(Layer3(node.child(name)) for _, name in names)
        self.output_scale = node.number("output_scale", 0.25)
        self.num_ws = len(names) + 1
        self.layout: torch.memory_format = torch.contiguous_format

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What each row of ws drives, coarse to fine."""
        sizes = [cast(Layer3, layer).size for layer in self.layers3[:-1]]
        names = [f"{width}×{height}" for width, height in sizes]
        return ("input", *names, "colour")

    @property
    def largest(self) -> int:
        """Numbers of the largest layer's features for one picture."""
        layers = [cast(Layer3, layer) for layer in self.layers3]
        return max(layer.size[0] * layer.size[1] * layer.weight.shape[0] for layer in layers)

    @property
    def precisions(self) -> set[str]:
        """The numbers that its layers compute in, such as ``float32``."""
        return {str(cast(Layer3, layer).dtype).removeprefix("torch.") for layer in self.layers3}

    def arrange(
        self,
        dtype: torch.dtype,
        layout: torch.memory_format,
        folded: bool = False,  # noqa: ARG002
        winograd: bool = False,  # noqa: ARG002
    ) -> None:
        """Compute the layers in ``dtype``; the Fourier features are always made in float32. There is nothing
        to be folded here, and no large 3x3 kernels."""
        self.layout = layout
        channels = self.input.weight.shape[0]
        for module in self.layers3:
            layer = cast(Layer3, module)
            # float16's range is small: it serves the layers that were trained in it.
            used = dtype if dtype != torch.float16 or layer.trained_half else torch.float32
            channels = layer.arrange(used, layout, channels)

    def forward(self, ws: Tensor, transform: Tensor | None = None, trail: Trail | None = None) -> Tensor:
        """``transform`` (N, 3, 3) goes to the input layer. With a ``trail``, only the layers from the first
        change on are run."""
        rows = row_keys(ws) if trail is not None else [b""] * self.num_ws
        moved = None if transform is None or trail is None else transform.cpu().numpy().tobytes()

        def features(_: State) -> State:
            x = self.input(ws[:, 0], transform)
            return x.contiguous(memory_format=self.layout), None, None

        def run(layer: Layer3, w: Tensor, state: State) -> State:
            assert state[0] is not None
            return layer(state[0], w), None, None

        steps = [Step((rows[0], moved), features)]
        for index, layer in enumerate(self.layers3, 1):
            steps.append(Step(rows[index], partial(run, cast(Layer3, layer), ws[:, index])))
        x = (trail or Trail(0)).run(steps)[0]
        assert x is not None
        return x.float() * self.output_scale
