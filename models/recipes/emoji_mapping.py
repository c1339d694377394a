"""The mapping network of emoji-64: a flow fitted to where the encoder puts the training pictures."""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from igm_gui.generators.style.mapping import FlowMapping
from igm_gui.generators.style.network import Encoder
from models.recipes.common.run import Ema, Run
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_train import W_DIM, Pictures, learning_rate

HIDDEN, COUPLINGS = 192, 8
BATCH = 256


def build_mapping() -> FlowMapping:
    return FlowMapping(W_DIM, len(LABELS), HIDDEN, COUPLINGS)


def train_mapping(args: argparse.Namespace, encoder: Encoder, pictures: Pictures) -> tuple[FlowMapping, Run]:
    """Maximum likelihood of the training pictures' w, each with its spread, given their label.

    The codes do not fill a Gaussian evenly, and decoding a w from the gaps gives a picture between
    pictures. A second model, of the codes, closes them (Dai and Wipf 2019, arXiv:1903.05789).
    """
    flow, average = build_mapping(), build_mapping()
    average.load_state_dict(flow.state_dict())
    optimiser = torch.optim.AdamW(flow.parameters(), betas=(0.9, 0.99), weight_decay=1e-3)
    ema = Ema(flow, average)
    run = Run("emoji-64-mapping", args, flow=flow, average=average, optimiser=optimiser)
    with torch.no_grad():
        codes = torch.stack([encoder(pictures.pictures), encoder(pictures.pictures.flip(3))], 1)
    labels = torch.eye(len(LABELS))[pictures.labels]
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 1e-3)
        index, mirror = pictures.choose(BATCH)
        w = codes[index, mirror.long()]
        w = w + encoder.spread * torch.randn_like(w)
        loss = -flow.log_density(w, labels[index]).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        optimiser.step()
        ema.update(step)
        run.log(nats=loss.detach())
    return average, run


@torch.no_grad()
def label_averages(mapping: FlowMapping, samples: int = 4096) -> Tensor:
    """The mean w of each label, which truncation pulls to: (n_labels, W_DIM)."""
    z = torch.randn(samples, W_DIM, generator=torch.Generator().manual_seed(0))
    eye = torch.eye(len(LABELS))
    return torch.stack([mapping(z, label.expand(samples, -1)).mean(0) for label in eye])
