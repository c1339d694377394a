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
HIDDEN, N_HIDDEN = 512, 3
CHANNELS = (96, 48, 16)  # at 16, 32 and 64 pixels
ENCODER_CHANNELS = (32, 64, 128)  # at 16, 8 and 4 pixels
BATCH = 16
SKETCH_BATCH = 64


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


def kl_nats(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) | N(0, 1)) in nats for each picture: (B,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


@dataclass
class Autoencoder:
    """Synthesis (with its sketch) and encoder, and the moving averages, which are what is kept."""

    synthesis: Synthesis
    encoder: Encoder
    synthesis_ema: Synthesis
    encoder_ema: Encoder


def build() -> Autoencoder:
    def synthesis() -> Synthesis:
        return Synthesis(W_DIM, Sketch(W_DIM, HIDDEN, N_HIDDEN, SIDE), CHANNELS)

    def encoder() -> Encoder:
        return Encoder(W_DIM, ENCODER_CHANNELS, HIDDEN, SIDE)

    return Autoencoder(synthesis(), encoder(), synthesis(), encoder())


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 200) -> float:
    """A linear warm-up, a plateau, and a cosine to 5 % of the peak over the last 60 %."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    start = 0.4 * steps
    if step < start:
        return peak
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - start) / (steps - start))))


def train_sketch(args: argparse.Namespace, nets: Autoencoder, pictures: Pictures, beta: float) -> Run:
    """The small autoencoder: encoder and sketch minimise picture_loss + beta * KL at 32x32.

    This is the beta-VAE bound (Higgins et al. 2017). Dense layers and a small picture make a step
    so cheap that every picture is seen hundreds of times.
    """
    sketch, sketch_ema = nets.synthesis.sketch, nets.synthesis_ema.sketch
    parameters = [*sketch.parameters(), *nets.encoder.parameters()]
    optimiser = torch.optim.Adam(parameters, betas=(0.9, 0.99), fused=True)
    averages = [Ema(sketch, sketch_ema), Ema(nets.encoder, nets.encoder_ema)]
    run = Run(
        "emoji-64-sketch", args, sketch=sketch, encoder=nets.encoder,
        sketch_ema=sketch_ema, encoder_ema=nets.encoder_ema, optimiser=optimiser,
    )  # fmt: skip
    small = F.avg_pool2d(pictures.pictures, 64 // SIDE)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 6e-3)
        real = pictures.batch(SKETCH_BATCH, small)
        mean, log_variance = nets.encoder(real)
        w = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        picture_term = picture_loss(sketch(w), real)
        kl = kl_nats(mean, log_variance).mean()
        # The bound alone switches dimensions off before they have learnt anything: fade it in.
        loss = picture_term + beta * min(1.0, step / (0.3 * args.steps)) * kl
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        for average in averages:
            average.update(step)
        run.log(picture=picture_term.detach(), kl=kl.detach())
    nets.encoder_ema.eval()
    return run


@torch.no_grad()
def posteriors(encoder: Encoder, pictures: Tensor, batch: int = 128) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of w for each picture: (N, W_DIM) each."""
    parts = [encoder(pictures[i : i + batch]) for i in range(0, len(pictures), batch)]
    mean = torch.cat([part[0] for part in parts])
    return mean, torch.cat([torch.exp(0.5 * part[1]) for part in parts])


def train_synthesis(args: argparse.Namespace, nets: Autoencoder, pictures: Pictures) -> Run:
    """The whole synthesis at 64x64, from the sketch's codes, which stay as they are."""
    nets.synthesis.sketch.load_state_dict(nets.synthesis_ema.sketch.state_dict())
    nets.synthesis_ema.requires_grad_(False)
    optimiser = torch.optim.Adam(nets.synthesis.parameters(), betas=(0.9, 0.99), fused=True)
    average = Ema(nets.synthesis, nets.synthesis_ema)
    run = Run(
        "emoji-64-synthesis", args, synthesis=nets.synthesis, average=nets.synthesis_ema, optimiser=optimiser
    )
    codes = [posteriors(nets.encoder_ema, p) for p in (pictures.pictures, pictures.pictures.flip(3))]
    mean, sd = (torch.stack(parts, 1) for parts in zip(*codes, strict=True))  # (N, 2, W_DIM)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 2.5e-3)
        index, mirror = pictures.choose(BATCH)
        real = pictures.take(pictures.pictures, index, mirror)
        w = mean[index, mirror.long()]
        w = w + sd[index, mirror.long()] * torch.randn_like(w)
        loss = picture_loss(nets.synthesis(w), real)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(nets.synthesis.parameters(), 1.0)
        optimiser.step()
        average.update(step)
        run.log(picture=loss.detach())
    return run


def noise_planes(synthesis: Synthesis, count: int) -> list[Tensor]:
    """Fresh N(0, 1) noise for each convolution: (count, 1, side, side) each."""
    return [torch.randn(count, 1, side, side) for side in synthesis.noise_sizes]


def train_noise(args: argparse.Namespace, nets: Autoencoder, pictures: Pictures) -> Run:
    """Learn how strongly each feature map follows its noise; everything else stays as it is.

    Under a plain reconstruction error noise can only harm, and its strength goes to 0. The energy
    score, E|G - x| - E|G - G'| / 2 over two draws of noise, is lowest where the spread of what is
    drawn is the spread of what w leaves open (Gneiting and Raftery 2007, section 4.2).
    """
    synthesis, encoder = nets.synthesis_ema, nets.encoder_ema
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
            w, _ = encoder(real)
        one, other = (synthesis(w, noise_planes(synthesis, BATCH)) for _ in range(2))
        error = (picture_loss(one, real) + picture_loss(other, real)) / 2
        loss = error - picture_loss(one, other) / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        run.log(score=loss.detach(), error=error.detach())
    synthesis.requires_grad_(False)
    return run
