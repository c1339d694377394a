"""The codes w of emoji-64's training pictures, and the mapping from N(0, 1) to them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from igm_gui.generators.style.mapping import TransportMapping, share
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_factors import N_FACTORS, USUAL

W_DIM = 96
CONTENT = W_DIM - N_FACTORS  # what a picture shows; the rest of w says how it is shown
NEAR = 0.18  # standard deviation of the noise on each dimension of a code; their mean variance is 1
# How many emoji the mapping mixes in a sample, in the median. Few: a sample is one training picture, and
# between two samples a picture stays itself and then turns at once. Many: it is the mean picture of them.
# Chosen by looking. The second training stays nearer than the program does, for sharp pictures.
ANCHORS = 3.0
FIRST_ANCHORS, SECOND_ANCHORS = 3.0, 2.0


class Codes:
    """The first CONTENT dimensions of w: principal components of the picture at 32x32.

    In closed form, so that the networks have a fixed aim from the first step on, and alike pictures
    have alike codes. Whitened halfway: each component is divided by the root of its standard
    deviation. Without, the few largest would be all that counts, and details would be lost; with full
    whitening small details would count as much as the whole layout, and all codes lie equally far apart.
    """

    def __init__(self, pictures: Tensor) -> None:
        small = self._small(pictures)
        self.mean = small.mean(0)
        _, sizes, directions = torch.linalg.svd(small - self.mean, full_matrices=False)
        deviation = sizes[:CONTENT] / len(pictures) ** 0.5
        scale = (deviation.sum() / len(deviation)).sqrt()  # for a mean variance of 1
        self.axes = directions[:CONTENT] / (scale * deviation.sqrt())[:, None]

    @staticmethod
    def _small(pictures: Tensor) -> Tensor:
        return F.avg_pool2d(pictures, 2).flatten(1)

    def __call__(self, pictures: Tensor) -> Tensor:
        """(B, 3, 64, 64) in -1..1 -> (B, CONTENT)."""
        return (self._small(pictures) - self.mean) @ self.axes.T


def fit_mapping(codes: Codes, pictures: Tensor, labels: Tensor, mixed: float) -> TransportMapping:
    """The codes are the anchors, all without factors; what remains to find are Sinkhorn's potentials,
    and for each label the epsilon that mixes so many anchors."""
    mapping = TransportMapping(len(labels), W_DIM, (len(LABELS),))
    mapping.anchors[:, :CONTENT] = codes(pictures)
    mapping.anchor_labels.copy_(labels)
    mapping.spread.copy_(torch.tensor([NEAR] * CONTENT + list(USUAL)))
    share(mapping, len(LABELS), mixed)
    return mapping


@torch.no_grad()
def label_averages(mapping: TransportMapping, samples: int = 1024) -> Tensor:
    """The mean w of each label, which truncation pulls to: (n_labels, W_DIM)."""
    z = torch.randn(samples, W_DIM, generator=torch.Generator().manual_seed(0))
    eye = torch.eye(len(LABELS))
    return torch.stack([mapping(z, label.expand(samples, -1)).mean(0) for label in eye])
