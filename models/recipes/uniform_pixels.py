"""uniform-pixels: every pixel independent and uniform. Nothing to train; this writes its card and preview.

python -m models.recipes.uniform_pixels
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from igm_gui.formats.card import Card, Distance, Training
from igm_gui.generators.uniform import UniformPixels, picture_count
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.priors import draw
from models.recipes.common.fashion_card import to_uint8
from models.recipes.common.folder import sheet, write_model
from models.recipes.common.run import REPOSITORY

HEIGHT, WIDTH, CHANNELS = 28, 28, 1
Z = InputSpec(
    "z", "latent", title="Pixels", description="one number for each pixel: -1 is black, 1 is white",
    shape=(HEIGHT, WIDTH, CHANNELS), prior="uniform",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "models", help="where uniform-pixels/ is written"
    )
    args = parser.parse_args()
    mantissa, exponent = picture_count(HEIGHT, WIDTH, CHANNELS)
    count = f"256^({HEIGHT}x{WIDTH}x{CHANNELS}) = {mantissa:.1f} x 10^{exponent}"
    card = Card(
        name="uniform-pixels", family="uniform", title="Uniform pixels (baseline)",
        description="The naive generator: every pixel independent, every grey level equally likely. Its "
        f"space holds {count} pictures. Every garment ever photographed is among them at this size; you "
        "will not meet one. It is what a trained generator is measured against.",
        licence="Apache-2.0",
        output=OutputSpec("image", height=HEIGHT, width=WIDTH, channels=CHANNELS, low=-1.0, high=1.0),
        inputs=(Z,),
        hyperparameters={"levels": 256, "pictures": count, "pictures_log10": exponent},
        training=Training(command="python -m models.recipes.uniform_pixels", note="Nothing is trained."),
        distance=Distance(
            name="none", formula="p(x) = 256^-(H W C) for every picture x",
            paper="the uniform distribution: the largest entropy there is on pictures",
        ),
        faults=("By design it knows nothing: neighbouring pixels have nothing to do with each other.",),
        preview_seeds=tuple(range(16)),
    )  # fmt: skip
    z = torch.stack([torch.from_numpy(draw(Z, seed)) for seed in range(16)])
    write_model(args.out, card, {}, sheet(to_uint8(UniformPixels()(z)).numpy(), columns=4, scale=2))


if __name__ == "__main__":
    main()
