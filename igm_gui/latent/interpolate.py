"""Ways from one latent to another."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from igm_gui.latent.point import LatentPoint, Value
from igm_gui.latent.vector import Vector

Interpolation = Literal["slerp", "lerp"]
INTERPOLATIONS: tuple[Interpolation, ...] = ("slerp", "lerp")


def lerp(a: NDArray[np.float32], b: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """Straight line: ``a`` at t = 0, ``b`` at t = 1; exactly ``a`` and ``b`` at the ends."""
    if t in (0.0, 1.0):
        return b if t else a
    return (a + (b - a) * np.float32(t)).astype(np.float32, copy=False)


def slerp(a: NDArray[np.float32], b: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """Great circle for the direction, straight line for the length (Shoemake 1985; White 2016).

    A normal latent's length concentrates near sqrt(dim); a straight line cuts through the thin
    middle, a great circle stays where the samples are. Where the direction is undefined or the
    two are opposite, the straight line serves.
    """
    if t in (0.0, 1.0):
        return b if t else a
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    length_x, length_y = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if length_x < 1e-8 or length_y < 1e-8:
        return lerp(a, b, t)
    cosine = float(np.clip(np.dot(x / length_x, y / length_y), -1.0, 1.0))
    angle = np.arccos(cosine)
    if angle < 1e-4 or np.pi - angle < 1e-4:
        return lerp(a, b, t)
    direction = (np.sin((1 - t) * angle) * x / length_x + np.sin(t * angle) * y / length_y) / np.sin(angle)
    length = (1 - t) * length_x + t * length_y
    return (direction * length).astype(np.float32).reshape(a.shape)


def is_weights(array: NDArray[np.float32]) -> bool:
    """Whether these are weights of classes: none below 0, and 1 in sum. They have no direction to turn."""
    return bool(array.min(initial=0.0) >= -1e-4 and abs(float(array.sum()) - 1.0) <= 1e-2)


# Values that go by a straight line: weights, and places in w, whose prior is no sphere.
STRAIGHT = frozenset({"label", "w", "w_offset", "mix_layers"})
# Values that are zero where a point has none.
FROM_ZERO = frozenset({"w_offset", "mix_layers"})


def is_straight(name: str, x: Vector, y: Vector) -> bool:
    """Whether the way from ``x`` to ``y`` is a straight line whatever was chosen."""
    # A model of the person's own may call its classes anything.
    return name in STRAIGHT or (is_weights(x.array) and is_weights(y.array))


def _one_sided(name: str, x: Value | None, y: Value | None, t: float) -> Value | None:
    """Between a point that has a value and one that has none."""
    value, weight = (x, 1 - t) if y is None else (y, t)
    if name.startswith("direction:") and isinstance(value, float | int):
        return float(value) * weight
    if name in FROM_ZERO and isinstance(value, Vector):
        return Vector(value.array * np.float32(weight))
    if name == "mix":  # a second style counts as far as layers follow it
        return value
    return value if weight > 0.5 or (weight == 0.5 and x is None) else None


def between(a: LatentPoint, b: LatentPoint, t: float, how: Interpolation = "slerp") -> LatentPoint:
    """The point a fraction ``t`` in [0, 1] of the way from ``a`` to ``b``.

    Latents go by ``how``, label weights and scalars by straight line, whole numbers change at the
    middle. A value that only one end has, or whose shapes differ, is taken from the nearer end.
    """
    if t <= 0.0 or a == b:
        return a
    if t >= 1.0:
        return b
    near = a if t < 0.5 else b
    values: list[tuple[str, Value]] = []
    for name in dict.fromkeys((*a.names(), *b.names())):
        x, y = a.get(name), b.get(name)
        if x is None or y is None:
            value = _one_sided(name, x, y, t)
            if value is not None:
                values.append((name, value))
        elif isinstance(x, Vector) and isinstance(y, Vector):
            if x.shape != y.shape:
                values.append((name, near.vector(name)))
            elif x == y:
                values.append((name, x))
            else:
                path = slerp if how == "slerp" and not is_straight(name, x, y) else lerp
                values.append((name, Vector(path(x.array, y.array, t))))
        elif isinstance(x, int) or isinstance(y, int) or isinstance(x, Vector) or isinstance(y, Vector):
            values.append((name, x if t < 0.5 else y))
        else:
            values.append((name, x + (y - x) * t))
    return LatentPoint(tuple(values), None)


def plane(corners: tuple[LatentPoint, ...], u: float, v: float, how: Interpolation = "slerp") -> LatentPoint:
    """Between four corners (top left, top right, bottom left, bottom right) at u, v in [0, 1]."""
    top = between(corners[0], corners[1], u, how)
    bottom = between(corners[2], corners[3], u, how)
    return between(top, bottom, v, how)
