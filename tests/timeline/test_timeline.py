"""Keyframes and the points between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.latent.interpolate import between
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.timeline import EASINGS, Keyframe, Timeline
from igm_gui.timeline.timeline import ease


def point(seed: int) -> LatentPoint:
    return LatentPoint((("z", Vector(np.random.RandomState(seed).randn(4))),), seed)


A, B, C = (Keyframe(float(t), point(t), f"k{t}") for t in (0, 1, 3))
LINE = Timeline((A, B, C), length=4.0, fps=10, loop=False)


@given(st.floats(0, 1), st.floats(0, 1))
def test_easings_start_and_end_right_and_never_go_back(s, t):
    for how in EASINGS:
        assert ease(0.0, how) == 0.0
        assert ease(1.0, how) == 1.0
        assert ease(min(s, t), how) <= ease(max(s, t), how)


def test_keyframes_are_met_exactly():
    for frame in (A, B, C):
        assert LINE.sample(frame.time) == frame.point


def test_between_keyframes_lies_what_interpolation_says():
    assert LINE.sample(2.0) == between(B.point, C.point, 0.5)


def test_without_loop_the_ends_hold():
    late = Timeline((Keyframe(1.0, A.point), Keyframe(2.0, B.point)), length=4, loop=False)
    assert late.sample(0.0) == A.point
    assert late.sample(3.9) == B.point
    assert late.sample(99.0) == B.point
    assert late.sample(-1.0) == A.point


def test_a_loop_comes_back_to_the_first_keyframe():
    loop = Timeline((A, B), length=2.0)
    assert loop.sample(1.5) == between(B.point, A.point, 0.5)
    assert loop.sample(2.0) == loop.sample(0.0) == A.point
    assert loop.sample(2.25) == loop.sample(0.25)


@given(st.floats(-10, 50, allow_nan=False))
def test_every_moment_has_a_point(seconds):
    for timeline in (LINE, Timeline((B,), length=2.0), Timeline((A, B), length=2.0)):
        assert timeline.sample(seconds) is not None
    assert Timeline().sample(seconds) is None


def test_hold_waits_for_the_next_keyframe():
    held = Timeline((Keyframe(0, A.point, easing="hold"), Keyframe(1, B.point)), length=1, loop=False)
    assert held.sample(0.99) == A.point
    assert held.sample(1.0) == B.point


def test_keyframes_are_put_in_order():
    assert [k.id for k in Timeline((C, A, B), length=4.0).keyframes] == ["k0", "k1", "k3"]


@pytest.mark.parametrize(
    "wrong",
    [{"length": 0.0}, {"length": float("nan")}, {"fps": 0.5}, {"fps": float("inf")}, {"length": 2.0}],
)
def test_what_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError):
        Timeline(**{"keyframes": (A, B, C), "length": 4.0, **wrong})


def test_a_keyframe_replaces_one_at_the_same_time_or_with_its_id():
    same_time = LINE.with_keyframe(Keyframe(1.0, A.point, "new"))
    assert [k.id for k in same_time.keyframes] == ["k0", "new", "k3"]
    same_id = LINE.with_keyframe(Keyframe(2.0, A.point, "k1"))
    assert [(k.id, k.time) for k in same_id.keyframes] == [("k0", 0), ("k1", 2), ("k3", 3)]
    longer = LINE.with_keyframe(Keyframe(9.0, A.point, "late"))
    assert longer.length == 9.0


def test_moving_and_removing():
    assert [k.time for k in LINE.moved("k1", 99).keyframes] == [0, 3, 4]
    assert [k.id for k in LINE.without("k0", "k3").keyframes] == ["k1"]


def test_an_export_has_a_frame_for_each_step():
    assert LINE.frames == 40
    assert Timeline(length=0.1, fps=1).frames == 1
