"""One tensor as a file declares it."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_LAYERS = 200_000


@dataclass(frozen=True)
class Layer:
    """One tensor in a file: its name, shape and element type such as ``float32``."""

    name: str
    shape: tuple[int, ...]
    dtype: str = ""

    @property
    def size(self) -> int:
        return math.prod(self.shape)
