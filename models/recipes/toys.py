"""toy-ring, toy-moons, toy-checkerboard: generators whose input and output are points of the plane.

Each is trained with another distance between samples, and its card names it. At the start each is the
identity, and what it learns is drawn: where the noise goes and how the plane is bent on the way.

    python -m models.recipes.toys
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from igm_gui.formats.card import Card, Data, Distance
from igm_gui.generators.toy.drawing import SIZE
from igm_gui.generators.toy.network import ToyNetwork
from igm_gui.generators.toy.picture import ToyPicture
from igm_gui.info import InputSpec, OutputSpec
from models.recipes.common.folder import half_precision, sheet, training, write_model
from models.recipes.common.run import Ema, Run, options, prepare


def ring(count: int) -> Tensor:
    """Eight Gaussians of standard deviation 0.12 on a circle of radius 2.3: (count, 2)."""
    angle = torch.randint(0, 8, (count,)) * (math.pi / 4)
    return 2.3 * torch.stack([angle.cos(), angle.sin()], 1) + 0.12 * torch.randn(count, 2)


def moons(count: int) -> Tensor:
    """Two interleaved half circles with a little noise: (count, 2)."""
    angle = math.pi * torch.rand(count)
    upper = torch.rand(count) < 0.5
    x = torch.where(upper, angle.cos() - 0.5, 0.5 - angle.cos())
    y = torch.where(upper, angle.sin() - 0.25, 0.25 - angle.sin())
    return 1.9 * torch.stack([x, y], 1) + 0.1 * torch.randn(count, 2)


def checkerboard(count: int) -> Tensor:
    """The eight dark squares of a board of four by four, side 1.25: (count, 2)."""
    column = torch.randint(0, 4, (count,))
    row = 2 * torch.randint(0, 2, (count,)) + column % 2
    return (torch.stack([column, row], 1) + torch.rand(count, 2) - 2.0) * 1.25


def _potentials(x: Tensor, y: Tensor, epsilon: float, rounds: int = 16) -> tuple[Tensor, Tensor]:
    """Dual potentials of entropic transport between two samples, by Sinkhorn's iterations in the log domain.

    The gradient reaches ``x`` through the last half step alone: the potentials are optimal, so by the
    envelope theorem that is the gradient of the cost.
    """

    def soft_minimum(cost: Tensor, potential: Tensor, soft: float) -> Tensor:
        return -soft * (torch.logsumexp((potential - cost) / soft, 1) - math.log(cost.shape[1]))

    with torch.no_grad():
        cost = torch.cdist(x, y).square() / 2
        f, g = torch.zeros(len(x)), torch.zeros(len(y))
        scale = float(cost.max())
        for i in range(rounds):  # epsilon falls from the diameter to its value: fewer rounds
            soft = max(epsilon, scale * 0.55**i)
            f, g = (f + soft_minimum(cost, g, soft)) / 2, (g + soft_minimum(cost.T, f, soft)) / 2
    cost = (x[:, None] - y.detach()).square().sum(2) / 2
    return soft_minimum(cost, g, epsilon), soft_minimum(cost.detach().T, f, epsilon)


def sinkhorn(x: Tensor, y: Tensor) -> Tensor:
    """Sinkhorn divergence T(x, y) - T(x, x)/2 - T(y, y)/2 (Feydy et al. 2019), from the potentials."""
    epsilon = 0.02
    f, g = _potentials(x, y, epsilon)
    f_self, _ = _potentials(x, x, epsilon)
    with torch.no_grad():
        g_self, _ = _potentials(y, y, epsilon)
    return (f - f_self).mean() + (g - g_self).mean()


def sliced_wasserstein(x: Tensor, y: Tensor) -> Tensor:
    """Squared sliced Wasserstein-2 distance over 64 random directions (Rabin et al. 2011)."""
    angle = math.pi * torch.rand(64)
    directions = torch.stack([angle.cos(), angle.sin()])
    return ((x @ directions).sort(0).values - (y @ directions).sort(0).values).square().mean()


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Maximum mean discrepancy with a sum of Gaussian kernels and the energy kernel -|x - y|.

    Gretton et al. 2012; the energy kernel (Szekely and Rizzo 2013) pulls from any distance, the narrow
    Gaussians draw the edges.
    """

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        square = (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp_min(1e-6)
        narrow = torch.exp(square * (-1 / (2 * 0.12**2)))
        return narrow + torch.exp(square * (-1 / (2 * 0.35**2))) - square.sqrt()

    size = len(x)
    inside = (kernel(x, x).sum() - size * (2 - 1e-3)) / (size * (size - 1))
    with torch.no_grad():
        constant = (kernel(y, y).sum() - size * (2 - 1e-3)) / (size * (size - 1))
    return inside - 2 * kernel(x, y).mean() + constant


@dataclass
class Toy:
    """One toy: its data, its distance and how long it trains."""

    name: str
    title: str
    sample: Callable[[int], Tensor]
    distance: Callable[[Tensor, Tensor], Tensor]
    batch: int
    steps: int
    about: Distance
    faults: tuple[str, ...]


BRIDGES = (
    "A continuous map of a plane in one piece can't tear it: thin bridges of points join the pieces of "
    "the data.",
)
TOYS = (
    Toy(
        "toy-ring",
        "Ring of Gaussians",
        ring,
        sinkhorn,
        256,
        2000,
        Distance(
            name="Sinkhorn divergence",
            formula="S(p, q) = T(p, q) - T(p, p)/2 - T(q, q)/2, "
            "T the transport cost |x - y|^2/2 with entropy 0.02",
            paper="Feydy et al. 2019, arXiv:1810.08278",
        ),
        BRIDGES,
    ),
    Toy(
        "toy-moons",
        "Two moons",
        moons,
        sliced_wasserstein,
        1024,
        3000,
        Distance(
            name="Sliced Wasserstein distance",
            formula="SW(p, q)^2 = mean over directions u of W_2(u.p, u.q)^2",
            paper="Rabin et al. 2011, Bonneel et al. 2015",
        ),
        BRIDGES,
    ),
    Toy(
        "toy-checkerboard",
        "Checkerboard",
        checkerboard,
        mmd,
        512,
        5_000,
        Distance(
            name="Maximum mean discrepancy",
            formula="MMD(p, q)^2 = E k(x, x') - 2 E k(x, y) + E k(y, y'), "
            "k = -|x - y| + Gaussians of width 0.12 and 0.35",
            paper="Gretton et al. 2012, JMLR 13; Szekely and Rizzo 2013",
        ),
        BRIDGES,
    ),
)


def train(toy: Toy, args: argparse.Namespace) -> None:
    """Train one toy and write its folder."""
    torch.manual_seed(args.seed)
    cloud = toy.sample(2000)
    network, average = ToyNetwork(), ToyNetwork()
    ema = Ema(network, average, 0.995)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3, betas=(0.9, 0.98))
    run = Run(toy.name, args, network=network, average=average, optimiser=optimiser)
    for step in run.steps():
        optimiser.param_groups[0]["lr"] = 2e-3 * 0.5 * (1 + math.cos(math.pi * step / args.steps)) + 1e-5
        distance = toy.distance(network(torch.randn(toy.batch, 2)), toy.sample(toy.batch))
        optimiser.zero_grad()
        distance.backward()
        optimiser.step()
        ema.update(step)
        run.log(distance=distance.detach())
    average.cloud.copy_(cloud)
    write(toy, average, run)


def write(toy: Toy, network: ToyNetwork, run: Run) -> None:
    """Weights, card and preview: four stages of the way from noise to data."""
    tensors = half_precision(network)
    switch = {"kind": "scalar", "minimum": 0.0, "maximum": 1.0, "step": 1.0}
    card = Card(
        name=toy.name,
        family="toy",
        title=toy.title,
        description="Noise in the plane becomes points in the plane. Blue: where the generator puts them. "
        "The ring "
        "is z, the golden disc where it goes; the grid shows how the plane is bent.",
        licence="Apache-2.0",
        output=OutputSpec("image", height=SIZE, width=SIZE, channels=3, low=0.0, high=1.0),
        inputs=(
            InputSpec("z", "latent", "Noise", shape=(2,), dimensions=("x", "y")),
            InputSpec(
                "progress",
                "scalar",
                "Way",
                "from noise (0) to the generator's points (1)",
                maximum=1.0,
                default=1.0,
            ),
            InputSpec(
                "data",
                title="Training points",
                description="show some of the points it learnt from",
                **switch,
            ),
            InputSpec(
                "grid", title="Grid", description="show a grid of noise space, bent", default=1.0, **switch
            ),
        ),
        data=Data(name=toy.title, licence="Apache-2.0", source="drawn by the recipe"),
        training=training(run, "toys"),
        distance=toy.about,
        faults=toy.faults,
        preview_seeds=(1,),
    )
    picture = ToyPicture(network.eval().requires_grad_(False))
    stages = torch.tensor([0.0, 0.4, 0.75, 1.0])
    z = torch.tensor([1.1, -0.6]).expand(4, 2)
    pictures = picture(z, stages, torch.tensor([0.0, 0.0, 0.0, 1.0]), torch.ones(4))
    array = (pictures * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    write_model(run.args.out, card, tensors, sheet(array, columns=2))


def main() -> None:
    args = options(__doc__, steps=0)
    prepare(args)
    for toy in TOYS:
        train(toy, argparse.Namespace(**{**vars(args), "steps": args.steps or toy.steps}))


if __name__ == "__main__":
    main()
