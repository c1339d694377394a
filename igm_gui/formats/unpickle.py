"""Reading pickles as data: an allow-list unpickler that can build plain values and nothing else.

A pickle is a program for a small stack machine whose ``REDUCE`` calls any function it can name. Here
a name outside the list is an error before anything is called, the functions on the list are our own
and only build arrays, tensors and :class:`Record` values, and the opcodes are read through once
beforehand, so that a file which asks for absurd sizes is refused without allocating them.
The embedded Python source in StyleGAN pickles is kept as a hash and never compiled.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle
import pickletools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch

from igm_gui.errors import ModelError

HINT = "Only networks stored as plain weights are opened; nothing in a file is ever executed."
MAX_OPCODES = 20_000_000
MAX_MEMO = 20_000_000
_KINDS_ALLOWED = "biufSU"


class Refused(ModelError):
    """A pickle names something outside the allow-list, or is damaged."""


@dataclass
class Record:
    """An embedded object as plain data: its class's name, its attributes, its source's SHA-256."""

    class_name: str
    state: dict[str, Any] = field(default_factory=dict)
    source_sha256: str = ""


@dataclass
class Scan:
    """What a pickle mentions, found by reading its opcodes without running them."""

    protocol: int = 0
    opcodes: int = 0
    globals: tuple[str, ...] = ()


def scan(data: bytes, outside: bool = False, mentioned: dict[str, None] | None = None) -> Scan:
    """Read every opcode without executing. Refused where the stream is damaged or absurd.

    ``outside`` admits references to objects outside the pickle, as torch archives have them;
    ``mentioned`` gets the globals' names, those before a refusal too.
    """
    seen: dict[str, None] = {} if mentioned is None else mentioned
    strings: list[str] = []
    memo: dict[int, str] = {}
    memoized = 0
    count = protocol = 0
    last: str | None = None
    stream = io.BytesIO(data)
    try:
        for opcode, found, _ in pickletools.genops(stream):
            argument: Any = found
            count += 1
            name = opcode.name
            if count > MAX_OPCODES:
                raise Refused(f"The pickle has more than {MAX_OPCODES:,} instructions.", HINT)
            if name == "PROTO":
                protocol = argument
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                # The unpickler's memo is an array: one large index would allocate all of it.
                if not 0 <= argument <= MAX_MEMO:
                    raise Refused("The pickle asks for an absurd amount of memory.", HINT)
                if last is not None:
                    memo[argument] = last
            elif name == "MEMOIZE":
                if last is not None:
                    memo[memoized] = last
                memoized += 1
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                last = memo.get(argument)
                if last is not None:
                    strings.append(last)
            elif name in ("GLOBAL", "INST"):
                seen[str(argument).replace(" ", ".")] = None
                last = None
            elif name == "STACK_GLOBAL":
                seen[".".join(strings[-2:])] = None
                last = None
            elif name in ("EXT1", "EXT2", "EXT4") or (name in ("PERSID", "BINPERSID") and not outside):
                raise Refused(f"The pickle uses {name}, which needs objects from outside the file.", HINT)
            elif isinstance(argument, str):
                last = argument
                strings.append(argument)
                del strings[:-4]
            else:
                last = None
    except Refused:
        raise
    except Exception as error:
        raise Refused(
            "The pickle is damaged or cut short.", "Copy or download the file again.", repr(error)
        ) from error
    if stream.read(1):
        raise Refused("There are bytes after the end of the pickle.", "Copy or download the file again.")
    return Scan(protocol, count, tuple(seen))


class _Call:
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


class _Dtype:
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
        if made.kind not in _KINDS_ALLOWED or made.itemsize > 4096:
            raise Refused(f"The pickle holds arrays of {made}, which can hide objects.", HINT)
        if self.order == ">":
            return made.newbyteorder(">")
        return made.newbyteorder("<") if self.order == "<" else made


def _array(data: Any, dtype: Any, shape: Any, fortran: bool = False) -> np.ndarray[Any, Any]:
    if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple):
        raise Refused("The pickle holds an array without a plain type.", HINT)
    kind = dtype.dtype()
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(data, bytes | bytearray) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise Refused("The pickle holds an array of objects.", HINT)
    if math.prod(shape) * kind.itemsize != len(data):
        raise Refused("The pickle holds an array whose size does not fit its shape.", HINT)
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


class _Array:
    """numpy.ndarray as it is pickled: made empty, then given its state."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray[Any, Any] = np.zeros(0, np.float32)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("The pickle holds a damaged array.", HINT)
        _, shape, dtype, fortran, data = state
        self.value = _array(data, dtype, shape, bool(fortran))


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _array(data, dtype, ()).item()


def _storage(data: Any) -> torch.Tensor:
    """A tensor's bytes: a legacy torch.save stream inside the pickle, read as weights only."""
    if not isinstance(data, bytes | bytearray):
        raise Refused("The pickle holds a tensor without bytes.", HINT)
    try:
        made = torch.load(io.BytesIO(bytes(data)), map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(
            "The pickle holds a tensor that can't be read as plain weights.", HINT, str(error)
        ) from error
    if isinstance(made, torch.storage.TypedStorage):
        return torch.tensor([], dtype=made.dtype).set_(made._untyped_storage)
    if isinstance(made, torch.Tensor):
        return made.reshape(-1)
    raise Refused("The pickle holds a tensor of an unknown kind.", HINT)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    whole = isinstance(storage, torch.Tensor) and isinstance(size, tuple) and isinstance(stride, tuple)
    if not whole or len(size) != len(stride) or len(size) > 8:
        raise Refused("The pickle holds a damaged tensor.", HINT)
    if not all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride)):
        raise Refused("The pickle holds a damaged tensor.", HINT)
    count = math.prod(size)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if count else 0
    if count > storage.numel() or (count and last >= storage.numel()):
        raise Refused(
            f"The pickle holds a tensor of {count:,} numbers over {storage.numel():,} stored ones.", HINT
        )
    # A copy: a view keeps the pickle's storage alive.
    return storage.as_strided(size, stride, offset).clone()


def _parameter(tensor: Any, *_: Any) -> torch.Tensor:
    if not isinstance(tensor, torch.Tensor):
        raise Refused("The pickle holds a damaged parameter.", HINT)
    return tensor


def _persistent(meta: Any = None, *_: Any) -> Record:
    if not isinstance(meta, dict):
        raise Refused("The pickle holds a damaged network.", HINT)
    source = meta.get("module_src")
    state = meta.get("state")
    return Record(
        str(meta.get("class_name", "")),
        state if isinstance(state, dict) else {},
        hashlib.sha256(source.encode()).hexdigest() if isinstance(source, str) and source else "",
    )


def _size(values: Any = ()) -> tuple[int, ...]:
    return tuple(int(n) for n in values)


def _encode(text: Any, coding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or coding not in ("latin1", "latin-1", "utf-8"):
        raise Refused("The pickle holds damaged bytes.", HINT)
    return text.encode(coding)


def _reconstruct_array(*_: Any) -> _Array:
    return _Array()


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    return _array(data, dtype, shape, order == "F")


def _bytearray(data: Any = b"", *_: Any) -> bytes:
    if not isinstance(data, bytes | bytearray):
        raise Refused("The pickle holds damaged bytes.", HINT)
    return bytes(data)


def _make_allowed() -> dict[tuple[str, str], Any]:
    """The allow-list. Classes are made anew for each file, so that one can't change another's."""

    class EasyDict(dict[Any, Any]):
        __slots__ = ()

        def __setstate__(self, state: Any) -> None:
            if isinstance(state, dict):
                self.update(state)

    class Dtype(_Dtype):
        __slots__ = ()

    class Network:
        """dnnlib.tflib.network.Network: a state and nothing else."""

        __slots__ = ("state",)

        def __setstate__(self, state: Any) -> None:
            self.state = state if isinstance(state, dict) else {}

    allowed: dict[tuple[str, str], Any] = {
        ("torch_utils.persistence", "_reconstruct_persistent_obj"): _Call(_persistent),
        ("dnnlib.util", "EasyDict"): EasyDict,
        ("dnnlib", "EasyDict"): EasyDict,
        ("dnnlib.tflib.network", "Network"): Network,
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Call(_tensor),
        ("torch._utils", "_rebuild_parameter"): _Call(_parameter),
        ("torch.storage", "_load_from_bytes"): _Call(_storage),
        ("torch", "Size"): _Call(_size),
        ("torch", "device"): _Call(lambda *names: str(names[0]) if names else "cpu"),
        ("numpy", "dtype"): Dtype,
        ("numpy", "ndarray"): _Array,
        ("_codecs", "encode"): _Call(_encode),
        ("builtins", "set"): set,
        ("builtins", "frozenset"): frozenset,
        ("builtins", "bytearray"): _Call(_bytearray),
        ("__builtin__", "set"): set,
        ("__builtin__", "frozenset"): frozenset,
        ("__builtin__", "bytearray"): _Call(_bytearray),
    }
    for core in ("numpy.core", "numpy._core"):
        allowed[f"{core}.multiarray", "scalar"] = _Call(_scalar)
        allowed[f"{core}.multiarray", "_reconstruct"] = _Call(_reconstruct_array)
        allowed[f"{core}.numeric", "_frombuffer"] = _Call(_frombuffer)
    for name in (
        "float16",
        "float32",
        "float64",
        "bfloat16",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "bool",
    ):
        allowed["torch", name] = name
    return allowed


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._allowed = _make_allowed()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise Refused(
                f"The pickle asks for {module}.{name}, which is not part of a network's weights.", HINT
            ) from None

    def persistent_load(self, _pid: Any) -> NoReturn:
        raise Refused("The pickle needs objects from outside the file.", HINT)


def load_pickle(data: bytes) -> Any:
    """The values of a pickle: dicts, lists, numbers, arrays, tensors and :class:`Record`.

    Never executes what the file names. Refused says what it asked for.
    """
    scan(data)
    try:
        return plain(_Unpickler(data).load())
    except Refused:
        raise
    except RecursionError as error:
        raise Refused("The pickle is nested too deeply.", HINT) from error
    except MemoryError as error:
        raise Refused("The pickle asks for more memory than there is.", HINT) from error
    except Exception as error:
        raise Refused(
            "The pickle is damaged or cut short.", "Copy or download the file again.", repr(error)
        ) from error


def plain(value: Any) -> Any:
    """Stand-ins replaced by what they stand for, all the way down; cycles are refused."""
    return _plain(value, set(), {})


def _plain(value: Any, open_ids: set[int], done: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return value.value
    if not isinstance(value, dict | list | tuple | Record) and type(value).__name__ != "Network":
        return value
    key = id(value)
    if key in done:
        return done[key]
    if key in open_ids:
        raise Refused("The pickle contains itself.", HINT)
    open_ids.add(key)
    made: Any
    if isinstance(value, Record):
        made = Record(value.class_name, _plain(value.state, open_ids, done), value.source_sha256)
    elif isinstance(value, dict):
        made = {_key(k): _plain(v, open_ids, done) for k, v in value.items()}
    elif isinstance(value, list):
        made = [_plain(v, open_ids, done) for v in value]
    elif isinstance(value, tuple):
        made = tuple(_plain(v, open_ids, done) for v in value)
    else:
        made = Record("tflib.Network", _plain(getattr(value, "state", {}), open_ids, done))
    open_ids.discard(key)
    done[key] = made
    return made


def _key(key: Any) -> Any:
    return key if isinstance(key, str | int | float | bool | tuple | None) else str(key)
