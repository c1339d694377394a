"""Guessing what the inputs and the output of an unknown program are, from types, shapes and names.

Shared by the families that open whole programs (ONNX, TorchScript). What was guessed is told; a card
beside the file (docs/model-card.md) overrules it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ModelError
from igm_gui.info import InputSpec, OutputSpec

HINT = "Say what its inputs are in a card beside it (same name, ending .card.json): docs/model-card.md."
LABEL = re.compile(r"label|class|^[cy]$|cond", re.IGNORECASE)
SEED = re.compile(r"seed", re.IGNORECASE)
TRUNCATION = re.compile(r"trunc|psi", re.IGNORECASE)
DEFAULT_RATE = 44_100


@dataclass(frozen=True)
class Argument:
    """One input as a program declares it: ``kind`` float, int or bool; a side of None is not fixed."""

    name: str
    kind: str
    shape: tuple[int | None, ...]


def guess_inputs(file: str, arguments: Sequence[Argument]) -> tuple[InputSpec, ...]:
    """An :class:`InputSpec` for each argument. ModelError names the one that can't be known."""
    return tuple(guess_input(file, argument) for argument in arguments)


def guess_input(file: str, argument: Argument) -> InputSpec:
    """The role of one argument: floating with a fixed shape a latent, floating single a knob,
    whole single a seed or a class number."""
    name, inner = argument.name, argument.shape[1:]
    if any(side is None or side < 1 for side in inner):
        shape = ", ".join("?" if side is None else str(side) for side in argument.shape)
        raise ModelError(f"The input {name} of {file} has no fixed shape: ({shape}).", HINT)
    sides = tuple(int(side or 1) for side in inner)
    count = int(np.prod(sides, dtype=np.int64)) if sides else 1
    if count > 1_000_000:
        raise ModelError(f"The input {name} of {file} takes {count:,} numbers.", HINT)
    single = count == 1
    if argument.kind == "float" and not single:
        if LABEL.search(name) and len(sides) == 1:
            return InputSpec(name, "label", title="Class", classes=tuple(f"class {i}" for i in range(count)))
        return InputSpec(name, "latent", shape=sides)
    if not single:
        raise ModelError(f"The input {name} of {file} takes {count} whole numbers: they may be tokens.", HINT)
    if argument.kind == "bool":
        return InputSpec(name, "scalar", maximum=1.0, step=1.0)
    if argument.kind == "int":
        if SEED.search(name):
            return InputSpec(name, "seed")
        return InputSpec(
            name, "scalar", maximum=999.0, step=1.0, description="A whole number, such as a class."
        )
    if TRUNCATION.search(name):
        return InputSpec(name, "scalar", title="Truncation ψ", maximum=2.0, default=1.0)
    return InputSpec(name, "scalar", minimum=-1.0, maximum=1.0)


def guess_output(file: str, samples: Sequence[NDArray[Any]]) -> tuple[OutputSpec, str]:
    """The output's kind, size and range from what it gave for a few seeds, and a sentence about the guess.

    Pictures are ``(N, C, H, W)`` or ``(N, H, W, C)`` with C of 1, 3 or 4; sound is ``(N, T)``,
    ``(N, C, T)`` or ``(T,)``. ModelError where it is neither, or not finite.
    """
    first = samples[0]
    values = np.concatenate([np.asarray(sample, np.float64).reshape(-1) for sample in samples])
    if not values.size or not np.isfinite(values).all():
        raise ModelError(
            f"{file} gives values that are not numbers.", "Export it again from a healthy network."
        )
    shape = first.shape
    if len(shape) == 4 and (shape[1] in (1, 3, 4) or shape[3] in (1, 3, 4)) and min(shape[1:]) > 0:
        channels, height, width = shape[1:] if shape[1] in (1, 3, 4) else (shape[3], shape[1], shape[2])
        low, high = guess_range(values)
        note = f"Guessed from samples: values from {low:g} (black) to {high:g} (white)."
        return OutputSpec("image", height, width, channels, low, high), note
    if len(shape) in (1, 2) or (len(shape) == 3 and shape[1] in (1, 2)):
        samples_each = shape[-1]
        if samples_each >= 64:
            channels = shape[1] if len(shape) == 3 else 1
            note = f"The file does not say its sample rate; {DEFAULT_RATE} Hz is assumed."
            return OutputSpec(
                "sound", channels=channels, sample_rate=DEFAULT_RATE, samples=samples_each
            ), note
    raise ModelError(
        f"{file} gives an output of the shape {shape}, which is neither a picture nor a sound.",
        "Pictures are (N, 1|3|4, H, W), sounds (N, T) or (N, 1|2, T).",
    )


def guess_range(values: NDArray[Any]) -> tuple[float, float]:
    """(low, high) of a picture's values: 0 to 255, 0 to 1, or -1 to 1."""
    low, high = float(values.min()), float(values.max())
    if high > 8.0 and low > -8.0:
        return 0.0, 255.0
    if low >= -0.02 and high <= 1.02:
        return 0.0, 1.0
    return -1.0, 1.0


def arrange_output(given: NDArray[Any], spec: OutputSpec) -> NDArray[np.float32]:
    """A program's output as ``(N, C, H, W)``, or ``(N, channels, samples)`` for sound."""
    array = np.asarray(given, np.float32)
    if spec.media == "image":
        return array if array.shape[1] == spec.channels else np.moveaxis(array, 3, 1)
    return array.reshape(-1, spec.channels, array.shape[-1])
