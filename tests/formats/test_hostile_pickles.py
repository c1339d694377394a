"""The allow-list unpickler and the look through a pickle beforehand. (Pickles made to do harm are in the
table of test_hostile_table.py.)"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import dill
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import load_pickle, scan

sys.path.insert(0, str(Path(__file__).parent))
from hostile_pickles import CALLS, DILL, DILL_RUNS, NETWORK, RAW, called, calls, dilled, op

# Refused only where an array is made of it.
HARMLESS_ALONE = {
    "object array", "structured array", "type of a gigabyte", "type that is a path", "state for a type",
    "a set of tuples",
    "doubled tuples", "doubled lists", "doubled dictionaries", "two pickles", "bytes after the end",
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("protocol", range(6))
def test_a_call_is_refused_by_name(tmp_path: Path, name: str, protocol: int) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(ModelError) as refusal:
        load_pickle(called(name, protocol, True)(marker))
    assert refusal.value.message.endswith(".")
    assert not marker.exists()


@pytest.mark.parametrize("name", DILL)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_dill_wrote_is_refused(tmp_path: Path, name: str, protocol: int) -> None:
    marker = tmp_path / "ran"
    data = dilled(name, protocol)(marker)
    with pytest.raises(ModelError):
        load_pickle(data)
    assert not marker.exists()
    if name in DILL_RUNS:  # it would have been worth refusing
        dill.loads(data)
        assert marker.exists()


@pytest.mark.parametrize("name", [name for name in RAW if name not in HARMLESS_ALONE])
def test_opcodes(tmp_path: Path, name: str) -> None:
    made = RAW[name]
    with pytest.raises(ModelError):
        load_pickle(made if isinstance(made, bytes) else made(tmp_path / "ran"))
    assert not (tmp_path / "ran").exists()


def test_one_file_cannot_change_the_next() -> None:
    for evil in (
        "change our dictionary",
        "change our array",
        "change our type",
        "change our network",
        "change our embedding",
    ):
        made = RAW[evil]
        assert isinstance(made, bytes)
        with pytest.raises(ModelError):
            load_pickle(made)
    assert "G_ema" in load_pickle(NETWORK.read_bytes())


def test_a_scan_names_every_global() -> None:
    found = scan(pickle.dumps(calls(Path("x"))["os.system"], 2)).globals
    assert any(name.endswith(".system") for name in found)
    assert "torch_utils.persistence._reconstruct_persistent_obj" in scan(NETWORK.read_bytes()).globals
    made = RAW["STACK_GLOBAL from the memo"]
    assert callable(made)
    assert "os.system" in scan(made(Path("x"))).globals


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers(), st.text()), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers() | st.text(), max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN, st.integers(2, 5))
def test_plain_values_come_as_they_were(value: object, protocol: int) -> None:
    assert load_pickle(pickle.dumps(value, protocol)) == value


@given(
    st.sampled_from(["f2", "f4", "f8", "i1", "i4", "u8", "b1", "S3"]), st.lists(st.integers(0, 4), max_size=3)
)
def test_arrays_come_as_they_were(kind: str, shape: list[int]) -> None:
    array = np.arange(int(np.prod(shape, dtype=int))).reshape(shape).astype(kind)
    for protocol in (2, 4, 5):
        for given_array in (array, np.asfortranarray(array), array.astype(array.dtype.newbyteorder(">"))):
            made = load_pickle(pickle.dumps({"a": given_array, "n": np.float32(1.5)}, protocol))
            assert np.array_equal(made["a"], given_array)
            assert made["n"] == 1.5


def test_text_of_old_protocols_is_data() -> None:
    assert load_pickle(op(b"(S'a'\nI7\nd.")) == {"a": 7}
