"""Constant pace: every second of a timeline changes as much as any other.

How far the pictures are from each other on the way from keyframe to keyframe is measured elsewhere
(:mod:`igm_gui.export.pace`); what follows from it is here: when each keyframe is reached, and how the time
between two of them is bent. Both are data of the keyframes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from igm_gui.timeline.timeline import Keyframe, Timeline

STEPS = 32  # a stretch is measured between as many pictures
UNSEEN = 1e-6  # levels of 255: nothing changes
PARTS = 16  # and its time bent at as many places

Distances = Mapping[int, Sequence[float]]


def stretches(timeline: Timeline) -> list[tuple[int, int]]:
    """The ways that the timeline goes, as (keyframe, next one); on a loop from the last one to the first."""
    last = len(timeline.keyframes) - 1
    ways = [(i, i + 1) for i in range(last)]
    if timeline.loop and last > 0 and timeline.keyframes[last].time < timeline.length:
        ways.append((last, 0))
    return ways


def table(distances: Sequence[float]) -> tuple[float, ...]:
    """``distances`` between the pictures at equal steps along a way -> how far on that way each of
    :data:`PARTS` equal parts of the visible change ends: rising from 0 to 1. Empty where nothing changes."""
    steps = np.asarray(distances, np.float64)
    total = float(steps.sum())
    if not total > UNSEEN:
        return ()
    # A little of its own for each step: where nothing is seen to change the way still goes on.
    steps = steps + 1e-3 * total / len(steps)
    reached = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    places = np.interp(np.arange(1, PARTS) / PARTS, reached, np.linspace(0.0, 1.0, len(reached)))
    return (0.0, *(round(float(place), 6) for place in places), 1.0)


def retimed(timeline: Timeline, lengths: Mapping[int, float]) -> Timeline:
    """The keyframes at times so that each stretch (by its first one) lasts in proportion to ``lengths``.

    The first keyframe and the whole length stay. A stretch that waits (:func:`waits`) lasts as it did. Times
    lie on frames where there are enough of them.
    """
    keys = timeline.keyframes
    ways = stretches(timeline)
    end = timeline.length if ways and ways[-1][1] == 0 else keys[-1].time
    ends = [keys[b].time if b else end for _, b in ways]
    lasts = {a: until - keys[a].time for (a, _), until in zip(ways, ends, strict=True)}
    moving = [a for a, _ in ways if not waits(keys[a], lengths.get(a, 0.0))]
    room, whole = sum(lasts[a] for a in moving), sum(lengths[a] for a in moving)
    for a in moving:
        lasts[a] = room * lengths[a] / whole
    times = [keys[0].time]
    for a, b in ways:
        if b:
            times.append(min(times[-1] + lasts[a], timeline.length))
    if not timeline.loop:
        times[-1] = keys[-1].time  # not by a rounding beside it
    framed = [round(time * timeline.fps) / timeline.fps for time in times]
    if all(a < b for a, b in pairwise(framed)) and framed[-1] <= timeline.length:
        times = framed
    return replace(
        timeline, keyframes=tuple(replace(k, time=time) for k, time in zip(keys, times, strict=True))
    )


def waits(key: Keyframe, length: float) -> bool:
    """Whether nothing is seen to change from ``key`` to the next one: it holds, or both show the same."""
    return key.easing == "hold" or length <= UNSEEN


def bent(timeline: Timeline, distances: Distances) -> Timeline:
    """With the time of each stretch bent by its ``distances``, and no other easing but for what holds."""
    frames = []
    for index, key in enumerate(timeline.keyframes):
        steps = distances.get(index, ())
        if waits(key, float(sum(steps))):
            frames.append(replace(key, pace=()))
        else:
            frames.append(replace(key, pace=table(steps), easing="linear"))
    return replace(timeline, keyframes=tuple(frames))


def unpaced(timeline: Timeline) -> Timeline:
    """Without what :func:`bent` has given; the same object where there is nothing of it."""
    if not any(key.pace for key in timeline.keyframes):
        return timeline
    return replace(timeline, keyframes=tuple(replace(key, pace=()) for key in timeline.keyframes))


def settled(before: Timeline, after: Timeline) -> Timeline:
    """``after``, an edit of ``before``, without the pace of stretches that lead elsewhere now: it was
    measured on other pictures."""
    if not any(key.pace for key in after.keyframes):
        return after
    paces = {key.id: key.pace for key in before.keyframes}
    old, new = _courses(before), _courses(after)
    frames = []
    for key in after.keyframes:
        stale = key.pace and key.pace == paces.get(key.id, key.pace) and old.get(key.id) != new.get(key.id)
        frames.append(replace(key, pace=()) if stale or key.id not in paces else key)
    return replace(after, keyframes=tuple(frames))


def _courses(timeline: Timeline) -> dict[str, Any]:
    """What the way from each keyframe depends on, but for the time; nothing where there is no way."""
    courses = {}
    for a, b in stretches(timeline):
        start, end = timeline.keyframes[a], timeline.keyframes[b]
        way = start.way or timeline.interpolation
        bend = timeline.bend(a, b) if way == "spline" else None
        courses[start.id] = (start.point, end.point, way, bend and (bend.before, bend.after))
    return courses
