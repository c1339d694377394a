"""A timeline on another model than the one its keyframes were found in."""

from __future__ import annotations

from dataclasses import replace

from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform, problem
from igm_gui.timeline.timeline import Timeline

_last: tuple[Timeline, GeneratorInfo, Timeline] | None = None


def fitted(timeline: Timeline, info: GeneratorInfo | None) -> Timeline:
    """``timeline`` with every keyframe made to fit ``info``: what a keyframe's own picture shows is where
    the way begins and ends. Between two that don't fit, the way would lead past points that have no seed.

    The same objects give the same object again, so that asking for each frame costs nothing.
    """
    global _last
    if info is None or not timeline.keyframes:
        return timeline
    known = _last
    if known is not None and known[0] is timeline and known[1] is info:
        return known[2]
    keyframes = tuple(
        frame if (point := conform(frame.point, info)) == frame.point else replace(frame, point=point)
        for frame in timeline.keyframes
    )
    same = all(new is old for new, old in zip(keyframes, timeline.keyframes, strict=True))
    result = timeline if same else replace(timeline, keyframes=keyframes)
    _last = timeline, info, result
    return result


def is_stranger(point: LatentPoint, info: GeneratorInfo) -> bool:
    """Whether a latent or label of ``point`` does not fit ``info``, so that its seed draws others."""
    for spec in info.inputs:
        if spec.kind in ("latent", "label"):
            value = point.get(spec.name)
            if value is None or problem(spec, value) is not None:
                return True
    return False


def strangers(timeline: Timeline, info: GeneratorInfo | None) -> tuple[int, ...]:
    """The numbers, from 1, of the keyframes that :func:`is_stranger` tells."""
    if info is None:
        return ()
    return tuple(i for i, frame in enumerate(timeline.keyframes, 1) if is_stranger(frame.point, info))
