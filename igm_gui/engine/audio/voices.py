"""What can sound: a finished clip, or a stream that another thread makes as it is heard."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.resample import resample
from igm_gui.engine.audio.ring import RingBuffer

EDGE = 0.004  # seconds of fade where a sound would otherwise be cut


class Voice(Protocol):
    """``read_into`` puts the next frames in ``out (n, 2)`` and answers how many; ``over`` says that no
    more will come. Called by the thread that plays: neither may block or allocate arrays."""

    rate: int

    @property
    def over(self) -> bool: ...

    def read_into(self, out: NDArray[np.float32]) -> int: ...


def stereo(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(channels, n)`` or ``(n,)`` -> contiguous ``(n, 2)``, finite, clipped to [-1, 1].

    One channel goes to both sides; of more than two, the first two are heard.
    """
    array = np.atleast_2d(np.asarray(samples, np.float32))
    both = np.repeat(array, 2, axis=0) if len(array) == 1 else array[:2]
    frames = np.ascontiguousarray(both.T)
    return np.clip(np.nan_to_num(frames, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


class Clip:
    """A finished sound, played once or looped. ``loop`` may change while it plays."""

    def __init__(
        self,
        samples: NDArray[np.float32],
        rate: int,
        loop: bool = False,
        start: float = 0.0,
    ) -> None:
        """``samples`` float32 ``(channels, n)`` in [-1, 1] at ``rate`` Hz, from ``start`` seconds on."""
        self.rate = rate
        self.loop = loop
        self.source = stereo(samples)
        self.frames = _soft_end(self.source, rate)
        self.data_rate = rate
        self.start = max(0, int(start * rate)) % max(1, len(self.frames))
        self.played = 0  # frames read since start

    def convert(self, actual: int) -> None:
        """Make the data fit a device that runs at ``actual`` Hz; the place it has reached stays. Not while it
        is read."""
        if actual == self.data_rate:
            return
        self.start = round((self.start + self.played) * actual / self.data_rate)
        self.played = 0
        self.frames = _soft_end(resample(self.source, self.rate, actual), actual)
        self.data_rate = actual

    def follow(self, other: Clip) -> None:
        """Go on from where ``other`` is."""
        self.start = round((other.start + other.played) * self.data_rate / other.data_rate)
        self.played = 0

    @property
    def length(self) -> float:
        """Seconds."""
        return len(self.frames) / self.data_rate

    @property
    def over(self) -> bool:
        total = len(self.frames)
        return total == 0 or (not self.loop and self.start + self.played >= total)

    def read_into(self, out: NDArray[np.float32]) -> int:
        total, done = len(self.frames), 0
        if total == 0:
            return 0
        while done < len(out):
            place = self.start + self.played
            if place >= total:
                if not self.loop:
                    break
                place %= total
            count = min(len(out) - done, total - place)
            out[done : done + count] = self.frames[place : place + count]
            self.played += count
            done += count
        return done


def _soft_end(frames: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The last milliseconds brought to zero, so that neither the end nor the seam of a loop clicks."""
    count = min(int(EDGE * rate), len(frames))
    if count == 0 or float(np.abs(frames[-1]).max()) < 1e-4:
        return frames
    faded = frames.copy()
    faded[-count:] *= np.linspace(1.0, 0.0, count, dtype=np.float32)[:, None]
    return faded


class LiveVoice:
    """A stream that another thread writes into ``ring`` ahead of time.

    When it runs dry, the sound fades out in a millisecond or so, waits until ``lead`` frames are there
    again and fades in: a gap, but no crackle. ``underruns`` counts those gaps.
    """

    def __init__(self, rate: int, ring: RingBuffer, lead: int, data_rate: int | None = None) -> None:
        """``data_rate`` is that of the frames in the ring, where it is not the model's ``rate``."""
        self.rate = rate
        self.data_rate = data_rate or rate
        self.ring = ring
        self.lead = lead
        self.underruns = 0
        self.taken = threading.Event()  # set whenever room was made
        self.made = threading.Event()  # set whenever frames were written
        self.ended = False  # no more frames will be written
        self.cancelled = False  # not wanted any more: do not begin
        self.read_at = 0.0  # when frames were taken last (time.perf_counter)
        self._dry = False
        count = 48
        self._rise = np.repeat(np.linspace(0.0, 1.0, count, dtype=np.float32)[:, None], 2, axis=1)
        self._fall = np.ascontiguousarray(self._rise[::-1])

    def wait_for(self, frames: int, seconds: float) -> bool:
        """Wait, for ``seconds`` at most, until ``frames`` are there; False where they are late. At once
        where more can't be hoped for: at the end, or after a gap, which waits for the whole lead."""
        if self._dry:
            return False
        end = time.perf_counter() + seconds
        while self.ring.fill < frames and not self.ended:
            left = end - time.perf_counter()
            if left <= 0:
                return False
            self.taken.set()
            self.made.wait(left)
            self.made.clear()
        return True

    @property
    def over(self) -> bool:
        return self.ended and (self._dry or self.ring.fill == 0)

    def read_into(self, out: NDArray[np.float32]) -> int:
        if self._dry and self.ring.fill < min(self.lead, self.ring.capacity):
            self.taken.set()
            return 0
        count = self.ring.read_into(out)
        if count:
            self.read_at = time.perf_counter()
        edge = min(count, len(self._rise))
        if self._dry and edge:
            out[:edge] *= self._rise[:edge]
            self._dry = False
        if count < len(out):
            self.underruns += not self.ended
            self._dry = True
            # A sound that has come to its end is left as it is.
            if edge and not (self.ended and abs(float(out[count - 1, 0])) < 1e-3):
                out[count - edge : count] *= self._fall[len(self._fall) - edge :]
        self.taken.set()
        return count
