"""The network that a layout describes: a stack of layers with their normalisations put into the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.generators import half
from igm_gui.generators.dcgan.layout import HINT, Layer, Layout

HIDDEN = ("relu", "leaky_relu", "tanh", "elu", "selu", "gelu", "silu")
LAST = ("tanh", "sigmoid", "none")
NORMS = ("instance", "layer", "group")
JOINS = ("after", "before", "multiply")
WEIGHTED = ("linear", "conv", "deconv")


@dataclass(frozen=True)
class Guess:
    """What shapes can't say; each may be corrected in a card's hyperparameters."""

    hidden: str = "relu"
    last: str = "tanh"
    slope: float = 0.2
    eps: tuple[float, ...] = (1e-5,)  # of each normalisation; the last one holds for the rest
    norm: str = "instance"  # which normalisation measures each picture anew
    groups: int = 1
    join: str = "after"  # where a class goes: after z, before z, or multiplied with it


class PlainNetwork(nn.Module):
    """A stack of layers: z (N, z_dim) and class weights (N, classes) -> pictures (N, C, H, W).

    A batch normalisation after a layer is folded into that layer's weights: at inference it is only a
    scale and a shift for each channel. ``in_half`` keeps the weights in float16.
    """

    def __init__(
        self,
        layout: Layout,
        parts: list[tuple[Layer, dict[str, Any]]],
        guess: Guess,
        table: Tensor | None = None,
        in_half: bool = False,
    ) -> None:
        super().__init__()
        self.layout, self.guess = layout, guess
        self._norms = 0
        self.steps: list[tuple[str, Layer, str]] = []  # (what is done, layer, name of its buffers)
        self.table: Tensor | None
        self.register_buffer("table", None if table is None else table.float())
        weighted = [i for i, (layer, _) in enumerate(parts) if layer.kind in WEIGHTED]
        for number, index in enumerate(weighted):
            end = weighted[number + 1] if number + 1 < len(weighted) else len(parts)
            self._add(f"layer{number}", parts[index:end], parts[end][0] if end < len(parts) else None)
        if in_half:
            for name, tensor in list(self.named_buffers()):
                self.register_buffer(name, tensor.half())
            half.widen(self)

    def _add(self, name: str, block: list[tuple[Layer, dict[str, Any]]], following: Layer | None) -> None:
        """A weighted layer with what belongs to it: normalisations, and an activation of its own."""
        (layer, own), rest = block[0], block[1:]
        weight, bias = own["weight"].clone(), own.get("bias")
        bias = torch.zeros(layer.out) if bias is None else bias.clone()
        # A first normalisation of numbers that become pictures: in networks that upsample there is commonly
        # no activation after it (Upsample comes next), in others there is.
        plain = bool(rest) and bool(rest[0][0].start) and following is not None and following.double
        after: list[tuple[str, Layer, str]] = []
        for i, (extra, tensors) in enumerate(rest):
            if extra.kind == "norm" and not after:
                weight, bias = _fold(layer, weight, bias, extra, tensors, self._eps())
                if extra.start:
                    after.append(("picture", extra, ""))
                continue
            if extra.kind == "norm":
                raise ModelError(f"The normalisation {extra.prefix} has no layer that it follows.", HINT)
            own_name = f"{name}_{i}"
            self.register_buffer(f"{own_name}_weight", tensors["weight"])
            if "bias" in tensors:
                self.register_buffer(f"{own_name}_bias", tensors["bias"])
            after.append((extra.kind, extra, own_name))
        self.register_buffer(f"{name}_weight", weight)
        self.register_buffer(f"{name}_bias", bias)
        self.steps += [(layer.kind, layer, name), *after]
        if following is None:
            self.steps.append(("last", layer, ""))
        elif not plain and not any(what == "prelu" for what, _, _ in after):
            self.steps.append(("hidden", layer, ""))

    def _eps(self) -> float:
        """The next normalisation's."""
        self._norms += 1
        return self.guess.eps[min(self._norms, len(self.guess.eps)) - 1]

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = self._joined(z.flatten(1), label)
        for what, layer, name in self.steps:
            if layer.start and x.ndim == 2 and what in ("conv", "deconv", "picture", "scaled"):
                x = x.reshape(x.shape[0], layer.into, layer.start, layer.start)
            if what == "hidden":
                x = self._activate(x, self.guess.hidden)
            elif what == "last":
                x = self._activate(x, self.guess.last)
            elif what != "picture":
                x = self._apply_layer(what, layer, name, x)
        return x.reshape(x.shape[0], self.layout.channels, self.layout.height, self.layout.width)

    def _joined(self, z: Tensor, label: Tensor | None) -> Tensor:
        if label is None:
            return z
        known = label if self.table is None else label @ self.table
        if self.guess.join == "multiply":
            return z * known
        return torch.cat([z, known] if self.guess.join == "after" else [known, z], dim=1)

    def _apply_layer(self, what: str, layer: Layer, name: str, x: Tensor) -> Tensor:
        weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias", None)
        if what == "linear":
            return F.linear(x, weight, bias)
        if what == "prelu":
            return F.prelu(x, weight)
        if what == "scaled":
            return self._normalise(x, weight, bias)
        stride, padding, extra = layer.step
        if x.ndim == 2:
            x = x[:, :, None, None]
        if what == "deconv":
            return F.conv_transpose2d(x, weight, bias, stride, padding, extra)
        if layer.double:
            x = F.interpolate(x, scale_factor=2)
        return F.conv2d(x, weight, bias, stride, padding)

    def _normalise(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        groups = {"instance": x.shape[1], "layer": 1}.get(self.guess.norm, self.guess.groups)
        return F.group_norm(x, 1 if x.ndim == 2 else groups, weight, bias, self.guess.eps[-1])

    def _activate(self, x: Tensor, name: str) -> Tensor:
        if name == "leaky_relu":
            return F.leaky_relu(x, self.guess.slope)
        known = {
            "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
            "elu": F.elu, "selu": F.selu, "gelu": F.gelu, "silu": F.silu,
        }  # fmt: skip
        return known[name](x) if name in known else x


def _fold(
    layer: Layer, weight: Tensor, bias: Tensor, norm: Layer, tensors: dict[str, Any], eps: float
) -> tuple[Tensor, Tensor]:
    mean, variance = tensors.get("running_mean"), tensors.get("running_var")
    if mean is None or variance is None:
        raise ModelError(f"The normalisation after {layer.prefix} is not whole.", HINT)
    scale = tensors.get("weight", torch.ones(norm.out)) / (variance + eps).sqrt()
    shift = tensors.get("bias", torch.zeros(norm.out))
    each = layer.out // norm.out  # numbers of a picture's channel, where numbers become a picture
    scale, shift, mean = (t.repeat_interleave(each) for t in (scale, shift, mean))
    shape = (1, -1, 1, 1) if layer.kind == "deconv" else (-1, *[1] * (weight.ndim - 1))
    return weight * scale.reshape(shape), (bias - mean) * scale + shift
