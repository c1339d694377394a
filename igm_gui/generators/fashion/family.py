"""Opening a fashion-* model; encoding a picture where the model brings an encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from igm_gui.errors import InputError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import TorchGenerator, info_from_card, load_weights
from igm_gui.generators.fashion.network import SIZE, ClassPrior, FashionEncoder, FashionGenerator
from igm_gui.info import GeneratorInfo
from igm_gui.latent import LatentPoint, Vector, one_hot

_MARKS = (
    "class_embedding.weight",
    "style.weight",
    "start.weight",
    "up14.weight",
    "up28.weight",
    "out28.weight",
)


class FashionNetwork(nn.Module):
    """A generator and, where it was trained with them, its encoder and classes' priors, in one file."""

    def __init__(
        self,
        generator: FashionGenerator,
        encoder: FashionEncoder | None = None,
        prior: ClassPrior | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder
        self.prior = prior

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, 64), label weights (B, 10) -> (B, 1, 28, 28) in [-1, 1]."""
        return self.generator(z if self.prior is None else self.prior(z, label), label)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 1, 28, 28) in [-1, 1] -> z (B, 64) (the posterior's mean), class (B,) int64."""
        assert self.encoder is not None
        mean, _, logits = self.encoder(x)
        named = logits.argmax(dim=1)
        if self.prior is None:
            return mean, named
        label = nn.functional.one_hot(named, logits.shape[1]).to(mean.dtype)
        return self.prior.inverse(mean, label), named


class FashionModel(TorchGenerator):
    """Without encoder: z and class to picture."""

    reentrant = True


class FashionAutoencoder(FashionModel):
    """With an encoder: a dropped picture finds its z and class at once."""

    network: FashionNetwork

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:  # noqa: ARG002 - for sounds
        """uint8 (H, W, C) of any size -> z (the posterior's mean) and the most probable class."""
        x = as_garment(media).to(self.device)
        with torch.inference_mode():
            z, named = self.network.encode(x)
        label = one_hot(self.network.generator.n_classes, int(named[0]))
        return LatentPoint((("z", Vector(z[0].cpu().numpy())), ("label", label)), None)


def as_garment(media: NDArray[Any]) -> Tensor:
    """Any picture, uint8 (H, W, C), made like the data set's -> (1, 1, 28, 28) grey in [-1, 1].

    The garment is light on black: a picture whose border is light is inverted; a long one
    is padded to a square with its border's tone.    Transparent parts count as background.
    """
    if media.ndim != 3 or media.dtype != np.uint8 or media.shape[2] not in (1, 3, 4) or media.size == 0:
        raise InputError(
            f"Encoding needs a picture, not an array {media.shape} of {media.dtype}.", "Give uint8 (H, W, C)."
        )
    alpha = media[:, :, 3] if media.shape[2] == 4 else None
    if media.shape[2] == 1:
        grey = np.array(media[:, :, 0])
    else:
        grey = np.array(Image.fromarray(np.ascontiguousarray(media[:, :, :3])).convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if alpha is not None and alpha.min() < 255:
        visible = grey[alpha > 127]
        border = np.full(1, 255 if visible.size and visible.mean() < 128 else 0, np.uint8)
        grey = np.where(alpha > 127, grey, border[0]).astype(np.uint8)
    tone = int(np.median(border))
    if tone > 127:
        grey, tone = 255 - grey, 255 - tone
    side = max(grey.shape)
    square = Image.new("L", (side, side), tone)
    square.paste(Image.fromarray(grey), ((side - grey.shape[1]) // 2, (side - grey.shape[0]) // 2))
    small = np.asarray(
        square.resize((SIZE, SIZE), Image.Resampling.BOX if side >= SIZE else Image.Resampling.BICUBIC)
    )
    return torch.from_numpy(small.astype(np.float32) / 127.5 - 1)[None, None]


def detect(checkpoint: Checkpoint) -> bool:
    """True for the tensors of a fashion generator, with a card or without."""
    return all(f"generator.{key}" in checkpoint.shapes for key in _MARKS)


def load(checkpoint: Checkpoint) -> FashionModel:
    """Build the network from the tensors' shapes and the panels from the card."""
    shapes = checkpoint.shapes
    n_classes, z_dim = shapes["generator.class_embedding.weight"]
    width = shapes["generator.up14.weight"][1]
    generator = FashionGenerator(z_dim, n_classes, width, shapes["generator.style.weight"][0])
    encoder = None
    if "encoder.conv14.weight" in shapes:
        encoder = FashionEncoder(z_dim, n_classes, shapes["encoder.conv14.weight"][0])
    prior = ClassPrior(z_dim, n_classes) if "prior.mean" in shapes else None
    network = FashionNetwork(generator, encoder, prior)
    parameters = load_weights(network, checkpoint)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    info: GeneratorInfo = info_from_card(checkpoint, parameters, ("encode",) if encoder else ())
    return (FashionAutoencoder if encoder else FashionModel)(info, network)
