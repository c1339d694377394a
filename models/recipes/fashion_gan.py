"""fashion-gan: the non-saturating GAN (Goodfellow et al. 2014, arXiv:1406.2661).

Against its best critic the original game measures the Jensen-Shannon divergence between data and model:
    max_D E[log D(x)] + E[log(1 - D(G(z)))] = 2 JS(p, q) - log 4.
The generator here minimises -log D(G(z)) instead, whose gradient does not vanish while it is still bad.
The R1 penalty, gamma/2 E|grad D(x)|^2 on real pictures, keeps the game convergent (Mescheder et al. 2018,
arXiv:1801.04406).

    python -m models.recipes.fashion_gan
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from igm_gui.formats.card import Distance
from models.recipes.common.adversarial import FashionCritic, Losses, train
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.run import options, prepare

NAME = "fashion-gan"
GAMMA = 0.05


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(score)."""
    return softplus(-real).mean() + softplus(fake).mean()


def generator_loss(fake: Tensor, _real: Tensor) -> Tensor:
    """-E[log D(G(z))]."""
    return softplus(-fake).mean()


def r1_penalty(critic: nn.Module, real: Tensor, _fake: Tensor, label: Tensor) -> Tensor:
    """gamma/2 E|grad_x D(x)|^2 on real pictures."""
    real = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real, label).sum(), real, create_graph=True)
    return GAMMA / 2 * gradient.square().sum(dim=(1, 2, 3)).mean()


def main() -> None:
    args = options(__doc__, steps=4000)
    prepare(args)
    losses = Losses(critic_loss, generator_loss, r1_penalty, penalty_every=16)
    generator, run = train(NAME, args, losses, FashionCritic(), batch=64, lr_end=1e-4)
    write_fashion(
        run,
        generator,
        faults=("A few z come out as blotches in every class; sandals are often incomplete.",),
        module="fashion_gan",
        title="Fashion, GAN",
        description="Clothes, shoes and bags, 28x28. A generator trained against a critic that tells its "
        "pictures from real ones: sharp and varied.",
        distance=Distance(
            name="Jensen-Shannon divergence",
            formula="JS(p, q) = KL(p | m)/2 + KL(q | m)/2 with m = (p + q)/2, "
            "by way of max over D of E_p[log D(x)] + E_q[log(1 - D(x))] = 2 JS(p, q) - log 4",
            paper="Goodfellow et al. 2014, arXiv:1406.2661; R1: Mescheder et al. 2018, arXiv:1801.04406",
        ),
    )


if __name__ == "__main__":
    main()
