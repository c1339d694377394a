"""Training a generator by a distance that is taken between fixed and learnt features.

Fixed ones (matching.py) are nearly blind far from all real pictures: whichever way a picture is torn, it is
about as far off.  So a critic learns, beside, to tell drawn pictures from real ones, and the distance is also
taken between its features, where it is large along whatever is still wrong (Deshpande et al. 2018,
arXiv:1803.11188).  The critic only provides features; what the generator makes small is the distance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, Z_DIM, FashionGenerator

from . import fashion_data
from .adversarial import FashionCritic
from .matching import details
from .run import Ema, Run, mixed

GAMMA, GAMMA_EVERY = 0.05, 16  # of the R1 penalty (Mescheder et al. 2018, arXiv:1801.04406)


class Told(NamedTuple):
    """What is told of pictures, each part (classes, per_class, D)."""

    pixels: Tensor  # D = 784
    details: Tensor  # 784
    features: Tensor  # 128: of the critic's last layer but one
    score: Tensor  # 1: of its last, the direction in which it separates drawn from real


class Critic(FashionCritic):
    """Pictures (B, 1, 28, 28) and classes (B,) -> scores and features, (B, 1 + 128)."""

    def __init__(self) -> None:
        super().__init__(spread=False)  # it judges each picture by itself; the distance compares samples

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        features = self.features(x)
        return torch.cat([self.score(features).gather(1, label[:, None]), features], dim=1)


def tell(critic: Critic, x: Tensor, label: Tensor, per_class: int) -> Told:
    """Pictures (classes * per_class, 1, 28, 28), class by class."""
    found = mixed(critic, x, label)
    flat = x.flatten(1)
    parts = (flat, details(flat), found[:, 1:], found[:, :1])
    return Told(*(part.reshape(-1, per_class, part.shape[1]) for part in parts))


def scaled(fake: Told, real: Told) -> tuple[Told, Told]:
    """Each part in units of the real ones' spread: a coordinate's variance within a class is 1 on average.

    So no part counts for more because the critic has scaled it up.
    """
    spread = [part.var(dim=1).mean().sqrt().clamp(min=1e-6) for part in real]
    return (
        Told(*(part / unit for part, unit in zip(fake, spread, strict=True))),
        Told(*(part / unit for part, unit in zip(real, spread, strict=True))),
    )


def critic_loss(critic: Critic, real: Tensor, fake: Tensor, label: Tensor, penalised: bool) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))], D = sigmoid(score); now and then gamma/2 E|grad D(x)|^2."""
    score = mixed(critic, torch.cat([real, fake]), label.repeat(2))[:, 0]
    there, drawn = score.chunk(2)
    loss = F.softplus(-there).mean() + F.softplus(drawn).mean()
    if penalised:
        x = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(x, label)[:, 0].sum(), x, create_graph=True)
        loss = loss + GAMMA_EVERY * GAMMA / 2 * gradient.square().sum(dim=(1, 2, 3)).mean()
    return loss


def train(
    name: str,
    args: argparse.Namespace,
    distance: Callable[[Told, Told], Tensor],
    classes: int = 4,
    per_class: int = 16,
    lr: float = 5e-4,
    lr_end: float = 1e-4,
) -> tuple[FashionGenerator, Run]:
    """One step of the critic, then one that makes distance(fake, real) small; the average is what is kept."""
    images, labels = fashion_data.load("train", args.work, args.data)
    members = [torch.nonzero(labels == k)[:, 0] for k in range(N_CLASSES)]
    generator, average, critic = FashionGenerator(), FashionGenerator(), Critic()
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    critic.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(generator, average)
    g_optimiser = torch.optim.Adam(generator.parameters(), lr, betas=(0.0, 0.99), foreach=True)
    c_optimiser = torch.optim.Adam(critic.parameters(), lr, betas=(0.0, 0.99), foreach=True)
    run = Run(name, args, generator=generator, average=average, critic=critic,
              g_optimiser=g_optimiser, c_optimiser=c_optimiser)  # fmt: skip
    for step in run.steps():
        for optimiser in (g_optimiser, c_optimiser):
            optimiser.param_groups[0]["lr"] = lr + (lr_end - lr) * step / args.steps
        chosen = torch.randperm(N_CLASSES)[:classes]
        index = [members[k][torch.randint(len(members[k]), (per_class,))] for k in chosen.tolist()]
        real, label = fashion_data.to_unit(images[torch.cat(index)]), chosen.repeat_interleave(per_class)
        fake = mixed(generator, torch.randn(len(label), Z_DIM), F.one_hot(label, N_CLASSES).float())

        separated = critic_loss(critic, real, fake.detach(), label, step % GAMMA_EVERY == 0)
        c_optimiser.zero_grad()
        separated.backward()
        c_optimiser.step()

        critic.requires_grad_(False)
        with torch.no_grad():
            told = tell(critic, real, label, per_class)
        loss = distance(*scaled(tell(critic, fake, label, per_class), told))
        g_optimiser.zero_grad()
        loss.backward()
        g_optimiser.step()
        critic.requires_grad_(True)
        ema.update(step)
        run.log(distance=loss.detach(), critic=separated.detach())
    return average, run
