"""fashion-sliced-wasserstein: Wasserstein-2 of one-dimensional shadows (Bonneel et al. 2015).

On a line, optimal transport is sorting.  So both samples are projected onto many random directions, each
projection is sorted, and the squared differences are averaged:
    SW2^2(p, q) = E over theta of W2^2(<theta, x>, <theta, g>).
Any distribution of directions with full support gives a distance.  Of those through the pixels a third are
white noise, a third smooth, a third local, because that is how pictures differ (Deshpande et al. 2018,
arXiv:1803.11188, compare whole pictures; Nguyen and Ho 2022, arXiv:2204.01188, local ones).  As many go
through the details (models/recipes/common/matching.py): few shadows of the pixels alone fall on a fine grid
or a hole.

    python -m models.recipes.fashion_sliced_wasserstein
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.formats.card import Distance
from igm_gui.generators.fashion.network import SIZE
from models.recipes.common.fashion_card import write_fashion
from models.recipes.common.matching import train
from models.recipes.common.run import options, prepare

NAME = "fashion-sliced-wasserstein"
SLICES = 768  # through pixels, and as many through details


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


def detail_directions(count: int) -> Tensor:
    """Unit vectors as columns, (784, count), each across about twenty details."""
    theta = torch.randn(count, SIZE * SIZE) * (torch.rand(count, SIZE * SIZE) < 0.025)
    return F.normalize(theta, dim=1).T.contiguous()


def sliced_wasserstein(fake: Tensor, real: Tensor, _progress: float = 0.0) -> Tensor:
    """Pixels and details (C, n, 784 + 784) twice -> W2^2, the mean over classes and directions, times 784."""
    total = fake.new_zeros(())
    pixels = SIZE * SIZE
    for start, theta in ((0, directions(SLICES)), (pixels, detail_directions(SLICES))):
        a, b = (
            (x[..., start : start + pixels] @ theta).transpose(1, 2).sort(dim=2).values  # (C, slices, n)
            for x in (fake, real)
        )
        total = total + pixels * F.mse_loss(a, b)
    return total


def main() -> None:
    args = options(__doc__, steps=900)
    prepare(args)
    generator, run = train(NAME, args, sliced_wasserstein)
    write_fashion(
        run,
        generator,
        faults=(
            "Cloth is woven coarsely, some garments are ragged or hatched: every shadow may fit while the "
            "picture does not, for few shadows fall on one fault.",
            "Shirts and pullovers are the least certain: the judge names about three of five rightly.",
        ),
        module="fashion_sliced_wasserstein",
        title="Fashion, sliced Wasserstein",
        description="The same generator, trained without a critic: random shadows of its pictures are sorted "
        "and matched with the sorted shadows of real ones.",
        distance=Distance(
            name="Sliced Wasserstein-2 distance",
            formula="SW2^2(p, q) = E over directions t of W2^2(<t, x>, <t, g>), by sorting, "
            "within each class; x and g stand for pixels, or for details (mean moduli of 3x3 ripples)",
            paper="Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3; "
            "Deshpande et al. 2018, arXiv:1803.11188",
        ),
    )


if __name__ == "__main__":
    main()
