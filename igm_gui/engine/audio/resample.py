"""Changing a sound's rate: a windowed-sinc polyphase filter, whole or in blocks.

Devices are asked for the generator's own rate first; this serves where that is refused.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_ZEROS = 24  # zero crossings of the sinc on either side
_BETA = 9.0  # Kaiser window: about 90 dB of stop band
_ROLLOFF = 0.945


class Resampler:
    """Turns blocks at ``source`` Hz into blocks at ``target`` Hz, with state: no seams.

    Output sample j is the input at time j * source / target, filtered below the lower of both
    Nyquist frequencies (Smith, "Digital Audio Resampling", 2002; Kaiser window). ``delay`` is in
    seconds: the filter looks that far ahead.
    """

    def __init__(self, source: int, target: int, channels: int = 2) -> None:
        if source < 1 or target < 1:
            raise ValueError(f"rates must be positive, not {source} and {target}")
        ratio = Fraction(target, source)
        self._up, self._down = ratio.numerator, ratio.denominator
        cutoff = min(1.0, target / source) * _ROLLOFF
        self._half = int(np.ceil(_ZEROS / min(1.0, target / source)))
        self._bank = _filters(self._up, self._half, cutoff)  # (up, 2 * half)
        self._next = 0  # in 1/up of an input frame, from the start of what is held
        self._held = np.zeros((self._half - 1, channels), np.float32)
        self.delay = self._half / source

    def process(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """The output that ``frames (n, channels)`` make possible, float32 ``(m, channels)``."""
        if self._up == self._down:
            return frames
        held = np.concatenate([self._held, frames])
        taps = 2 * self._half
        last = len(held) - taps  # the last start that has all its taps
        count = max(0, (last * self._up + self._up - 1 - self._next) // self._down + 1) if last >= 0 else 0
        ticks = self._next + self._down * np.arange(count)
        starts, phases = ticks // self._up, ticks % self._up
        windows = np.lib.stride_tricks.sliding_window_view(held, taps, axis=0) if count else None
        out = np.empty((count, held.shape[1]), np.float32)
        for begin in range(0, count, 4096):
            assert windows is not None
            part = slice(begin, begin + 4096)
            out[part] = np.einsum("nct,nt->nc", windows[starts[part]], self._bank[phases[part]])
        end = self._next + self._down * count
        drop = min(end // self._up, len(held))
        self._held = held[drop:]
        self._next = end - drop * self._up
        return out


def _filters(up: int, half: int, cutoff: float) -> NDArray[np.float32]:
    """One row of taps for each of ``up`` fractional positions; each row sums to 1."""
    offsets = np.arange(2 * half) - (half - 1)
    times = offsets[None, :] - np.arange(up)[:, None] / up  # in input frames
    inside = np.clip(1.0 - (times / half) ** 2, 0.0, 1.0)
    window = np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)
    taps = np.sinc(cutoff * times) * window
    return np.asarray(taps / taps.sum(1, keepdims=True), np.float32)


def resample(frames: NDArray[np.float32], source: int, target: int) -> NDArray[np.float32]:
    """A whole sound ``(n, channels)`` at another rate: float32 ``(round(n * target / source), channels)``."""
    if source == target:
        return frames
    tool = Resampler(source, target, frames.shape[1])
    tail = np.zeros((int(np.ceil(tool.delay * source)) + 1, frames.shape[1]), np.float32)
    wanted = round(len(frames) * target / source)
    return np.ascontiguousarray(tool.process(np.concatenate([frames, tail]))[:wanted])
