"""emoji-64: a style-based generator of 64x64 emoji with an invertible mapping and an encoder.

There are some 1,670 training pictures and an hour of a CPU. A generative adversarial network
from scratch would need a hundred times of both; so it is led:

1. codes: principal components of the small pictures are the codes w, in closed form;
2. mapping: entropic optimal transport z -> w from N(0, 1) to the codes of each label, which says of
   each sample what emoji it is a mixture of;
3. pictures: modulated convolutions learn the 64x64 pictures from the codes, together with seven
   factors (size, tilt, hue, ...) that are the last dimensions of w, and for samples the mixture of
   shapes and colours that should be seen there;
4. adversarial: a discriminator makes these pictures sharp, and the ones between them;
5. encoder: a network learns to run the finished generator backwards.

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
from models.recipes.emoji_adversarial import train_adversarial
from models.recipes.emoji_data import LABELS, PACKAGE
from models.recipes.emoji_encoder import train_encoder
from models.recipes.emoji_mapping import (
    ANCHORS,
    FIRST_ANCHORS,
    SECOND_ANCHORS,
    W_DIM,
    fit_mapping,
    label_averages,
)
from models.recipes.emoji_train import Pictures, build, train_pictures

NAME = "emoji-64"
STEPS, ADVERSARIAL_STEPS, ENCODER_STEPS = 12000, 7000, 2000

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
    name="Absolute error of pictures and of their mixtures, and Jensen-Shannon divergence",
    formula="min over G: E |x - G(code(x))| over colours and edges at three scales and D's features, and "
    "E |m(p) - G(f(z, label))|, m the mixture of emoji with the weights p that f gives them, z ~ N(0, 1); "
    "max over D: E log D(x) + E log(1 - D(G(w))), for whole pictures and for 8x8 places",
    paper="Goodfellow et al. 2014, arXiv:1406.2661; Larsen et al. 2016, arXiv:1512.09300 "
    "(reconstruction and discriminator); Raya and Udupa 1990, doi:10.1109/42.52980 (mixtures of shapes); "
    "Isola et al. 2017, arXiv:1611.07004 (places); Karras et al. 2019, arXiv:1812.04948 and 2020, "
    "arXiv:1912.04958 (style-based synthesis); Pooladian and Niles-Weed 2021, arXiv:2109.12004 (mapping)",
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


# One for each label, chosen by looking.
PREVIEW_SEEDS = (12, 14, 12, 9, 11, 4, 10, 11, 9, 9, 14, 3, 11, 13, 9, 15)


def preview(network: StyleNetwork, z_spec: InputSpec) -> Tensor:
    """One picture for each label: (16, 3, 64, 64) in 0..1."""
    z = torch.stack([torch.from_numpy(draw(z_spec, seed)) for seed in PREVIEW_SEEDS])
    return emoji_measure.sample(network, z, torch.arange(len(LABELS)))


def write(args: argparse.Namespace, network: StyleNetwork, runs: list[Run], emoji: emoji_data.Emoji) -> Path:
    """Round the weights to half precision, measure what is left, and write the folder."""
    network.eval()
    tensors = half_precision(network)
    specs = inputs(network.synthesis.n_layers)
    figures = emoji_measure.quality(network, emoji)
    pictures = (preview(network, specs[0]) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    stages = "; ".join(f"{run.name}: {run.step} steps, {run.seconds / 60:.0f} min" for run in runs)
    whole = runs[-1]
    whole.seconds = sum(run.seconds for run in runs)
    whole.cpu_seconds = sum(run.cpu_seconds for run in runs)
    account = training(whole, "emoji_64")
    account = msgspec.structs.replace(
        account,
        steps=sum(run.step for run in runs),
        note=f"{account.note} Stages: {stages}.",
    )
    card = Card(
        name=NAME, family="style", title="Emoji", licence="Apache-2.0",
        description="Colour emoji, 64x64, in sixteen kinds. A style-based generator: z is mapped to w, w "
        "sets the style of each layer; truncation, style mixing, and an encoder for pictures dropped on it.",
        output=OUTPUT, inputs=specs, data=DATA, training=account, distance=DISTANCE,
        quality=figures, speed=emoji_measure.speed(network), faults=FAULTS,
        preview_seeds=PREVIEW_SEEDS, directions=emoji_measure.directions(network, emoji),
    )  # fmt: skip
    return write_model(args.out, card, tensors, sheet(pictures.numpy(), columns=4, scale=2))


FAULTS = (
    "It remembers: the mapping's anchors are the codes of its training pictures, and many samples are mostly "
    "one of these, in a size, tilt and colour of their own; the others mix several.",
    "Mixtures have a clear outline and full colours, but inside they are often smeared, or wear two patterns "
    "at once. About one sample in seven is shapeless (places, activities, clothing, objects, animals).",
    "A held-out emoji, or any other picture, comes back with its layout and colours about right, and with "
    "details borrowed from others.",
    "Thin lines and small writing are lost, and surfaces look a little like wax.",
    "Truncation leads to the mean w of a label, whose picture is plain where the kind is varied.",
    "Style mixing changes colours most; with one coarse layer shapes begin to follow the fine style too.",
    "Between two seeds change is spread over the way, but not evenly: it passes by other emoji of the kind, "
    "and is slower near each of them.",
    "Noise roughens surfaces like spilled paint; beyond 1 it hides the picture.",
    "Hue turns all colours, skin and faces too.",
)


def main() -> None:
    args = options(__doc__, steps=STEPS)
    prepare(args)
    emoji = emoji_data.load(args.data or args.work / "emoji")
    pictures = Pictures(emoji)
    anchors = (pictures.codes, pictures.pictures, pictures.labels)
    first_options = stage(args, STEPS, 0)
    synthesis, average = build(), build()
    first = train_pictures(first_options, pictures, fit_mapping(*anchors, FIRST_ANCHORS), synthesis, average)
    near = fit_mapping(*anchors, SECOND_ANCHORS)
    second = train_adversarial(stage(args, ADVERSARIAL_STEPS, 1), pictures, near, synthesis, average)
    third, encoder = train_encoder(stage(args, ENCODER_STEPS, 2), pictures, near, average)
    mapping = fit_mapping(*anchors, ANCHORS)
    network = StyleNetwork(mapping, average, encoder, len(LABELS))
    network.w_avg.copy_(label_averages(mapping))
    write(args, network, [first, second, third], emoji)


if __name__ == "__main__":
    main()
