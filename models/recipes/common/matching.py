"""Training a generator without a critic: by a distance between two samples, class by class."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, Z_DIM, FashionGenerator

from . import fashion_data
from .run import Ema, Run


def train(
    name: str,
    args: argparse.Namespace,
    distance: Callable[[Tensor, Tensor, float], Tensor],
    classes: int = 2,
    per_class: int = 64,
    lr: float = 2e-3,
    lr_end: float = 1e-4,
) -> tuple[FashionGenerator, Run]:
    """Make distance(fake, real, progress) small; both are (classes, per_class, 784), progress goes 0 to 1.

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
    for step in run.steps():
        progress = step / args.steps
        optimiser.param_groups[0]["lr"] = lr + (lr_end - lr) * progress
        chosen = torch.randperm(N_CLASSES)[:classes]
        index = torch.stack(
            [members[k][torch.randint(len(members[k]), (per_class,))] for k in chosen.tolist()]
        )
        real = fashion_data.to_unit(images[index.flatten()]).view(classes, per_class, -1)
        label = F.one_hot(chosen.repeat_interleave(per_class), N_CLASSES).float()
        fake = generator(torch.randn(classes * per_class, Z_DIM), label)
        loss = distance(fake.reshape(classes, per_class, -1), real, progress)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ema.update(step)
        run.log(distance=loss.detach())
    return average, run
