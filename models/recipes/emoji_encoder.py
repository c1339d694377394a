"""The last training of emoji-64: an encoder learns to run the finished generator backwards."""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F

from igm_gui.generators.style.mapping import TransportMapping
from igm_gui.generators.style.network import Encoder, Synthesis
from models.recipes import emoji_factors as factors
from models.recipes.common.run import Ema, Run
from models.recipes.emoji_data import LABELS
from models.recipes.emoji_mapping import W_DIM
from models.recipes.emoji_train import Pictures, half, learning_rate, picture_loss

SEEN = (32, 64, 128, 160)  # features at 32, 16, 8 and 4 places across
KNOWN, FREE = 16, 16  # emoji and samples in each step
STYLE = 0.3  # weight of the error in w


def train_encoder(
    args: argparse.Namespace, pictures: Pictures, mapping: TransportMapping, synthesis: Synthesis
) -> tuple[Run, Encoder]:
    """Pictures, made and real, should come back, and their w should be the one they were made from.

    The synthesis network stays as it is: so what the encoder finds is a place in the generator's
    domain, where exploring can go on (in-domain inversion, Zhu et al. 2020, arXiv:2004.00049).
    """
    encoder, average = Encoder(W_DIM, SEEN, 64), Encoder(W_DIM, SEEN, 64)
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(encoder.parameters(), betas=(0.9, 0.99), fused=True)
    ema = Ema(encoder, average, 0.998)
    run = Run("emoji-64-encoder", args, encoder=encoder, average=average, optimiser=optimiser)
    synthesis.requires_grad_(False)
    for step in run.steps():
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, 2e-3)
        index, other = pictures.choose(KNOWN), pictures.choose(FREE)
        a = factors.draw(KNOWN)
        chosen = pictures.pictures[index]
        made_w = mapping(torch.randn(FREE, W_DIM), F.one_hot(pictures.labels[other], len(LABELS)).float())
        w = torch.cat([pictures.codes(chosen), a], 1)
        with half():
            with torch.no_grad():
                made = synthesis(made_w).clamp(-1, 1)
            shown = torch.cat([factors.apply(chosen, a), made])
            found = encoder(shown).float()
            again = synthesis(found)
        error = picture_loss(again, shown)
        style = F.mse_loss(found, torch.cat([w, made_w]))
        optimiser.zero_grad(set_to_none=True)
        (error + STYLE * style).backward()
        optimiser.step()
        ema.update(step)
        run.log(picture=error.detach(), style=style.detach())
    return run, average
