"""The trainings of emoji-64's networks: sketch and encoder, then the synthesis, then its noise."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from igm_gui.generators.style.network import Encoder, Sketch, Synthesis
from models.recipes.common.run import Ema, Run
from models.recipes.emoji_data import LABELS, LESS_OFTEN, MIRRORED, Emoji

W_DIM = 64
SIDE = 32  # of the sketch
HIDDEN, N_HIDDEN, N_BASIS = 512, 3, 512
CHANNELS = (64, 32, 16)  # at 16, 32 and 64 pixels
SPREAD = 0.35  # of w's last dimension, whose standard deviation is 1
# The sketch learns with the whole spread, so that its neighbourhoods are wide; samples keep to half.
NEAR = 0.5
BATCH, SKETCH_BATCH = 16, 256


class Pictures:
    """The training pictures in -1..1, drawn at random with the labels' weights and mirrored."""

    def __init__(self, emoji: Emoji) -> None:
        keep = ~emoji.held_out
        self.labels = torch.from_numpy(emoji.labels[keep])
        array = np.ascontiguousarray(emoji.pictures[keep].transpose(0, 3, 1, 2))
        self.pictures = torch.from_numpy(array).float().div_(127.5).sub_(1)
        names = [LABELS[label] for label in self.labels.tolist()]
        self.weights = torch.tensor([0.5 if name in LESS_OFTEN else 1.0 for name in names])
        self.mirrored = torch.tensor([name in MIRRORED for name in names])

    def choose(self, size: int) -> tuple[Tensor, Tensor]:
        """Numbers of pictures (size,) and whether each is mirrored; follows torch's global seed."""
        index = torch.multinomial(self.weights, size, replacement=True)
        return index, self.mirrored[index] & (torch.rand(size) < 0.3)

    @staticmethod
    def take(pictures: Tensor, index: Tensor, mirror: Tensor) -> Tensor:
        chosen = pictures[index]
        return torch.where(mirror[:, None, None, None], chosen.flip(3), chosen)

    def batch(self, size: int, pictures: Tensor | None = None) -> Tensor:
        """(size, 3, H, H) of the pictures, or of others in the same order (smaller ones, say)."""
        return self.take(self.pictures if pictures is None else pictures, *self.choose(size))


def edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, across and down."""
    return pictures[:, :, :, 1:] - pictures[:, :, :, :-1], pictures[:, :, 1:] - pictures[:, :, :-1]


def picture_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute error of colours and of edges, at three scales.

    L1 keeps an edge where a squared error would rather have it blurred; the coarse scales see the
    colour of an area, and the edge term sees a thin line that hardly counts in the mean.
    """
    total = made.new_zeros(())
    for scale in range(3):
        total = total + F.l1_loss(made, real) * 0.5
        for a, b in zip(edges(made), edges(real), strict=True):
            total = total + F.l1_loss(a, b) * 0.5
        if scale < 2:
            made, real = F.avg_pool2d(made, 2), F.avg_pool2d(real, 2)
    return total


@dataclass
class Networks:
    """What is trained; `average` is the synthesis' moving average, which is what is kept."""

    synthesis: Synthesis
    average: Synthesis
    encoder: Encoder


def build() -> Networks:
    def synthesis() -> Synthesis:
        return Synthesis(W_DIM, Sketch(W_DIM, HIDDEN, N_HIDDEN, N_BASIS, SIDE), CHANNELS)

    return Networks(synthesis(), synthesis(), Encoder(W_DIM, SIDE))


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 200) -> float:
    """A linear warm-up, a plateau, and a cosine to 5 % of the peak over the last 60 %."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    start = 0.4 * steps
    if step < start:
        return peak
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - start) / (steps - start))))


@torch.no_grad()
def fit_components(nets: Networks, pictures: Pictures) -> Tensor:
    """Principal components of the small pictures: the encoder, and the sketch's basis, in closed form.

    w is the first W_DIM coordinates, each with variance 1. The basis is scaled so that a picture's
    N_BASIS coefficients, the sketch's target, have mean square 1; they are what is returned,
    (N, 2, N_BASIS), for each picture and its mirror image.
    """
    both = _small_pairs(pictures)
    data = torch.cat([both[:, 0], both[pictures.mirrored, 1]])
    mean = data.mean(0)
    _, sizes, directions = torch.linalg.svd(data - mean, full_matrices=False)
    deviation = sizes[:N_BASIS] / len(data) ** 0.5  # of the data along each component, in pixel units
    basis = directions[:N_BASIS]
    unit = deviation.square().mean().sqrt()
    nets.encoder.linear.weight.copy_(basis[:W_DIM] / deviation[:W_DIM, None])
    nets.encoder.linear.bias.copy_(-nets.encoder.linear.weight @ mean)
    # Equal errors in pixels would blur the first components too little to be smooth, equal errors
    # in w too much to be told apart: halfway between.
    nets.encoder.spread.copy_(SPREAD * (deviation[W_DIM - 1] / deviation[:W_DIM]).sqrt())
    for synthesis in (nets.synthesis, nets.average):
        synthesis.sketch.basis.weight.copy_((basis * unit).T)
        synthesis.sketch.basis.bias.copy_(mean)
        synthesis.sketch.linear.weight.zero_()
        synthesis.sketch.linear.weight[:W_DIM].copy_(torch.diag(deviation[:W_DIM] / unit))
        synthesis.sketch.coefficients.weight.zero_()
    return (both - mean) @ basis.T / unit


def train_sketch(args: argparse.Namespace, nets: Networks, pictures: Pictures) -> Run:
    """The sketch's hidden layers learn the coefficients that follow from w but not linearly.

    Without a single convolution or pixel in it, a step is so cheap that every picture is seen
    thousands of times, each time with another w nearby, so that the neighbourhood means the same.
    """
    target = fit_components(nets, pictures)
    sketch, average = nets.synthesis.sketch, nets.average.sketch
    trained = [*sketch.layers.parameters(), *sketch.coefficients.parameters()]
    optimiser = torch.optim.Adam(trained, betas=(0.9, 0.99), fused=True)
    ema = Ema(sketch, average)
    run = Run("emoji-64-sketch", args, sketch=sketch, average=average, optimiser=optimiser)
    codes = nets.encoder.linear(_small_pairs(pictures)).detach()  # (N, 2, W_DIM)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 5e-3)
        index, mirror = pictures.choose(SKETCH_BATCH)
        w = codes[index, mirror.long()]
        w = w + nets.encoder.spread * torch.randn_like(w)
        loss = F.mse_loss(sketch.weights(w), target[index, mirror.long()])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        ema.update(step)
        run.log(unexplained=loss.detach())
    return run


def _small_pairs(pictures: Pictures) -> Tensor:
    """Each picture and its mirror image at the sketch's size: (N, 2, 3 SIDE SIDE)."""
    small = F.avg_pool2d(pictures.pictures, 64 // SIDE)
    return torch.stack([small.flatten(1), small.flip(3).flatten(1)], 1)


def train_synthesis(args: argparse.Namespace, nets: Networks, pictures: Pictures) -> Run:
    """The convolutions, at 64x64, on top of the sketch."""
    nets.synthesis.sketch.load_state_dict(nets.average.sketch.state_dict())
    spread = NEAR * nets.encoder.spread
    # The sketch has converged on hundreds of thousands of pictures; the noisy steps here would undo that.
    nets.synthesis.sketch.requires_grad_(False)
    trained = [parameter for parameter in nets.synthesis.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, betas=(0.9, 0.99), fused=True)
    ema = Ema(nets.synthesis, nets.average)
    run = Run("emoji-64-synthesis", args, synthesis=nets.synthesis, average=nets.average, optimiser=optimiser)
    codes = nets.encoder.linear(_small_pairs(pictures)).detach()
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 6e-3, warm_up=50)
        index, mirror = pictures.choose(BATCH)
        real = pictures.take(pictures.pictures, index, mirror)
        w = codes[index, mirror.long()]
        w = w + spread * torch.randn_like(w)
        loss = picture_loss(nets.synthesis(w), real)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        ema.update(step)
        run.log(picture=loss.detach())
    return run


def noise_planes(synthesis: Synthesis, count: int) -> list[Tensor]:
    """Fresh N(0, 1) noise for each convolution: (count, 1, side, side) each."""
    return [torch.randn(count, 1, side, side) for side in synthesis.noise_sizes]


def train_noise(args: argparse.Namespace, nets: Networks, pictures: Pictures) -> Run:
    """Learn how strongly each feature map follows its noise; everything else stays as it is.

    Under a plain reconstruction error noise can only harm, and its strength goes to 0. The energy
    score, E|G - x| - E|G - G'| / 2 over two draws of noise, is lowest where the spread of what is
    drawn is the spread of what w leaves open (Gneiting and Raftery 2007, section 4.2).
    """
    synthesis, encoder = nets.average, nets.encoder
    synthesis.requires_grad_(False)
    strengths = [parameter for name, parameter in synthesis.named_parameters() if "noise_strength" in name]
    for strength in strengths:
        strength.requires_grad_(True)
        strength.data.fill_(0.05)
    optimiser = torch.optim.Adam(strengths, lr=5e-3, betas=(0.9, 0.99))
    run = Run("emoji-64-noise", args, synthesis=synthesis, optimiser=optimiser)
    for _ in run.steps():
        real = pictures.batch(BATCH)
        with torch.no_grad():
            w = encoder(real)
        one, other = (synthesis(w, noise_planes(synthesis, BATCH)) for _ in range(2))
        error = (picture_loss(one, real) + picture_loss(other, real)) / 2
        loss = error - picture_loss(one, other) / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        run.log(score=loss.detach(), error=error.detach())
    synthesis.requires_grad_(False)
    return run
