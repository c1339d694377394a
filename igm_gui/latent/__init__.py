"""The input space of a generator: points, priors, interpolation, mutation."""

from igm_gui.latent.point import LatentPoint, Value, check, conform, one_hot, point_from_seed
from igm_gui.latent.vector import Vector

__all__ = ["LatentPoint", "Value", "Vector", "check", "conform", "one_hot", "point_from_seed"]
