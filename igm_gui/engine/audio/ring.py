"""A ring buffer between one thread that makes sound and one that plays it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RingBuffer:
    """``capacity`` frames of float32 with ``channels`` columns, allocated once.

    One thread writes, one reads, and there is no lock: each side moves only its own counter, and a
    frame is counted only after it was copied. The counters never wrap (Python integers).
    """

    def __init__(self, capacity: int, channels: int = 2) -> None:
        if capacity < 1 or channels < 1:
            raise ValueError("a ring needs at least one frame and one channel")
        self._frames = np.zeros((capacity, channels), np.float32)
        self._written = 0
        self._read = 0

    @property
    def capacity(self) -> int:
        """Frames it holds when full."""
        return len(self._frames)

    @property
    def channels(self) -> int:
        return int(self._frames.shape[1])

    @property
    def written(self) -> int:
        """Frames written since it was made."""
        return self._written

    @property
    def read(self) -> int:
        """Frames read since it was made."""
        return self._read

    @property
    def fill(self) -> int:
        """Frames that wait to be read."""
        return self._written - self._read

    @property
    def room(self) -> int:
        """Frames that can be written now."""
        return len(self._frames) - self.fill

    def write(self, frames: NDArray[np.float32]) -> int:
        """Copy ``(n, channels)`` in, as far as there is room; the answer is how many went in."""
        count = min(len(frames), self.room)
        start = self._written % len(self._frames)
        first = min(count, len(self._frames) - start)
        self._frames[start : start + first] = frames[:first]
        self._frames[: count - first] = frames[first:count]
        self._written += count
        return count

    def read_into(self, out: NDArray[np.float32]) -> int:
        """Copy the oldest frames into ``out (n, channels)``; the answer is how many there were.

        The rest of ``out`` is left as it is. Allocates no array memory.
        """
        count = min(len(out), self.fill)
        start = self._read % len(self._frames)
        first = min(count, len(self._frames) - start)
        out[:first] = self._frames[start : start + first]
        out[first:count] = self._frames[: count - first]
        self._read += count
        return count
