"""The smooth way through keyframes: met exactly, without a jump of speed, never beyond what was set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igm_gui.latent.interpolate import between
from igm_gui.latent.point import LatentPoint, one_hot
from igm_gui.latent.vector import Vector
from igm_gui.timeline import Keyframe, Timeline


def point(seed: int, size: int = 6, truncation: float = 1.0) -> LatentPoint:
    z = Vector(np.random.RandomState(seed).randn(size).astype(np.float32))
    return LatentPoint((("z", z), ("label", one_hot(3, seed % 3)), ("truncation", truncation)), seed)


@st.composite
def timelines(draw: st.DrawFn, loop: bool | None = None) -> Timeline:
    count = draw(st.integers(2, 6))
    gaps = draw(st.lists(st.floats(0.2, 3.0), min_size=count, max_size=count))
    times = [0.0, *np.cumsum(gaps)]
    seeds = draw(st.lists(st.integers(0, 10_000), min_size=count, max_size=count, unique=True))
    psi = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    keys = tuple(
        Keyframe(float(times[i]), point(seed, truncation=psi[i]), f"k{i}") for i, seed in enumerate(seeds)
    )
    looped = draw(st.booleans()) if loop is None else loop
    return Timeline(keys, float(times[-1]), 30, looped, "spline")


def array(timeline: Timeline, seconds: float) -> np.ndarray:
    sampled = timeline.sample(seconds)
    assert sampled is not None
    return sampled.vector("z").array.astype(np.float64)


@given(timelines())
def test_keyframes_are_met_exactly(timeline: Timeline) -> None:
    for key in timeline.keyframes:
        assert timeline.sample(key.time) == key.point


@settings(max_examples=60)
@given(timelines())
def test_the_speed_does_not_jump_at_a_keyframe(timeline: Timeline) -> None:
    h = 2e-3
    inner = timeline.keyframes if timeline.loop else timeline.keyframes[1:-1]
    for key in inner:
        at = {n: array(timeline, (key.time + n * h) % timeline.length) for n in range(-2, 3)}
        # One-sided differences of second order.
        arriving = (3 * at[0] - 4 * at[-1] + at[-2]) / (2 * h)
        leaving = (-3 * at[0] + 4 * at[1] - at[2]) / (2 * h)
        scale = max(np.linalg.norm(arriving), np.linalg.norm(leaving), 1.0)
        assert np.linalg.norm(arriving - leaving) < 0.05 * scale


def test_on_the_great_circle_it_does_jump() -> None:
    """What the test above can tell apart."""
    timeline = Timeline(tuple(Keyframe(float(t), point(t)) for t in range(4)), 3.0, 30, False, "slerp")
    h, here = 1e-3, array(timeline, 1.0)
    arriving, leaving = (here - array(timeline, 1 - h)) / h, (array(timeline, 1 + h) - here) / h
    assert np.linalg.norm(arriving - leaving) > 0.5 * np.linalg.norm(arriving)


@given(timelines(), st.floats(0, 1))
def test_scalars_and_lengths_stay_between_those_of_the_keyframes(timeline: Timeline, u: float) -> None:
    seconds = u * timeline.length
    sampled = timeline.sample(seconds)
    assert sampled is not None
    a, b, _ = timeline.segment(seconds % timeline.length if timeline.loop else seconds)
    ends = [timeline.keyframes[i].point for i in (a, b)]
    psi = [end.scalar("truncation") for end in ends]
    assert min(psi) <= sampled.scalar("truncation") <= max(psi)
    lengths = [float(np.linalg.norm(end.vector("z").array)) for end in ends]
    length = float(np.linalg.norm(sampled.vector("z").array))
    assert min(lengths) * (1 - 1e-3) <= length <= max(lengths) * (1 + 1e-3)
    label = sampled.vector("label").array
    assert label.min() >= 0
    assert label.sum() == pytest.approx(1, abs=1e-5)


@given(timelines(loop=False), st.floats(0, 1))
def test_backwards_is_the_same_way(timeline: Timeline, u: float) -> None:
    back = replace(
        timeline,
        keyframes=tuple(
            replace(k, time=max(timeline.length - k.time, 0.0)) for k in reversed(timeline.keyframes)
        ),
    )
    seconds = u * timeline.length
    np.testing.assert_allclose(
        array(back, timeline.length - seconds), array(timeline, seconds), atol=2e-3 * timeline.length
    )


@given(timelines(loop=True), st.floats(0, 1))
def test_a_loop_has_no_beginning(timeline: Timeline, u: float) -> None:
    """Begun at its second keyframe it is the same loop."""
    first, second, *others = timeline.keyframes
    shift = second.time
    turned = (
        replace(second, time=0.0),
        *(replace(k, time=k.time - shift) for k in others),
        replace(first, time=timeline.length - shift),
    )
    seconds = u * timeline.length
    np.testing.assert_allclose(
        array(replace(timeline, keyframes=turned), seconds),
        array(timeline, seconds + shift),
        atol=2e-3 * timeline.length,
    )


@given(st.floats(0, 1))
def test_between_two_points_alone_it_is_slerp(t: float) -> None:
    a, b = point(1), point(2)
    timeline = Timeline((Keyframe(0.0, a), Keyframe(1.0, b)), 1.0, 30, False, "spline")
    assert timeline.sample(t) == between(a, b, t, "slerp")


def test_a_keyframe_may_have_a_way_of_its_own() -> None:
    keys = tuple(Keyframe(float(t), point(t)) for t in range(3))
    straight = (replace(keys[0], way="lerp"), *keys[1:])
    timeline = Timeline(straight, 2.0, 30, False, "slerp")
    assert timeline.sample(0.5) == between(keys[0].point, keys[1].point, 0.5, "lerp")
    assert timeline.sample(1.5) == between(keys[1].point, keys[2].point, 0.5, "slerp")


def test_a_held_keyframe_bends_nothing() -> None:
    keys = [Keyframe(float(t), point(t)) for t in range(3)]
    keys[0] = replace(keys[0], easing="hold")
    timeline = Timeline(tuple(keys), 2.0, 30, False, "spline")
    # What was held before does not push: the way from 1 to 2 is the way between two points.
    assert timeline.sample(1.5) == between(keys[1].point, keys[2].point, 0.5, "slerp")


def test_points_of_other_shapes_and_missing_values_do_not_stop_it() -> None:
    odd = LatentPoint((("z", Vector(np.ones(3, np.float32))),), None)
    keys = (Keyframe(0.0, odd), Keyframe(1.0, point(1)), Keyframe(2.0, point(2)), Keyframe(3.0, odd))
    timeline = Timeline(keys, 4.0, 30, True, "spline")
    for seconds in np.linspace(0, 4, 41):
        assert timeline.sample(float(seconds)) is not None


def test_class_weights_of_any_name_never_leave_their_sum() -> None:
    a, b = (LatentPoint((("kind", one_hot(4, i)),)) for i in (0, 2))
    middle = between(a, b, 0.5, "slerp").vector("kind").array
    np.testing.assert_allclose(middle, [0.5, 0, 0.5, 0])
