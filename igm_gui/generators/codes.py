"""Several whole numbers as an input: which row of a table stands at each place, as the decoder of a VQ-VAE
takes them (van den Oord et al. 2017), or tokens.

They are a latent of uniform prior whose ``step`` is 1: -1 to 1 is cut into ``maximum`` + 1 equal pieces, one
for each code, so that sliders, seeds and timelines work as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from igm_gui.info import InputSpec
from igm_gui.latent.point import Value, Vector

if TYPE_CHECKING:
    import torch  # late: the window is up before it is imported

MOST = 65_535  # the highest code that is tried
WIDE = ("int32", "int64", "uint32", "uint64")  # types that hold it

Works = Callable[[tuple[InputSpec, ...], str, int], bool]


def made(name: str, shape: tuple[int, ...], highest: int = MOST) -> InputSpec:
    """The input ``name``, a code from 0 to ``highest`` at each place of ``shape``."""
    return InputSpec(name, "latent", shape=shape, prior="uniform", maximum=float(highest), step=1.0)


def is_codes(spec: InputSpec) -> bool:
    """Whether an input's numbers stand for codes."""
    return spec.kind == "latent" and spec.step == 1.0


def chosen(spec: InputSpec, values: torch.Tensor) -> torch.Tensor:
    """Numbers from -1 to 1 as codes, int64 of the same shape; what lies outside is the nearest code."""
    count = spec.maximum + 1
    return ((values.double() + 1) * (count / 2)).floor().clamp(0, spec.maximum).long()


def value(spec: InputSpec | None, number: float) -> Value:
    """A trial's ``number`` as a value of the input: that code at every place, or the number itself."""
    if spec is None or not is_codes(spec):
        return float(number)
    middle = 2 * (number + 0.5) / (spec.maximum + 1) - 1
    return Vector(np.full(spec.shape, middle, np.float32))


def bounded(specs: Sequence[InputSpec], works: Works) -> tuple[InputSpec, ...]:
    """Codes with the highest one that the program takes. Those that take any stay at :data:`MOST`."""
    found = list(specs)
    for index, spec in enumerate(found):
        if not is_codes(spec) or spec.maximum != MOST or works(tuple(found), spec.name, MOST):
            continue
        low, high = 0, MOST
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if works(tuple(found), spec.name, middle) else (low, middle)
        found[index] = replace(
            spec, maximum=float(low), description=f"At each place one of {low + 1:,} codes, 0 to {low:,}."
        )
    return tuple(found)


def read(inputs: Sequence[InputSpec], wholes: Sequence[bool], works: Works) -> tuple[InputSpec, ...]:
    """A card's inputs, in which latents that go in as whole numbers (``wholes``) become codes, where trying
    tells how many there are. A card that gives ``step`` 1 and ``maximum`` has said it."""
    given = tuple(
        made(spec.name, spec.shape) if whole and spec.kind == "latent" and not spec.step else spec
        for spec, whole in zip(inputs, wholes, strict=True)
    )
    found = bounded(given, works) if given != tuple(inputs) else given
    return tuple(
        card if is_codes(spec) and spec.maximum == MOST else replace(spec, title=card.title)
        for card, spec in zip(inputs, found, strict=True)
    )


def open_ended(specs: Sequence[InputSpec]) -> InputSpec | None:
    """The first input whose highest code could not be found by trying."""
    return next((spec for spec in specs if is_codes(spec) and spec.maximum == MOST), None)
