"""What is measured of emoji-64, and the directions in z that are named after what they change."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igm_gui.generators.style.family import StyleNetwork
from igm_gui.info import Direction
from models.recipes.emoji_data import LABELS, Emoji
from models.recipes.emoji_train import W_DIM


def as_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 (N, 64, 64, 3) -> float32 (N, 3, 64, 64) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float().div_(255)


def one_hot(labels: Tensor) -> Tensor:
    return torch.eye(len(LABELS))[labels]


@torch.no_grad()
def draw(network: StyleNetwork, w: Tensor, batch: int = 64) -> Tensor:
    """w (N, W_DIM) or styles by layer -> pictures (N, 3, 64, 64) in 0..1, without noise."""
    parts = [network.synthesis(w[i : i + batch]) for i in range(0, len(w), batch)]
    return torch.cat(parts).add_(1).mul_(0.5).clamp_(0, 1)


@torch.no_grad()
def sample(network: StyleNetwork, z: Tensor, labels: Tensor, psi: float = 1.0) -> Tensor:
    """z (N, W_DIM) and label numbers (N,) -> pictures in 0..1, truncated by psi."""
    label = one_hot(labels)
    average = label @ network.w_avg
    return draw(network, average + psi * (network.mapping(z, label) - average))


@torch.no_grad()
def encode(network: StyleNetwork, pictures: Tensor, batch: int = 64) -> Tensor:
    """Pictures in 0..1 -> their w."""
    parts = [network.encoder(pictures[i : i + batch] * 2 - 1) for i in range(0, len(pictures), batch)]
    return torch.cat(parts)


def rms(a: Tensor, b: Tensor) -> Tensor:
    """Root of the mean squared difference of pictures in 0..1, pairwise: (N,)."""
    return (a - b).square().mean((1, 2, 3)).sqrt()


def distances(a: Tensor, b: Tensor) -> Tensor:
    """RMS difference of every a to every b: (len(a), len(b))."""
    return torch.cdist(a.flatten(1), b.flatten(1)) / a[0].numel() ** 0.5


def decibels(error: Tensor) -> float:
    """Mean peak signal-to-noise ratio of RMS errors, in dB."""
    return float((-20 * torch.log10(error.clamp(min=1e-6))).mean())


def spread(pictures: Tensor) -> float:
    """Mean RMS difference between two different pictures."""
    n = len(pictures)
    return float(distances(pictures, pictures).sum() / (n * (n - 1)))


def quality(network: StyleNetwork, emoji: Emoji, samples: int = 1024, seed: int = 1) -> dict[str, object]:
    """All figures of the card: reconstruction, diversity, nearest training pictures, interpolation.

    RMS values are fractions of the full range. Random samples follow the training set's label counts.
    """
    everything, labels = as_tensor(emoji.pictures), torch.from_numpy(emoji.labels)
    held = torch.from_numpy(emoji.held_out)
    train, test = everything[~held], everything[held]
    generator = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(train), generator=generator)[: len(test)]
    again_train = rms(draw(network, encode(network, train[some])), train[some])
    w_test = encode(network, test)
    again_test = rms(draw(network, w_test), test)
    nearest_test = distances(test, train).min(1).values
    mean_picture = train.mean(0, keepdim=True)

    drawn_labels = labels[~held][torch.randint(len(train), (samples,), generator=generator)]
    z = torch.randn(samples, W_DIM, generator=generator)
    made = sample(network, z, drawn_labels)
    truncated = sample(network, z, drawn_labels, 0.7)
    to_train = distances(made, train)
    share = network.mapping.logits(z, one_hot(drawn_labels)).softmax(1).amax(1)
    real = train[torch.randperm(len(train), generator=generator)[:samples]]

    other = torch.randn(samples // 4, W_DIM, generator=generator)
    middle = _middle(z[: len(other)], other)
    halfway = sample(network, middle, drawn_labels[: len(other)])
    return {
        "reconstruction, training pictures, PSNR dB": round(decibels(again_train), 2),
        "reconstruction, held-out pictures, PSNR dB": round(decibels(again_test), 2),
        "held-out, nearest training picture instead, PSNR dB": round(decibels(nearest_test), 2),
        "held-out, mean picture instead, PSNR dB": round(decibels(rms(test, mean_picture)), 2),
        "held-out pictures whose label is found": _share(
            network.mapping.nearest_label(w_test, len(LABELS)).argmax(1) == labels[held]
        ),
        "spread of samples, RMS": round(spread(made), 4),
        "spread of samples at truncation 0.7, RMS": round(spread(truncated), 4),
        "spread of training pictures, RMS": round(spread(real), 4),
        "sample to nearest training picture, median RMS": round(float(to_train.min(1).values.median()), 4),
        "truncation 0.7 to nearest training picture, median RMS": round(
            float(distances(truncated, train).min(1).values.median()), 4
        ),
        "held-out to nearest training picture, median RMS": round(float(nearest_test.median()), 4),
        "halfway between two samples to nearest training picture, median RMS": round(
            float(distances(halfway, train).min(1).values.median()), 4
        ),
        "samples that are nine tenths or more a single training picture": _share(share >= 0.9),
        "different training pictures among the samples' nearest": int(to_train.argmin(1).unique().numel()),
        "samples": samples,
    }  # fmt: skip


def _share(hits: Tensor) -> float:
    return round(float(hits.float().mean()), 3)


def _middle(a: Tensor, b: Tensor) -> Tensor:
    """The point halfway on the great arc, with the length of a typical normal vector kept."""
    return (a + b) / 2**0.5


def speed(network: StyleNetwork, seconds: float = 2.0) -> dict[str, object]:
    """Pictures a second, one at a time and 16 at a time, mapping included, with torch's threads."""
    found: dict[str, object] = {"threads": torch.get_num_threads()}
    for batch in (1, 16):
        z, label = torch.zeros(batch, W_DIM), one_hot(torch.zeros(batch, dtype=torch.long))
        times = []
        with torch.inference_mode():
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                start = time.perf_counter()
                network.synthesis(network.mapping(z, label))
                times.append(time.perf_counter() - start)
        found[f"pictures per second, {batch} at a time"] = round(batch / float(np.median(times)))
    return found


@dataclass(frozen=True)
class Attribute:
    """A figure of a picture that a direction can be named after."""

    name: str
    description: str
    measure: Callable[[Tensor, Tensor], Tensor]  # pictures in 0..1 and their ink (N, 64, 64) -> (N,)


def ink(pictures: Tensor) -> Tensor:
    """How far each pixel is from the white background, 0..1: (N, 64, 64)."""
    return ((1 - pictures).amax(1) * 4).clamp(0, 1)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1.0)


def _extent(mask: Tensor, axis: int) -> Tensor:
    """Standard deviation of the ink's place along an axis, in pixels."""
    place = torch.arange(64.0)
    profile = mask.sum(1 if axis == 1 else 2)
    profile = profile / profile.sum(1, keepdim=True).clamp(min=1.0)
    centre = (profile * place).sum(1, keepdim=True)
    return (profile * (place - centre).square()).sum(1).sqrt().clamp(min=1.0)


def _perimeter(mask: Tensor) -> Tensor:
    across, down = mask.diff(dim=2)[:, 1:], mask.diff(dim=1)[:, :, 1:]
    return (across.square() + down.square() + 1e-8).sqrt().sum((1, 2))


def _tall(mask: Tensor) -> Tensor:
    return (_extent(mask, 2) / _extent(mask, 1)).log()


def _round(mask: Tensor) -> Tensor:
    """Logarithm of 4 pi area / outline^2: 0 for a disc, less for anything else."""
    area = mask.sum((1, 2)).clamp(min=1.0)
    return (4 * math.pi * area / _perimeter(mask).clamp(min=1.0).square()).log()


# Each takes pictures and their ink.
ATTRIBUTES = (
    Attribute("size", "how much of the picture is not white", lambda _, m: m.mean((1, 2))),
    Attribute("light", "brightness of what is not white", lambda p, m: _mean(p.mean(1), m)),
    Attribute("warm", "from blue to red and yellow", lambda p, m: _mean(p[:, 0] - p[:, 2], m)),
    Attribute("green", "from magenta to green", lambda p, m: _mean(p[:, 1] - (p[:, 0] + p[:, 2]) / 2, m)),
    Attribute("vivid", "from grey to saturated", lambda p, m: _mean(p.amax(1) - p.amin(1), m)),
    Attribute("tall", "from wide to tall", lambda _, m: _tall(m)),
    Attribute("round", "from ragged to disc-like", lambda _, m: _round(m)),
)


def directions(network: StyleNetwork, samples: int = 4096, seed: int = 2) -> tuple[Direction, ...]:
    """For each attribute the direction of z along which it grows fastest on average.

    For z ~ N(0, 1), least squares of an attribute on z estimates its mean gradient (Stein's lemma).
    Each label's mean is taken out first. The description says what moving from -3 to 3 was seen to do.
    """
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(samples, W_DIM, generator=generator)
    labels = torch.randint(len(LABELS), (samples,), generator=generator)
    made = sample(network, z, labels)
    masks, label = ink(made), one_hot(labels)
    test, test_labels = z[:192], labels[:192]
    found = []
    for attribute in ATTRIBUTES:
        values = attribute.measure(made, masks)
        values = values - label @ (label.T @ values / label.sum(0).clamp(min=1.0))
        gradient = torch.linalg.lstsq(z, values[:, None]).solution[:, 0]
        unit = gradient / gradient.norm()
        ends = []
        for amount in (-3.0, 3.0):
            pictures = sample(network, test + amount * unit, test_labels)
            ends.append(attribute.measure(pictures, ink(pictures)))
        change = float((ends[1] - ends[0]).mean() / values.std())
        rising = float((ends[1] > ends[0]).float().mean())
        found.append(
            Direction(
                attribute.name, "z", tuple(round(float(v), 5) for v in unit), -4.0, 4.0,
                f"{attribute.description}; from -3 to 3 it grows by {change:.1f} standard deviations, "
                f"in {rising:.0%} of pictures",
            )
        )  # fmt: skip
    return tuple(found)
