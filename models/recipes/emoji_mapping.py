"""The mapping network of emoji-64: optimal transport from N(0, 1) to the training pictures' codes."""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.generators.style.mapping import TransportMapping, balance
from igm_gui.generators.style.network import Encoder
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_train import NEAR, W_DIM, Pictures

# Chosen by looking: at 1.5 most samples are a mixture of several pictures and look it; at 0.5 every
# second one is nine tenths a single picture, and the steps from one to the next are still smooth.
EPSILON = 0.5


@torch.no_grad()
def fit_mapping(encoder: Encoder, pictures: Pictures, epsilon: float = EPSILON) -> TransportMapping:
    """The codes are the anchors; what remains to find are Sinkhorn's potentials.

    A flow fitted to the codes by maximum likelihood was tried first: with a hundred pictures for a
    label in 64 dimensions its samples fell between the pictures, and looked it.
    """
    mapping = TransportMapping(len(pictures.labels), W_DIM)
    mapping.anchors.copy_(encoder(pictures.pictures))
    mapping.anchor_labels.copy_(pictures.labels)
    mapping.spread.copy_(NEAR * encoder.spread)
    mapping.epsilon.fill_(epsilon)
    balance(mapping, len(LABELS))
    return mapping


@torch.no_grad()
def label_averages(mapping: TransportMapping, samples: int = 1024) -> Tensor:
    """The mean w of each label, which truncation pulls to: (n_labels, W_DIM)."""
    z = torch.randn(samples, W_DIM, generator=torch.Generator().manual_seed(0))
    eye = torch.eye(len(LABELS))
    return torch.stack([mapping(z, label.expand(samples, -1)).mean(0) for label in eye])
