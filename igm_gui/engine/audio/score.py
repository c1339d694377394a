"""A timeline as sound. What is heard and what is written come from the same code.

A generator that streams goes on with the moving point. Of any other one rendering follows the next, each from
the point at its start, the last one's end faded under it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.timeline import Timeline, fitted

if TYPE_CHECKING:
    from igm_gui.generators.base import SoundStream

BLOCKS_PER_SECOND = 25  # how often a moving point is sampled; the stream ramps in between
FADE_SECONDS = 0.01
ATTACK_SECONDS = 0.001

Sound = NDArray[np.float32]


def soft_end(sound: Sound, frames: int) -> Sound:
    """``sound (channels, n)``, its last ``frames`` brought to zero: cut off in mid-swing it would click."""
    count = min(frames, sound.shape[1])
    faded = sound.copy()
    faded[:, sound.shape[1] - count :] *= np.linspace(1.0, 0.0, count, dtype=np.float32)
    return faded


def fade_frames(info: GeneratorInfo) -> int:
    """Frames over which a sound of this generator leaves."""
    count = int(FADE_SECONDS * info.output.sample_rate)
    return min(count, info.output.samples // 4) if info.output.samples else count


class Joiner:
    """Lays renderings end to end: each begins while the one before fades out over 10 ms; its own first
    millisecond fades in, which is short enough to keep a drum's attack and long enough not to click."""

    def __init__(self, info: GeneratorInfo) -> None:
        self.fade = fade_frames(info)
        self.hop = info.output.samples - self.fade
        attack = min(int(ATTACK_SECONDS * info.output.sample_rate), self.fade)
        self._rising = np.linspace(0.0, 1.0, attack, dtype=np.float32)
        self._falling = np.linspace(1.0, 0.0, self.fade, dtype=np.float32)
        self._tail = np.zeros((info.output.channels, self.fade), np.float32)
        self._mixed = self._tail  # the newest rendering, with what was left of the one before

    def keep(self, rest: int) -> int:
        """Frames until the next rendering begins, where ``rest`` are left of the timeline. None begins that
        would be over within a fade."""
        kept = min(self.hop, rest)
        return rest if rest - kept < self.fade else kept

    def add(self, sound: Sound, keep: int) -> Sound:
        """The next ``keep`` frames, float32 ``(channels, keep)`` in [-1, 1], of which ``sound`` is the newest
        part."""
        sound = sound.copy()
        sound[:, : len(self._rising)] *= self._rising
        sound[:, : self.fade] += self._tail
        self._mixed = sound
        self.leave(keep)
        return np.clip(sound[:, :keep], -1.0, 1.0)

    def leave(self, at: int) -> None:
        """The next rendering comes ``at`` frames into the newest: what follows there fades under it."""
        left = self._mixed[:, at : at + self.fade]
        self._tail = np.zeros_like(self._tail)
        self._tail[:, : left.shape[1]] = left * self._falling[: left.shape[1]]


class Score:
    """The sound of ``timeline`` from ``start`` seconds on, block by block. ``timeline`` may be replaced and
    ``seek`` called between two blocks, without a click."""

    def __init__(
        self, info: GeneratorInfo, timeline: Timeline, start: float = 0.0, loop: bool = False
    ) -> None:
        self.info = info
        self.rate = info.output.sample_rate
        self.size = max(1, self.rate // BLOCKS_PER_SECOND)
        self.loop = loop
        self.fade = fade_frames(info)
        self.set_timeline(timeline)
        self.place = 0  # the frame that the next block begins with
        self.seek(start)

    def set_timeline(self, timeline: Timeline) -> None:
        self.timeline = fitted(timeline, self.info)
        self.total = round(timeline.length * self.rate)

    def seek(self, seconds: float) -> None:
        """Go on from there."""
        self.place = min(max(round(seconds * self.rate), 0), self.total)

    def point(self, frame: int) -> LatentPoint:
        """The point at a frame. There must be keyframes."""
        found = self.timeline.sample(frame / self.rate)
        assert found is not None
        return conform(found, self.info)

    def block(self) -> Sound | None:
        """The next float32 ``(channels, n)`` in [-1, 1], ``n`` at most a twenty-fifth of a second and a fade;
        None at the end."""
        if self.place >= self.total:
            if not self.loop or not self.total:
                return None
            self.seek(0.0)
        block = self._make()
        self.place += block.shape[1]
        last = self.place >= self.total and not self.loop
        return soft_end(block, self.fade) if last else block

    def _make(self) -> Sound:
        raise NotImplementedError

    def _end(self) -> int:
        """Where the block that begins at ``place`` ends; the last one is long enough to fade."""
        end = min((self.place // self.size + 1) * self.size, self.total)
        return self.total if self.total - end < self.fade else end


class StreamedScore(Score):
    """One stream. A block's point is the timeline's at the block's end, which the stream reaches by then;
    ``still`` is one point for all of it."""

    def __init__(
        self,
        info: GeneratorInfo,
        stream: SoundStream,
        timeline: Timeline,
        start: float = 0.0,
        loop: bool = False,
        still: LatentPoint | None = None,
    ) -> None:
        super().__init__(info, timeline, start, loop)
        self._stream = stream
        self._still = still

    def _make(self) -> Sound:
        end = self._end()
        return self._stream.block(self._still or self.point(end), end - self.place)


class JoinedScore(Score):
    """Renderings end to end; ``render`` makes float32 ``(channels, output.samples)`` of a point."""

    def __init__(
        self,
        info: GeneratorInfo,
        render: Callable[[LatentPoint], NDArray[Any]],
        timeline: Timeline,
        start: float = 0.0,
        loop: bool = False,
    ) -> None:
        self._render = render
        self._joiner = Joiner(info)
        self._part: Sound | None = None  # what is being given,
        self._at = 0  # and the frame of it that comes next
        super().__init__(info, timeline, start, loop)

    def seek(self, seconds: float) -> None:
        super().seek(seconds)
        if self._part is not None:
            self._joiner.leave(self._at)
        # Renderings begin where they do when it plays from the start. What is left of one must be long enough
        # for the one before to leave under it.
        hop, self._part = self._joiner.hop, None
        inside = self.place % hop
        if hop - inside < self.fade:
            self.place, inside = self.place + hop - inside, 0
        if self.total - self.place < self.fade:
            self.place, inside = self.total, 0
        self._skip = inside
        self.place -= inside

    def _make(self) -> Sound:
        if self._part is None or self._at >= self._part.shape[1]:
            sound = np.asarray(self._render(self.point(self.place)), np.float32)
            keep = self._joiner.keep(self.total - self.place)
            if self._skip:
                skip, self._skip = self._skip, 0
                self.place += skip
                sound, keep = sound[:, skip:], keep - skip
            self._part, self._at = self._joiner.add(sound, keep), 0
        end = self._end() - self.place
        block = self._part[:, self._at : self._at + end]
        self._at += block.shape[1]
        return block
