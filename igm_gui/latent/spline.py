"""A smooth way through several points: the speed does not jump where one segment meets the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.latent.interpolate import between, is_straight, lerp
from igm_gui.latent.point import LatentPoint, Value
from igm_gui.latent.vector import Vector

Number = Any  # a float or a float64 array: the formulas are the same


@dataclass(frozen=True)
class Bend:
    """What lies around a segment: the point before its start and the one after its end, each None where
    there is none, and how long the three segments take, in seconds."""

    before: LatentPoint | None
    after: LatentPoint | None
    lead: float
    length: float
    tail: float


def _hermite(a: Number, b: Number, rise_a: Number, rise_b: Number, t: float) -> Number:
    """Cubic from ``a`` to ``b`` with the given slopes (per whole segment) at its ends, t in [0, 1]."""
    t2, t3 = t * t, t * t * t
    return (2 * t3 - 3 * t2 + 1) * a + (t3 - 2 * t2 + t) * rise_a + (3 * t2 - 2 * t3) * b + (t3 - t2) * rise_b


def _free(inner: Number, outer: Number | None, length: float, far: float) -> Number | None:
    """Slope at a knot, per second: that of the parabola through it and its neighbours (Catmull & Rom 1974,
    for knots that are not evenly spaced). ``inner`` and ``outer`` are the slopes on its two sides."""
    return None if outer is None else (length * outer + far * inner) / (length + far)


def _monotone(inner: float, outer: float | None, length: float, far: float) -> float | None:
    """Slope at a knot that never overshoots: a weighted harmonic mean, 0 at a turn (Fritsch & Butland
    1984, as in PCHIP)."""
    if outer is None:
        return None
    if inner * outer <= 0:
        return 0.0
    heavy, light = 2 * length + far, length + 2 * far
    return (heavy + light) / (heavy / outer + light / inner)


def _curve(slope: Any, knots: tuple[Number, ...], bend: Bend, t: float) -> Number:
    """Through the middle two of four ``knots``, the outer ones of which may be None."""
    before, a, b, after = knots
    inner = (b - a) / bend.length
    start = slope(inner, None if before is None else (a - before) / bend.lead, bend.length, bend.lead)
    end = slope(inner, None if after is None else (after - b) / bend.tail, bend.length, bend.tail)
    if start is None and end is None:
        return a + (b - a) * t
    if slope is _monotone:
        start, end = (inner if x is None else x for x in (start, end))
    # Without a neighbour the curve straightens towards that end.
    start = 1.5 * inner - 0.5 * end if start is None else start
    end = 1.5 * inner - 0.5 * start if end is None else end
    return _hermite(a, b, start * bend.length, end * bend.length, t)


def _turned(knots: tuple[Number, ...], bend: Bend, t: float) -> NDArray[np.float32]:
    """A curve for the direction and a monotone one for the length: latents stay where samples are."""
    lengths = tuple(None if x is None else float(np.linalg.norm(x.astype(np.float64))) for x in knots)
    if any(size is not None and size < 1e-8 for size in lengths):
        return lerp(knots[1], knots[2], t)
    units = tuple(
        None if x is None else x.astype(np.float64) / size for x, size in zip(knots, lengths, strict=True)
    )
    direction = _curve(_free, units, bend, t)
    size = float(np.linalg.norm(direction))
    if size < 1e-6:
        return lerp(knots[1], knots[2], t)
    made: NDArray[np.float32] = (direction * (_curve(_monotone, lengths, bend, t) / size)).astype(np.float32)
    return made


def along(a: LatentPoint, b: LatentPoint, t: float, bend: Bend) -> LatentPoint:
    """The point a fraction ``t`` in [0, 1] of the way from ``a`` to ``b``, on a curve that heeds the
    points around them; exactly ``a`` and ``b`` at the ends.

    Latents turn and stretch without a jump of speed at the points; scalars do so without passing the
    values at the ends; class weights go straight. Between two points alone it is slerp.
    """
    if t <= 0.0:
        return a
    if t >= 1.0:
        return b
    if bend.before is None and bend.after is None:
        return between(a, b, t, "slerp")
    plain = between(a, b, t, "slerp")
    values: list[tuple[str, Value]] = []
    for name, value in plain.values:
        x, y = a.get(name), b.get(name)
        p, q = (None if point is None else point.get(name) for point in (bend.before, bend.after))
        if isinstance(x, Vector) and isinstance(y, Vector) and x.shape == y.shape:
            if not is_straight(name, x, y):
                before, after = (
                    v.array if isinstance(v, Vector) and v.shape == x.shape else None for v in (p, q)
                )
                value = Vector(_turned((before, x.array, y.array, after), bend, t))
        elif isinstance(x, float) and isinstance(y, float):
            first, last = (v if isinstance(v, float) else None for v in (p, q))
            low, high = min(x, y), max(x, y)
            value = min(max(float(_curve(_monotone, (first, x, y, last), bend, t)), low), high)
        values.append((name, value))
    return LatentPoint(tuple(values), None)
