"""The second training of emoji-64: a discriminator makes pictures sharp, also between the codes.

From the first training the network knows the emoji, softly, and nothing of what lies between
them. Here it goes on learning them while a discriminator judges (a) these reconstructions,
(b) samples of the mapping, which are what the program shows, and (c) mixtures of styles
(Goodfellow et al. 2014, arXiv:1406.2661; on interpolations, Berthelot et al. 2018,
arXiv:1807.07543). The distance of the discriminator's features tells how far a reconstruction
is from its emoji (Larsen et al. 2016, arXiv:1512.09300).
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
from models.recipes.emoji_mapping import W_DIM, label_averages
from models.recipes.emoji_train import COARSE, Pictures, half, learning_rate, lesson, picture_loss

KNOWN, FREE, MIXED = 16, 16, 4  # reconstructions, samples, and how many of each are mixtures of styles
PICTURE, FEATURES, GAN = 2.0, 1.0, 0.25  # weights in the generator's loss
R1, R1_EVERY = 0.2, 16  # Mescheder et al. 2018, arXiv:1801.04406; lazily, as in StyleGAN2
RATE, CRITIC_RATE = 2e-3, 5e-4


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
        self.label = nn.Embedding(len(LABELS), 256)
        for module in self.modules():  # torch's own initial weights would let the signal die away
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, 0.2)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.label.weight)

    def forward(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, 64, 64) in -1..1 and label numbers (B,) -> logits (B,) and the blocks' features."""
        x = F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last)
        x = leaky(self.first(x))
        features = []
        for same, smaller in self.blocks:
            x = leaky(same(x))
            x = leaky(smaller(x))
            features.append(x)
        x = leaky(self.last(torch.cat([x, variety(x)], 1)))
        x = leaky(self.dense(x.flatten(1)))
        return (self.logit(x)[:, 0] + (x * self.label(labels)).mean(1)).float(), features


def variety(x: Tensor, group: int = 4) -> Tensor:
    """How much the pictures of a group differ, as one more feature map (Karras et al. 2018)."""
    deviation = x.unflatten(0, (-1, group)).float().var(1, correction=0).add(1e-6).sqrt().mean((1, 2, 3))
    return deviation.repeat_interleave(group)[:, None, None, None].expand(-1, 1, *x.shape[2:]).to(x.dtype)


def augment_alike(real: Tensor, made: Tensor) -> Tensor:
    """Real and made pictures, one after the other, each pair with the same random size, tilt and hue.

    So that a discriminator does not learn so few pictures by heart (Zhao et al. 2020,
    arXiv:2006.10738). Differentiable.
    """
    a = factors.draw(len(real), shown=0.8, each=0.5).repeat(2, 1)
    return factors.turn(factors.move(torch.cat([real, made]), a), a[:, 3], a[:, 4])


def free_styles(mapping: TransportMapping, averages: Tensor, labels: Tensor, mixed: int) -> Tensor:
    """What the program may ask for: (B, n_layers, W_DIM) for labels (B,).

    Samples of the mapping, a part of them truncated, and in the first `mixed` the fine layers
    follow a second sample.
    """
    label = F.one_hot(labels, len(LABELS)).float()
    w = mapping(torch.randn(len(labels), W_DIM), label)
    average = label @ averages
    psi = torch.where(torch.rand(len(labels), 1) < 0.25, torch.rand(len(labels), 1), 1.0)
    w = average + psi * (w - average)
    ws = w[:, None].repeat(1, 7, 1)
    fine = torch.arange(7)[:, None] >= torch.randint(1, COARSE + 2, (mixed, 1, 1))
    other = mapping(torch.randn(mixed, W_DIM), label[:mixed])
    ws[:mixed] = torch.where(fine, other[:, None], ws[:mixed])
    return ws


def features_loss(made: list[Tensor], real: list[Tensor]) -> Tensor:
    """Mean absolute difference of features, as a fraction of their mean size, over all blocks."""
    terms = [
        (a.float() - b.float()).abs().mean() / b.float().abs().mean() for a, b in zip(made, real, strict=True)
    ]
    return torch.stack(terms).mean()


def r1_penalty(critic: Discriminator, pictures: Tensor, labels: Tensor) -> Tensor:
    """Mean squared gradient of the logit in the real pictures: keeps the discriminator gentle."""
    pictures = pictures.detach().requires_grad_()
    logits, _ = critic(pictures, labels)
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
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
    averages = label_averages(mapping)
    usual = torch.tensor(factors.USUAL)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps * 13 // 9, RATE)  # ends at 0.7 RATE
        known_ws, known, known_labels = lesson(pictures, KNOWN, MIXED)
        other = pictures.choose(FREE)
        labels = torch.cat([known_labels, pictures.labels[other]])
        real = torch.cat(
            [known, factors.apply(pictures.pictures[other], usual * torch.randn(FREE, len(usual)))]
        )
        ws = torch.cat([known_ws, free_styles(mapping, averages, labels[KNOWN:], MIXED)])
        noisy = torch.cat([torch.zeros(KNOWN), torch.bernoulli(torch.full((FREE,), 0.5))])
        noise = [
            torch.randn(len(ws), 1, side, side) * noisy[:, None, None, None] for side in synthesis.noise_sizes
        ]
        with half():
            made = synthesis(ws, noise)

        # One look of the discriminator serves both players: its loss goes to its weights, the
        # generator's loss to the pictures, and from there on to the generator's weights.
        shown = made.detach().requires_grad_()
        with half():
            logits, features = critic(augment_alike(real, shown), labels.repeat(2))
        real_logits, made_logits = logits.chunk(2)
        like = features_loss(
            [f[len(real) :][:KNOWN] for f in features], [f[:KNOWN].detach() for f in features]
        )
        fool = F.softplus(-made_logits).mean()
        (gradient,) = torch.autograd.grad(FEATURES * like + GAN * fool, shown, retain_graph=True)
        critic_loss = F.softplus(-real_logits).mean() + F.softplus(made_logits).mean()
        critic_optimiser.zero_grad(set_to_none=True)
        critic_loss.backward(inputs=list(critic.parameters()))
        if step % R1_EVERY == 0:
            (R1 / 2 * R1_EVERY * r1_penalty(critic, real, labels)).backward(inputs=list(critic.parameters()))
        critic_optimiser.step()

        optimiser.zero_grad(set_to_none=True)
        error = picture_loss(made[:KNOWN], known)
        (PICTURE * error + (made * gradient).sum()).backward()
        torch.nn.utils.clip_grad_norm_(synthesis.parameters(), 5.0)
        optimiser.step()
        ema.update(step)
        run.log(
            picture=error.detach(),
            features=like.detach(),
            fool=fool.detach(),
            critic=critic_loss.detach(),
            real=real_logits.detach().mean(),
            known=made_logits[:KNOWN].detach().mean(),
            free=made_logits[KNOWN:].detach().mean(),
        )
    return run
