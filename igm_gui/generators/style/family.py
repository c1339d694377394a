"""Opening a model of the style family; mapping, style mixing and encoding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from igm_gui.errors import InputError, ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import Batch, TorchGenerator, info_from_card, load_weights
from igm_gui.generators.style.mapping import TransportMapping
from igm_gui.generators.style.network import Encoder, Layout, Synthesis
from igm_gui.latent import LatentPoint, Value, Vector, one_hot
from igm_gui.latent.point import default_value

_MARKS = (
    "synthesis.layout.layers.0.weight",
    "synthesis.layout.out.weight",
    "mapping.anchors",
    "w_avg",
)


class StyleNetwork(nn.Module):
    """Mapping, synthesis and encoder in one file, with the mean w of each label for truncation."""

    w_avg: Tensor

    def __init__(
        self, mapping: TransportMapping, synthesis: Synthesis, encoder: Encoder, n_labels: int
    ) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.encoder = encoder
        self.register_buffer("w_avg", torch.zeros(n_labels, synthesis.w_dim))

    def styles(
        self, z: Tensor, label: Tensor, truncation: Tensor, fine: Tensor, coarse_layers: Tensor
    ) -> Tensor:
        """Styles by layer, (B, n_layers, w_dim).

        z, fine (B, dim); label weights (B, n_labels); truncation psi (B,): w is pulled to its
        label's mean, w' = w_avg + psi (w - w_avg) (Karras et al. 2019, appendix B); layers from
        coarse_layers (B,) on take the style of `fine` instead of z (style mixing, section 3.1).
        """
        average = label @ self.w_avg
        psi = truncation[:, None]
        w = average + psi * (self.mapping(z, label) - average)
        layer = torch.arange(self.synthesis.n_layers, device=z.device)
        from_z = layer[None, :, None] < coarse_layers[:, None, None]  # (B, n_layers, 1)
        if bool(from_z.all()):
            return w[:, None].expand(-1, len(layer), -1)
        w_fine = average + psi * (self.mapping(fine, label) - average)
        return torch.where(from_z, w[:, None], w_fine[:, None])

    def noise_planes(self, seeds: Tensor, strength: Tensor) -> list[Tensor] | None:
        """Noise for each convolution, (B, 1, side, side), N(0, strength^2); None if all are silent."""
        if not bool((strength != 0).any()):
            return None
        sides = self.synthesis.noise_sizes
        rows = []
        for seed in seeds.tolist():
            source = torch.Generator().manual_seed(int(seed))
            rows.append(torch.randn(sum(side * side for side in sides), generator=source))
        flat = torch.stack(rows).to(strength.device) * strength[:, None]
        parts = flat.split([side * side for side in sides], dim=1)
        return [part.reshape(-1, 1, side, side) for part, side in zip(parts, sides, strict=True)]

    def forward(
        self,
        z: Tensor,
        label: Tensor,
        truncation: Tensor,
        fine: Tensor,
        coarse_layers: Tensor,
        noise: Tensor,
        noise_seed: Tensor,
    ) -> Tensor:
        """Inputs as the card names them -> (B, 3, H, H) in about -1..1."""
        styles = self.styles(z, label, truncation, fine, coarse_layers)
        return self.synthesis(styles, self.noise_planes(noise_seed, noise))


class StyleGenerator(TorchGenerator):
    """A style-based generator with `map`, `encode` and per-layer styles."""

    network: StyleNetwork
    reentrant = True

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What each style drives, coarse to fine."""
        return ("layout", *(f"{side}×{side}" for side in self.network.synthesis.noise_sizes))

    def map(self, points: Sequence[LatentPoint]) -> Tensor:
        """z -> w: float32 (N, layers, w_dim), truncation and style mixing applied."""
        with torch.inference_mode():
            return self._styles(self.prepare(points))

    def _styles(self, batch: Batch) -> Tensor:
        names = ("z", "label", "truncation", "fine", "coarse_layers")
        return self.network.styles(*(batch[name] for name in names))

    def synthesize(self, ws: Tensor, points: Sequence[LatentPoint]) -> NDArray[np.uint8]:
        """Pictures, uint8 (N, H, W, 3), from styles (N, layers, w_dim) and the points' noise."""
        with torch.inference_mode():
            batch = self.prepare(points)
            planes = self.network.noise_planes(batch["noise_seed"], batch["noise"])
            pictures = self.finish(self.network.synthesis(ws.to(self.device), planes))
        return pictures.astype(np.uint8, copy=False)

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:  # noqa: ARG002 - for sounds
        """uint8 (H, W, C) of any size -> the z and label whose w is the encoder's.

        The label is the one of the nearest anchors, z the mapping's inverse. Untruncated, unmixed,
        without noise.
        """
        x = as_square(media, self.info.output.height).to(self.device)
        n_labels = len(self.network.w_avg)
        with torch.inference_mode():
            w = self.network.encoder(x)
            label = self.network.mapping.nearest_label(w, n_labels)
            z = self.network.mapping.inverse(w, label)
        found: dict[str, Value] = {
            "z": Vector(z[0].cpu().numpy()),
            "label": one_hot(n_labels, int(label[0].argmax())),
            "truncation": 1.0,
            "coarse_layers": float(self.network.synthesis.n_layers),
            "noise": 0.0,
        }
        values = [(spec.name, found.get(spec.name, default_value(spec))) for spec in self.info.inputs]
        return LatentPoint(tuple(values), None)


def as_square(media: NDArray[Any], side: int) -> Tensor:
    """Any picture, uint8 (H, W, 1, 3 or 4), as the training pictures are -> (1, 3, side, side) in -1..1.

    Transparency is composited on white; a long picture is padded to a square in its border's colour.
    """
    if media.ndim != 3 or media.dtype != np.uint8 or media.shape[2] not in (1, 3, 4) or media.size == 0:
        raise InputError(
            f"Encoding needs a picture, not an array {media.shape} of {media.dtype}.",
            "Give uint8 of shape (height, width, 1, 3 or 4).",
        )
    if media.shape[2] == 1:
        media = media.repeat(3, axis=2)
    picture = Image.fromarray(np.ascontiguousarray(media))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        white.alpha_composite(picture)
        picture = white.convert("RGB")
    if picture.width != picture.height:
        array = np.asarray(picture)
        border = np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])
        longest = max(picture.size)
        square = Image.new("RGB", (longest, longest), tuple(int(v) for v in np.median(border, axis=0)))
        square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
        picture = square
    small = np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS), dtype=np.float32)
    return torch.from_numpy(small / 127.5 - 1).permute(2, 0, 1)[None]


def detect(checkpoint: Checkpoint) -> bool:
    """True for the tensors of a style-family model, with a card or without."""
    return all(key in checkpoint.shapes for key in _MARKS)


def load(checkpoint: Checkpoint) -> StyleGenerator:
    """Build the networks from the tensors' shapes and the panels from the card."""
    if not detect(checkpoint):
        missing = [key for key in _MARKS if key not in checkpoint.shapes]
        raise ModelError(
            f"{checkpoint.name} is no style-based generator: {missing[0]} is missing.",
            "The family `style` needs synthesis, mapping and encoder weights.",
        )
    network = build(checkpoint.shapes)
    parameters = load_weights(network, checkpoint)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    info = info_from_card(checkpoint, parameters, ("map", "encode", "layers"))
    return StyleGenerator(info, network)


def build(shapes: Any) -> StyleNetwork:
    """An untrained network with the sizes that the tensors' shapes tell."""

    def count(prefix: str, suffix: str) -> int:
        return sum(1 for key in shapes if key.startswith(prefix) and key.endswith(suffix))

    n_labels, w_dim = shapes["w_avg"]
    n_convs = count("synthesis.convs.", ".affine.bias")
    channels = [shapes[f"synthesis.convs.{i}.weight"][0] for i in range(0, n_convs, 2)]
    n_first = shapes["synthesis.convs.0.weight"][1]
    values, hidden = shapes["synthesis.layout.out.weight"]
    n_hidden = count("synthesis.layout.layers.", ".bias")
    layout = Layout(w_dim, hidden, n_hidden, n_first, math.isqrt(values // n_first))
    pixels = 2 if shapes["synthesis.to_rgb.0.weight"][0] == 12 else 1
    synthesis = Synthesis(w_dim, layout, channels, pixels)
    seen = [shapes[f"encoder.convs.{i}.weight"][0] for i in range(count("encoder.convs.", ".bias"))]
    side = math.isqrt(shapes["encoder.linear.weight"][1] // seen[-1])
    encoder = Encoder(w_dim, seen, side << len(seen))
    n_anchors = shapes["mapping.anchors"][0]
    mapping = TransportMapping(n_anchors, w_dim, tuple(shapes.get("mapping.epsilon", ())))
    return StyleNetwork(mapping, synthesis, encoder, n_labels)
