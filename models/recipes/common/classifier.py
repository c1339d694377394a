"""The classifier whose features and verdicts benchmarks/fashion_quality.py measures with."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from .fashion_data import CLASSES
from .run import REPOSITORY

WEIGHTS = REPOSITORY / "models" / "reference" / "fashion-classifier.safetensors"


class FashionClassifier(nn.Module):
    """Pictures (B, 1, 28, 28) in [-1, 1] -> features (B, 128) and class logits (B, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv28 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv14 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv7 = nn.Conv2d(64, 128, 3, padding=1)
        self.dense = nn.Linear(128 * 9, 128)
        self.classes = nn.Linear(128, len(CLASSES))

    def features(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv28(x)), 2)  # (B, 32, 14, 14)
        x = F.max_pool2d(F.relu(self.conv14(x)), 2)  # (B, 64, 7, 7)
        x = F.max_pool2d(F.relu(self.conv7(x)), 2)  # (B, 128, 3, 3)
        return F.relu(self.dense(x.flatten(1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return h, self.classes(F.dropout(h, 0.3, self.training))


def load_classifier(path: Path = WEIGHTS) -> FashionClassifier:
    """The trained classifier, in float32 and evaluation mode."""
    network = FashionClassifier()
    network.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    return network.eval().requires_grad_(False)


@torch.no_grad()
def judge(classifier: FashionClassifier, pictures: Tensor, batch: int = 500) -> tuple[Tensor, Tensor]:
    """uint8 (N, 1, 28, 28) -> features (N, 128) and the class named (N,)."""
    features, named = [], []
    for part in pictures.split(batch):
        h, logits = classifier(part.float() / 127.5 - 1)
        features.append(h)
        named.append(logits.argmax(dim=1))
    return torch.cat(features), torch.cat(named)
