"""A timeline whose keyframes were found in another model."""

from __future__ import annotations

import numpy as np

from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.interpolate import between
from igm_gui.latent.point import conform, point_from_seed
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState
from igm_gui.timeline import Keyframe, Timeline, fitted, strangers

SCALE = InputSpec("scale", "scalar", default=0.5, maximum=1.0)


def model(name: str, size: int) -> GeneratorInfo:
    inputs = (InputSpec("z", "latent", shape=(size,)), SCALE)
    return GeneratorInfo(name, "fake", OutputSpec("image", 4, 4, 1), inputs)


HERE, THERE = model("here", 6), model("there", 9)


def timeline_of(*points: object) -> Timeline:
    frames = tuple(Keyframe(float(i), point, f"k{i}") for i, point in enumerate(points))  # type: ignore[arg-type]
    return Timeline(frames, length=float(len(points)), fps=10.0, loop=False)


def test_the_way_between_two_strangers_leads_from_one_seed_to_the_other() -> None:
    a, b = point_from_seed(THERE, 3), point_from_seed(THERE, 8)
    shown = fitted(timeline_of(a, b), HERE)
    ends = conform(a, HERE), conform(b, HERE)
    assert shown.sample(0.0) == ends[0] == point_from_seed(HERE, 3)
    assert shown.sample(1.0) == ends[1] == point_from_seed(HERE, 8)
    middle = shown.sample(0.5)
    assert middle is not None
    np.testing.assert_array_equal(middle.vector("z").array, between(*ends, 0.5).vector("z").array)
    # What it was: no seed and no numbers that fit, so always the same picture.
    assert middle.vector("z") != point_from_seed(HERE, 0).vector("z")


def test_a_timeline_of_this_model_is_left_as_it_is() -> None:
    timeline = timeline_of(point_from_seed(HERE, 3), point_from_seed(HERE, 8))
    assert fitted(timeline, HERE) is timeline
    assert fitted(timeline, None) is timeline
    assert not strangers(timeline, HERE)


def test_strangers_are_told_by_number_and_fitted_once() -> None:
    timeline = timeline_of(point_from_seed(HERE, 1), point_from_seed(THERE, 2), point_from_seed(HERE, 3))
    assert strangers(timeline, HERE) == (2,)
    assert fitted(timeline, HERE) is fitted(timeline, HERE)
    assert fitted(timeline, THERE).sample(1.0) == point_from_seed(THERE, 2)


def test_the_session_asks_for_what_the_keyframes_show() -> None:
    timeline = timeline_of(point_from_seed(THERE, 3), point_from_seed(THERE, 8))
    session = Session(SessionState(model="here", point=point_from_seed(HERE, 0), timeline=timeline))
    session.infos["here"] = HERE
    (point,) = session.request(at=0.5).points
    assert point == fitted(timeline, HERE).sample(0.5)
    assert point.vector("z").size == 6
