"""Uniform pixels: the naive baseline whose samples are every picture there is, equally likely.

No weights: z holds one number for each pixel and channel, uniform in [-1, 1], and the picture is z.
What a trained generator knows is what sets its pictures apart from these.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import TorchGenerator, info_from_card


def picture_count(height: int, width: int, channels: int, levels: int = 256) -> tuple[float, int]:
    """How many pictures there are, levels^(H*W*C), as (mantissa, exponent): mantissa x 10^exponent."""
    log10 = height * width * channels * math.log10(levels)
    exponent = math.floor(log10)
    return 10 ** (log10 - exponent), exponent


class UniformPixels(nn.Module):
    """z (B, H, W, C) in [-1, 1] -> pictures (B, C, H, W) in [-1, 1], 256 equally likely levels.

    Rounding -1..1 to 0..255 would give the first and the last level half the share of the others;
    the levels are cut evenly instead, so that each has a probability of 1/256 exactly.
    """

    def forward(self, z: Tensor) -> Tensor:
        level = torch.floor((z + 1) * 128).clamp(0, 255)
        return (level / 127.5 - 1).permute(0, 3, 1, 2)


def detect(checkpoint: Checkpoint) -> bool:
    """Only by its card: there are no weights to recognise."""
    return checkpoint.card is not None and checkpoint.card.family == "uniform"


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The size comes from the card's output; z must have the same H x W x C."""
    info = info_from_card(checkpoint)
    spec, output = info.latent, info.output
    shape = (output.height, output.width, output.channels)
    if spec is None or spec.name != "z" or spec.shape != shape or spec.prior != "uniform":
        raise ModelError(
            f"The card of {checkpoint.name} needs one latent z of shape {list(shape)} with a uniform prior.",
            "In the family uniform each number of z is one pixel's value.",
        )
    return TorchGenerator(info, UniformPixels())
