"""fashion-wgan-gp: Wasserstein-1 with a gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028).

Kantorovich and Rubinstein: W1(p, q) = max over 1-Lipschitz f of E_p[f(x)] - E_q[f(x)].  The critic is f,
without a sigmoid; that its slope is 1 is asked on lines between real and generated pictures:
    lambda E[(|grad f(x')| - 1)^2],  x' = t x + (1 - t) G(z),  t uniform in [0, 1].

The critic has a score for each class, so that the class meets every feature from the first step on: with a
class vector that starts at zero, 600 steps still mixed up the classes.  It judges each picture by itself,
because the penalty is on single pictures.  It goes two steps for each of the generator's; its penalty is
taken at every fourth and weighed by four.

    python -m models.recipes.fashion_wgan_gp
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from igm_gui.formats.card import Distance
from models.recipes.common.adversarial import FashionCritic, Losses, train
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.run import mixed, options, prepare

NAME = "fashion-wgan-gp"
LAMBDA = 10.0


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-(E_p[f] - E_q[f]): the critic makes the difference large."""
    return fake.mean() - real.mean()


def generator_loss(fake: Tensor, _real: Tensor) -> Tensor:
    """-E_q[f]: the generator makes it small."""
    return -fake.mean()


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, label: Tensor) -> Tensor:
    """lambda E[(|grad f(x')| - 1)^2] between real and generated pictures."""
    t = torch.rand(len(real), 1, 1, 1)
    between = (t * real + (1 - t) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(mixed(critic, between, label).sum(), between, create_graph=True)
    slope = gradient.square().sum(dim=(1, 2, 3)).add(1e-12).sqrt()
    return LAMBDA * (slope - 1).square().mean()


def main() -> None:
    args = options(__doc__, steps=8000)
    prepare(args)
    losses = Losses(critic_loss, generator_loss, gradient_penalty, penalty_every=4, critic_steps=2)
    generator, run = train(
        NAME, args, losses, FashionCritic(spread=False), lr=4e-4, lr_end=1e-4, critic_lr=2.0, betas=(0.0, 0.9)
    )
    write_fashion(
        run,
        generator,
        faults=(
            "Printed patterns come out as blotches or black bands, and some sandals as fragments.",
            "Shirts are the least certain: the judge names about two of three rightly.",
        ),
        module="fashion_wgan_gp",
        title="Fashion, WGAN-GP",
        description="The same generator, trained to make the cost of moving its pictures onto real ones "
        "small: a critic whose slope is held at 1 measures that cost.",
        distance=Distance(
            name="Wasserstein-1 distance",
            formula="W1(p, q) = max over |f|_Lip <= 1 of E_p[f(x)] - E_q[f(x)]",
            paper="Arjovsky et al. 2017, arXiv:1701.07875; penalty: Gulrajani et al. 2017, arXiv:1704.00028",
        ),
    )


if __name__ == "__main__":
    main()
