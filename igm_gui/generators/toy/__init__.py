"""The ``toy`` family: two-dimensional generators, drawn as pictures of what they do to the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igm_gui.generators.base import TorchGenerator, info_from_card, load_weights
from igm_gui.generators.toy.network import ToyNetwork
from igm_gui.generators.toy.picture import ToyPicture

if TYPE_CHECKING:
    from igm_gui.formats.checkpoint import Checkpoint


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are those of a :class:`ToyNetwork`."""
    return "cloud" in checkpoint.shapes and checkpoint.shapes.get("layers.0.weight", ())[1:] == (2,)


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The generator; width, depth and the cloud's size are read from the tensors' shapes."""
    info_from_card(checkpoint)
    width = checkpoint.shapes["layers.0.weight"][0]
    depth = sum(key.startswith("layers.") and key.endswith(".weight") for key in checkpoint.shapes) - 1
    network = ToyNetwork(width, depth, checkpoint.shapes["cloud"][0])
    parameters = load_weights(network, checkpoint)
    return TorchGenerator(info_from_card(checkpoint, parameters), ToyPicture(network))
