"""DCGAN-like and fully connected generators from bare state dicts, whatever their keys are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.dcgan.layout import HINT, Layer, Layout, read_layout, stack_tensors
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec

__all__ = ["PlainNetwork", "detect", "load"]

HIDDEN = ("relu", "leaky_relu", "tanh", "elu")
LAST = ("tanh", "sigmoid", "none")


@dataclass(frozen=True)
class Guess:
    """What shapes can't say. ``fused`` puts a layer's normalisation into its weights."""

    hidden: str = "relu"
    last: str = "tanh"
    slope: float = 0.2


class PlainNetwork(nn.Module):
    """A stack of layers: z (N, z_dim) -> pictures (N, C, H, W).

    A batch normalisation after a layer is folded into that layer's weights: at inference it is only a
    scale and a shift for each channel.
    """

    def __init__(self, layout: Layout, parts: list[tuple[Layer, dict[str, Tensor]]], guess: Guess) -> None:
        super().__init__()
        self.layout, self.guess = layout, guess
        self.steps: list[tuple[Layer, str, bool]] = []
        weighted = [i for i, (layer, _) in enumerate(parts) if layer.kind != "norm"]
        for number, index in enumerate(weighted):
            layer, own = parts[index]
            weight = own["weight"].clone()
            bias = own.get("bias", torch.zeros(layer.out)).clone()
            following = parts[index + 1] if index + 1 < len(parts) else None
            if following is not None and following[0].kind == "norm":
                weight, bias = _fold(layer, weight, bias, following[1])
            name = f"layer{number}"
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)
            self.steps.append((layer, name, number == len(weighted) - 1))

    def forward(self, z: Tensor) -> Tensor:
        layout = self.layout
        x = z
        for layer, name, last in self.steps:
            weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")
            if layer.kind == "linear":
                x = F.linear(x, weight, bias)
            else:
                if x.ndim == 2:
                    side = layout.start or 1
                    x = x.reshape(x.shape[0], layer.into, side, side)
                x = F.conv_transpose2d(x, weight, bias, layer.stride, layer.padding, layer.output_padding)
            x = self._activate(x, self.guess.last if last else self.guess.hidden)
        return x.reshape(x.shape[0], layout.channels, layout.height, layout.width)

    def _activate(self, x: Tensor, name: str) -> Tensor:
        if name == "leaky_relu":
            return F.leaky_relu(x, self.guess.slope)
        known = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "elu": F.elu}
        return known[name](x) if name in known else x


def _fold(layer: Layer, weight: Tensor, bias: Tensor, norm: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    mean, variance = norm.get("running_mean"), norm.get("running_var")
    if mean is None or variance is None or mean.numel() != layer.out:
        raise ModelError(
            f"The normalisation after {layer.prefix} doesn't fit its {layer.out} channels.", HINT
        )
    scale = norm.get("weight", torch.ones(layer.out)) / (variance + 1e-5).sqrt()
    shift = norm.get("bias", torch.zeros(layer.out))
    shape = (-1, 1) if layer.kind == "linear" else (1, -1, 1, 1)
    return weight * scale.reshape(shape), (bias - mean) * scale + shift


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the state dict is a plain stack; ModelError (from the layout) says why it is not."""
    return checkpoint.kind == "state_dict"


def _choice(settings: dict[str, Any], name: str, choices: tuple[str, ...], default: str) -> str:
    value = settings.get(name, default)
    if value not in choices:
        raise ModelError(f"The card's {name} is {value!r}.", f"Known are {', '.join(choices)}.")
    return str(value)


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """Build the generator; what was guessed is among ``info.warnings``. ModelError says why not."""
    tensors = checkpoint.tensors
    layout = read_layout(tensors, checkpoint.ordered)
    linear = all(layer.kind in ("linear", "norm") for layer in layout.layers)
    guess = Guess("leaky_relu" if linear else "relu")
    output = OutputSpec("image", layout.height, layout.width, layout.channels)
    if checkpoint.card is not None:
        settings = checkpoint.card.hyperparameters
        guess = Guess(
            _choice(settings, "hidden", HIDDEN, guess.hidden),
            _choice(settings, "last", LAST, guess.last),
            float(settings.get("slope", guess.slope)),
        )
        output = checkpoint.card.output
        if (output.height, output.width, output.channels) != (layout.height, layout.width, layout.channels):
            raise ModelError("The card's output has another size than the weights give.", HINT)
    network = PlainNetwork(layout, stack_tensors(layout, tensors), guess).eval()
    notes = (
        ()
        if checkpoint.card
        else (
            f"Guessed from the weights: hidden activation {guess.hidden}, last {guess.last}, "
            f"range {output.low:g} to {output.high:g}.",
        )
    )
    info = GeneratorInfo(
        name=checkpoint.name,
        title=checkpoint.name,
        family="dcgan",
        output=output,
        inputs=(InputSpec("z", "latent", shape=(layout.z_dim,)),),
        description=f"A plain generator of {len(network.steps)} layers, read from its weights' shapes.",
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=sum(t.numel() for t in tensors.values() if t.is_floating_point()),
        warnings=notes,
        preview_seeds=tuple(range(16)),
    )
    return TorchGenerator(info, network)
