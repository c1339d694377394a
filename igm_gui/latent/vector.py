"""A frozen array: a value that can be compared, hashed, sent to a thread and kept in a state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Vector:
    """A read-only float32 array with value semantics.

    Two vectors are equal when shape and bits are. The array is copied once on the way in, so
    nothing that the caller still holds can change it.
    """

    __slots__ = ("_hash", "array", "fitted")

    array: NDArray[np.float32]
    fitted: object
    """What the vector was last found to fit (an ``InputSpec``): it never changes, so once is enough."""

    def __init__(self, values: ArrayLike, shape: Sequence[int] | None = None) -> None:
        array = np.array(values, dtype=np.float32, order="C")
        if shape is not None:
            array = array.reshape(tuple(shape))
        array.flags.writeable = False
        self.array = array
        self._hash: int | None = None
        self.fitted: object = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def size(self) -> int:
        return int(self.array.size)

    def replace(self, index: int | Iterable[int], value: ArrayLike) -> Vector:
        """A vector that differs at the flat ``index`` (one or many)."""
        array = self.array.copy()
        array.reshape(-1)[index if isinstance(index, int) else list(index)] = value
        return Vector(array)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> float:
        return float(self.array.reshape(-1)[index])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Vector):
            return NotImplemented
        return self.shape == other.shape and self.array.tobytes() == other.array.tobytes()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.shape, self.array.tobytes()))
        return self._hash

    def __repr__(self) -> str:
        return f"Vector({self.shape}, {np.array2string(self.array.reshape(-1)[:4], precision=3)}…)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Vector, (self.array,)
