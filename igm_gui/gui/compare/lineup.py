"""What models side by side have in common, in a few honest words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, one_hot, problem
from igm_gui.latent.vector import Vector
from igm_gui.session.grid import drawn

MAX_MODELS = 6


def sharing(point: LatentPoint, current: GeneratorInfo | None, info: GeneratorInfo) -> tuple[str, str]:
    """How ``info`` takes the current model's ``point``: a few words, and a sentence that explains them.

    It tells what :func:`igm_gui.latent.point.conform` does: numbers that fit are kept, otherwise the
    seed draws the model's own.
    """
    words, reasons = [], []
    spec = info.latent
    if spec is not None:
        value = point.get(spec.name)
        if value is not None and problem(spec, value) is None:
            words.append(f"same {spec.name}")
            reasons.append(
                f"{spec.name} holds the same {spec.size} numbers in both models; what they mean, each has "
                "learnt for itself."
            )
        elif point.seed is not None:
            words.append("same seed, not paired")
            reasons.append(
                f"Its {spec.name} has another shape, so seed {point.seed} draws its own: the results have "
                "nothing in common but the number."
            )
        else:
            words.append("seed 0, not paired")
            reasons.append(
                "Its latent has another shape; a point set by hand has no seed, so 0 is taken: the "
                "results have nothing in common."
            )
    for label in info.of_kind("label"):
        value = point.get(label.name)
        fits = isinstance(value, Vector) and problem(label, value) is None
        theirs = current.input(label.name) if current is not None else None
        if fits and theirs is not None and theirs.classes == label.classes:
            words.append("same class")
        else:
            index = int(np.argmax(value.array)) if fits and isinstance(value, Vector) else 0
            words.append(f"class {label.classes[index]}")
            reasons.append("Its classes are not the current model's.")
    return " · ".join(words) or "no inputs", " ".join(reasons) or "Nothing goes in but what is fixed."


def details(info: GeneratorInfo) -> str:
    """Such as ``fashion · Jensen-Shannon divergence · image 28×28 grey``."""
    distance = "" if info.distance.lower() == "none" else info.distance
    return " · ".join(part for part in (info.family, distance, info.output.text) if part)


def parameters_text(count: int) -> str:
    """Such as ``1.1 M``; empty where it is not known yet."""
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} M"
    if count >= 1000:
        return f"{count / 1e3:.0f} k"
    return str(count) if count else ""


def rate_text(per_second: float) -> str:
    """Such as ``3 900 a second``, to two digits."""
    if per_second < 10:
        return f"{per_second:.2g} a second"
    digits = max(len(str(int(per_second))) - 2, 0)
    return f"{round(per_second, -digits):,.0f} a second".replace(",", " ")


def time_text(seconds: float) -> str:
    """Such as ``0.04 ms``, ``2.1 ms``, ``118 ms``."""
    ms = seconds * 1000
    return f"{ms:.2f} ms" if ms < 1 else f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms"


def sample_points(
    info: GeneratorInfo, base: LatentPoint, seed: int, every_class: bool
) -> Callable[[int], LatentPoint]:
    """The point of sample ``i``: drawn from ``seed + i``; class, truncation and the like from ``base``, or
    with ``every_class`` the classes in turn."""

    def point(index: int) -> LatentPoint:
        made = drawn(info, base, seed + index)
        if every_class:
            for label in info.of_kind("label"):
                count = len(label.classes)
                made = made.with_value(label.name, one_hot(count, index % count))
        return made

    return point


def held_values(point: LatentPoint, info: GeneratorInfo) -> tuple[object, ...]:
    """What the samples take from the current point: everything but latents."""
    latents = {spec.name for spec in info.of_kind("latent")}
    return tuple((name, value) for name, value in point.values if name not in latents)
