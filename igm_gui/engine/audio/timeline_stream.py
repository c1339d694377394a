"""A timeline as it is heard: the blocks that an export writes, a little ahead of the device."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.live import LiveStream, load_generator
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.score import JoinedScore, Score, StreamedScore
from igm_gui.latent.point import LatentPoint
from igm_gui.timeline import Timeline

JOINED_LEAD = 0.25  # seconds; a whole rendering is made while the one before is heard


@dataclass(frozen=True)
class Heard:
    """``place`` of the timeline in seconds; ``moving`` False while what was asked for is not heard yet."""

    place: float
    moving: bool


class TimelineStream(LiveStream):
    """Plays ``timeline`` from ``start`` seconds on. Both may change while it plays."""

    _grows = False  # a block is a step of the timeline, as in an export

    def __init__(
        self,
        player: Player,
        model: str,
        timeline: Timeline,
        start: float,
        load: Callable[[str], Any] = load_generator,
        replaces: LiveStream | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._timeline = timeline
        self._sought = (0, start)  # number of the seek, and where to
        self._done = (timeline, 0)  # what the score has taken over
        self._score: Score | None = None
        # Which frame of the ring begins where: (frame, place in frames, number of the seek).
        self._places: deque[tuple[int, int, int]] = deque(maxlen=256)
        self._latest = 0  # place of the block made last
        super().__init__(player, model, LatentPoint(()), load, replaces, clock)

    @property
    def timeline(self) -> Timeline:
        return self._timeline

    def set_timeline(self, timeline: Timeline) -> None:
        """What was edited is heard as soon as what is ready has been."""
        self._timeline = timeline

    def seek(self, seconds: float) -> None:
        """Go on from there."""
        self._sought = (self._sought[0] + 1, seconds)

    @property
    def heard(self) -> Heard | None:
        """What is heard now; None once all of it was."""
        number, start = self._sought
        voice, score = self._voice, self._score
        if voice is None or score is None or not self.ready.is_set():
            return Heard(start, False) if self.alive else None
        # What the device holds is still to be heard; at the end it goes on playing that by itself.
        held = self._player.device_latency - (time.perf_counter() - voice.read_at)
        frame = voice.ring.read - max(0.0, held) * self._actual
        found = None
        for entry in tuple(self._places):
            if entry[0] > frame:
                break
            found = entry
        if found is None or found[2] != number:
            return Heard(start, False)
        if voice.ended and frame >= voice.ring.written:
            return None
        place = found[1] / score.rate + (frame - found[0]) / self._actual
        return Heard(min(place, score.timeline.length), True)

    def _prepare(self, generator: Any) -> int:
        info = generator.info
        timeline, (number, start) = self._timeline, self._sought
        if "stream" in info.abilities:
            self._score = StreamedScore(info, generator.stream(), timeline, start, timeline.loop)
        else:

            def render(point: LatentPoint) -> NDArray[np.float32]:
                return np.asarray(generator.render([point])[0], np.float32)

            self._score = JoinedScore(info, render, timeline, start, timeline.loop)
            self._lead = max(self._lead, JOINED_LEAD)
            self._fade_in = 0.0  # each rendering has an attack of its own
        self._done = (timeline, number)
        return self._score.size

    def _next(self, block: int) -> NDArray[np.float32] | None:  # noqa: ARG002 - a block is the timeline's
        score, timeline, (number, start) = self._score, self._timeline, self._sought
        assert score is not None
        if timeline is not self._done[0]:
            score.set_timeline(timeline)
            score.loop = timeline.loop
        if number != self._done[1]:
            score.seek(start)
        self._done = (timeline, number)
        sound = score.block()
        if sound is not None:
            self._latest = score.place - sound.shape[1]
        return sound

    def _note(self, frame: int) -> None:
        self._places.append((frame, self._latest, self._done[1]))
