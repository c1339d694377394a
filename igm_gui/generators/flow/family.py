"""Opening a flow-matching model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import TorchGenerator, info_from_card, load_weights
from igm_gui.generators.flow.network import FlowSampler, Velocity
from igm_gui.latent import LatentPoint

_MARKS = ("class_embedding.weight", "time.weight", "enter.weight", "down7.weight", "leave.weight")


class FlowModel(TorchGenerator):
    """A sampler whose pictures can be watched as they form."""

    network: FlowSampler
    reentrant = True

    def steps(self, point: LatentPoint) -> Iterator[NDArray[np.uint8]]:
        """uint8 (H, W, C): the noise first, then the state after each step, the finished picture last."""
        batch = self.prepare([point])
        count = int(batch["steps"].round().clamp(1, 1000))
        with torch.inference_mode():
            walk = self.network.walk(
                batch["z"], batch["label"], batch["noise_seed"], count, batch["guidance"]
            )
            for x, _ in walk:
                yield np.asarray(self.finish(x.clamp(-1, 1)), np.uint8)[0]


def detect(checkpoint: Checkpoint) -> bool:
    """True for the tensors of a velocity network, with a card or without."""
    return all(f"velocity.{key}" in checkpoint.shapes for key in _MARKS)


def load(checkpoint: Checkpoint) -> FlowModel:
    """Build the network from the tensors' shapes and the panels from the card."""
    shapes = checkpoint.shapes
    style_dim, n_classes = shapes["velocity.class_embedding.weight"]
    width = shapes["velocity.enter.weight"][0]
    depth = len({key.split(".")[2] for key in shapes if key.startswith("velocity.middle.")})
    network = FlowSampler(Velocity(n_classes, width, style_dim, depth))
    parameters = load_weights(network, checkpoint)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return FlowModel(info_from_card(checkpoint, parameters, ("steps",)), network)
