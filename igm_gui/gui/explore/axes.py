"""Axes of the latent plane: named directions of the model, single dimensions, or lines drawn at random."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.priors import clip_range
from igm_gui.latent.vector import Vector

FEW_DIMENSIONS = 16
MOST_DIMENSIONS = 64  # in a menu


@dataclass(frozen=True)
class Axis:
    """One side of the plane.

    ``direction`` names an amount of the point (``direction:smile``) that runs over ``minimum`` to
    ``maximum``; or ``dimension`` is a flat index of the latent; without both, ``random`` (0 or 1) is the
    number of the random line, and the amount is added to where the point is.
    """

    title: str
    direction: str = ""
    random: int = 0
    minimum: float = -3.0
    maximum: float = 3.0
    dimension: int = -1

    @property
    def absolute(self) -> bool:
        """Whether the point itself says where it lies on this axis."""
        return bool(self.direction) or self.dimension >= 0


def axes_of(info: GeneratorInfo) -> list[Axis]:
    """The axes to choose from, the best first: named directions, dimensions where they are few or have
    names, two random lines."""
    found = [Axis(d.name, f"direction:{d.name}", 0, d.minimum, d.maximum) for d in info.directions]
    spec = info.latent
    if spec is None:
        return found
    low, high = clip_range(spec)
    named = len(spec.dimensions) == spec.size
    if named or spec.size <= FEW_DIMENSIONS:
        names = spec.dimensions if named else tuple(f"{spec.name} {i}" for i in range(spec.size))
        found += [Axis(name, "", 0, low, high, i) for i, name in enumerate(names[:MOST_DIMENSIONS])]
    if spec.size > 2:
        reach = 1.0 if spec.prior == "uniform" else 2.5
        found += [Axis(f"random {n + 1}", "", n, -reach, reach) for n in (0, 1)]
    return found


def coordinate(info: GeneratorInfo, point: LatentPoint, axis: Axis) -> float | None:
    """Where ``point`` lies on an absolute axis; None on a random line."""
    if axis.direction:
        return point.scalar(axis.direction)
    if axis.dimension >= 0 and info.latent is not None:
        return point.vector(info.latent.name)[axis.dimension]
    return None


def random_lines(spec: InputSpec, seed: int) -> NDArray[np.float32]:
    """Two orthogonal directions, float32 (2, size), scaled so that one step is one standard deviation of a
    typical change: length sqrt(size)/2, where a prior's sample has length sqrt(size)."""
    state = np.random.RandomState(seed)
    basis, _ = np.linalg.qr(state.randn(spec.size, 2) if spec.size > 1 else np.ones((2, 2)))
    lines = np.zeros((2, spec.size), np.float32)
    lines[: min(2, basis.shape[1])] = basis[: spec.size].T[:2, : spec.size]
    return lines * np.float32(np.sqrt(spec.size) / 2)


def place(
    info: GeneratorInfo,
    base: LatentPoint,
    axes: tuple[Axis, Axis],
    lines: NDArray[np.float32],
    at: tuple[float, float],
) -> LatentPoint:
    """The point of the plane through ``base`` at the coordinates ``at``."""
    point = base
    shift: NDArray[np.float32] | None = None
    for axis, amount in zip(axes, at, strict=True):
        if axis.direction:
            point = point.with_value(axis.direction, float(amount))
        elif axis.dimension >= 0 and info.latent is not None:
            name = info.latent.name
            moved_vector = point.vector(name).replace(axis.dimension, amount)
            point = replace(point.with_value(name, moved_vector), seed=None)
        elif amount:
            step = lines[axis.random] * np.float32(amount)
            shift = step if shift is None else shift + step
    spec = info.latent
    if shift is None or spec is None:
        return point
    latent = point.vector(spec.name).array
    moved = latent + shift.reshape(latent.shape)
    if spec.prior == "uniform":
        low, high = clip_range(spec)
        moved = np.clip(moved, low, high)
    return replace(point.with_value(spec.name, Vector(moved)), seed=None)
