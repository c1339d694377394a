"""Comparing pictures by pixels and details: where, how strong and in which direction the tone changes.

Squared differences of pixels forgive blur and punish an edge that lies one pixel off.  Nothing of this is
learnt; it is the first layer of a scattering transform (Bruna and Mallat 2013, arXiv:1203.1513).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.generators.fashion.network import SIZE

DETAIL_WEIGHT = 4.0  # details then vary about twice as much within a class as pixels do


def ripples() -> Tensor:
    """The eight patterns of the 3x3 cosine transform that are not flat: (8, 1, 3, 3), orthonormal."""
    n = torch.arange(3.0)
    rows = torch.cos(math.pi / 3 * (n + 0.5) * n[:, None]) * torch.tensor([[1 / 3], [2 / 3], [2 / 3]]).sqrt()
    return torch.einsum("ai,bj->abij", rows, rows).reshape(9, 1, 3, 3)[1:]


def details(x: Tensor) -> Tensor:
    """Pictures (N, 784) in [-1, 1] -> (N, 784): the mean |x * ripple| in 7x7 places, at two scales."""
    x = x.view(-1, 1, SIZE, SIZE) + 1  # black, which lies all around, is 0
    found = []
    for scale in (1, 2):
        moduli = F.conv2d(F.avg_pool2d(x, scale), ripples(), padding=1).square().add(1e-4).sqrt()
        found.append(F.avg_pool2d(moduli, 4 // scale).flatten(1))  # (N, 8 * 7 * 7)
    return DETAIL_WEIGHT * torch.cat(found, dim=1)


def cost(a: Tensor, b: Tensor) -> Tensor:
    """Squared Euclidean distances, (C, n, D), (C, m, D) -> (C, n, m)."""
    squares = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None]
    return (squares - 2 * a @ b.transpose(1, 2)).clamp(min=0)
