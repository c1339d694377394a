"""What an unknown program gives: which output is the picture or the sound, its size and its values' range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ModelError
from igm_gui.formats.card import measured_later
from igm_gui.info import OutputSpec

DEFAULT_RATE = 44_100
LEAST_SOUND = 64  # samples
MOST_FLAT = 4096  # numbers of a row that is taken for a flat picture rather than a short sound


def flat_picture(count: int) -> tuple[int, int] | None:
    """(side, channels) of a square picture of ``count`` numbers of at least 4 pixels a side; or None."""
    for channels in (1, 3, 4):
        side = math.isqrt(count // channels) if count % channels == 0 else 0
        if side > 3 and side * side * channels == count:
            return side, channels
    return None


def _layout(shape: tuple[int, ...]) -> OutputSpec | None:
    """The picture or sound that an output of this shape is; None for neither."""
    if len(shape) == 4 and (shape[1] in (1, 3, 4) or shape[3] in (1, 3, 4)) and min(shape[1:]) > 0:
        channels, height, width = shape[1:] if shape[1] in (1, 3, 4) else (shape[3], shape[1], shape[2])
        return OutputSpec("image", height, width, channels)
    if len(shape) == 3 and shape[1] > 2 and min(shape[1:]) > 3:
        if max(shape[1:]) > 4 * min(shape[1:]):
            return None  # many channels of something long
        # (3, H, W) is one picture without an axis of points; (1, H, W) is the same either way.
        return OutputSpec("image", shape[1], shape[2], shape[0] if shape[0] in (3, 4) else 1)
    flat = flat_picture(shape[-1]) if len(shape) == 2 and shape[-1] <= MOST_FLAT else None
    if flat is not None:
        return OutputSpec("image", flat[0], flat[0], flat[1])
    if len(shape) in (1, 2, 3) and shape[-1] >= LEAST_SOUND:
        return OutputSpec(
            "sound", channels=shape[1] if len(shape) == 3 else 1, sample_rate=DEFAULT_RATE, samples=shape[-1]
        )
    return None


def pick(shapes: Sequence[tuple[int, ...]]) -> int:
    """Which of several outputs is shown: the first picture, else the first sound, else the first."""
    found = [_layout(shape) for shape in shapes]
    for media in ("image", "sound"):
        for index, layout in enumerate(found):
            if layout is not None and layout.media == media:
                return index
    return 0


def guess_output(
    file: str, samples: Sequence[NDArray[Any]], wanted: OutputSpec | None = None
) -> tuple[OutputSpec, str]:
    """The output's kind, size and range from what it gave for a few seeds, and a sentence about the guess.

    Pictures are ``(N, C, H, W)`` or ``(N, H, W, C)`` with C of 1, 3 or 4, ``(N, H, W)`` or a flat square row;
    sound is ``(N, T)``, ``(N, C, T)`` or ``(T,)``. ``wanted`` is a card's output that leaves the size to be
    measured: its kind and sample rate hold. ModelError where it is neither, or not finite.
    """
    first = samples[0]
    values = np.concatenate([np.asarray(sample, np.float64).reshape(-1) for sample in samples])
    if not values.size or not np.isfinite(values).all():
        raise ModelError(
            f"{file} gives values that are not numbers.", "Export it again from a healthy network."
        )
    shape = first.shape
    found = _layout(shape)
    if wanted is not None and wanted.media == "sound" and len(shape) in (1, 2, 3):
        channels = shape[1] if len(shape) == 3 and shape[1] <= 2 else 1
        return replace(wanted, channels=channels, samples=shape[-1]), ""
    if found is None or (wanted is not None and wanted.media != found.media):
        raise ModelError(
            f"{file} gives an output of the shape {shape}, which is neither a picture nor a sound."
            if found is None
            else f"{file} gives a {found.text}, and its card says {wanted.media if wanted else ''}.",
            "Pictures are (N, 1|3|4, H, W), sounds (N, T) or (N, 1|2, T).",
        )
    if found.media == "sound":
        return found, f"The file does not say its sample rate; {DEFAULT_RATE} Hz is assumed."
    low, high = guess_range(values)
    note = f"Guessed from samples: values from {low:g} (black) to {high:g} (white)."
    if len(shape) == 2:
        note += f" {shape[-1]} numbers in a row are taken for a picture."
    return replace(found, low=low, high=high), note


def resolve_output(
    file: str, samples: Sequence[NDArray[Any]], card: OutputSpec | None
) -> tuple[OutputSpec, str]:
    """The card's output where it says all, what is measured where it does not; and a sentence or nothing."""
    if card is None:
        return guess_output(file, samples)
    if measured_later(card):
        return guess_output(file, samples, card)
    given = np.asarray(samples[0])
    wanted = card.channels * (card.height * card.width if card.media == "image" else card.samples)
    if given.size != wanted:
        raise ModelError(
            f"{file} gives {given.size:,} numbers, {given.shape}; its card's {card.text} has {wanted:,}.",
            "Correct the output in the card.",
        )
    return card, ""


def guess_range(values: NDArray[Any]) -> tuple[float, float]:
    """(low, high) of a picture's values: 0 to 255, 0 to 1, or -1 to 1."""
    low, high = float(values.min()), float(values.max())
    if high > 8.0 and low > -8.0:
        return 0.0, 255.0
    # A little below 0 is an overshoot of what reaches 1, but half the range of an untrained tanh.
    if low >= -0.02 * max(high, 0.0) and high <= 1.02 and low < high:
        return 0.0, 1.0
    return -1.0, 1.0


def arrange_output(given: NDArray[Any], spec: OutputSpec) -> NDArray[np.float32]:
    """A program's output as ``(N, C, H, W)``, or ``(N, channels, samples)`` for sound."""
    array = np.asarray(given, np.float32)
    if spec.media == "sound":
        return array.reshape(-1, spec.channels, array.shape[-1])
    if array.ndim == 4 and array.shape[1:] == (spec.height, spec.width, spec.channels):
        if array.shape[1] == spec.channels:  # ambiguous: torch's order
            return array
        return np.moveaxis(array, 3, 1)
    return array.reshape(-1, spec.channels, spec.height, spec.width)
