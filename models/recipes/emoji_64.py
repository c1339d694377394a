"""emoji-64: a style-based generator of 64x64 emoji with an invertible mapping and an encoder.

There are some 1,670 training pictures and minutes of a CPU: too few and too little for an
adversarial game. So every stage minimises a plain error, and nothing in it can collapse:

1. sketch: principal components of the 32x32 pictures give the codes w and the encoder in closed
   form; dense layers learn what does not follow linearly, so cheaply that each picture is seen
   hundreds of times;
2. synthesis: the modulated convolutions learn the 64x64 pictures from the codes;
3. noise: how strongly each feature map follows its noise, by the energy score;
4. mapping: entropic optimal transport z -> w from N(0, 1) to the codes of each label.

    python -m models.recipes.emoji_64
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from igm_gui.formats.card import Card, Data, Distance
from igm_gui.generators.style.family import StyleNetwork
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.priors import draw
from models.recipes import emoji_data, emoji_measure
from models.recipes.common.folder import half_precision, sheet, training, write_model
from models.recipes.common.run import Run, options, prepare
from models.recipes.emoji_data import LABELS, PACKAGE
from models.recipes.emoji_mapping import fit_mapping, label_averages
from models.recipes.emoji_train import W_DIM, Pictures, build, train_noise, train_sketch, train_synthesis

NAME = "emoji-64"
SKETCH_STEPS, STEPS, NOISE_STEPS = 5000, 1490, 60

DATA = Data(
    name="Noto emoji, 64x64",
    licence="Apache-2.0",
    source=f"npm package {PACKAGE}; https://github.com/googlefonts/noto-emoji",
    attribution="Noto Emoji, copyright Google LLC, Apache License 2.0. The table of names and categories "
    "is from emoji-data, copyright Cal Henderson, MIT.",
    note="On white. Without skin tones, mirrored variants, the many family silhouettes and exact repeats; "
    "one in ten of each label is held out of training. Labels are Unicode's categories, parted by "
    "subcategory where one holds things that look unlike. Flags, clocks and signs are drawn half as "
    "often as the rest.",
)
DISTANCE = Distance(
    name="Likelihood of the codes, absolute error of the pictures",
    formula="max E log p(w | label) over w = E(x) + spread * noise, with w = f(z, label), z ~ N(0, 1); "
    "min E |x - G(w)| over colours and edges at three scales",
    paper="Dai and Wipf 2019, arXiv:1903.05789 (a second model of the codes); Dinh et al. 2017, "
    "arXiv:1605.08803 (flow); Karras et al. 2019, arXiv:1812.04948 and 2020, arXiv:1912.04958 (style-based "
    "synthesis); Gneiting and Raftery 2007 (energy score, for the noise)",
)
OUTPUT = OutputSpec("image", height=64, width=64, channels=3, low=-1.0, high=1.0)


def inputs(n_layers: int) -> tuple[InputSpec, ...]:
    """What the model takes, as the card and the panels name it."""
    return (
        InputSpec("z", "latent", shape=(W_DIM,), prior="normal"),
        InputSpec("label", "label", title="Kind", classes=LABELS),
        InputSpec(
            "truncation", "scalar", title="Truncation ψ", minimum=0.0, maximum=1.5, default=1.0,
            description="Pulls w to its label's mean: 0 is the mean picture, 1 leaves w as it is",
        ),
        InputSpec(
            "fine", "latent", title="Fine style", shape=(W_DIM,), prior="normal",
            description="A second z, for the layers that Coarse layers leaves to it",
        ),
        InputSpec(
            "coarse_layers", "scalar", title="Coarse layers", minimum=0.0, maximum=float(n_layers),
            default=float(n_layers), step=1.0,
            description="Style mixing: so many layers, counted from the coarsest, follow z; "
            "the others follow the fine style",
        ),
        InputSpec(
            "noise", "scalar", title="Noise", minimum=0.0, maximum=3.0, default=0.0,
            description="Strength of the noise that every convolution adds",
        ),
        InputSpec("noise_seed", "seed", title="Noise seed"),
    )  # fmt: skip


def stage(args: argparse.Namespace, steps: int, number: int) -> argparse.Namespace:
    """The same options for one stage, with a seed of its own; --steps scales all stages alike."""
    torch.manual_seed(args.seed + number)
    return argparse.Namespace(**{**vars(args), "steps": max(1, steps * args.steps // STEPS)})


def preview(network: StyleNetwork, z_spec: InputSpec) -> Tensor:
    """One picture for each label, seeds 0 to 15: (16, 3, 64, 64) in 0..1."""
    z = torch.stack([torch.from_numpy(draw(z_spec, seed)) for seed in range(len(LABELS))])
    return emoji_measure.sample(network, z, torch.arange(len(LABELS)))


def write(args: argparse.Namespace, network: StyleNetwork, runs: list[Run], emoji: emoji_data.Emoji) -> Path:
    """Round the weights to half precision, measure what is left, and write the folder."""
    network.eval()
    tensors = half_precision(network)
    specs = inputs(network.synthesis.n_layers)
    figures = emoji_measure.quality(network, emoji)
    pictures = (preview(network, specs[0]) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    stages = "; ".join(f"{run.name}: {run.step} steps, {run.seconds / 60:.0f} min" for run in runs)
    account = training(runs[1], "emoji_64")
    account = msgspec.structs.replace(
        account,
        seconds=round(sum(run.seconds for run in runs)),
        note=f"{account.note} Stages: {stages}.",
    )
    card = Card(
        name=NAME, family="style", title="Emoji", licence="Apache-2.0",
        description="Colour emoji, 64x64, in sixteen kinds. A style-based generator: z is mapped to w, w "
        "sets the style of each layer; truncation, style mixing, and an encoder for pictures dropped on it.",
        output=OUTPUT, inputs=specs, data=DATA, training=account, distance=DISTANCE,
        quality=figures, speed=emoji_measure.speed(network), faults=FAULTS,
        preview_seeds=tuple(range(len(LABELS))), directions=emoji_measure.directions(network),
    )  # fmt: skip
    return write_model(args.out, card, tensors, sheet(pictures.numpy(), columns=4, scale=2))


FAULTS = (
    "It remembers: the mapping's anchors are the codes of its training pictures, and about half of the "
    "samples are one of these, softened; the others mix two or more.",
    "A held-out emoji, or any other picture, comes back with its layout and colours about right, and with "
    "details borrowed from others.",
    "Softer than the originals; thin lines and writing suffer most.",
    "Between unlike pictures it cross-fades more than it bends one into the other.",
    "Truncation leads to the mean picture of a label, which for most labels is a blur: keep it near 1.",
    "Style mixing changes little: the sketch, layer 0, holds layout and colours, the others only finish it.",
    "Noise adds grain, hardly any new detail.",
)


def main() -> None:
    args = options(__doc__, steps=STEPS)
    prepare(args)
    emoji = emoji_data.load(args.data or args.work / "emoji")
    pictures = Pictures(emoji)
    options_of_first = stage(args, SKETCH_STEPS, 0)
    nets = build()
    first = train_sketch(options_of_first, nets, pictures)
    second = train_synthesis(stage(args, STEPS, 1), nets, pictures)
    last = train_noise(stage(args, NOISE_STEPS, 2), nets, pictures)
    mapping = fit_mapping(nets.encoder, pictures)
    network = StyleNetwork(mapping, nets.average, nets.encoder, len(LABELS))
    network.w_avg.copy_(label_averages(mapping))
    write(args, network, [first, second, last], emoji)


if __name__ == "__main__":
    main()
