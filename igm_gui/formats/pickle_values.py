"""What a pickle's calls are answered with: functions and classes of our own that only build plain values.

Arrays and tensors are checked against the bytes that are really there. What a file may have copied by calling
the same function again and again is limited by its own size (:class:`Budget`).
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch

from igm_gui.formats.pickle_scan import HINT, Refused
from igm_gui.formats.torch_stream import check_stream

KINDS_ALLOWED = "biufSU"
MAX_SIZE = 16  # sides of a torch.Size


@dataclass
class Record:
    """An embedded object as plain data: its class's name, its attributes, its source's SHA-256."""

    class_name: str
    state: dict[str, Any] = field(default_factory=dict)
    source_sha256: str = ""


class Budget:
    """Bytes that one file's calls may copy: a short file could ask for the same copy a million times."""

    def __init__(self, file_bytes: int) -> None:
        self.left = 4 * file_bytes + (64 << 20)

    def spend(self, count: int) -> None:
        """Refused where it is more than is left."""
        self.left -= count
        if self.left < 0:
            raise Refused("The pickle asks for copies far beyond its own size.", HINT)


class Call:
    """A callable without attributes: a pickle can call it and can't change it."""

    __slots__ = ("_run",)

    _run: Any

    def __init__(self, run: Any) -> None:
        object.__setattr__(self, "_run", run)

    def __call__(self, *arguments: Any) -> Any:
        return self._run(*arguments)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise Refused("The pickle tries to change a function.", HINT)

    def __reduce__(self) -> NoReturn:
        raise Refused("The pickle tries to copy a function.", HINT)


class Dtype:
    """numpy.dtype as it is pickled: a code, then a state with the byte order."""

    __slots__ = ("code", "order")

    def __init__(self, *arguments: Any) -> None:
        code = arguments[0] if arguments else None
        if not isinstance(code, str) or len(code) > 8:
            raise Refused("The pickle holds an array type that is not a plain number.", HINT)
        self.code = code
        self.order = "="

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
        self.order = order if order in ("<", ">", "|", "=") else "="

    def dtype(self) -> np.dtype[Any]:
        try:
            made = np.dtype(self.code)
        except Exception as error:
            raise Refused(f"The pickle holds an unknown array type {self.code!r}.", HINT) from error
        if made.kind not in KINDS_ALLOWED or made.itemsize > 4096:
            raise Refused(f"The pickle holds arrays of {made}, which can hide objects.", HINT)
        if self.order == ">":
            return made.newbyteorder(">")
        return made.newbyteorder("<") if self.order == "<" else made


def _array(budget: Budget, data: Any, dtype: Any, shape: Any, fortran: bool = False) -> np.ndarray[Any, Any]:
    if not isinstance(dtype, Dtype) or not isinstance(shape, tuple):
        raise Refused("The pickle holds an array without a plain type.", HINT)
    kind = dtype.dtype()
    if isinstance(data, str):
        budget.spend(len(data))
        data = data.encode("latin1")
    if not isinstance(data, bytes | bytearray) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise Refused("The pickle holds an array of objects.", HINT)
    if math.prod(shape) * kind.itemsize != len(data):
        raise Refused("The pickle holds an array whose size does not fit its shape.", HINT)
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


class Array:
    """numpy.ndarray as it is pickled: made empty, then given its state."""

    __slots__ = ("_budget", "value")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.value: np.ndarray[Any, Any] = np.zeros(0, np.float32)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("The pickle holds a damaged array.", HINT)
        _, shape, dtype, fortran, data = state
        self.value = _array(self._budget, data, dtype, shape, bool(fortran))


def scalar(budget: Budget, dtype: Any, data: Any = b"") -> Any:
    """numpy's one number."""
    return _array(budget, data, dtype, ()).item()


def storage(budget: Budget, half: bool, data: Any) -> torch.Tensor:
    """A tensor's bytes: a legacy torch.save stream inside the pickle, read as weights only. With ``half``,
    float32 becomes float16."""
    if not isinstance(data, bytes | bytearray):
        raise Refused("The pickle holds a tensor without bytes.", HINT)
    budget.spend(2 * len(data))
    try:
        check_stream(io.BytesIO(bytes(data)), len(data))
        made = torch.load(io.BytesIO(bytes(data)), map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(
            "The pickle holds a tensor that can't be read as plain weights.", HINT, str(error)
        ) from error
    if isinstance(made, torch.storage.TypedStorage):
        made = torch.tensor([], dtype=made.dtype).set_(made._untyped_storage)
    if not isinstance(made, torch.Tensor):
        raise Refused("The pickle holds a tensor of an unknown kind.", HINT)
    made = made.reshape(-1)
    return made.half() if half and made.dtype == torch.float32 else made


def tensor(budget: Budget, stored: Any, offset: Any, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    """A tensor over stored bytes, copied."""
    whole = isinstance(stored, torch.Tensor) and isinstance(size, tuple) and isinstance(stride, tuple)
    if not whole or len(size) != len(stride) or len(size) > 8:
        raise Refused("The pickle holds a damaged tensor.", HINT)
    if not all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride)):
        raise Refused("The pickle holds a damaged tensor.", HINT)
    count = math.prod(size)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if count else 0
    if count > stored.numel() or (count and last >= stored.numel()):
        raise Refused(
            f"The pickle holds a tensor of {count:,} numbers over {stored.numel():,} stored ones.", HINT
        )
    made = stored.as_strided(size, stride, offset)
    if count == stored.numel():
        return made  # all of it: nobody else writes there
    # A copy: a view would keep the whole storage alive.
    budget.spend(count * stored.element_size())
    return made.clone()


def parameter(inner: Any, *_: Any) -> torch.Tensor:
    """A parameter is its tensor."""
    if not isinstance(inner, torch.Tensor):
        raise Refused("The pickle holds a damaged parameter.", HINT)
    return inner


def persistent(meta: Any = None, *_: Any) -> Record:
    """A persistent object (StyleGAN): its source is kept as a hash and never compiled."""
    if not isinstance(meta, dict):
        raise Refused("The pickle holds a damaged network.", HINT)
    source = meta.get("module_src")
    state = meta.get("state")
    return Record(
        str(meta.get("class_name", "")),
        state if isinstance(state, dict) else {},
        hashlib.sha256(source.encode()).hexdigest() if isinstance(source, str) and source else "",
    )


def size(values: Any = ()) -> tuple[int, ...]:
    """torch.Size."""
    if not isinstance(values, tuple | list) or len(values) > MAX_SIZE:
        raise Refused("The pickle holds a damaged size.", HINT)
    return tuple(int(n) for n in values)


def encode(budget: Budget, text: Any, coding: Any = "latin1") -> bytes:
    """Bytes as protocols before 3 write them."""
    if not isinstance(text, str) or coding not in ("latin1", "latin-1", "utf-8"):
        raise Refused("The pickle holds damaged bytes.", HINT)
    budget.spend(4 * len(text))
    return text.encode(coding)


def reconstruct_array(budget: Budget, *_: Any) -> Array:
    """numpy's empty array, before its state."""
    return Array(budget)


def frombuffer(budget: Budget, data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    """numpy's array of protocol 5."""
    return _array(budget, data, dtype, shape, order == "F")


def dill_array(budget: Budget, _make: Any, _arguments: Any, state: Any, _attributes: Any = None) -> Array:
    """numpy's array as dill writes it: how to make it empty, and its state."""
    array = Array(budget)
    array.__setstate__(state)
    return array


def dill_type(types: dict[str, Any], name: Any) -> Any:
    """A builtin type that dill names; Refused where it is none of ``types``."""
    if not isinstance(name, str) or name not in types:
        raise Refused(f"The pickle asks for the type {str(name)[:60]}, which no network needs.", HINT)
    return types[name]


def file_path(*parts: Any) -> str:
    """A path of pathlib, as text."""
    if len(parts) > 1_000 or not all(isinstance(part, str) for part in parts):
        raise Refused("The pickle holds a damaged path.", HINT)
    return "/".join(parts)[:10_000]


def make_bytes(budget: Budget, data: Any = b"", *_: Any) -> bytes:
    """A bytearray, as bytes."""
    if not isinstance(data, bytes | bytearray):
        raise Refused("The pickle holds damaged bytes.", HINT)
    budget.spend(len(data))
    return bytes(data)


def plain_set(budget: Budget, kind: type, items: Any = ()) -> Any:
    """A set or frozenset of plain values: hashing nested ones can take exponentially long."""
    if not isinstance(items, list | tuple) or not all(
        isinstance(item, str | int | float | bytes | None) for item in items
    ):
        raise Refused("The pickle holds a set of something else than names and numbers.", HINT)
    budget.spend(64 * len(items))
    return kind(items)
