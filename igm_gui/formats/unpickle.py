"""Reading pickles as data: an allow-list unpickler that can build plain values and nothing else.

A pickle is a program for a small stack machine whose ``REDUCE`` calls any function it can name. Here
a name outside the list is an error before anything is called, the functions on the list are our own
(:mod:`igm_gui.formats.pickle_values`) and only build arrays, tensors and :class:`Record` values, and the
opcodes are read through once beforehand (:mod:`igm_gui.formats.pickle_scan`), so that a file which asks for
absurd sizes is refused without allocating them. The embedded Python source in StyleGAN pickles is kept as a
hash and never compiled.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from functools import partial
from typing import Any, NoReturn

from igm_gui.formats import pickle_values as values
from igm_gui.formats.pickle_scan import HINT, Refused, scan
from igm_gui.formats.pickle_values import Array, Budget, Call, Record

__all__ = ["Record", "Refused", "load_pickle", "plain", "scan"]

TORCH_NAMES = (
    "float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
)  # fmt: skip


def _make_allowed(budget: Budget, half: bool) -> dict[tuple[str, str], Any]:
    """The allow-list. Classes are made anew for each file, so that one can't change another's."""

    class EasyDict(dict[Any, Any]):
        __slots__ = ()

        def __init__(self, *arguments: Any) -> None:
            given = arguments[0] if arguments else {}
            if len(arguments) > 1 or not isinstance(given, dict):
                raise Refused("The pickle holds a damaged dictionary.", HINT)
            budget.spend(64 * len(given))
            super().__init__(given)

        def __setstate__(self, state: Any) -> None:
            if isinstance(state, dict):
                budget.spend(64 * len(state))
                self.update(state)

    class Dtype(values.Dtype):
        __slots__ = ()

    class Network(_Stated):
        """dnnlib.tflib.network.Network."""

        __slots__ = ()
        named = "tflib.Network"

    class Embedding(_Stated):
        """torch.nn.Embedding, in which StyleGAN-XL keeps what it knows of classes."""

        __slots__ = ()
        named = "Embedding"

    def call(function: Any, *first: Any) -> Call:
        return Call(partial(function, *first))

    def ordered(*arguments: Any) -> OrderedDict[Any, Any]:
        if arguments and arguments != ((),) and arguments != ([],):
            raise Refused("The pickle holds a damaged dictionary.", HINT)
        return OrderedDict()

    allowed: dict[tuple[str, str], Any] = {
        ("torch_utils.persistence", "_reconstruct_persistent_obj"): call(values.persistent),
        ("dnnlib.util", "EasyDict"): EasyDict,
        ("dnnlib", "EasyDict"): EasyDict,
        ("dnnlib.tflib.network", "Network"): Network,
        ("collections", "OrderedDict"): call(ordered),
        ("torch._utils", "_rebuild_tensor_v2"): call(values.tensor, budget),
        ("torch._utils", "_rebuild_parameter"): call(values.parameter),
        ("torch.storage", "_load_from_bytes"): call(values.storage, budget, half),
        ("torch", "Size"): call(values.size),
        ("torch", "device"): call(lambda *names: str(names[0]) if names else "cpu"),
        ("torch.nn.modules.sparse", "Embedding"): Embedding,
        ("numpy", "dtype"): Dtype,
        ("numpy", "ndarray"): Array,
        ("_codecs", "encode"): call(values.encode, budget),
    }
    for builtins in ("builtins", "__builtin__"):
        allowed[builtins, "set"] = call(values.plain_set, budget, set)
        allowed[builtins, "frozenset"] = call(values.plain_set, budget, frozenset)
        for name in ("bytes", "bytearray"):  # protocol 2 writes empty bytes as a call
            allowed[builtins, name] = call(values.make_bytes, budget)
    # dill, with which StyleGAN-XL's files are written, says some things in words of its own.
    types = {name: allowed["builtins", name] for name in ("set", "frozenset", "bytes", "bytearray")}
    allowed["dill._dill", "_load_type"] = call(values.dill_type, types)
    allowed["dill._dill", "_create_array"] = call(values.dill_array, budget)
    for core in ("numpy.core", "numpy._core"):
        allowed[f"{core}.multiarray", "scalar"] = call(values.scalar, budget)
        allowed[f"{core}.multiarray", "_reconstruct"] = call(values.reconstruct_array, budget)
        allowed[f"{core}.numeric", "_frombuffer"] = call(values.frombuffer, budget)
    return allowed | {("torch", name): name for name in TORCH_NAMES}


class _Stated:
    """An object of which only the state is kept."""

    __slots__ = ("state",)
    named = ""
    state: dict[Any, Any]

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, half: bool) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._allowed = _make_allowed(Budget(len(data)), half)

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise Refused(
                f"The pickle asks for {module}.{name}, which is not part of a network's weights.", HINT
            ) from None

    def persistent_load(self, _pid: Any) -> NoReturn:
        raise Refused("The pickle needs objects from outside the file.", HINT)


def load_pickle(data: bytes, half: bool = False) -> Any:
    """The values of a pickle: dicts, lists, numbers, arrays, tensors and :class:`Record`. With ``half``,
    tensors of float32 in float16.

    Never executes what the file names. Refused says what it asked for.
    """
    scan(data)
    try:
        return plain(_Unpickler(data, half).load())
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
    if isinstance(value, Array):
        return value.value
    if not isinstance(value, dict | list | tuple | Record | _Stated):
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
        made = Record(value.named, _plain(getattr(value, "state", {}), open_ids, done))
    open_ids.discard(key)
    done[key] = made
    return made


def _key(key: Any) -> Any:
    return key if isinstance(key, str | int | float | bool | tuple | None) else str(key)
