"""The second training of emoji-64: a discriminator makes pictures sharp, also between the codes.

From the first training the network knows the emoji, softly, and nothing of what lies between
them. Here it goes on learning them while a discriminator judges (a) these reconstructions,
(b) samples of the mapping, which are what the program shows, and (c) mixtures of styles
(Goodfellow et al. 2014, arXiv:1406.2661; on interpolations, Berthelot et al. 2018,
arXiv:1807.07543). The distance of the discriminator's features tells how far a reconstruction
is from its emoji (Larsen et al. 2016, arXiv:1512.09300).

The discriminator gives two verdicts: one for the whole picture, and one for each of 8x8 places, which
sees some thirty pixels (Isola et al. 2017, arXiv:1611.07004). With so few real pictures the first
comes down to "is this one of them?", and a generator that obeys it alone turns from one emoji into the
next at once. The second asks whether edges, areas and shades are drawn as in an emoji, which something
between two emoji can be as well; so for samples it counts more.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.generators.style.mapping import TransportMapping
from igm_gui.generators.style.network import Synthesis, leaky
from models.recipes import emoji_factors as factors
from models.recipes.common.run import Ema, Run
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_mapping import W_DIM
from models.recipes.emoji_train import (
    COARSE,
    N_LAYERS,
    Pictures,
    between,
    half,
    learning_rate,
    lesson,
    picture_loss,
)

KNOWN, BETWEEN, FREE = 12, 12, 4  # emoji, mixtures with a known aim, and mixtures of styles, which have none
MIXED = 4  # of the emoji, those whose colours come from another style
PICTURE, MIXTURE, FEATURES = 2.0, 1.5, 1.0  # weights in the generator's loss
WHOLE, PLACES, KNOWN_TOO = 0.1, 0.4, 0.15  # of the two verdicts on samples, of both on emoji
SHIFT = 6  # pixels; the discriminator sees pictures moved by up to so many
R1, R1_EVERY = 0.06, 16  # Mescheder et al. 2018, arXiv:1801.04406; lazily, as in StyleGAN2
RATE, CRITIC_RATE = 2e-3, 3e-4


class Discriminator(nn.Module):
    """Pictures to a logit for "real", given the label by projection (Miyato and Koyama 2018)."""

    def __init__(self, sizes: tuple[int, ...] = (32, 64, 128, 192)) -> None:
        super().__init__()
        self.first = nn.Conv2d(12, sizes[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(a, a, 3, padding=1), nn.Conv2d(a, b, 3, padding=1, stride=2)])
            for a, b in pairwise(sizes)
        )
        self.last = nn.Conv2d(sizes[-1] + 1, sizes[-1], 3, padding=1)
        self.dense = nn.Linear(sizes[-1] * 16, 256)
        self.logit = nn.Linear(256, 1)
        self.local = nn.Conv2d(sizes[2], 1, 1)
        self.label = nn.Embedding(len(LABELS), 256)
        for module in self.modules():  # torch's own initial weights would let the signal die away
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, 0.2)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.label.weight)

    def forward(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(B, 3, 64, 64) in -1..1 and label numbers (B,) -> a logit for the whole picture (B,), one for
        each place (B, 64), and the blocks' features."""
        x = F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last)
        x = leaky(self.first(x))
        features = []
        for same, smaller in self.blocks:
            x = leaky(same(x))
            x = leaky(smaller(x))
            features.append(x)
        local = self.local(features[1]).flatten(1)
        x = leaky(self.last(torch.cat([x, variety(x)], 1)))
        x = leaky(self.dense(x.flatten(1)))
        return (self.logit(x)[:, 0] + (x * self.label(labels)).mean(1)).float(), local.float(), features


def variety(x: Tensor, group: int = 4) -> Tensor:
    """How much the pictures of a group differ, as one more feature map (Karras et al. 2018)."""
    deviation = x.unflatten(0, (-1, group)).float().var(1, correction=0).add(1e-6).sqrt().mean((1, 2, 3))
    return deviation.repeat_interleave(group)[:, None, None, None].expand(-1, 1, *x.shape[2:]).to(x.dtype)


def augment_alike(real: Tensor, made: Tensor) -> Tensor:
    """Real and made pictures, one after the other, each pair with the same random size, tilt, hue and place.

    So that a discriminator does not learn so few pictures by heart (Zhao et al. 2020,
    arXiv:2006.10738). Differentiable.
    """
    a = factors.draw(len(real), shown=0.8, each=0.5).repeat(2, 1)
    both = factors.turn(factors.move(torch.cat([real, made]), a), a[:, 3], a[:, 4])
    side = both.shape[2]
    white = F.pad(both - 1, [SHIFT] * 4) + 1
    corners = torch.randint(2 * SHIFT + 1, (len(real), 2)).repeat(2, 1).tolist()
    return torch.stack([x[:, i : i + side, j : j + side] for x, (i, j) in zip(white, corners, strict=True)])


def free_styles(mapping: TransportMapping, labels: Tensor) -> Tensor:
    """Styles (B, N_LAYERS, W_DIM) whose fine layers follow a second sample of the same label (B,)."""
    label = F.one_hot(labels, len(LABELS)).float()
    coarse, fine = (mapping(torch.randn(len(labels), W_DIM), label)[:, None] for _ in range(2))
    first_fine = torch.randint(1, COARSE + 2, (len(labels), 1, 1))
    return torch.where(torch.arange(N_LAYERS)[:, None] >= first_fine, fine, coarse)


def of_labels(pictures: Pictures, labels: Tensor, usual: Tensor) -> Tensor:
    """A random emoji of each label (B,), with factors as samples have them."""
    same = (pictures.labels == labels[:, None]).float()
    chosen = pictures.pictures[torch.multinomial(same, 1)[:, 0]]
    return factors.apply(chosen, usual * torch.randn(len(labels), len(usual)))


def features_loss(made: list[Tensor], real: list[Tensor]) -> Tensor:
    """Mean absolute difference of features, as a fraction of their mean size, over all blocks."""
    terms = [
        (a.float() - b.float()).abs().mean() / b.float().abs().mean() for a, b in zip(made, real, strict=True)
    ]
    return torch.stack(terms).mean()


def r1_penalty(critic: Discriminator, pictures: Tensor, labels: Tensor) -> Tensor:
    """Mean squared gradient of the logits in the real pictures: keeps the discriminator gentle."""
    pictures = pictures.detach().requires_grad_()
    whole, places, _ = critic(pictures, labels)
    (gradient,) = torch.autograd.grad(whole.sum() + places.mean(1).sum(), pictures, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def train_adversarial(
    args: argparse.Namespace,
    pictures: Pictures,
    mapping: TransportMapping,
    synthesis: Synthesis,
    average: Synthesis,
) -> Run:
    """The generator and its discriminator, one step each in turn, from the same look."""
    critic = Discriminator().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(synthesis.parameters(), RATE, betas=(0.0, 0.99), fused=True)
    critic_optimiser = torch.optim.Adam(critic.parameters(), CRITIC_RATE, betas=(0.0, 0.99), fused=True)
    ema = Ema(synthesis, average, 0.998)
    run = Run(
        "emoji-64-adversarial", args, synthesis=synthesis, average=average, critic=critic,
        optimiser=optimiser, critic_optimiser=critic_optimiser,
    )  # fmt: skip
    usual = torch.tensor(factors.USUAL)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, RATE)
        known_ws, known, known_labels = lesson(pictures, KNOWN, MIXED)
        mixed_ws, mixtures, mixed_labels = between(pictures, mapping, BETWEEN)
        free_labels = pictures.labels[pictures.choose(FREE)]
        labels = torch.cat([known_labels, mixed_labels, free_labels])
        real = torch.cat([known, of_labels(pictures, labels[KNOWN:], usual)])
        ws = torch.cat([known_ws, mixed_ws, free_styles(mapping, free_labels)])
        noisy = torch.arange(len(ws)) >= KNOWN + BETWEEN
        noise = [
            torch.randn(len(ws), 1, side, side) * noisy[:, None, None, None] for side in synthesis.noise_sizes
        ]
        with half():
            made = synthesis(ws, noise)

        # One look of the discriminator serves both players: its loss goes to its weights, the
        # generator's loss to the pictures, and from there on to the generator's weights.
        shown = made.detach().requires_grad_()
        with half():
            whole, places, features = critic(augment_alike(real, shown), labels.repeat(2))
        n = len(real)
        like = features_loss([f[n:][:KNOWN] for f in features], [f[:KNOWN].detach() for f in features])
        fool_whole, fool_places = F.softplus(-whole[n:]), F.softplus(-places[n:]).mean(1)
        fool = (
            KNOWN_TOO * (fool_whole[:KNOWN] + fool_places[:KNOWN]).mean()
            + (WHOLE * fool_whole[KNOWN:] + PLACES * fool_places[KNOWN:]).mean()
        )
        (gradient,) = torch.autograd.grad(FEATURES * like + fool, shown, retain_graph=True)
        critic_loss = sum(F.softplus(-v[:n]).mean() + F.softplus(v[n:]).mean() for v in (whole, places))
        critic_optimiser.zero_grad(set_to_none=True)
        critic_loss.backward(inputs=list(critic.parameters()))
        if step % R1_EVERY == 0:
            (R1 / 2 * R1_EVERY * r1_penalty(critic, real, labels)).backward(inputs=list(critic.parameters()))
        torch.nn.utils.clip_grad_norm_(critic.parameters(), 2.0)
        critic_optimiser.step()

        optimiser.zero_grad(set_to_none=True)
        error = picture_loss(made[:KNOWN], known)
        mixture_error = picture_loss(made[KNOWN:][:BETWEEN], mixtures)
        (PICTURE * error + MIXTURE * mixture_error + (made * gradient).sum()).backward()
        torch.nn.utils.clip_grad_norm_(synthesis.parameters(), 5.0)
        optimiser.step()
        ema.update(step)
        run.log(
            picture=error.detach(),
            mixture=mixture_error.detach(),
            features=like.detach(),
            critic=critic_loss.detach(),
            real=whole[:n].detach().mean(),
            known=whole[n:][:KNOWN].detach().mean(),
            free=whole[n:][KNOWN:].detach().mean(),
            real_places=places[:n].detach().mean(),
            free_places=places[n:][KNOWN:].detach().mean(),
        )
    return run
