"""Pickles made to do harm: programs for the pickle machine, and programs that are only absurd."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import builtins
import collections
import functools
import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

Made = bytes | Callable[[Path], bytes]
PROTOCOLS = range(6)
NETWORK = Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl"


class Calls:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


class New:
    """Pickles with keyword arguments (NEWOBJ_EX), a state (BUILD), items and pairs."""

    def __init__(self, *how: Any) -> None:
        self.how = how

    def __reduce__(self) -> Any:
        return self.how


def calls(marker: Path) -> dict[str, Any]:
    """Values whose unpickling by Python itself would leave ``marker`` behind, or look around."""
    touch = f"touch {marker}"
    code = f"import pathlib; pathlib.Path({str(marker)!r}).write_text('ran')"
    inner = pickle.dumps(Calls(os.system, touch))
    return {
        "os.system": Calls(os.system, touch),
        "os.popen": Calls(os.popen, touch),
        "os.execvp": Calls(os.execvp, "touch", ["touch", str(marker)]),
        "os.remove": Calls(os.remove, str(marker)),
        "eval": Calls(eval, f"exec({code!r})"),
        "exec": Calls(exec, code),
        "compile": Calls(compile, code, "x", "exec"),
        "__import__": Calls(builtins.__import__, "os"),
        "getattr": Calls(getattr, "x", "upper"),
        "open": Calls(open, str(marker), "w"),
        "inner pickle": Calls(pickle.loads, inner),
        "inner inner pickle": Calls(pickle.loads, pickle.dumps(Calls(pickle.loads, inner))),
        "torch.load": Calls(torch.load, str(marker)),
        "storage that is a pickle": Calls(torch.storage._load_from_bytes, inner),
        "numpy load": Calls(np.load, str(marker)),
        "map": Calls(map, print, [1]),
        "type": Calls(type, "X", (), {}),
        "Counter": Calls(collections.Counter, "aab"),
        "state": New(collections.OrderedDict, (), {"__class__": os.system}),
        "items": New(list, (), None, iter([Calls(os.system, touch)])),
        "pairs": New(dict, (), None, None, iter([("G_ema", Calls(os.system, touch))])),
        "setter": New(object, (), {"x": 1}, None, None, setattr),
    }


CALLS = sorted(calls(Path("x")))
_INNER = {"G_ema": {"state": None}, "training_set_kwargs": {}}


def called(name: str, protocol: int, inside: bool) -> Callable[[Path], bytes]:
    """A pickle of ``CALLS``, alone or where a network's attribute would be."""

    def make(marker: Path) -> bytes:
        value = calls(marker)[name]
        return pickle.dumps({**_INNER, "G_ema": {"state": [value]}} if inside else value, protocol)

    return make


SOURCE = """
import functools, os
def run(*_):
    os.system("touch " + MARKER)
class Network:
    def __init__(self):
        self.training = False
    def method(self):
        run()
class Calling(Network):
    def __reduce__(self):
        return run, ()
class Late(Network):
    def __setstate__(self, state):
        run()
"""


def dill_values(marker: Path) -> dict[str, Any]:
    """What only dill writes: code that travels in the file. Unpickled by dill, those of ``DILL_RUNS`` leave
    ``marker`` behind."""
    space: dict[str, Any] = {"__name__": "a_download", "MARKER": str(marker)}
    exec(SOURCE, space)
    return {
        "a function": space["run"],
        "a lambda": eval("lambda: run()", space),
        "a call of its own function": space["Calling"](),
        "an object of its own class": space["Network"](),
        "an object with a state": space["Late"](),
        "a method": space["Network"]().method,
        "a class": space["Late"],
        "code": space["run"].__code__,
        "a module": os,
        "a partial call": functools.partial(os.system, "true"),
    }


DILL = sorted(dill_values(Path("x")))
DILL_RUNS = ("a call of its own function", "an object with a state")


def dilled(name: str, protocol: int) -> Callable[[Path], bytes]:
    """A file that dill wrote: one of ``DILL`` where a network's attribute would be."""

    def make(marker: Path) -> bytes:
        import dill

        return dill.dumps({**_INNER, "G_ema": {"state": [dill_values(marker)[name]]}}, protocol)

    return make


def op(text: bytes, protocol: int = 4) -> bytes:
    return b"\x80" + bytes([protocol]) + text


def by_hand(text: bytes) -> Callable[[Path], bytes]:
    """Opcodes that name ``MARKER`` where the marker's path belongs."""
    return lambda marker: op(text.replace(b"MARKER", str(marker).encode()))


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def nested(depth: int, kind: bytes) -> bytes:
    return op(kind * depth + b"." if kind != b"]" else b"]" * depth + b"a" * (depth - 1) + b".")


def doubled(steps: int, after: bytes) -> bytes:
    """A tuple of twice the one before, again and again; then ``after`` with the tuple on the stack."""
    return op(b")" + b"2\x86" * steps + after)


def repeated(first: bytes, again: bytes, count: int) -> bytes:
    """``first`` is remembered as number 0; then ``again`` many times into a list."""
    return op(first + b"q\x000](" + again * count + b"e.")


def colliding(count: int) -> bytes:
    """A dict of numbers with one hash."""
    prime = (1 << 61) - 1
    keys = (pickle.encode_long(prime * (k + 1)) for k in range(count))
    return op(b"}(" + b"".join(b"\x8a" + bytes([len(k)]) + k + b"N" for k in keys) + b"u.")


def storage(numbers: int = 4) -> bytes:
    stream = io.BytesIO()
    torch.save(torch.zeros(numbers).untyped_storage(), stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


class Tensor:
    """A tensor as StyleGAN pickles have it, of any claimed size over a small storage."""

    def __init__(self, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> None:
        self.how = size, stride, offset

    def __reduce__(self) -> Any:
        size, stride, offset = self.how
        stored = Calls(torch.storage._load_from_bytes, storage())
        return torch._utils._rebuild_tensor_v2, (stored, offset, size, stride, False, {})


def loop() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


BIG = b"T" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20)
EVIL_BUILD = b"(N}S'__setstate__'\nI1\nstb."

RAW: dict[str, Made] = {
    "GLOBAL": by_hand(b"cos\nsystem\n(S'touch MARKER'\ntR."),
    "GLOBAL posix": by_hand(b"cposix\nsystem\n(S'touch MARKER'\ntR."),
    "INST": by_hand(b"(S'touch MARKER'\nios\nsystem\n."),
    "OBJ": by_hand(b"(cos\nsystem\nS'touch MARKER'\no."),
    "NEWOBJ": by_hand(b"csubprocess\nPopen\n(S'touch MARKER'\nt\x81."),
    "NEWOBJ_EX": by_hand(b"csubprocess\nPopen\n(S'touch'\nt}\x92."),
    "STACK_GLOBAL": by_hand(short("os") + short("system") + b"\x93(S'touch MARKER'\ntR."),
    "STACK_GLOBAL from the memo": by_hand(
        short("os") + b"\x94" + short("system") + b"\x940" + b"0h\x00h\x01\x93(S'touch MARKER'\ntR."
    ),
    "STACK_GLOBAL of a number": op(b"K\x01K\x02\x93."),
    "STACK_GLOBAL of bytes": op(b"C\x02osC\x06system\x93."),
    "dotted name": op(short("collections") + short("OrderedDict.fromkeys") + b"\x93."),
    "dotted way to os": op(short("torch_utils.persistence") + short("sys.modules") + b"\x93."),
    "dotted way through an allowed name": op(short("dnnlib.util") + short("EasyDict.__class__") + b"\x93."),
    "attribute of an allowed class": op(b"cnumpy\ndtype.__class__\n."),
    "attribute of a function": op(b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n."),
    "name with a line in it": op(short("os\nsystem") + short("x") + b"\x93."),
    "name with a zero": op(short("os\0") + short("system") + b"\x93."),
    "name of nothing": op(short("") + short("") + b"\x93."),
    "allowed name in another module": op(b"cos\nOrderedDict\n."),
    "dill code": op(b"cdill._dill\n_create_code\n."),
    "dill function": op(b"cdill._dill\n_create_function\n(ttR."),
    "dill type": op(b"cdill._dill\n_load_type\n(S'CodeType'\ntR."),
    "dill type that is a list": op(b"cdill._dill\n_load_type\n(]tR."),
    "dill array of objects": op(b"cdill._dill\n_create_array\n(NN(K\x01(K\x01tcnumpy\ndtype\n(S'O'\ntR\x89](NettR."),
    "dill array of a terabyte": op(b"cdill._dill\n_create_array\n(NN(K\x01(J\xff\xff\xff\x7ftcnumpy\ndtype\n(S'f8'\ntR\x89S'a'\nttR."),
    "change our embedding": op(b"ctorch.nn.modules.sparse\nEmbedding\n" + EVIL_BUILD),
    "dill import": op(b"cdill._dill\n_import_module\n(S'os'\ntR."),
    "cloudpickle": op(b"ccloudpickle.cloudpickle\n_make_function\n."),
    "joblib": op(b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81."),
    "importlib": op(b"cimportlib\nimport_module\n(S'os'\ntR."),
    "runpy": op(b"crunpy\n_run_code\n."),
    "functools.partial": op(b"cfunctools\npartial\n."),
    "operator.attrgetter": op(b"coperator\nattrgetter\n(S'system'\ntR."),
    "copyreg": op(b"ccopyreg\n_reconstructor\n."),
    "ctypes": op(b"cctypes\nCDLL\n(S'libc.so.6'\ntR."),
    "torch ops": op(b"ctorch.ops\nload_library\n."),
    "extension code 1": op(b"\x82\x01."),
    "extension code 2": op(b"\x83\x01\x00."),
    "extension code 4": op(b"\x84\x01\x00\x00\x00."),
    "persistent id": op(b"Pabc\n."),
    "binary persistent id": op(b"NQ."),
    "buffer from outside": op(b"\x97.", 5),
    "read-only buffer": op(b"\x97\x98.", 5),
    "memo of two thousand million": op(b"Nr" + struct.pack("<I", 2_000_000_000) + b"."),
    "text memo": op(b"Np99999999999\n."),
    "negative memo": op(b"Np-1\n."),
    "memo that is not there": op(b"h\x05."),
    "long of two gigabytes": op(b"\x8b" + struct.pack("<I", 0x7FFFFFFF) + b"."),
    "long of negative size": op(b"\x8b\xff\xff\xff\xff."),
    "string longer than the file": op(b"\x8d" + struct.pack("<Q", 1 << 40) + b"abc."),
    "string of two to the 63": op(b"\x8d" + struct.pack("<Q", 1 << 63) + b"abc."),
    "bytes longer than the file": op(b"\x8e" + struct.pack("<Q", 1 << 40) + b"abc."),
    "bytearray longer than the file": op(b"\x96" + struct.pack("<Q", 1 << 40) + b"abc.", 5),
    "frame longer than the file": op(b"\x95" + struct.pack("<Q", 1 << 40) + b"N."),
    "number of a million digits": op(b"L" + b"9" * 1_000_000 + b"L\n."),
    "number of eight hundred thousand bits": op(b"\x8b" + struct.pack("<I", 100_000) + b"\x7f" * 100_000 + b"."),
    "no end": op(b"N"),
    "stack underflow": op(b"R."),
    "mark that is not there": op(b"t."),
    "unknown opcode": op(b"\xff."),
    "newer protocol": op(b"N.", 99),
    "two pickles": op(b"N.") + op(b"N."),
    "bytes after the end": op(b"N.") + b"rest",
    "change a function": op(b"ctorch._utils\n_rebuild_parameter\n(N}S'__code__'\nI1\nstb."),
    "state for a type": op(b"ccollections\nOrderedDict\n}S'x'\nI1\nsb."),
    "change our dictionary": op(b"cdnnlib.util\nEasyDict\n" + EVIL_BUILD),
    "change our array": op(b"cnumpy\nndarray\n" + EVIL_BUILD),
    "change our type": op(b"cnumpy\ndtype\n" + EVIL_BUILD),
    "change our network": op(b"cdnnlib.tflib.network\nNetwork\n" + EVIL_BUILD),
    "object array": op(b"cnumpy\ndtype\n(S'O'\ntR."),
    "structured array": op(b"cnumpy\ndtype\n(S'i4,O'\ntR."),
    "type of a gigabyte": op(b"cnumpy\ndtype\n(S'S999999999'\ntR."),
    "type that is a path": op(b"cnumpy\ndtype\n(S'/etc/passwd'\ntR."),
    "a set of tuples": doubled(60, b"\x850cbuiltins\nfrozenset\n(]tR."),
    "hash of doubled tuples": doubled(60, b"q\x000}h\x00Ns."),
    "hash of doubled tuples in a set": doubled(60, b"q\x000\x8f(h\x00\x90."),
    "hash of doubled tuples in a frozenset": doubled(60, b"q\x000(h\x00\x91."),
    "hash of doubled tuples through a call": doubled(60, b"q\x000cbuiltins\nset\n](h\x00e\x85R."),
    "doubled tuples": doubled(60, b"."),
    "doubled lists": op(b"]" + b"q\x00](h\x00h\x00e" * 60 + b"."),
    "doubled dictionaries": op(b"}" + b"q\x00}(K\x00h\x00K\x01h\x00u" * 60 + b"."),
    "colliding numbers": colliding(60_000),
    "a million tuple keys": op(b"}(" + b"K\x01K\x02\x86N" * 200_000 + b"u."),
    "encode a megabyte a thousand times": repeated(BIG, b"c_codecs\nencode\n(h\x00tR", 1000),
    "arrays from one text": repeated(
        BIG, b"cnumpy.core.numeric\n_frombuffer\n(h\x00cnumpy\ndtype\n(S'u1'\ntRJ\x00\x00\x10\x00\x85tR", 1000
    ),
    "sets of one list": repeated(b"](" + b"".join(b"M" + struct.pack("<H", n) for n in range(60_000)) + b"e",
                                 b"cbuiltins\nset\n(h\x00tR", 3000),
    "dictionaries of one": repeated(b"}(" + b"".join(b"M" + struct.pack("<H", n) + b"N" for n in range(60_000)) + b"u",
                                    b"cdnnlib.util\nEasyDict\n(h\x00tR", 3000),
    "a hundred thousand names": op(b"".join(b"cm%d\nx\n0" % n for n in range(100_000)) + b"N."),
    "nested lists": nested(100_000, b"]"),
    "nested marks": nested(100_000, b"("),
    "nested tuples": op(b")" + b"\x85" * 100_000 + b"."),
    "tensor of a terabyte": pickle.dumps(Tensor((1 << 20, 1 << 20), (0, 0)), 4),
    "tensor beyond its storage": pickle.dumps(Tensor((4,), (2,)), 4),
    "tensor before its storage": pickle.dumps(Tensor((1,), (1,), -9), 4),
    "tensor of negative size": pickle.dumps(Tensor((-4, -1), (1, 1)), 4),
    "tensor of forty sides": pickle.dumps(Tensor((1,) * 40, (1,) * 40), 4),
    "array of objects": pickle.dumps(np.array([object, len], dtype=object), 4),
    "array that claims more": pickle.dumps(np.zeros(4), 4).replace(b"K\x04\x85", b"K\xff\x85"),
    "a list that contains itself": pickle.dumps({"G_ema": loop()}, 4),
    "a recursive dictionary": pickle.dumps({"G_ema": [loop(), loop()]}, 2),
}  # fmt: skip

# Nothing is wrong with these as pickles: they hold no network.
EMPTY = {
    "a number": 5, "None": None, "a text": "hello", "a list": [1, 2], "no G_ema": {"D": 1},
    "G_ema is a number": {"G_ema": 7}, "G_ema is a list": {"G_ema": [1, 2]}, "an array": np.zeros(3),
    "three networks that are none": (1, 2, 3), "an enormous text": "x" * 5_000_000,
}  # fmt: skip
