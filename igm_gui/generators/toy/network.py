"""A generator small enough to be seen whole: noise in the plane -> points in the plane."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ToyNetwork(nn.Module):
    """x = z + f(z) with a small f: at the start the identity, so that what is learnt is a displacement.

    ``cloud`` keeps some of the training points, to be drawn beside what was learnt.
    """

    cloud: Tensor

    def __init__(self, width: int = 128, depth: int = 3, cloud: int = 2000) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(2, width), nn.SiLU()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.SiLU()]
        last = nn.Linear(width, 2)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last)
        self.register_buffer("cloud", torch.zeros(cloud, 2))

    def forward(self, z: Tensor) -> Tensor:
        """``z (..., 2)`` -> points ``(..., 2)``."""
        return z + self.layers(z)
