"""Guessing what the inputs and the output of an unknown program are, from types, shapes and names.

Shared by the families that open whole programs (ONNX, TorchScript, torch.export). What was guessed is told;
a card beside the file (docs/model-card.md) overrules it. What can't be guessed is asked:
:class:`RolesNeeded` carries what the file declares, and the window makes a form of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from igm_gui.errors import ModelError
from igm_gui.generators import codes
from igm_gui.info import InputSpec

HINT = "Say what its inputs are in a card beside it (same name, ending .card.json): docs/model-card.md."
LABEL = re.compile(r"label|class|^[cy]$|cond", re.IGNORECASE)
SEED = re.compile(r"seed", re.IGNORECASE)
TRUNCATION = re.compile(r"trunc|psi", re.IGNORECASE)
MOST = 999  # the highest class number that is tried
FREE_SIDE = 32  # side of a latent picture whose size is free: a VAE's decoder takes any


@dataclass(frozen=True)
class Argument:
    """One input as a program declares it: ``kind`` float, int or bool; a side of None is not fixed;
    ``dtype`` is numpy's name of its type. ``plain`` wants a Python number instead of a tensor."""

    name: str
    kind: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    plain: bool = False

    @property
    def batched(self) -> bool:
        """Whether its first axis counts points: a fixed row of numbers has none."""
        return not (len(self.shape) == 1 and (self.shape[0] or 1) > 1)

    @property
    def inner(self) -> tuple[int | None, ...]:
        """The sides of one point."""
        return self.shape[1:] if self.batched else self.shape

    @property
    def text(self) -> str:
        """``z: float32 (?, 64)``."""
        sides = ", ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name}: {self.dtype} ({sides})"


class RolesNeeded(ModelError):
    """What a program's inputs are can't be known from the file: the person is asked once.

    ``arguments`` are what it declares; ``family`` is what the answer's card says.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        details: str = "",
        arguments: Sequence[Argument] = (),
        family: str = "program",
    ) -> None:
        super().__init__(message, hint, details)
        self.arguments = tuple(arguments)
        self.family = family

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.hint, self.details, self.arguments, self.family)

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it, for the way out of a child process."""
        return {"family": self.family, "arguments": [msgspec.to_builtins(a) for a in self.arguments]}


def guess_inputs(
    file: str, arguments: Sequence[Argument], family: str = "program"
) -> tuple[tuple[InputSpec, ...], tuple[str, ...]]:
    """An :class:`InputSpec` for each argument, and sentences about what was guessed.

    RolesNeeded names the one that can't be known."""
    try:
        specs = tuple(guess_input(file, argument) for argument in arguments)
    except ModelError as error:
        raise RolesNeeded(error.message, error.hint, error.details, arguments, family) from error
    if specs and not any(spec.kind in ("latent", "label") for spec in specs):
        single = next((s for s in specs if s.kind == "scalar" and not s.step), None)
        if single is None:
            return specs, ()
        # Nothing else could be the point: the one number is a latent of one dimension.
        argument = arguments[specs.index(single)]
        shape = tuple(int(side or 1) for side in argument.inner) or (1,)
        made = InputSpec(single.name, "latent", shape=shape)
        specs = tuple(made if spec is single else spec for spec in specs)
    return specs, tuple(
        f"The size of {argument.name} is free; {FREE_SIDE}×{FREE_SIDE} is assumed."
        for argument in arguments
        if free_picture(argument)
    )


def free_picture(argument: Argument) -> bool:
    """Whether an input is a latent picture whose height and width are free."""
    inner = argument.inner
    return argument.kind == "float" and len(inner) == 3 and inner[0] is not None and inner[1:] == (None, None)


def guess_input(file: str, argument: Argument) -> InputSpec:
    """The role of one argument: floating with a fixed shape a latent, floating single a knob,
    whole single a seed or a class number."""
    name, inner = argument.name, argument.inner
    if free_picture(argument):
        inner = (inner[0], FREE_SIDE, FREE_SIDE)
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
            return InputSpec(name, "label", title="Class", classes=classes(count))
        return InputSpec(name, "latent", shape=sides)
    if not single:
        if argument.kind != "int" or argument.dtype not in codes.WIDE:
            raise ModelError(f"The input {name} of {file} takes {count} {argument.dtype}.", HINT)
        return codes.made(name, sides)  # until trying tells how many there are
    return guess_single(argument)


def guess_single(argument: Argument) -> InputSpec:
    """The role of one number."""
    name = argument.name
    if argument.kind == "bool":
        return InputSpec(name, "scalar", maximum=1.0, step=1.0)
    if argument.kind == "int":
        if SEED.search(name):
            return InputSpec(name, "seed")
        return InputSpec(
            name, "scalar", maximum=float(MOST), step=1.0, description="A whole number, such as a class."
        )
    if TRUNCATION.search(name):
        return InputSpec(name, "scalar", title="Truncation ψ", maximum=2.0, default=1.0)
    return InputSpec(name, "scalar", minimum=-1.0, maximum=1.0)


def classes(count: int) -> tuple[str, ...]:
    """Names for classes that have none."""
    return tuple(f"class {number}" for number in range(count))


def bounded(
    specs: Sequence[InputSpec], works: Callable[[tuple[InputSpec, ...], str, int], bool]
) -> tuple[InputSpec, ...]:
    """Whole numbers with the highest value that the program takes; those called a class become labels.

    ``works(specs, name, number)`` runs it once. An embedding of ten rows refuses the number ten.
    """
    made = list(codes.bounded(specs, works))
    for index, spec in enumerate(made):
        if spec.kind != "scalar" or spec.step != 1.0 or spec.maximum != MOST:
            continue
        if works(tuple(made), spec.name, MOST):
            continue  # anything goes: not a table's row
        low, high = 0, MOST
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if works(tuple(made), spec.name, middle) else (low, middle)
        if LABEL.search(spec.name):
            made[index] = InputSpec(spec.name, "label", title="Class", classes=classes(low + 1))
        else:
            made[index] = replace(spec, maximum=float(low))
    return tuple(made)


def require_bound(
    file: str, specs: Sequence[InputSpec], arguments: Sequence[Argument], family: str = "program"
) -> None:
    """RolesNeeded where an input of several whole numbers takes any: text as tokens, perhaps."""
    free = codes.open_ended(specs)
    if free is not None:
        raise RolesNeeded(
            f"The input {free.name} of {file} takes {free.size} whole numbers: they may be tokens.",
            HINT,
            arguments=arguments,
            family=family,
        )


def varied(specs: Sequence[InputSpec], seed: int) -> dict[str, float]:
    """Values of the knobs for a trial: as they are for seed 0, then anywhere in their range.

    A knob that is a factor of everything would otherwise show nothing but black at its default of 0."""
    random = np.random.RandomState(seed)
    if not seed:
        return {}
    return {
        spec.name: float(random.uniform(spec.minimum, spec.maximum))
        for spec in specs
        if spec.kind == "scalar" and not spec.step
    }
