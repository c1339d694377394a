"""The codes w of emoji-64's training pictures, and the mapping from N(0, 1) to them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from igm_gui.generators.style.mapping import TransportMapping, balance
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_factors import N_FACTORS, USUAL

W_DIM = 96
CONTENT = W_DIM - N_FACTORS  # what a picture shows; the rest of w says how it is shown
# Standard deviation of the noise on the last dimension of a code; a code has variance 1 in all.
NEAR = 0.18
# How far the mapping mixes neighbouring codes. Training goes further than samples do, so that what lies
# between pictures is learnt too. Chosen by looking: at 1 more of the samples are shapeless.
EPSILON, WIDER = 0.6, 1.0


class Codes:
    """The first CONTENT dimensions of w: principal components of the picture at 32x32, whitened.

    In closed form, so that the networks have a fixed aim from the first step on, and alike pictures
    have alike codes.
    """

    def __init__(self, pictures: Tensor) -> None:
        small = self._small(pictures)
        self.mean = small.mean(0)
        _, sizes, directions = torch.linalg.svd(small - self.mean, full_matrices=False)
        deviation = sizes[:CONTENT] / len(pictures) ** 0.5
        self.axes = directions[:CONTENT] / deviation[:, None]
        # Equal errors in pixels would blur the first components too little to be smooth, equal
        # errors in w too much to be told apart: halfway between.
        self.spread = NEAR * (deviation[-1] / deviation).sqrt()

    @staticmethod
    def _small(pictures: Tensor) -> Tensor:
        return F.avg_pool2d(pictures, 2).flatten(1)

    def __call__(self, pictures: Tensor) -> Tensor:
        """(B, 3, 64, 64) in -1..1 -> (B, CONTENT)."""
        return (self._small(pictures) - self.mean) @ self.axes.T


def fit_mapping(codes: Codes, pictures: Tensor, labels: Tensor, epsilon: float) -> TransportMapping:
    """The codes are the anchors, all without factors; what remains to find are Sinkhorn's potentials."""
    mapping = TransportMapping(len(labels), W_DIM)
    mapping.anchors[:, :CONTENT] = codes(pictures)
    mapping.anchor_labels.copy_(labels)
    mapping.spread.copy_(torch.cat([codes.spread, torch.tensor(USUAL)]))
    mapping.epsilon.fill_(epsilon)
    balance(mapping, len(LABELS))
    return mapping


@torch.no_grad()
def label_averages(mapping: TransportMapping, samples: int = 1024) -> Tensor:
    """The mean w of each label, which truncation pulls to: (n_labels, W_DIM)."""
    z = torch.randn(samples, W_DIM, generator=torch.Generator().manual_seed(0))
    eye = torch.eye(len(LABELS))
    return torch.stack([mapping(z, label.expand(samples, -1)).mean(0) for label in eye])
