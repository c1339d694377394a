"""fashion-mmd: maximum mean discrepancy with a learnt kernel (MMD-GAN; Li et al. 2017, arXiv:1705.08584).

A kernel k maps each picture to a function; MMD is how far apart the mean functions are of data and model:
    MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g').
Seen from a drawn picture g: real ones attract it and drawn ones push it away, so that they spread.

The kernel is the sum of -|a - b| over what is told of pictures: pixels, details, and the features and the
score of a critic (models/recipes/common/learnt.py), which find what is still wrong.  With it MMD^2 is the
energy distance (Sejdinovic et al. 2013, arXiv:1207.6076; Bellemare et al. 2017, arXiv:1705.10743): the pull
is equally strong from everywhere.  That of a kernel which falls off, such as the rational quadratics of
Binkowski et al. 2018, arXiv:1801.01401, weakens where a drawn picture is far from all real ones.

    python -m models.recipes.fashion_mmd
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from igm_gui.formats.card import Distance
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.learnt import Told, train
from models.recipes.common.matching import cost
from models.recipes.common.run import options, prepare

Kernel = Callable[[Tensor, Tensor], Tensor]

NAME = "fashion-mmd"


def distance_kernel(a: Tensor, b: Tensor) -> Tensor:
    """-|a - b| / sqrt(D): (C, n, D), (C, m, D) -> (C, n, m)."""
    return -(cost(a, b) / a.shape[2] + 1e-6).sqrt()


def mmd2(kernel: Kernel, fake: Tensor, real: Tensor) -> Tensor:
    """The unbiased estimate of MMD^2, the mean over classes (Gretton et al. 2012); (C, n, D) twice."""
    classes, n, _ = real.shape
    within = kernel(real, real) + kernel(fake, fake)
    within = within.sum() - within.diagonal(dim1=1, dim2=2).sum()
    return within / (classes * n * (n - 1)) - 2 * kernel(real, fake).mean()


def discrepancy(fake: Told, real: Told) -> Tensor:
    """The sum over what is told of pictures."""
    return torch.stack([mmd2(distance_kernel, *parts) for parts in zip(fake, real, strict=True)]).sum()


def main() -> None:
    args = options(__doc__, steps=5000)
    prepare(args)
    generator, run = train(NAME, args, discrepancy)
    write_fashion(
        run,
        generator,
        faults=(
            "Prints and patterns come out as flecks, also on bags and boots; some sandals are fragments.",
            "Shirts are the least certain: the judge names about three of four rightly.",
        ),
        module="fashion_mmd",
        title="Fashion, MMD",
        description="The same generator, trained to match the means of all functions of a kernel: real "
        "pictures attract the drawn ones, which push each other apart. A critic finds what to compare "
        "beside pixels.",
        distance=Distance(
            name="Maximum mean discrepancy",
            formula="MMD^2(p, q) = E k(x, x') - 2 E k(x, g) + E k(g, g') within each class, k = -|a - b| "
            "summed for a and b as pixels, as details (mean moduli of 3x3 ripples) and as the features and "
            "the score of a critic that separates p from q, each in units of its spread",
            paper="Gretton et al. 2012, JMLR 13; Sejdinovic et al. 2013, arXiv:1207.6076; Li et al. 2017, "
            "arXiv:1705.08584; Bellemare et al. 2017, arXiv:1705.10743",
        ),
    )


if __name__ == "__main__":
    main()
