"""fashion-sliced-wasserstein: Wasserstein-2 of one-dimensional shadows (Bonneel et al. 2015).

On a line, optimal transport is sorting.  So both samples are projected onto many random directions, each
projection is sorted, and the squared differences are averaged:
    SW2^2(p, q) = E over theta of W2^2(<theta, x>, <theta, g>).
Any distribution of directions with full support gives a distance.  Few shadows of the pixels fall on a torn
sleeve or a fleck, so shadows are taken of what else there is to tell of a picture:
* pixels.  A third of the directions are white noise, a third smooth, a third local, because that is how
  pictures differ (Nguyen and Ho 2022, arXiv:2204.01188, have local ones);
* details (models/recipes/common/matching.py);
* what a critic finds (models/recipes/common/learnt.py): its features, in random directions (Deshpande
  et al. 2018, arXiv:1803.11188), and its score, the one direction in which it separates drawn pictures from
  real ones best (max-sliced; Deshpande et al. 2019, arXiv:1904.05877).
Pixels and details pull from the first step on, the critic later.

    python -m models.recipes.fashion_sliced_wasserstein
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.formats.card import Distance
from igm_gui.generators.fashion.network import SIZE
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.learnt import Told, train
from models.recipes.common.run import options, prepare

NAME = "fashion-sliced-wasserstein"
SLICES = 256  # through each but the score, which is a line by itself


def directions(count: int) -> Tensor:
    """Unit vectors as columns, (784, count): white, smooth and local ones in equal parts."""
    each = count // 3
    white = torch.randn(count - 2 * each, 1, SIZE, SIZE)
    smooth = F.interpolate(torch.randn(each, 1, 8, 8), SIZE, mode="bicubic", align_corners=False)
    # A window of 5 to 12 pixels anywhere, its noise mean-free in half of the cases: an edge detector.
    side = torch.randint(5, 13, (each, 1, 1))
    place = torch.rand(2, each, 1, 1) * (SIZE - side)
    grid = torch.arange(SIZE)
    rows = (grid[:, None] >= place[0]) & (grid[:, None] < place[0] + side)
    columns = (grid >= place[1]) & (grid < place[1] + side)
    window = (rows & columns).float()
    coarse = F.interpolate(torch.randn(each, 1, 14, 14), SIZE, mode="bilinear", align_corners=False)
    noise = coarse[:, 0] * window
    mean = noise.sum(dim=(1, 2), keepdim=True) / window.sum(dim=(1, 2), keepdim=True)
    noise = noise - mean * window * (torch.rand(each, 1, 1) < 0.5)
    theta = torch.cat([white, smooth, noise[:, None]]).flatten(1)
    return F.normalize(theta, dim=1).T.contiguous()


def sparse_directions(count: int) -> Tensor:
    """Unit vectors as columns, (784, count), each across about twenty coordinates."""
    theta = torch.randn(count, SIZE * SIZE) * (torch.rand(count, SIZE * SIZE) < 0.025)
    return F.normalize(theta, dim=1).T.contiguous()


def even_directions(size: int, count: int) -> Tensor:
    """Unit vectors as columns, (size, count), evenly in all directions."""
    return F.normalize(torch.randn(size, count), dim=0)


def sliced(fake: Tensor, real: Tensor, theta: Tensor) -> Tensor:
    """(C, n, D) twice, (D, slices) -> W2^2, the mean over classes and directions."""
    a, b = ((x @ theta).transpose(1, 2).sort(dim=2).values for x in (fake, real))  # (C, slices, n)
    return F.mse_loss(a, b)


def sliced_wasserstein(fake: Told, real: Told) -> Tensor:
    """The sum over what is told of pictures."""
    through = Told(
        pixels=directions(SLICES),
        details=sparse_directions(SLICES),
        features=even_directions(fake.features.shape[2], SLICES),
        score=torch.ones(1, 1),
    )
    return torch.stack([sliced(*parts) for parts in zip(fake, real, through, strict=True)]).sum()


def main() -> None:
    args = options(__doc__, steps=5000)
    prepare(args)
    generator, run = train(NAME, args, sliced_wasserstein)
    write_fashion(
        run,
        generator,
        faults=(
            "Prints and patterns come out as flecks, dark shoes and bags often too; some sandals are "
            "fragments.",
            "Shirts are the least certain: the judge names about three of four rightly.",
        ),
        module="fashion_sliced_wasserstein",
        title="Fashion, sliced Wasserstein",
        description="The same generator, trained by sorting: random shadows of its pictures are matched "
        "with the sorted shadows of real ones. A critic finds what to take shadows of besides pixels.",
        distance=Distance(
            name="Sliced Wasserstein-2 distance",
            formula="SW2^2(p, q) = E over directions t of W2^2(<t, x>, <t, g>), by sorting, "
            "within each class, the sum for x and g as pixels, as details (mean moduli of 3x3 ripples) and "
            "as the features and the score of a critic that separates p from q",
            paper="Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3; "
            "Deshpande et al. 2018, arXiv:1803.11188; Deshpande et al. 2019, arXiv:1904.05877",
        ),
    )


if __name__ == "__main__":
    main()
