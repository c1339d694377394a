"""fashion-mmd: maximum mean discrepancy with a learnt kernel (MMD-GAN; Li et al. 2017, arXiv:1705.08584).

MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g'): how far apart the mean embeddings are.
The kernel sums rational quadratics, k(a, b) = sum over alpha of (1 + |a - b|^2 / (2 alpha))^-alpha, of 16
learnt features of the picture together with its class (Binkowski et al. 2018, arXiv:1801.01401).
The features are trained to make the discrepancy large; that the witness function
f(x) = E_p k(x, x') - E_q k(x, g) keeps a slope near 1 is asked on lines between real and generated pictures.

    python -m models.recipes.fashion_mmd
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from igm_gui.formats.card import Distance
from igm_gui.generators.fashion.network import N_CLASSES
from models.recipes.common.adversarial import FashionCritic, Losses, train
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.run import mixed, options, prepare

NAME = "fashion-mmd"
ALPHAS = (0.2, 0.5, 1.0, 2.0, 5.0)
LAMBDA = 1.0


class KernelFeatures(FashionCritic):
    """Pictures and classes -> (B, 16 + 10): learnt features, and the class so that the joint is compared."""

    def __init__(self) -> None:
        super().__init__(spread=False)
        self.score = nn.Linear(128, 16)  # not a score for each class but features for all

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return torch.cat([self.score(self.features(x)), 2 * F.one_hot(label, N_CLASSES).float()], dim=1)


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """(N, D), (M, D) -> (N, M)."""
    squared = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    squared = squared.clamp(min=0)
    return torch.stack([(1 + squared / (2 * alpha)) ** -alpha for alpha in ALPHAS]).sum(dim=0)


def mmd2(real: Tensor, fake: Tensor) -> Tensor:
    """The unbiased estimate of MMD^2 from two batches of features (Gretton et al. 2012)."""
    n = len(real)
    k_rr, k_ff = kernel(real, real), kernel(fake, fake)
    within = (k_rr.sum() - k_rr.trace() + k_ff.sum() - k_ff.trace()) / (n * (n - 1))
    return within - 2 * kernel(real, fake).mean()


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    return -mmd2(real, fake)


def generator_loss(fake: Tensor, real: Tensor) -> Tensor:
    return mmd2(real, fake)


def witness_penalty(critic: nn.Module, real: Tensor, fake: Tensor, label: Tensor) -> Tensor:
    """lambda E[(|grad f(x')| - 1)^2] for the witness function f between real and generated pictures."""
    t = torch.rand(len(real), 1, 1, 1)
    between = (t * real + (1 - t) * fake).requires_grad_()
    h = mixed(critic, between, label)
    f = kernel(h, mixed(critic, real, label)).mean(dim=1) - kernel(h, mixed(critic, fake, label)).mean(dim=1)
    (gradient,) = torch.autograd.grad(f.sum(), between, create_graph=True)
    slope = gradient.square().sum(dim=(1, 2, 3)).add(1e-12).sqrt()
    return LAMBDA * (slope - 1).square().mean()


def main() -> None:
    args = options(__doc__, steps=2400)
    prepare(args)
    losses = Losses(critic_loss, generator_loss, witness_penalty, penalty_every=2, generator_sees_real=True)
    generator, run = train(
        NAME, args, losses, KernelFeatures(), batch=64, lr=4e-4, lr_end=1e-5, critic_lr=2.0, betas=(0.0, 0.9)
    )
    write_fashion(
        run,
        generator,
        module="fashion_mmd",
        title="Fashion, MMD",
        description="The same generator, trained to match the mean of every smooth function of a few learnt "
        "features: a kernel compares the two sets of pictures pair by pair.",
        distance=Distance(
            name="Maximum mean discrepancy",
            formula="MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g'), "
            "k rational quadratic on learnt features",
            paper="Gretton et al. 2012; Li et al. 2017, arXiv:1705.08584; "
            "Binkowski et al. 2018, arXiv:1801.01401",
        ),
    )


if __name__ == "__main__":
    main()
