"""Training a generator against a critic: the part that the adversarial fashion recipes share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, Z_DIM, FashionGenerator

from . import fashion_data
from .run import Ema, Run, mixed


class FashionCritic(nn.Module):
    """Pictures (B, 1, 28, 28) and classes (B,) -> scores (B,).

    A projection critic (Miyato and Koyama 2018, arXiv:1802.05637): the score is the inner product of the
    picture's features with a vector of its class.  The spread of features over the batch may be one more
    feature, so that a generator which always draws the same picture is caught (Karras et al. 2018,
    arXiv:1710.10196).
    """

    def __init__(self, width: int = 64, features: int = 128, spread: bool = True) -> None:
        super().__init__()
        self.spread = spread
        self.conv14 = nn.Conv2d(1, width, 4, stride=2, padding=1)
        self.conv7 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1)
        self.dense = nn.Linear(4 * width * 9 + spread, features)
        self.score = nn.Linear(features, N_CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 28, 28) -> (B, features)."""
        x = F.leaky_relu(self.conv14(x), 0.2)
        x = F.leaky_relu(self.conv7(x), 0.2)
        x = F.leaky_relu(self.conv3(x), 0.2).flatten(1)
        if self.spread:
            std = (x.var(dim=0) + 1e-8).sqrt().mean()
            x = torch.cat([x, std.expand(len(x), 1)], dim=1)
        return F.leaky_relu(self.dense(x), 0.2)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.score(self.features(x)).gather(1, label[:, None])[:, 0]


@dataclass(frozen=True)
class Losses:
    """What makes one adversarial recipe differ from another.

    critic(real_scores, fake_scores) and generator(fake_scores, real_scores) return scalars to minimise, and
    so does penalty(critic, real, fake, label); it is computed at every `penalty_every`-th critic step and
    weighed by that number (lazy regularisation, Karras et al. 2020, arXiv:1912.04958).
    """

    critic: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    penalty: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]
    penalty_every: int = 1
    critic_steps: int = 1
    generator_sees_real: bool = False  # else its real_scores are empty, and the work is saved


def train(
    name: str, args: argparse.Namespace, losses: Losses, critic: nn.Module,
    batch: int = 32, lr: float = 5e-4, lr_end: float = 5e-5, critic_lr: float = 1.0,
    betas: tuple[float, float] = (0.0, 0.99),
) -> tuple[FashionGenerator, Run]:  # fmt: skip
    """Train from nothing and return the averaged generator with its run.

    The rate falls from lr to lr_end; the critic's is `critic_lr` times as high, which lets one critic step
    keep up with one of the generator (two time-scales, Heusel et al. 2017, arXiv:1706.08500).
    """
    images, labels = fashion_data.load("train", args.work, args.data)
    generator, average = FashionGenerator(), FashionGenerator()
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    critic.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(generator, average)
    g_optimiser = torch.optim.Adam(generator.parameters(), lr, betas, foreach=True)
    c_optimiser = torch.optim.Adam(critic.parameters(), lr, betas, foreach=True)
    run = Run(name, args, generator=generator, critic=critic, average=average,
              g_optimiser=g_optimiser, c_optimiser=c_optimiser)  # fmt: skip

    def real_batch() -> tuple[Tensor, Tensor]:
        index = torch.randint(len(images), (batch,))
        x = fashion_data.to_unit(images[index]) + torch.rand(batch, 1, 28, 28) / 127.5 - 1 / 255
        return x, labels[index]

    def draw(label: Tensor) -> Tensor:
        return mixed(generator, torch.randn(batch, Z_DIM), F.one_hot(label, N_CLASSES).float())

    for step in run.steps():
        for optimiser, factor in ((g_optimiser, 1.0), (c_optimiser, critic_lr)):
            optimiser.param_groups[0]["lr"] = factor * (lr + (lr_end - lr) * step / args.steps)
        for inner in range(losses.critic_steps):
            real, label = real_batch()
            last = inner == losses.critic_steps - 1
            with torch.set_grad_enabled(last):  # the last drawing also serves the generator's own step
                drawn = draw(label)
            fake = drawn.detach()
            loss = losses.critic(mixed(critic, real, label), mixed(critic, fake, label))
            if (step * losses.critic_steps + inner) % losses.penalty_every == 0:
                penalty = losses.penalty(critic, real, fake, label)
                run.log(penalty=penalty.detach())
                loss = loss + losses.penalty_every * penalty
            c_optimiser.zero_grad()
            loss.backward()
            c_optimiser.step()
        run.log(critic=loss.detach())
        critic.requires_grad_(False)
        real_scores = mixed(critic, real, label) if losses.generator_sees_real else torch.empty(0)
        g_loss = losses.generator(mixed(critic, drawn, label), real_scores)
        g_optimiser.zero_grad()
        g_loss.backward()
        g_optimiser.step()
        critic.requires_grad_(True)
        ema.update(step)
        run.log(generator=g_loss.detach())
    return average, run
