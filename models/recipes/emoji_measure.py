"""What is measured of emoji-64, and the directions in z that are named after what they change."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from torch import Tensor

from igm_gui.generators.style.family import StyleNetwork
from igm_gui.info import Direction
from models.recipes import emoji_factors as factors
from models.recipes.emoji_data import LABELS, Emoji
from models.recipes.emoji_mapping import CONTENT, W_DIM


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


def edge_strength(pictures: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels: what blur lowers and grain raises."""
    across, down = pictures.diff(dim=3).abs().mean(), pictures.diff(dim=2).abs().mean()
    return float(across + down) / 2


def slerp(a: Tensor, b: Tensor, points: int) -> Tensor:
    """Points on the great arc from a to b (W_DIM,), both ends included: (points, W_DIM) (Shoemake 1985)."""
    t = torch.linspace(0, 1, points)[:, None]
    angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-0.9999, 0.9999))
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def evenness(
    network: StyleNetwork, labels: Tensor, steps: int = 32, seed: int = 3
) -> tuple[float, float, float]:
    """How evenly a picture changes between two samples of one label: medians over one pair for each label.

    The way is cut into steps of equal angle; a step's change is the RMS difference of its two pictures.
    Returns the largest change over the mean one (1 is perfectly even, `steps` a single jump), the share
    of all change in the tenth of the steps that change most (0.1 is even), and the largest change itself.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    for label in labels:
        a, b = torch.randn(2, W_DIM, generator=generator)
        way = sample(network, slerp(a, b, steps + 1), label.expand(steps + 1))
        change = rms(way[1:], way[:-1]).sort(descending=True).values
        found.append([change[0] / change.mean(), change[: steps // 10].sum() / change.sum(), change[0]])
    largest, share, absolute = torch.tensor(found).median(0).values.tolist()
    return largest, share, absolute


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
    largest, share_of_largest, _ = evenness(network, drawn_labels[: samples // 8])
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
        "between two samples, largest of 32 steps over the mean step, median": round(largest, 2),
        "between two samples, share of change in the largest 3 of 32 steps": round(share_of_largest, 3),
        "edge strength, samples over training pictures": round(edge_strength(made) / edge_strength(real), 3),
        "edge strength, halfway between two samples": round(edge_strength(halfway) / edge_strength(real), 3),
        "edge strength, truncation 0.7": round(edge_strength(truncated) / edge_strength(real), 3),
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


@torch.no_grad()
def directions(network: StyleNetwork, emoji: Emoji, count: int = 128, seed: int = 2) -> tuple[Direction, ...]:
    """One direction of z for each factor, with how well the network has learnt it.

    For samples at both ends of a slider, the change of the picture is held against the real change
    of the picture in the middle: the share is 1 where they agree, 0 where nothing happens at all.
    """
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(count, W_DIM, generator=generator)
    z[:, CONTENT:] = 0
    train_labels = torch.from_numpy(emoji.labels[~emoji.held_out])
    labels = train_labels[torch.randint(len(train_labels), (count,), generator=generator)]
    base = sample(network, z, labels) * 2 - 1
    found = []
    for i, (name, description) in enumerate(factors.FACTORS.items()):
        usual = float(network.mapping.spread[CONTENT + i])
        low, high = -2.0 / usual, min(2.0, factors.LARGEST_SIZE if name == "size" else 2.0) / usual
        low, high = math.ceil(low * 2) / 2, math.floor(high * 2) / 2
        shares = []
        for end in (low, high):
            moved = z.clone()
            moved[:, CONTENT + i] = end
            a = torch.zeros(count, factors.N_FACTORS)
            a[:, i] = end * usual
            real = factors.apply(base, a)
            error = (sample(network, moved, labels) * 2 - 1 - real).abs().mean((1, 2, 3))
            shares.append(1 - error / (base - real).abs().mean((1, 2, 3)).clamp(min=1e-3))
        share = float(torch.cat(shares).median())
        vector = torch.zeros(W_DIM)
        vector[CONTENT + i] = 1.0
        found.append(
            Direction(
                name, "z", tuple(vector.tolist()), low, high,
                f"{description}; follows {share:.0%} of the true change (median)",
            )
        )  # fmt: skip
    return tuple(found)
