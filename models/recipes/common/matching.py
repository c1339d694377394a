"""Training a generator without a critic: by a distance between two samples, class by class.

Squared differences of pixels forgive blur and punish an edge that lies one pixel off.  So pictures are
compared by their pixels and details: where, how strong and in which direction the tone changes.  Nothing
of this is learnt; it is the first layer of a scattering transform (Bruna and Mallat 2013, arXiv:1203.1513).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, SIZE, Z_DIM, FashionGenerator

from . import fashion_data
from .run import Ema, Run, mixed

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


def train(
    name: str,
    args: argparse.Namespace,
    distance: Callable[[Tensor, Tensor, float], Tensor],
    classes: int = 2,
    per_class: int = 96,
    lr: float = 2e-3,
    lr_end: float = 1e-4,
) -> tuple[FashionGenerator, Run]:
    """Make distance(fake, real, progress) small; progress goes from 0 to 1.

    Both are (classes, per_class, 784 + 784): pixels and details.

    Comparing within classes makes the distance one between the joint distributions of picture and class, with
    an infinite cost for changing the class.
    """
    images, labels = fashion_data.load("train", args.work, args.data)
    members = [torch.nonzero(labels == k)[:, 0] for k in range(N_CLASSES)]
    generator, average = FashionGenerator(), FashionGenerator()
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(generator, average)
    optimiser = torch.optim.Adam(generator.parameters(), lr, betas=(0.5, 0.99), foreach=True)
    run = Run(name, args, generator=generator, average=average, optimiser=optimiser)

    def described(x: Tensor) -> Tensor:
        x = x.flatten(1)
        return torch.cat([x, details(x)], dim=1).view(classes, per_class, -1)

    for step in run.steps():
        progress = step / args.steps
        optimiser.param_groups[0]["lr"] = lr + (lr_end - lr) * progress
        chosen = torch.randperm(N_CLASSES)[:classes]
        index = torch.stack(
            [members[k][torch.randint(len(members[k]), (per_class,))] for k in chosen.tolist()]
        )
        real = fashion_data.to_unit(images[index.flatten()])
        label = F.one_hot(chosen.repeat_interleave(per_class), N_CLASSES).float()
        fake = mixed(generator, torch.randn(classes * per_class, Z_DIM), label)
        loss = distance(described(fake), described(real), progress)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ema.update(step)
        run.log(distance=loss.detach())
    return average, run
