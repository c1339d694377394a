"""State to JSON and back: exact when whole, tolerant when damaged."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.session import codec
from igm_gui.session.state import GridSpec, SavedPoint, SessionState
from igm_gui.timeline import EASINGS, WAYS, Keyframe, Timeline

NAMES = st.text(min_size=1, max_size=12)
# Every bit pattern, not-a-number and minus zero too: what was in the state comes back.
VECTORS = hnp.arrays(np.uint32, hnp.array_shapes(max_dims=3, max_side=6)).map(
    lambda bits: Vector(bits.view(np.float32))
)
NUMBERS = st.one_of(st.integers(0, 2**32 - 1), st.floats(allow_nan=False, allow_infinity=False))
POINTS = st.builds(
    LatentPoint,
    st.dictionaries(NAMES, st.one_of(VECTORS, NUMBERS), max_size=4).map(lambda d: tuple(d.items())),
    st.none() | st.integers(0, 2**32 - 1),
)
KEYFRAMES = st.builds(
    Keyframe,
    st.floats(0, 5),
    POINTS,
    st.text(max_size=8),
    st.sampled_from(EASINGS),
    st.none() | st.sampled_from(WAYS),
)
TIMELINES = st.builds(
    Timeline,
    st.lists(KEYFRAMES, max_size=3).map(tuple),
    st.floats(5, 100),
    st.floats(1, 240),
    st.booleans(),
    st.sampled_from(WAYS),
)
GRIDS = st.builds(
    GridSpec,
    st.sampled_from(["seeds", "plane", "classes"]),
    st.integers(1, 256),
    st.integers(1, 256),
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.none() | POINTS] * 4),
    st.sampled_from(["slerp", "lerp"]),
    st.integers(0, 256),
    st.integers(1, 64),
)
STATES = st.builds(
    SessionState,
    model=st.text(max_size=20),
    point=POINTS,
    locks=st.frozensets(st.tuples(NAMES, st.integers(0, 512)), max_size=4),
    saved=st.lists(st.builds(SavedPoint, NAMES, NAMES, NAMES, POINTS), max_size=2).map(tuple),
    timeline=TIMELINES,
    compare=st.lists(NAMES, max_size=3).map(tuple),
    compare_seed=st.integers(0, 2**32 - 1),
    grid=GRIDS,
    device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
    spread=st.floats(0, 10),
)


def through_text(value: object) -> object:
    return json.loads(json.dumps(value, allow_nan=False))


@given(VECTORS)
def test_vectors_come_back_to_the_bit(vector):
    assert codec.vector_from_json(through_text(codec.vector_to_json(vector))) == vector


@given(POINTS)
def test_points_come_back(point):
    dropped: list[str] = []
    made = codec.point_from_json(through_text(codec.point_to_json(point)), dropped)
    assert made == point
    assert dropped == []
    for (_, a), (_, b) in zip(point.values, made.values, strict=True):
        assert type(a) is type(b)


@given(STATES)
@settings(max_examples=40)
def test_whole_states_come_back(state):
    dropped: list[str] = []
    assert codec.state_from_json(through_text(codec.state_to_json(state)), dropped) == state
    assert dropped == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_anything_at_all_is_read_without_an_exception(raw):
    for read in (
        codec.point_from_json,
        codec.timeline_from_json,
        codec.grid_from_json,
        codec.state_from_json,
    ):
        read(raw, [])
    codec.vector_from_json(raw)


@given(st.data())
@settings(max_examples=150)
def test_a_state_with_any_part_replaced_is_read_and_every_loss_is_told(data):
    z = LatentPoint((("z", Vector([1.0, 2.0])), ("truncation", 0.5)), 3)
    state = SessionState(
        "m", z, frozenset({("z", 1)}), (SavedPoint("i", "n", "m", z),), Timeline((Keyframe(1, z),)), ("a",)
    )
    raw = through_text(codec.state_to_json(state))
    place: object = raw
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    dropped: list[str] = []
    made = codec.state_from_json(raw, dropped)
    assert isinstance(made, SessionState)
    assert all(isinstance(text, str) and text for text in dropped)


def test_the_rest_of_a_damaged_state_is_kept():
    z = LatentPoint((("z", Vector([1.0, 2.0])), ("truncation", 0.5)), 3)
    frames = (Keyframe(1, z, "a"), Keyframe(2, z, "b"))
    raw = codec.state_to_json(SessionState("m", z, timeline=Timeline(frames), spread=0.7))
    raw["point"]["values"]["z"]["float32"] = "AAAA"
    raw["timeline"]["keyframes"][0]["time"] = 99
    raw["spread"] = "wide"
    raw["tempo"] = 120
    dropped: list[str] = []
    state = codec.state_from_json(raw, dropped)
    assert state.model == "m"
    assert state.point == LatentPoint((("truncation", 0.5),), 3)
    assert [k.id for k in state.timeline.keyframes] == ["b"]
    assert state.spread == SessionState().spread
    assert sorted(dropped) == [
        "The keyframe 1 lies outside the timeline.",
        "The spread of the state is damaged.",
        "The value z of the point is damaged.",
        "tempo is not known to this version.",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        {"shape": [1_000_001], "float32": ""},
        {"shape": [10**30], "float32": ""},
        {"shape": [1] * 9, "float32": "AAAAAA=="},
        {"shape": [0], "float32": ""},
        {"shape": [-1], "float32": ""},
        {"shape": [True], "float32": "AAAAAA=="},
        {"shape": [1], "float32": "AAAA"},
        {"shape": [1], "float32": "A*AAAA=="},
        {"shape": [1], "float32": 7},
        {"shape": "1", "float32": "AAAAAA=="},
    ],
)
def test_a_vector_that_claims_too_much_or_too_little_is_refused(raw):
    assert codec.vector_from_json(raw) is None


def test_the_layout_is_the_documented_one():
    point = LatentPoint((("z", Vector([1.0, -2.0])), ("truncation", 0.7), ("noise_seed", 4)), 3)
    raw = codec.point_to_json(point)
    assert raw["seed"] == 3
    assert raw["values"]["truncation"] == 0.7
    assert raw["values"]["noise_seed"] == 4
    assert raw["values"]["z"]["shape"] == [2]
    import base64

    assert base64.b64decode(raw["values"]["z"]["float32"]) == struct.pack("<2f", 1.0, -2.0)
