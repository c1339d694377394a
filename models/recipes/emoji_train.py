"""The first training of emoji-64: the synthesis network learns the training pictures from their codes,
and from the mapping's samples what lies between them."""

from __future__ import annotations

import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from igm_gui.generators.style.mapping import TransportMapping
from igm_gui.generators.style.network import Layout, Synthesis
from models.recipes import emoji_factors as factors
from models.recipes.common.run import BF16, Ema, Run
from models.recipes.emoji_data import LABELS, LESS_OFTEN, Emoji
from models.recipes.emoji_mapping import CONTENT, NEAR, W_DIM, Codes
from models.recipes.emoji_morph import Morphs

SIDE, FIRST = 8, 80  # of the layout
HIDDEN, N_HIDDEN = 384, 3
CHANNELS = (160, 112, 56, 24)  # at 8, 16, 32 and 64 pixels across
N_LAYERS = 2 * len(CHANNELS)  # styles: the layout's, two at each resolution, one at the last
VARIED = (2 / 3, 4 / 3)  # the mapping's epsilon in training, as multiples
COARSE = 3  # the layers that decide what is where; the others decide colours
BATCH, BETWEEN = 20, 12  # emoji, and pictures between emoji, in each step
MIXED = 6  # of the emoji, those whose colours come from another style


class Pictures:
    """The training pictures in -1..1, their labels and codes, drawn with the labels' weights."""

    def __init__(self, emoji: Emoji) -> None:
        keep = ~emoji.held_out
        self.labels = torch.from_numpy(emoji.labels[keep])
        array = np.ascontiguousarray(emoji.pictures[keep].transpose(0, 3, 1, 2))
        self.pictures = torch.from_numpy(array).float().div_(127.5).sub_(1)
        names = [LABELS[label] for label in self.labels.tolist()]
        self.weights = torch.tensor([0.5 if name in LESS_OFTEN else 1.0 for name in names])
        self.codes = Codes(self.pictures)
        self.morphs = Morphs(emoji.cut_out[keep], self.pictures)

    def choose(self, size: int) -> Tensor:
        """Numbers of pictures (size,); follows torch's global seed."""
        return torch.multinomial(self.weights, size, replacement=True)

    def near(self, pictures: Tensor, a: Tensor) -> Tensor:
        """A w that should give these pictures, with these factors: the code, and a little noise."""
        code = self.codes(pictures)
        return torch.cat([code + NEAR * torch.randn_like(code), a], 1)


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


def build() -> Synthesis:
    synthesis = Synthesis(W_DIM, Layout(W_DIM, HIDDEN, N_HIDDEN, FIRST, SIDE), CHANNELS)
    return synthesis.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def half() -> torch.autocast:
    """bfloat16 where it is safe, on processors that know it: twice as fast."""
    return torch.autocast("cpu", torch.bfloat16, enabled=BF16)


def lesson(pictures: Pictures, size: int, mixed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Styles for each layer (size, n_layers, W_DIM), the pictures they should give, and their labels.

    Most are an emoji with random factors. In the first `mixed` the coarse layers follow the emoji,
    the others follow the same emoji in other colours, and so do the colours of the picture: this
    teaches the layers who is in charge of what, so that style mixing means something.
    """
    index = pictures.choose(size)
    chosen = pictures.pictures[index]
    a = factors.draw(size)
    w = pictures.near(chosen, a)
    ws = w[:, None].repeat(1, N_LAYERS, 1)
    recoloured = factors.turn(chosen[:mixed], 8 * torch.rand(mixed), 0.5 * torch.randn(mixed)).clamp(-1, 1)
    other = a[:mixed].clone()
    other[:, 3:] = factors.draw(mixed)[:, 3:]
    first_fine = torch.randint(1, COARSE + 1, (mixed, 1, 1))
    fine = torch.arange(ws.shape[1])[:, None] >= first_fine
    ws[:mixed] = torch.where(fine, pictures.near(recoloured, other)[:, None], ws[:mixed])
    real = torch.cat([factors.apply(recoloured, other), factors.apply(chosen[mixed:], a[mixed:])])
    return ws, real, pictures.labels[index]


def between(pictures: Pictures, mapping: TransportMapping, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """As `lesson`, for samples of the mapping: what the program shows, and mixtures of several emoji.

    A quarter is truncated; there the weights of a mixture are drawn to those of the mean picture, which
    is all pictures of the label alike.
    """
    labels = pictures.labels[pictures.choose(size)]
    z = torch.randn(size, W_DIM)
    logits = mapping.logits(z, F.one_hot(labels, len(LABELS)).float())
    share = (logits / torch.empty(size, 1).uniform_(*VARIED)).softmax(1)
    alike = (mapping.anchor_labels == labels[:, None]).float()
    psi = torch.where(torch.rand(size, 1) < 0.25, torch.rand(size, 1), 1.0)
    share = torch.lerp(alike / alike.sum(1, keepdim=True), share, psi)
    further = psi * mapping.spread * z
    w = share @ mapping.anchors + further
    real = factors.apply(pictures.morphs(share), further[:, CONTENT:])
    return w[:, None].repeat(1, N_LAYERS, 1), real, labels


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A linear warm-up, a plateau, and half a cosine to a tenth over the second half."""
    if step < 100:
        return peak * (step + 1) / 100
    done = max(0.0, 2 * step / steps - 1)
    return peak * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def train_pictures(
    args: argparse.Namespace,
    pictures: Pictures,
    mapping: TransportMapping,
    synthesis: Synthesis,
    average: Synthesis,
) -> Run:
    """Least error over all training pictures, their factors, their neighbourhoods, and mixtures."""
    optimiser = torch.optim.Adam(synthesis.parameters(), betas=(0.9, 0.99), fused=True)
    ema = Ema(synthesis, average, 0.998)
    # Twice over, with a warm restart between (Loshchilov and Hutter 2017, arXiv:1608.03983).
    cycle = max(1, args.steps // 2)
    run = Run("emoji-64-pictures", args, synthesis=synthesis, average=average, optimiser=optimiser)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step % cycle, cycle, 1e-2)
        ws, real, _ = lesson(pictures, BATCH, MIXED)
        mixed_ws, mixtures, _ = between(pictures, mapping, BETWEEN)
        with half():
            made = synthesis(torch.cat([ws, mixed_ws]))
        loss = picture_loss(made, torch.cat([real, mixtures]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(synthesis.parameters(), 1.0)
        optimiser.step()
        ema.update(step)
        run.log(picture=loss.detach())
    synthesis.load_state_dict(average.state_dict())
    return run
