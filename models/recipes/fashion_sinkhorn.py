"""fashion-sinkhorn: the Sinkhorn divergence with a learnt cost (Genevay et al. 2018, arXiv:1706.00292).

Optimal transport between two samples with an entropy term, which makes it quick to compute:
    OT_e(p, q) = min over couplings pi of E_pi c(x, g) + e KL(pi | p x q),  c = squared distance.
Taking away what a sample costs against itself makes it zero for p = q (Feydy et al. 2019, arXiv:1810.08278):
    S_e(p, q) = OT_e(p, q) - OT_e(p, p) / 2 - OT_e(q, q) / 2.
Within one sample nothing is coupled with itself: the other pictures stand for a second sample, without which
a few pictures look cheaper when they are all alike (Salimans et al. 2018, arXiv:1803.05573).

c is taken between pixels, details and what a critic finds (models/recipes/common/learnt.py): between pixels
alone the cheapest picture is a blurred one.

    python -m models.recipes.fashion_sinkhorn
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from igm_gui.formats.card import Distance
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.learnt import Told, train
from models.recipes.common.matching import cost
from models.recipes.common.run import options, prepare

NAME = "fashion-sinkhorn"
ITERATIONS = 30
EPSILON = 0.4  # c is about 8 between two real pictures of one class


@torch.no_grad()
def coupling(c: Tensor, epsilon: float, iterations: int = ITERATIONS) -> Tensor:
    """The optimal coupling for costs c (C, n, m) between uniform weights; Sinkhorn in the log domain.

    epsilon comes down from the largest cost by halves, so that few iterations are enough.
    """
    _, n, m = c.shape
    f, g = c.new_zeros(c.shape[:2]), c.new_zeros(c.shape[0], m)
    scale = float(c.max())
    log_n, log_m = torch.log(torch.tensor([float(n), float(m)]))
    for _ in range(iterations):
        scale = max(scale / 2, epsilon)
        f = -scale * (torch.logsumexp((g[:, None] - c) / scale, dim=2) - log_m)
        g = -scale * (torch.logsumexp((f[:, :, None] - c) / scale, dim=1) - log_n)
    f = -epsilon * (torch.logsumexp((g[:, None] - c) / epsilon, dim=2) - log_m)
    return ((f[:, :, None] + g[:, None] - c) / epsilon).exp() / (n * m)


def transport(a: Tensor, b: Tensor, epsilon: float) -> Tensor:
    """The cost of the optimal coupling of (C, n, D) and (C, m, D), the mean over classes.

    Its gradient is exact where the coupling is: by the envelope theorem that counts as constant.
    """
    c = cost(a, b)
    price = c.detach().clone()
    if a is b:
        price.diagonal(dim1=1, dim2=2).fill_(2 * float(price.max()))
    return (coupling(price, epsilon) * c).sum() / len(a)


def sinkhorn_divergence(fake: Tensor, real: Tensor, epsilon: float = EPSILON) -> Tensor:
    """(C, n, D) twice -> the mean over classes."""
    within = transport(fake, fake, epsilon) + transport(real, real, epsilon)
    return transport(fake, real, epsilon) - within / 2


def joined(told: Told) -> Tensor:
    """All parts side by side, (C, n, 1697); c is then the sum of their mean squared differences."""
    return torch.cat([x / math.sqrt(x.shape[2]) for x in told], dim=2)


def main() -> None:
    args = options(__doc__, steps=5000)
    prepare(args)
    generator, run = train(NAME, args, lambda fake, real: sinkhorn_divergence(joined(fake), joined(real)))
    write_fashion(
        run,
        generator,
        faults=(
            "Prints and patterns come out as flecks, dark clothes often too; some sandals are fragments.",
            "Shirts are the least certain: the judge names about three of five rightly.",
        ),
        module="fashion_sinkhorn",
        title="Fashion, Sinkhorn",
        description="The same generator, trained by plans of least cost: one moves a batch of its pictures "
        "onto a batch of real ones, another onto themselves, and every picture follows the difference. A "
        "critic finds what to count beside pixels.",
        distance=Distance(
            name="Sinkhorn divergence",
            formula="S_e(p, q) = OT_e(p, q) - OT_e(p, p)/2 - OT_e(q, q)/2, "
            "OT_e = min over couplings of E|x - g|^2 + e KL(coupling | p x q), within each class; x and g "
            "hold pixels, details (mean moduli of 3x3 ripples), features and score of a critic that "
            "separates p from q, each in units of its spread",
            paper="Genevay et al. 2018, arXiv:1706.00292; Feydy et al. 2019, arXiv:1810.08278; "
            "Salimans et al. 2018, arXiv:1803.05573",
        ),
    )


if __name__ == "__main__":
    main()
