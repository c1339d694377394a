"""Keyframes in time, and the point at any moment between them."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Literal

from igm_gui.latent.interpolate import between
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.spline import Bend, along

Easing = Literal["linear", "ease", "in", "out", "hold"]
EASINGS: tuple[Easing, ...] = ("linear", "ease", "in", "out", "hold")
Way = Literal["slerp", "lerp", "spline"]
WAYS: tuple[Way, ...] = ("slerp", "lerp", "spline")
MAX_LENGTH = 36_000.0
# Between keyframes that are added one behind the other.
KEY_SECONDS = 2.0


def ease(t: float, how: Easing) -> float:
    """A fraction in [0, 1] bent by an easing: ``ease`` is 3t² - 2t³, ``in`` starts slowly (t²), ``out``
    arrives slowly, ``hold`` waits for the end."""
    if how == "ease":
        return t * t * (3.0 - 2.0 * t)
    if how == "in":
        return t * t
    if how == "out":
        return t * (2.0 - t)
    return t if how == "linear" else float(t >= 1.0)


@dataclass(frozen=True)
class Keyframe:
    """A point at ``time`` seconds; ``easing`` bends the way from here to the next keyframe, which is the
    timeline's or this keyframe's own. ``pace`` bends it once more, after the easing: where on that way each
    of as many equal parts of the time ends, rising from 0 to 1; nothing where it is even."""

    time: float
    point: LatentPoint
    id: str = ""
    easing: Easing = "linear"
    way: Way | None = None
    pace: tuple[float, ...] = ()

    def fraction(self, t: float) -> float:
        """How far on the way to the next keyframe it is after a fraction ``t`` in [0, 1] of the time."""
        t = ease(t, self.easing)
        parts = len(self.pace) - 1
        if parts < 1 or t <= 0 or t >= 1:
            return t
        index = min(int(t * parts), parts - 1)
        low, high = self.pace[index], self.pace[index + 1]
        return low + (high - low) * (t * parts - index)


@dataclass(frozen=True)
class Timeline:
    """Keyframes in order of time, a length in seconds, frames per second.

    Before the first keyframe the first is shown; after the last, the last — or, with ``loop``,
    the way back to the first, which is reached at ``length``. ``interpolation`` is the way from keyframe
    to keyframe: ``slerp``, ``lerp``, or ``spline``, whose speed does not jump at a keyframe.
    """

    keyframes: tuple[Keyframe, ...] = ()
    length: float = 8.0
    fps: float = 30.0
    loop: bool = True
    interpolation: Way = "slerp"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length) and 0.1 <= self.length <= MAX_LENGTH):
            raise ValueError(f"a timeline lasts 0.1 to 36000 seconds, not {self.length}")
        if not (math.isfinite(self.fps) and 1 <= self.fps <= 240):
            raise ValueError(f"a timeline runs at 1 to 240 frames a second, not {self.fps}")
        if any(not 0 <= frame.time <= self.length for frame in self.keyframes):
            raise ValueError("a keyframe lies outside the timeline")
        if any(a.time > b.time for a, b in zip(self.keyframes, self.keyframes[1:], strict=False)):
            object.__setattr__(self, "keyframes", tuple(sorted(self.keyframes, key=lambda k: k.time)))

    @property
    def frames(self) -> int:
        """How many frames an export writes: frame i shows time i / fps."""
        return max(1, round(self.length * self.fps))

    def segment(self, seconds: float) -> tuple[int, int, float]:
        """Indices of the keyframes around ``seconds`` and the eased fraction between them."""
        frames = self.keyframes
        index = bisect_right([frame.time for frame in frames], seconds) - 1
        if index < 0:
            return 0, 0, 0.0
        if index + 1 < len(frames):
            start, end = frames[index].time, frames[index + 1].time
            return index, index + 1, frames[index].fraction((seconds - start) / max(end - start, 1e-9))
        if self.loop and len(frames) > 1 and self.length > frames[-1].time:
            t = (seconds - frames[-1].time) / (self.length - frames[-1].time)
            return index, 0, frames[-1].fraction(min(t, 1.0))
        return index, index, 0.0

    def wrapped(self, seconds: float) -> float:
        """``seconds`` within the timeline: gone round where it loops, clamped otherwise."""
        return seconds % self.length if self.loop else min(max(seconds, 0.0), self.length)

    def sample(self, seconds: float) -> LatentPoint | None:
        """The point at ``seconds`` (wrapped where it loops, clamped otherwise); None when empty."""
        if not self.keyframes:
            return None
        return self.on_way(*self.segment(self.wrapped(seconds)))

    def on_way(self, a: int, b: int, t: float) -> LatentPoint:
        """The point a fraction ``t`` of the way from keyframe number ``a`` to ``b``."""
        start, end = self.keyframes[a], self.keyframes[b]
        way = start.way or self.interpolation
        if way == "spline":
            return along(start.point, end.point, t, self.bend(a, b))
        return between(start.point, end.point, t, way)

    def bend(self, a: int, b: int) -> Bend:
        """What lies around the segment from keyframe ``a`` to ``b``. None where the way jumps or waits."""
        frames, last = self.keyframes, len(self.keyframes) - 1
        # Round the end it goes on without a stop only where the first keyframe stands at the start.
        round_end = self.loop and last > 0 and frames[0].time <= 1e-9 and frames[last].time < self.length
        before = a - 1 if a > 0 else last if round_end else None
        after = b + 1 if b < last else 0 if round_end else None
        if b == 0 and not round_end:
            after = None
        if before is not None and frames[before].easing == "hold":
            before = None
        if frames[b].easing == "hold":
            after = None
        return Bend(
            None if before is None else frames[before].point,
            None if after is None else frames[after].point,
            1.0 if before is None else self._seconds(before, a),
            self._seconds(a, b),
            1.0 if after is None else self._seconds(b, after),
        )

    def _seconds(self, a: int, b: int) -> float:
        """From keyframe ``a`` to the next, ``b``; on a loop the first is reached at the end."""
        end = self.keyframes[b].time if b > 0 else self.length
        return max(end - self.keyframes[a].time, 1e-9)

    def keyframe(self, id: str) -> Keyframe | None:
        """The keyframe called ``id``, or None."""
        return next((k for k in self.keyframes if k.id == id), None)

    def frame_at(self, seconds: float) -> int:
        """The number, from 0, of the frame on show at ``seconds`` (clamped to the timeline)."""
        # The small term keeps i / fps in frame i, whatever the rounding of the division was.
        return min(max(math.floor(seconds * self.fps + 1e-6), 0), self.frames - 1)

    def free_time(self, seconds: float, *ids: str) -> float:
        """``seconds``, or the nearest frame to it where no keyframe (but for ``ids``) stands."""
        taken = [k.time for k in self.keyframes if k.id not in ids]
        step = 1.0 / self.fps
        seconds = min(max(seconds, 0.0), self.length)
        for i in range(2 * len(taken) + 2):
            # 0, +1, -1, +2, -2, ... frames away.
            time = seconds + (i // 2 + i % 2) * (step if i % 2 else -step)
            if 0 <= time <= self.length and all(abs(time - other) > 1e-6 for other in taken):
                return time
        return seconds

    def with_keyframe(self, frame: Keyframe) -> Timeline:
        """``frame`` added; one at (almost) the same time or with the same id is replaced."""
        kept = [
            k
            for k in self.keyframes
            if abs(k.time - frame.time) > 1e-6 and not (frame.id and k.id == frame.id)
        ]
        return replace(self, keyframes=(*kept, frame), length=max(self.length, frame.time))

    def without(self, *ids: str) -> Timeline:
        """The keyframes with these ids removed."""
        return replace(self, keyframes=tuple(k for k in self.keyframes if k.id not in ids))

    def moved(self, id: str, seconds: float) -> Timeline:
        """Keyframe ``id`` at another time, kept within the timeline."""
        seconds = min(max(seconds, 0.0), self.length)
        return replace(
            self, keyframes=tuple(replace(k, time=seconds) if k.id == id else k for k in self.keyframes)
        )
