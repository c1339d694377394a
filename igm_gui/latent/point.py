"""A point of a generator's input space: one value for each input, frozen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.priors import MAX_SEED, draw
from igm_gui.latent.vector import Vector

Value = Vector | float | int
STREAM = 7919  # between the seeds of a point's latents


@dataclass(frozen=True)
class LatentPoint:
    """Values by input name, in a fixed order.

    A latent or label is a :class:`Vector` (label weights sum to 1), a scalar a float, a noise
    seed an int. ``seed`` is the seed that the first latent was drawn from, None once it was
    changed by hand.
    """

    values: tuple[tuple[str, Value], ...] = ()
    seed: int | None = None

    def get(self, name: str) -> Value | None:
        """The value of input ``name``, or None."""
        for key, value in self.values:
            if key == name:
                return value
        return None

    def vector(self, name: str) -> Vector:
        """The vector of a latent or label input; KeyError where there is none."""
        value = self.get(name)
        if not isinstance(value, Vector):
            raise KeyError(name)
        return value

    def scalar(self, name: str, default: float = 0.0) -> float:
        """The number of a scalar or seed input, or ``default``."""
        value = self.get(name)
        return default if value is None or isinstance(value, Vector) else float(value)

    def names(self) -> Iterator[str]:
        return (key for key, _ in self.values)

    def without(self, *names: str) -> LatentPoint:
        """The same point with these values left out."""
        return replace(self, values=tuple((key, value) for key, value in self.values if key not in names))

    def with_value(self, name: str, value: Value) -> LatentPoint:
        """The same point with one value replaced or added (seed kept as it is)."""
        if self.get(name) is None:
            return replace(self, values=(*self.values, (name, value)))
        return replace(self, values=tuple((key, value if key == name else old) for key, old in self.values))


def one_hot(count: int, index: int) -> Vector:
    """Label weights for a single class, shape (count,)."""
    weights = np.zeros(count, np.float32)
    weights[index] = 1.0
    return Vector(weights)


def default_value(spec: InputSpec, seed: int = 0) -> Value:
    """Where an input starts: a drawn latent, the first class, the default number."""
    if spec.kind == "latent":
        return Vector(draw(spec, seed))
    if spec.kind == "label":
        return one_hot(len(spec.classes), 0)
    if spec.kind == "seed":
        return int(spec.default)
    return float(spec.default)


def point_from_seed(info: GeneratorInfo, seed: int = 0, label: int | None = None) -> LatentPoint:
    """The point that ``seed`` stands for: the first latent from ``seed`` itself, further ones
    from streams of their own, everything else at its default.

    ``label`` chooses a class of the label input; without it, the first class.
    """
    values: list[tuple[str, Value]] = []
    latents = _drawn(info, seed)
    for spec in info.inputs:
        if spec.name in latents:
            values.append((spec.name, latents[spec.name]))
        elif spec.kind == "label" and label is not None:
            if not 0 <= label < len(spec.classes):
                raise InputError(
                    f"{info.name} has no class {label}.",
                    f"Its classes are 0 to {len(spec.classes) - 1}: {', '.join(spec.classes[:12])}.",
                )
            values.append((spec.name, one_hot(len(spec.classes), label)))
        else:
            values.append((spec.name, default_value(spec, seed)))
    return LatentPoint(tuple(values), seed)


def _drawn(info: GeneratorInfo, seed: int) -> dict[str, Vector]:
    latents = (spec for spec in info.inputs if spec.kind == "latent")
    return {spec.name: Vector(draw(spec, seed + STREAM * number)) for number, spec in enumerate(latents)}


def redrawn(point: LatentPoint, info: GeneratorInfo, seed: int) -> LatentPoint:
    """``point``, which fits ``info``, with its latents drawn from ``seed`` as in :func:`point_from_seed`;
    everything else stays."""
    latents = _drawn(info, seed)
    return LatentPoint(tuple((name, latents.get(name, value)) for name, value in point.values), seed)


def conform(point: LatentPoint, info: GeneratorInfo) -> LatentPoint:
    """``point`` made to fit ``info``: values that fit are kept, what is missing is drawn from the
    point's seed (or 0), what the generator doesn't know is dropped. Never raises."""
    seed = point.seed or 0
    fresh: LatentPoint | None = None  # drawing takes longer than checking: only where it is needed
    values: list[tuple[str, Value]] = []
    kept_latent = True
    for spec in info.inputs:
        value = point.get(spec.name)
        fits = value is not None and problem(spec, value) is None
        if spec is info.latent and not fits:
            kept_latent = False
        if not fits and fresh is None:
            fresh = point_from_seed(info, seed)
        chosen = value if fits or fresh is None else fresh.get(spec.name)
        assert chosen is not None
        values.append((spec.name, chosen))
    for direction in info.directions:
        name = f"direction:{direction.name}"
        if point.get(name) is not None:
            values.append((name, point.scalar(name)))
    for spec in info.edits:
        value = point.get(spec.name)
        if value is not None and problem(spec, value) is None:
            values.append((spec.name, value))
    return LatentPoint(tuple(values), point.seed if kept_latent else seed)


def problem(spec: InputSpec, value: Value) -> str | None:
    """Why ``value`` does not fit ``spec``, as the rest of a sentence; None where it does."""
    if spec.kind in ("latent", "label"):
        if isinstance(value, Vector) and value.fitted is spec:
            return None
        shape = spec.shape if spec.kind == "latent" else (len(spec.classes),)
        if not isinstance(value, Vector):
            return f"needs numbers of shape {shape}, not {value!r}"
        if value.shape != shape:
            return f"needs shape {shape}, not {value.shape}"
        if not np.isfinite(value.array).all():
            return "holds values that are not finite numbers"
        if spec.kind == "label" and (value.array.min() < -1e-4 or abs(float(value.array.sum()) - 1) > 1e-2):
            return "needs class weights of at least 0 that sum to 1"
        value.fitted = spec
        return None
    if isinstance(value, Vector):
        return "needs one number, not several"
    if not math.isfinite(value):
        return "is not a finite number"
    if spec.kind == "seed" and not 0 <= value <= MAX_SEED:
        return f"needs a seed from 0 to {MAX_SEED}"
    return None


def check(point: LatentPoint, info: GeneratorInfo) -> None:
    """Raise :class:`InputError` unless every input of ``info`` has a value that fits."""
    for spec in info.inputs:
        value = point.get(spec.name)
        why = "is missing" if value is None else problem(spec, value)
        if why:
            raise InputError(f"Input {spec.name} of {info.name} {why}.")
    for spec in info.edits:
        value = point.get(spec.name)
        if value is not None and (why := problem(spec, value)):
            raise InputError(f"{spec.name} of {info.name} {why}.")


def stack(points: list[LatentPoint] | tuple[LatentPoint, ...], name: str) -> NDArray[np.float32]:
    """Vectors (or numbers) of one input of several points, stacked along a first axis."""
    rows = []
    for point in points:
        value = point.get(name)
        if value is None:
            raise InputError(f"Input {name} is missing.")
        rows.append(value.array if isinstance(value, Vector) else np.float32(value))
    return np.stack(rows).astype(np.float32, copy=False)
