"""What the cards of all fashion-* models have in common."""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.formats.card import Card, Data, Distance
from igm_gui.generators.fashion.family import FashionNetwork
from igm_gui.generators.fashion.network import (
    N_CLASSES,
    SIZE,
    Z_DIM,
    ClassPrior,
    FashionEncoder,
    FashionGenerator,
)
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.priors import draw

from .directions import find_directions
from .fashion_data import CLASSES
from .folder import half_precision, sheet, training, write_model
from .run import Run

DATA = Data(
    name="Fashion-MNIST, training set (60,000 pictures)",
    licence="MIT",
    source="Debian package dataset-fashion-mnist; https://github.com/zalandoresearch/fashion-mnist",
    attribution="Copyright 2017 Zalando SE. Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747",
)
OUTPUT = OutputSpec("image", height=SIZE, width=SIZE, channels=1, low=-1.0, high=1.0)
Z_INPUT = InputSpec("z", "latent", shape=(Z_DIM,), prior="normal")
LABEL_INPUT = InputSpec("label", "label", title="Class", classes=CLASSES)
PREVIEW_LABELS = (9, 0, 3, 8, 1, 5, 2, 7, 4, 7, 6, 1, 8, 3, 9, 5)


def preview_inputs() -> tuple[Tensor, Tensor]:
    """z of the seeds 0 to 15 and one-hot labels, for a preview of four by four."""
    z = torch.stack([torch.from_numpy(draw(Z_INPUT, seed)) for seed in range(16)])
    return z, torch.eye(N_CLASSES)[list(PREVIEW_LABELS)]


def to_uint8(x: Tensor) -> Tensor:
    """(N, 1, 28, 28) in [-1, 1] -> uint8 (N, 28, 28, 1)."""
    return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def write_fashion(
    run: Run,
    generator: FashionGenerator,
    encoder: FashionEncoder | None = None,
    prior: ClassPrior | None = None,
    *,
    module: str,
    title: str,
    description: str,
    distance: Distance,
    faults: tuple[str, ...] = (),
    hyperparameters: dict[str, object] | None = None,
) -> None:
    """Write models/fashion-*/ for a trained generator and, where there is one, its encoder."""
    network = FashionNetwork(generator, encoder, prior).eval()
    tensors = half_precision(network)
    z, label = preview_inputs()
    with torch.no_grad():
        pictures = to_uint8(network(z=z, label=label)).numpy()
    card = Card(
        name=run.name, family="fashion", title=title, description=description, licence="Apache-2.0",
        output=OUTPUT, inputs=(Z_INPUT, LABEL_INPUT), hyperparameters=dict(hyperparameters or {}),
        data=DATA, training=training(run, module), distance=distance, faults=faults,
        preview_seeds=tuple(range(16)), directions=find_directions(network),
    )  # fmt: skip
    write_model(run.args.out, card, tensors, sheet(pictures, columns=4, scale=2))
