"""A constant pace is measured on real pictures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from igm_gui.errors import ExportError
from igm_gui.export import Paced, constant_pace, finish
from igm_gui.export.pace import reduced
from igm_gui.latent.interpolate import between
from igm_gui.latent.point import point_from_seed
from igm_gui.timeline import Keyframe, Timeline

MODEL = "uniform-pixels"


def changes(renderer, timeline: Timeline, count: int = 40) -> np.ndarray:
    """How much the pictures change in each of ``count`` equal times."""
    points = [timeline.sample(timeline.length * i / count) for i in range(count)] + [timeline.sample(0.0)]
    pictures = renderer.media(MODEL, points).astype(float)
    return np.array([np.sqrt(np.mean((b - a) ** 2)) for a, b in pairwise(pictures)])


@pytest.mark.parametrize("way", ["slerp", "spline"])
def test_every_second_changes_as_much_as_any_other(renderer, pixels, way):
    first, last = point_from_seed(pixels, 1), point_from_seed(pixels, 2)
    near = between(first, last, 0.15)
    times = zip((0.0, 4.0, 6.0), (first, near, last), strict=True)
    keys = tuple(Keyframe(time, point, f"{time}", "ease") for time, point in times)
    before = Timeline(keys, 8.0, 30.0, True, way)
    found, progress = Paced(), []
    finish(constant_pace(MODEL, before, "cpu", found), renderer, progress.append)
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    after = found.timeline
    assert after is not None
    assert [k.point for k in after.keyframes] == [first, near, last]
    assert after.keyframes[1].time < 1.0
    unlike, alike = changes(renderer, before), changes(renderer, after)
    assert unlike.max() / unlike.min() > 5
    # A picture's distance to the next is a chord: round a corner it is a little less.
    assert alike.max() / np.median(alike) < 1.2
    assert np.quantile(alike, 0.1) / np.median(alike) > 0.8


def test_there_must_be_a_way_and_pictures(renderer, pixels, one_shot):
    point = point_from_seed(pixels, 1)
    with pytest.raises(ExportError, match="no way between"):
        finish(constant_pace(MODEL, Timeline((Keyframe(0.0, point),)), "cpu", Paced()), renderer)
    two = Timeline((Keyframe(0.0, point), Keyframe(1.0, point)))
    with pytest.raises(ExportError, match="makes sounds"):
        finish(constant_pace(one_shot, two, "cpu", Paced()), renderer)
    same = Paced()
    finish(constant_pace(MODEL, replace(two, loop=False), "cpu", same), renderer)
    assert same.timeline == replace(two, loop=False), "nothing changes: nothing is done"


def test_large_pictures_are_looked_at_from_afar():
    picture = np.arange(200 * 130 * 3, dtype=np.uint32).reshape(200, 130, 3).astype(np.uint8)
    assert reduced(picture).shape == (100, 65, 3)
    assert reduced(picture)[0, 0, 0] == picture[:2, :2, 0].mean()
    assert (reduced(picture[:50]) == picture[:50]).all()
