"""Pickles made to do harm are refused with a sentence; none of them runs."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import load_pickle, scan
from igm_gui.generators import registry

NETWORK = Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl"


class Calls:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _mark(path):
    return f"import pathlib; pathlib.Path({str(path)!r}).write_text('ran')"


def _inside(value):
    """``value`` where a network's attribute would be."""
    return {"G_ema": {"state": [value]}, "training_set_kwargs": {}}


def _hostile(marker):
    touch = f"touch {marker}"
    code = _mark(marker)
    return {
        "os.system": Calls(os.system, touch),
        "os.popen": Calls(os.popen, touch),
        "eval": Calls(eval, f"exec({code!r})"),
        "exec": Calls(exec, code),
        "compile": Calls(compile, code, "x", "exec"),
        "__import__": Calls(builtins.__import__, "os"),
        "getattr": Calls(getattr, "x", "upper"),
        "open": Calls(open, str(marker), "w"),
        "inner pickle": Calls(pickle.loads, pickle.dumps(Calls(os.system, touch))),
        "numpy load": Calls(np.load, str(marker)),
        "io.open": Calls(io.open, str(marker), "w"),
        "map": Calls(map, print, [1]),
        "type": Calls(type, "X", (), {}),
    }


NAMES = sorted(_hostile("x"))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrap", [False, True], ids=["bare", "inside"])
def test_a_call_is_refused_and_does_not_run(tmp_path, name, protocol, wrap):
    marker = tmp_path / "marker"
    value = _hostile(marker)[name]
    data = pickle.dumps(_inside(value) if wrap else value, protocol)
    with pytest.raises(ModelError) as refusal:
        load_pickle(data)
    assert refusal.value.message.endswith(".")
    path = tmp_path / "network.pkl"
    path.write_bytes(data)
    with pytest.raises(ModelError):
        registry.load(str(path))
    assert not marker.exists()


def _op(text):
    return b"\x80\x04" + text


RAW = {
    "GLOBAL by hand": _op(b"cos\nsystem\n(S'true'\ntR."),
    "INST": _op(b"(S'true'\nios\nsystem\n."),
    "OBJ": _op(b"(cos\nsystem\nS'true'\no."),
    "dotted name": _op(b"\x8c\x0bcollections\x8c\x13OrderedDict.fromkeys\x93."),
    "attribute of an allowed class": _op(b"cnumpy\ndtype.__class__\n."),
    "dill": _op(b"cdill._dill\n_create_code\n."),
    "importlib": _op(b"cimportlib\nimport_module\n(S'os'\ntR."),
    "allowed name in another module": _op(b"cos\nOrderedDict\n."),
    "extension code": _op(b"\x82\x01."),
    "persistent id": _op(b"Pabc\n."),
    "memo of two thousand million": _op(b"Nr" + struct.pack("<I", 2_000_000_000) + b"."),
    "text memo": _op(b"Np99999999999\n."),
    "long of four gigabytes": _op(b"\x8b" + struct.pack("<I", 0x7FFFFFFF) + b"."),
    "string longer than the file": _op(b"\x8d" + struct.pack("<Q", 1 << 40) + b"abc."),
    "frame longer than the file": _op(b"\x95" + struct.pack("<Q", 1 << 40) + b"N."),
    "no end": _op(b"N"),
    "stack underflow": _op(b"R."),
    "unknown opcode": _op(b"\xff."),
    "two pickles": _op(b"N.") + _op(b"N."),
    "change a function": _op(b"ctorch._utils\n_rebuild_parameter\n(N}S'__code__'\nI1\nstb."),
    "state for a type": _op(b"ccollections\nOrderedDict\n}S'x'\nI1\nsb."),
    "object array": _op(b"cnumpy\ndtype\n(S'O'\ntR."),
    "structured array": _op(b"cnumpy\ndtype\n(S'i4,O'\ntR."),
    "dtype of a list": _op(b"cnumpy\ndtype\n(]tR."),
    "scalar of an object": _op(b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O'\ntRS'x'\ntR."),
    "tensor without a storage": _op(b"ctorch._utils\n_rebuild_tensor_v2\n(NI0\n(I1\nt(I1\nttR."),
    "storage that is a call": _op(b"ctorch.storage\n_load_from_bytes\n(C\x0ccos\nsystem\n..tR."),
    "network that is a number": _op(b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n(I1\ntR."),
}
# An object array's type alone is a value and harmless until an array is made of it.
HARMLESS_ALONE = {"object array", "structured array", "state for a type"}


@pytest.mark.parametrize("name", sorted(RAW))
def test_raw_opcodes(tmp_path, name):
    path = tmp_path / "network.pkl"
    path.write_bytes(RAW[name])
    with pytest.raises(ModelError) as refusal:
        registry.load(str(path))
    assert len(refusal.value.message) > 10
    if name not in HARMLESS_ALONE:
        with pytest.raises(ModelError):
            load_pickle(RAW[name])


def test_an_array_of_objects_is_refused():
    data = pickle.dumps(np.array([object, len], dtype=object), 4)
    with pytest.raises(ModelError):
        load_pickle(data)


def test_a_tensor_that_claims_terabytes():
    import torch

    stream = io.BytesIO()
    torch.save(torch.zeros(4).untyped_storage(), stream, _use_new_zipfile_serialization=False)

    class Storage:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (stream.getvalue(),)

    class Huge:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), 0, (1 << 20, 1 << 20), (0, 0), False, {})

    with pytest.raises(ModelError):
        load_pickle(pickle.dumps(Huge(), 4))


def test_deep_nesting():
    data = b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b"."
    with pytest.raises(ModelError):
        load_pickle(data)


def test_a_list_that_contains_itself():
    loop: list = []
    loop.append(loop)
    with pytest.raises(ModelError):
        load_pickle(pickle.dumps({"G_ema": loop}, 4))


def test_one_file_cannot_change_the_next():
    load_pickle(pickle.dumps({"a": 1}, 4))
    with pytest.raises(ModelError):
        load_pickle(_op(b"cdnnlib.util\nEasyDict\n(N}S'update'\nI1\nstb."))
    data = NETWORK.read_bytes()
    assert "G_ema" in load_pickle(data)


def test_a_scan_names_every_global():
    found = scan(pickle.dumps(Calls(os.system, "true"), 2)).globals
    assert any(name.endswith(".system") for name in found)
    assert "torch_utils.persistence._reconstruct_persistent_obj" in scan(NETWORK.read_bytes()).globals


@pytest.mark.parametrize("part", [0, 1, 2, 10, 100, 1000, 50_000, 200_000, -1000, -1])
def test_cut_short(tmp_path, part):
    path = tmp_path / "cut.pkl"
    path.write_bytes(NETWORK.read_bytes()[:part])
    with pytest.raises(ModelError):
        registry.load(str(path))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 309_447), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_give_a_network_or_a_sentence(tmp_path_factory, flips):
    data = bytearray(NETWORK.read_bytes())
    for place, bits in flips:
        data[place] ^= bits
    path = tmp_path_factory.mktemp("flip") / "network.pkl"
    path.write_bytes(bytes(data))
    with contextlib.suppress(ModelError):
        registry.load(str(path))
