"""A 512 × 512 network with random weights: as heavy as a small StyleGAN, and always there.

It stands for the large pictures that people bring. Its pictures show nothing; its size, its time and
the bytes it hands over are what the measurements are about.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from igm_gui.formats.card import Card, write_card
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators import registry
from igm_gui.generators.base import TorchGenerator, info_from_card
from igm_gui.info import InputSpec, OutputSpec

FAMILY = "stand-in"
SIDE, Z = 512, 64
CHANNELS = (64, 48, 32, 16, 12)  # at 16, 32, ... 256; the last layer works at 512


class Network(nn.Module):
    """z (B, 64) -> (B, 3, 512, 512) in [-1, 1]: upsample and convolve, five times."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(Z, CHANNELS[0] * 16 * 16)
        pairs = zip(CHANNELS, (*CHANNELS[1:], 8), strict=True)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.last = nn.Conv2d(8, 3, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z).reshape(len(z), CHANNELS[0], 16, 16)
        for layer in self.layers:
            x = leaky_relu(layer(interpolate(x, scale_factor=2.0)), 0.2)
        return torch.tanh(4.0 * self.last(x))


def detect(checkpoint: Checkpoint) -> bool:
    """By its card alone."""
    return checkpoint.card is not None and checkpoint.card.family == FAMILY


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The same network every time: weights from seed 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network().eval().requires_grad_(False)
    parameters = sum(p.numel() for p in network.parameters())
    generator = TorchGenerator(info_from_card(checkpoint, parameters), network)
    generator.reentrant = True
    return generator


def install(folder: Path) -> str:
    """Make the stand-in known and write its model folder in ``folder``; answers its path."""
    registry.FAMILIES.setdefault(FAMILY, "stand_in")
    path = folder / "stand-in-512"
    path.mkdir(parents=True, exist_ok=True)
    card = Card(
        name="stand-in-512",
        family=FAMILY,
        output=OutputSpec("image", SIDE, SIDE, 3),
        inputs=(InputSpec("z", "latent", shape=(Z,)),),
        description="Random weights; made to measure with.",
        licence="Apache-2.0",
    )
    write_card(path, card)
    return str(path)
