"""fashion-flow: conditional flow matching (Lipman et al. 2023, arXiv:2210.02747).

A straight line leads from noise x_0 to a picture x_1: x_t = (1 - t) x_0 + t x_1.  The network learns the mean
velocity of all lines through a point, by plain regression:
    E |v(x_t, t, y) - (x_1 - x_0)|^2.
In a tenth of the steps the class is hidden, so that one network also knows pictures of any class, which is
what guidance needs (Ho and Salimans 2022, arXiv:2207.12598).

The paths that come of it are bent, and following them takes many looks at the network.  So a second training
straightens them (reflow; Liu et al. 2023, arXiv:2209.03003): the first network carries many noises to their
pictures, slowly and with guidance, and a copy of it learns the straight lines between the two.  It needs a
few looks, and none for guidance.  Where the lines begin, all of a class meet, and where they end, details are
settled; so t is drawn more often near 0 and 1 (Lee et al. 2024, arXiv:2405.20320).

    python -m models.recipes.fashion_flow
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.formats.card import Card, Distance
from igm_gui.generators.fashion.network import N_CLASSES, SIZE
from igm_gui.generators.flow.network import FlowSampler, Velocity, follow
from igm_gui.info import InputSpec
from models.recipes.common import fashion_data
from models.recipes.common.directions import find_directions
from models.recipes.common.fashion_card import DATA, LABEL_INPUT, OUTPUT, Z_INPUT, preview_inputs, to_uint8
from models.recipes.common.folder import half_precision, sheet, training, write_model
from models.recipes.common.run import Ema, Run, options, prepare

NAME = "fashion-flow"
WIDTH = 48  # of the network; at 64 a look takes one and a half times as long
BATCH, LR, LR_END = 32, 2e-3, 1e-4
# The second training: pairs of noise and picture, the steps and the guidance they are made with.
PAIRS, CHUNK, MIDPOINTS, TEACHER_GUIDANCE = 8_000, 250, 6, 2.0
STRAIGHT_BATCH, STRAIGHT_LR = 48, 1e-3
STEPS = InputSpec(
    "steps", "scalar", title="Steps", description="from noise to picture; each is one look at the network",
    minimum=1, maximum=32, default=3, step=1,
)  # fmt: skip
GUIDANCE = InputSpec(
    "guidance", "scalar", title="Guidance",
    description="how much class: 0 any, 1 as learnt, more is more typical; other than 1 takes twice as long",
    minimum=0, maximum=3, default=1,
)  # fmt: skip
PROGRESS = InputSpec(
    "progress", "scalar", title="Way",
    description="from noise (0) to the picture (1): drag it, or play it on the timeline, to watch",
    maximum=1, default=1,
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
        description="Noise flows into clothes, shoes and bags along a learnt velocity, in a few steps; drag "
        "Way, or play it on the timeline, to watch. z is the first noise's 64 lowest frequencies (8x8 "
        "patterns of a cosine transform), which settle the garment; the fine noise's seed settles its "
        "texture. So z explores, slider by slider, and one z can still be compared with the other models.",
        licence="Apache-2.0", output=OUTPUT,
        inputs=(Z_INPUT, LABEL_INPUT, STEPS, GUIDANCE, PROGRESS, NOISE_SEED),
        data=DATA, training=training(run, "fashion_flow"),
        distance=Distance(
            name="Flow matching (squared error of the velocity)",
            formula="E over t, x_0, x_1 of |v(x_t, t) - (x_1 - x_0)|^2, x_t = (1 - t) x_0 + t x_1",
            paper="Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003",
        ),
        faults=(
            "Slower than the other fashion models: a picture takes as many looks at a network as steps.",
            "Less varied than the data: the straight paths were learnt from pictures made with guidance 2.",
        ),
        preview_seeds=tuple(range(16)), directions=find_directions(draw, count=500),
    )  # fmt: skip
    write_model(run.args.out, card, tensors, sheet(to_uint8(pictures).numpy(), columns=4, scale=2))


def regress(
    name: str, args: argparse.Namespace, draw: Callable[[], tuple[Tensor, Tensor, Tensor, Tensor]],
    start: Velocity | None = None, lr: float = LR,
) -> tuple[Velocity, Run]:  # fmt: skip
    """Learn the velocity along lines: `draw` gives x_0, x_1 (B, 1, 28, 28), t (B,) and labels (B, 10)."""
    network, average = Velocity(width=WIDTH), Velocity(width=WIDTH)
    if start is not None:
        network.load_state_dict(start.state_dict())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = Ema(network, average)
    optimiser = torch.optim.Adam(network.parameters(), lr, betas=(0.9, 0.99), foreach=True)
    run = Run(name, args, network=network, average=average, optimiser=optimiser)
    for step in run.steps():
        optimiser.param_groups[0]["lr"] = lr + (LR_END - lr) * step / args.steps
        x0, x1, t, label = draw()
        t_ = t.view(-1, 1, 1, 1)
        loss = F.mse_loss(network((1 - t_) * x0 + t_ * x1, t, label), x1 - x0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ema.update(step)
        run.log(loss=loss.detach())
    return average, run


@torch.no_grad()
def pairs(args: argparse.Namespace, teacher: Velocity) -> tuple[Tensor, Tensor, Tensor]:
    """Noises, the pictures that `teacher` carries them to, and their classes; kept from run to run.

    A tenth is of any class, made without guidance.  float16 (PAIRS, 1, 28, 28) twice, float32 (PAIRS, 10).
    """
    path = args.work / f"{NAME}.pairs.pt"
    done: list[tuple[Tensor, Tensor, Tensor]] = []
    if path.exists() and not args.fresh:
        done = torch.load(path, weights_only=True)
    teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for chunk in range(len(done), PAIRS // CHUNK):
        random = torch.Generator().manual_seed(args.seed + 1 + chunk)
        x0 = torch.randn(CHUNK, 1, SIZE, SIZE, generator=random)
        known = torch.ones(CHUNK, 1)
        known[: CHUNK // 10] = 0
        label = F.one_hot(torch.arange(CHUNK) % N_CLASSES, N_CLASSES).float() * known
        guidance = TEACHER_GUIDANCE * known[:, 0]
        *_, (x1, _) = follow(teacher, x0, label, MIDPOINTS, guidance, midpoint=True)
        done.append((x0.half(), x1.clamp(-1, 1).half(), label))
        if chunk % 8 == 7 or len(done) == PAIRS // CHUNK:
            temporary = path.with_suffix(".tmp")
            torch.save(done, temporary)
            os.replace(temporary, path)
            print(f"{NAME}: {len(done) * CHUNK}/{PAIRS} pairs", flush=True)
    x0, x1, label = (torch.cat(part) for part in zip(*done, strict=True))
    return x0, x1, label


def main() -> None:
    args = options(__doc__, steps=4000)
    prepare(args)
    images, labels = fashion_data.load("train", args.work, args.data)

    def noise_and_data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        index = torch.randint(len(images), (BATCH,))
        x1 = fashion_data.to_unit(images[index])
        known = (torch.rand(BATCH, 1) > 0.1).float()
        label = F.one_hot(labels[index], N_CLASSES).float() * known
        return torch.randn_like(x1), x1, torch.rand(BATCH), label

    teacher, first = regress(NAME, args, noise_and_data)
    noise, carried, classes = pairs(args, teacher.eval())

    def pair() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        index = torch.randint(len(noise), (STRAIGHT_BATCH,))
        t = torch.sin(torch.pi / 2 * torch.rand(STRAIGHT_BATCH)).square()  # more often near the ends
        return noise[index].float(), carried[index].float(), t, classes[index]

    second = argparse.Namespace(**{**vars(args), "steps": args.steps // 2})
    straight, run = regress(f"{NAME}-straight", second, pair, start=teacher, lr=STRAIGHT_LR)
    run.name, run.args = NAME, args
    run.seconds, run.cpu_seconds = run.seconds + first.seconds, run.cpu_seconds + first.cpu_seconds
    write(run, straight)


if __name__ == "__main__":
    main()
