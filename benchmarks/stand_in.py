"""512 × 512 networks with random weights, always there, for the large pictures that people bring.

Their pictures show nothing; their size, their time and the bytes they hand over are what the measurements are
about. ``stand-in-512-stylegan2`` is StyleGAN2 as it is published for that size (channel_base 32768): 60
thousand million multiplications a picture. ``stand-in-512``, a plain convolutional network, needs a tenth of
that, and ``stand-in-512-light`` a tenth again: whatever the program itself does for a picture weighs against
it as much as it ever will.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
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
STYLEGAN2 = "stand-in-512-stylegan2"
CHANNELS = {  # of the plain ones, at 16, 32, ... 512
    "stand-in-512": (256, 256, 128, 64, 32, 16),
    "stand-in-512-light": (64, 48, 32, 16, 12, 8),
}
NAMES = (STYLEGAN2, *CHANNELS)


class Network(nn.Module):
    """z (B, 64) -> (B, 3, 512, 512) in [-1, 1]: upsample and convolve, five times."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.first = nn.Linear(Z, channels[0] * 16 * 16)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(channels))
        self.last = nn.Conv2d(channels[-1], 3, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z).reshape(len(z), -1, 16, 16)
        for layer in self.layers:
            x = leaky_relu(layer(interpolate(x, scale_factor=2.0)), 0.2)
        return torch.tanh(4.0 * self.last(x))


def detect(checkpoint: Checkpoint) -> bool:
    """By its card alone."""
    return checkpoint.card is not None and checkpoint.card.family == FAMILY


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The same network every time: weights from seed 0, widths by the card's name."""
    assert checkpoint.card is not None
    if checkpoint.card.name == STYLEGAN2:
        return _stylegan2(checkpoint)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network(CHANNELS[checkpoint.card.name]).eval().requires_grad_(False)
    parameters = sum(p.numel() for p in network.parameters())
    generator = TorchGenerator(info_from_card(checkpoint, parameters), network)
    generator.reentrant = True
    return generator


def _stylegan2(checkpoint: Checkpoint) -> TorchGenerator:
    """What the program makes of a StyleGAN2 pickle of that size."""
    from benchmarks import stylegan, stylegan_make
    from igm_gui.generators.stylegan.build2 import synthesis2

    generator = stylegan.built(STYLEGAN2, synthesis2(stylegan_make.synthesis2(SIDE, 32768)), SIDE)
    generator.info = replace(generator.info, path=str(checkpoint.path), sha256=checkpoint.sha256)
    return generator


def as_loaded(model: str) -> TorchGenerator | None:
    """The network of ``model`` as PyTorch loads it; None where its family arranges it while it loads."""
    generator = registry.load(model)
    return None if generator.info.family == "stylegan" else generator


def install(folder: Path, name: str = "stand-in-512") -> str:
    """Make the stand-ins known and write the model folder of ``name`` in ``folder``; answers its path."""
    registry.FAMILIES.setdefault(FAMILY, "stand_in")
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    card = Card(
        name=name,
        family=FAMILY,
        output=OutputSpec("image", SIDE, SIDE, 3),
        inputs=(InputSpec("z", "latent", shape=(Z,)),),
        description="Random weights; made to measure with.",
        licence="Apache-2.0",
    )
    write_card(path, card)
    return str(path)
