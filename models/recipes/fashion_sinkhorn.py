"""fashion-sinkhorn: the Sinkhorn divergence (Genevay et al. 2018, arXiv:1706.00292).

Optimal transport between two samples with an entropy term, which makes it quick to compute:
    OT_e(p, q) = min over couplings pi of E_pi c(x, g) + e KL(pi | p x q),  c = squared distance.
Taking away what a sample costs against itself makes it zero for p = q (Feydy et al. 2019, arXiv:1810.08278):
    S_e(p, q) = OT_e(p, q) - OT_e(p, p) / 2 - OT_e(q, q) / 2.
c is taken between pixels and details together (models/recipes/common/matching.py): between pixels alone the
cheapest picture is a blurred one.

    python -m models.recipes.fashion_sinkhorn
"""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.formats.card import Distance
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.matching import cost, train
from models.recipes.common.run import options, prepare

NAME = "fashion-sinkhorn"
ITERATIONS = 30
BLUR, BLUR_END = 60.0, 6.0  # e in units of c, which is about 400 to 1200 between pictures of one class


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


def sinkhorn_divergence(fake: Tensor, real: Tensor, progress: float = 1.0) -> Tensor:
    """(C, n, D) twice -> the mean over classes; its gradient is exact where the couplings are.

    By the envelope theorem the couplings count as constants, so no gradient runs through the iterations.
    """
    epsilon = BLUR * (BLUR_END / BLUR) ** progress
    total = fake.new_zeros(())
    for a, b, weight in ((fake, real, 1.0), (fake, fake, -0.5), (real, real, -0.5)):
        c = cost(a, b)
        total = total + weight * (coupling(c.detach(), epsilon) * c).sum() / len(fake)
    return total


def main() -> None:
    args = options(__doc__, steps=900)
    prepare(args)
    generator, run = train(NAME, args, sinkhorn_divergence)
    write_fashion(
        run,
        generator,
        faults=(
            "Typical garments only: with 96 pictures of a class at a time the plan pairs a picture with "
            "several real ones, and what lies between them is cheaper than any of them.",
            "Cloth is woven coarsely, open sandals are filled: details are matched in strength, not place.",
        ),
        module="fashion_sinkhorn",
        title="Fashion, Sinkhorn",
        description="The same generator, trained without a critic: a plan of least cost moves a batch of its "
        "pictures onto a batch of real ones, pixels and details, and every picture follows the plan.",
        distance=Distance(
            name="Sinkhorn divergence",
            formula="S_e(p, q) = OT_e(p, q) - OT_e(p, p)/2 - OT_e(q, q)/2, "
            "OT_e = min over couplings of E|x - g|^2 + e KL(coupling | p x q), within each class; "
            "x and g stand for pixels and details (mean moduli of 3x3 ripples)",
            paper="Genevay et al. 2018, arXiv:1706.00292; Feydy et al. 2019, arXiv:1810.08278",
        ),
    )


if __name__ == "__main__":
    main()
