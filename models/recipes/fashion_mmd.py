"""fashion-mmd: maximum mean discrepancy with a learnt kernel (MMD-GAN; Li et al. 2017, arXiv:1705.08584).

A kernel k maps each picture to a function; MMD is how far apart the mean functions are of data and model:
    MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g').
Seen from a drawn picture g: real ones attract it and drawn ones push it away, so that they spread.

The kernel is a sum of two, and each compares pictures of one class:
* a fixed one of pixels and details (models/recipes/common/matching.py), inverse multiquadrics
  (1 + |a - b|^2 / s^2)^-1/2.  It pulls from the first step on.  By itself it leaves one picture in five
  torn: far from all real pictures it is nearly flat, in whatever way a picture is wrong;
* rational quadratics (1 + |a - b|^2 / 2 alpha)^-alpha of 16 learnt features.  The features make MMD large,
  as a critic does, and so find what is still wrong.  The witness function, E k(x, .) - E k(g, .), is held
  to slope 1 between real and drawn pictures: that keeps the kernel smooth (Binkowski et al. 2018,
  arXiv:1801.01401).

    python -m models.recipes.fashion_mmd
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from igm_gui.formats.card import Distance
from igm_gui.generators.fashion.network import N_CLASSES, Z_DIM, FashionGenerator
from models.recipes.common import fashion_data
from models.recipes.common.adversarial import FashionCritic
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.matching import cost, details
from models.recipes.common.run import Ema, Run, mixed, options, prepare

Kernel = Callable[[Tensor, Tensor], Tensor]

NAME = "fashion-mmd"
CLASSES, PER_CLASS = 4, 16  # in each step
SCALES = (8.0, 16.0, 32.0)  # s; two pictures of one class are about 20 to 35 apart
ALPHAS = (0.2, 0.5, 1.0, 2.0, 5.0)  # of Binkowski et al.
FEATURES = 16
FIXED = 1.0  # weight of the fixed kernel
LAMBDA = 1.0  # of the slope
RATE, RATE_END, CRITIC_RATE = 4e-4, 1e-5, 2.0  # the last as a multiple


def fixed_kernel(a: Tensor, b: Tensor) -> Tensor:
    """(C, n, D), (C, m, D) -> (C, n, m)."""
    squared = cost(a, b)
    return sum((1 + squared / s**2).rsqrt() for s in SCALES)  # type: ignore[return-value]


def learnt_kernel(a: Tensor, b: Tensor) -> Tensor:
    """Features (C, n, F), (C, m, F) -> (C, n, m)."""
    squared = cost(a, b)
    return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in ALPHAS)  # type: ignore[return-value]


def mmd2(kernel: Kernel, fake: Tensor, real: Tensor) -> Tensor:
    """The unbiased estimate of MMD^2, the mean over classes (Gretton et al. 2012); (C, n, D) twice."""
    classes, n, _ = real.shape
    within = kernel(real, real) + kernel(fake, fake)
    within = within.sum() - within.diagonal(dim1=1, dim2=2).sum()
    return within / (classes * n * (n - 1)) - 2 * kernel(real, fake).mean()


class Features(nn.Module):
    """Pictures (B, 1, 28, 28) and classes (B,) -> FEATURES numbers for each, a class's own."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = FashionCritic(spread=False)
        self.critic.score = nn.Linear(self.critic.score.in_features, N_CLASSES * FEATURES)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        found = self.critic.score(self.critic.features(x)).view(-1, N_CLASSES, FEATURES)
        return found[torch.arange(len(x)), label]


def by_class(x: Tensor) -> Tensor:
    """(CLASSES * PER_CLASS, ...) -> (CLASSES, PER_CLASS, D)."""
    return x.view(CLASSES, PER_CLASS, -1)


def learnt_distance(network: Features, real: Tensor, fake: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """MMD^2 with the learnt kernel, and how far the slope of the witness f is from 1 between the samples:
    E[(|grad f(x')| - 1)^2], x' = t x + (1 - t) G(z), t uniform in [0, 1]."""
    t = torch.rand(len(real), 1, 1, 1)
    between = (t * real + (1 - t) * fake).requires_grad_()
    features = mixed(network, torch.cat([between, real, fake]), label.repeat(3))
    here, there, drawn = (by_class(part) for part in features.chunk(3))
    witness = (learnt_kernel(here, there) - learnt_kernel(here, drawn)).mean(2)
    (gradient,) = torch.autograd.grad(witness.sum(), between, create_graph=True)
    slope = gradient.square().sum(dim=(1, 2, 3)).add(1e-12).sqrt()
    return mmd2(learnt_kernel, drawn, there), (slope - 1).square().mean()


def described(x: Tensor) -> Tensor:
    """Pixels and details: (B, 1, 28, 28) -> (CLASSES, PER_CLASS, 784 + 784)."""
    x = x.flatten(1)
    return by_class(torch.cat([x, details(x)], dim=1))


def train(args: argparse.Namespace) -> tuple[FashionGenerator, Run]:
    """Features and generator, one step each in turn; the averaged generator is what is kept."""
    images, labels = fashion_data.load("train", args.work, args.data)
    members = [torch.nonzero(labels == k)[:, 0] for k in range(N_CLASSES)]
    generator, average, network = FashionGenerator(), FashionGenerator(), Features()
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(generator, average)
    g_optimiser = torch.optim.Adam(generator.parameters(), RATE, betas=(0.0, 0.9), foreach=True)
    c_optimiser = torch.optim.Adam(network.parameters(), RATE, betas=(0.0, 0.9), foreach=True)
    run = Run(NAME, args, generator=generator, average=average, network=network,
              g_optimiser=g_optimiser, c_optimiser=c_optimiser)  # fmt: skip
    for step in run.steps():
        rate = RATE + (RATE_END - RATE) * step / args.steps
        g_optimiser.param_groups[0]["lr"] = rate
        c_optimiser.param_groups[0]["lr"] = CRITIC_RATE * rate
        label = torch.randperm(N_CLASSES)[:CLASSES].repeat_interleave(PER_CLASS)
        index = torch.cat([members[int(k)][torch.randint(len(members[int(k)]), (PER_CLASS,))]
                           for k in label[::PER_CLASS]])  # fmt: skip
        real = fashion_data.to_unit(images[index])
        drawn = mixed(generator, torch.randn(len(label), Z_DIM), F.one_hot(label, N_CLASSES).float())
        fake = drawn.detach()

        learnt, penalty = learnt_distance(network, real, fake, label)
        c_optimiser.zero_grad()
        (LAMBDA * penalty - learnt).backward()
        c_optimiser.step()

        network.requires_grad_(False)
        here = mixed(network, drawn, label)
        with torch.no_grad():
            there = mixed(network, real, label)
        found = mmd2(learnt_kernel, by_class(here), by_class(there))
        fixed = mmd2(fixed_kernel, described(drawn), described(real))
        g_optimiser.zero_grad()
        (found + FIXED * fixed).backward()
        g_optimiser.step()
        network.requires_grad_(True)
        ema.update(step)
        run.log(learnt=learnt.detach(), fixed=fixed.detach(), slope=penalty.detach())
    return average, run


def main() -> None:
    args = options(__doc__, steps=4000)
    prepare(args)
    generator, run = train(args)
    write_fashion(
        run,
        generator,
        faults=(
            "Sandals and patterned bags are often fragments, and dark clothes speckled.",
            "Shirts are the least certain: the judge names about three of five rightly.",
        ),
        module="fashion_mmd",
        title="Fashion, MMD",
        description="The same generator, trained to match the means of all functions of a kernel: real "
        "pictures attract the drawn ones, which push each other apart. The kernel learns where to look.",
        distance=Distance(
            name="Maximum mean discrepancy",
            formula="MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g') within each class, k = sum over s "
            "of (1 + |a - b|^2/s^2)^-1/2 of pixels and details (mean moduli of 3x3 ripples) + sum over alpha "
            "of (1 + |phi(a) - phi(b)|^2/(2 alpha))^-alpha of the features phi that make MMD^2 largest",
            paper="Gretton et al. 2012, JMLR 13; Li et al. 2017, arXiv:1705.08584; Binkowski et al. 2018, "
            "arXiv:1801.01401",
        ),
    )


if __name__ == "__main__":
    main()
