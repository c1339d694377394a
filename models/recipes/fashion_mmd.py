"""fashion-mmd: maximum mean discrepancy with a multi-scale kernel (GMMN; Li et al. 2015, arXiv:1502.02761).

A kernel k maps each picture to a function; MMD is how far apart the mean functions are of data and model:
    MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g').
Seen from a drawn picture g: real ones attract it and drawn ones push it away, so that they spread.
The kernel here sums inverse multiquadrics, k(a, b) = sum over s of (1 + |a - b|^2 / s^2)^-1/2, of pixels and
details together (models/recipes/common/matching.py).  Their tails are long: in so many dimensions all
pictures are far apart, and a Gaussian would be nearly flat there.

A learnt kernel (MMD-GAN; Li et al. 2017, arXiv:1705.08584) was tried first: from nothing, 460 steps of 64
pictures had drawn blots of no class.

    python -m models.recipes.fashion_mmd
"""

from __future__ import annotations

from torch import Tensor

from igm_gui.formats.card import Distance
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.matching import cost, train
from models.recipes.common.run import options, prepare

NAME = "fashion-mmd"
SCALES = (8.0, 16.0, 32.0)  # s; two pictures of one class are about 20 to 35 apart


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """(C, n, D), (C, m, D) -> (C, n, m)."""
    squared = cost(a, b)
    return sum((1 + squared / s**2).rsqrt() for s in SCALES)  # type: ignore[return-value]


def mmd2(fake: Tensor, real: Tensor, _progress: float = 0.0) -> Tensor:
    """The unbiased estimate of MMD^2, the mean over classes (Gretton et al. 2012); (C, n, D) twice."""
    classes, n, _ = real.shape
    within = kernel(real, real) + kernel(fake, fake)
    within = within.sum() - within.diagonal(dim1=1, dim2=2).sum()
    return within / (classes * n * (n - 1)) - 2 * kernel(real, fake).mean()


def main() -> None:
    args = options(__doc__, steps=1000)
    prepare(args)
    generator, run = train(NAME, args, mmd2)
    write_fashion(
        run,
        generator,
        faults=(
            "About one picture in five is torn or hatched: far from all real ones the kernel is nearly flat, "
            "so little pulls such a picture back.",
            "Shirts and pullovers are the least certain: the judge names about two of three rightly.",
        ),
        module="fashion_mmd",
        title="Fashion, MMD",
        description="The same generator, trained without a critic to match the means of all functions of a "
        "kernel: real pictures attract the drawn ones, which push each other apart.",
        distance=Distance(
            name="Maximum mean discrepancy",
            formula="MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g') within each class, "
            "k = sum over s of (1 + |a - b|^2/s^2)^-1/2 of pixels and details (mean moduli of 3x3 ripples)",
            paper="Gretton et al. 2012, JMLR 13; Li et al. 2015, arXiv:1502.02761",
        ),
    )


if __name__ == "__main__":
    main()
