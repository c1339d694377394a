"""fashion-flow: conditional flow matching (Lipman et al. 2023, arXiv:2210.02747).

A straight line leads from noise x_0 to a picture x_1: x_t = (1 - t) x_0 + t x_1.  The network learns the mean
velocity of all lines through a point, by plain regression:
    E |v(x_t, t, y) - (x_1 - x_0)|^2.
In a tenth of the steps the class is hidden, so that one network also knows pictures of any class, which is
what guidance needs (Ho and Salimans 2022, arXiv:2207.12598).

    python -m models.recipes.fashion_flow
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.formats.card import Card, Distance
from igm_gui.generators.fashion.network import N_CLASSES
from igm_gui.generators.flow.network import FlowSampler, Velocity
from igm_gui.info import InputSpec
from models.recipes.common import fashion_data
from models.recipes.common.directions import find_directions
from models.recipes.common.fashion_card import DATA, LABEL_INPUT, OUTPUT, Z_INPUT, preview_inputs, to_uint8
from models.recipes.common.folder import half_precision, sheet, training, write_model
from models.recipes.common.run import Ema, Run, options, prepare

NAME = "fashion-flow"
BATCH, LR, LR_END = 32, 2e-3, 1e-4
STEPS = InputSpec(
    "steps", "scalar", title="Steps", description="from noise to picture; each looks twice",
    minimum=1, maximum=50, default=8, step=1,
)  # fmt: skip
GUIDANCE = InputSpec(
    "guidance", "scalar", title="Guidance", description="how much class: 0 any, 1 as learnt, 2 typical",
    minimum=0, maximum=4, default=2,
)  # fmt: skip
NOISE_SEED = InputSpec("noise_seed", "seed", title="Fine noise", description="the noise's finer frequencies")


def write(run: Run, velocity: Velocity) -> None:
    sampler = FlowSampler(velocity).eval()
    tensors = half_precision(sampler)
    z, label = preview_inputs()

    def draw(z: Tensor, label: Tensor) -> Tensor:
        ones = torch.ones(len(z))
        seed = torch.zeros(len(z), dtype=torch.int64)
        return sampler(z, label, seed, STEPS.default * ones, GUIDANCE.default * ones)

    with torch.no_grad():
        pictures = draw(z, label)
    card = Card(
        name=NAME, family="flow", title="Fashion, flow matching",
        description="Noise flows into clothes, shoes and bags along a learnt velocity; the way there can be "
        "watched. z is the first noise's 64 lowest frequencies (8x8 patterns of a cosine transform), which "
        "settle the garment; the fine noise's seed settles its texture. So z explores, slider by slider, and "
        "one z can still be compared with the other fashion models.",
        licence="Apache-2.0", output=OUTPUT, inputs=(Z_INPUT, LABEL_INPUT, STEPS, GUIDANCE, NOISE_SEED),
        data=DATA, training=training(run, "fashion_flow"),
        distance=Distance(
            name="Flow matching (squared error of the velocity)",
            formula="E over t, x_0, x_1 of |v(x_t, t) - (x_1 - x_0)|^2, x_t = (1 - t) x_0 + t x_1",
            paper="Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003",
        ),
        faults=(
            "The slowest of the fashion models: a picture takes 16 looks at the network, 32 with guidance.",
            "Trained for a short time (128,000 pictures): some edges fray, more so at guidance 1.",
        ),
        preview_seeds=tuple(range(16)), directions=find_directions(draw, count=500),
    )  # fmt: skip
    write_model(run.args.out, card, tensors, sheet(to_uint8(pictures).numpy(), columns=4, scale=2))


def main() -> None:
    args = options(__doc__, steps=4000)
    prepare(args)
    images, labels = fashion_data.load("train", args.work, args.data)
    network, average = Velocity(), Velocity()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(network, average)
    optimiser = torch.optim.Adam(network.parameters(), LR, betas=(0.9, 0.99), foreach=True)
    run = Run(NAME, args, network=network, average=average, optimiser=optimiser)

    for step in run.steps():
        optimiser.param_groups[0]["lr"] = LR + (LR_END - LR) * step / args.steps
        index = torch.randint(len(images), (BATCH,))
        x1 = fashion_data.to_unit(images[index])
        known = (torch.rand(BATCH, 1) > 0.1).float()
        label = F.one_hot(labels[index], N_CLASSES).float() * known
        x0 = torch.randn_like(x1)
        t = torch.rand(BATCH)
        t_ = t.view(-1, 1, 1, 1)
        loss = F.mse_loss(network((1 - t_) * x0 + t_ * x1, t, label), x1 - x0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ema.update(step)
        run.log(loss=loss.detach())
    write(run, average)


if __name__ == "__main__":
    main()
