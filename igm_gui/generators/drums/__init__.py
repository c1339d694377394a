"""The ``drums`` family: one-shot drum hits from a network that steers a synthesiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.generators.base import TorchGenerator, info_from_card, load_weights
from igm_gui.generators.ddsp.hearing import onset, to_mono
from igm_gui.generators.drums.analysis import SAMPLE_RATE, SIZE, analyse
from igm_gui.generators.drums.network import DrumNetwork
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector

if TYPE_CHECKING:
    from igm_gui.formats.checkpoint import Checkpoint


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are those of a :class:`DrumNetwork`."""
    return checkpoint.shapes.get("centre") == (SIZE,) and "judge.0.weight" in checkpoint.shapes


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The generator; z's size, the classes and the width are read from the tensors' shapes."""
    info_from_card(checkpoint)
    classes, z_dim = checkpoint.shapes["mean"]
    network = DrumNetwork(z_dim, classes, checkpoint.shapes["decoder.0.weight"][0])
    parameters = load_weights(network, checkpoint)
    return DrumGenerator(info_from_card(checkpoint, parameters, ("encode",)), network)


class DrumGenerator(TorchGenerator):
    """Adds ``encode``: a recorded hit -> its kind and character."""

    network: DrumNetwork

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:
        """The point nearest to a recorded hit, float ``(channels, samples)`` at ``rate`` Hz.

        InputError where there is nothing to hear.
        """
        sound = to_mono(media, rate or SAMPLE_RATE, SAMPLE_RATE)
        with torch.inference_mode():
            vector = analyse(sound[onset(sound, SAMPLE_RATE) :]).vector()[None].to(self.device)
            kind = self.network.classify(vector).argmax(1)
            label = torch.nn.functional.one_hot(kind, self.network.mean.shape[0]).float()
            code, _ = self.network.encode(vector, label)
            offset = (code - label @ self.network.mean)[0].cpu()
            basis = self.network.basis_of(label)[0].cpu()
            z = torch.linalg.solve(basis.T, offset).clamp(-4, 4)
        point = point_from_seed(self.info, 0).with_value("z", Vector(z.numpy().astype(np.float32)))
        point = point.with_value("label", Vector(label[0].cpu().numpy()))
        return LatentPoint(point.values, None)
