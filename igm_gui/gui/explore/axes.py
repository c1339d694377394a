"""Axes of the latent plane: named directions of the model, or lines drawn at random through the latent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.priors import clip_range
from igm_gui.latent.vector import Vector


@dataclass(frozen=True)
class Axis:
    """One side of the plane.

    ``direction`` names an amount of the point (``direction:smile``) that runs over ``minimum`` to
    ``maximum``; without it, ``random`` (0 or 1) is the number of the random line, in standard
    deviations of the prior along it.
    """

    title: str
    direction: str = ""
    random: int = 0
    minimum: float = -3.0
    maximum: float = 3.0


def axes_of(info: GeneratorInfo) -> list[Axis]:
    """The axes to choose from: named directions first, then two random lines."""
    found = [Axis(d.name, f"direction:{d.name}", 0, d.minimum, d.maximum) for d in info.directions]
    if info.latent is not None:
        reach = 1.0 if info.latent.prior == "uniform" else 2.5
        found += [Axis(f"random {n + 1}", "", n, -reach, reach) for n in (0, 1)]
    return found


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
