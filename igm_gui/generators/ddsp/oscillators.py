"""A bank of sinusoids whose frequencies and amplitudes move: the additive half of every sound family.

Controls are given at frame boundaries, ``hop`` samples apart. Between two boundaries frequency and
amplitude go in a straight line, so the phase is a parabola and nothing ever jumps (McAulay and
Quatieri 1986 with linear instead of cubic phase; Engel et al. 2020, arXiv:2001.04643, section 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TWO_PI = 2.0 * math.pi


def start_phases(count: int) -> Tensor:
    """Schroeder's phases, float64 ``(count,)``: many harmonics together with low peaks.

    Schroeder 1970, "Synthesis of low-peak-factor signals": phi_k = -pi k (k - 1) / K.
    """
    k = torch.arange(1, count + 1, dtype=torch.float64)
    return torch.remainder(-math.pi * k * (k - 1) / count, TWO_PI)


def oscillate(
    frequencies: Tensor, amplitudes: Tensor, phases: Tensor, sample_rate: int, hop: int
) -> tuple[Tensor, Tensor]:
    """Sound of K sinusoids over F frames, and the phases they end with.

    ``frequencies`` (Hz) and ``amplitudes`` are float32 ``(N, F + 1, K)`` at the frame boundaries,
    ``phases`` float64 ``(N, K)`` in radians at the first. Gives float32 ``(N, F * hop)`` and float64
    ``(N, K)``. A sinusoid above the Nyquist frequency is silent.
    """
    batch, boundaries, count = frequencies.shape
    frames = boundaries - 1
    omega = frequencies * (TWO_PI / sample_rate)
    # The last tenth below Nyquist fades, so that a rising pitch doesn't switch a partial off.
    amplitudes = amplitudes * ((math.pi - omega) * (10 / math.pi)).clamp(0, 1)
    first, last = omega[:, :-1], omega[:, 1:]
    # Phases are summed in double precision: a float32 phase drifts audibly within a minute.
    advance = (first.double() + last.double()) * (hop / 2)
    ends = torch.remainder(phases[:, None] + advance.cumsum(1), TWO_PI)
    starts = torch.cat([phases[:, None], ends[:, :-1]], 1).to(first.dtype)
    n = torch.arange(hop, dtype=first.dtype, device=first.device)
    shape = torch.stack([torch.ones_like(n), n, n * n / (2 * hop)])  # (3, hop)
    coefficients = torch.stack([starts, first, last - first], -1)  # (N, F, K, 3)
    wave = (coefficients @ shape).sin_() if not coefficients.requires_grad else (coefficients @ shape).sin()
    wave = wave.reshape(batch * frames, count, hop)
    both = torch.stack([amplitudes[:, :-1], amplitudes[:, 1:] - amplitudes[:, :-1]], 2)
    mixed = both.reshape(batch * frames, 2, count) @ wave  # (N F, 2, K) x (N F, K, hop) -> (N F, 2, hop)
    sound = mixed[:, 0] + mixed[:, 1] * (n / hop)
    return sound.reshape(batch, frames * hop), ends[:, -1]


def soft_limit(sound: Tensor, knee: float = 0.8) -> Tensor:
    """Samples kept within (-1, 1): untouched up to ``knee``, bent smoothly above."""
    over = sound.abs() - knee
    bent = knee + (1 - knee) * torch.tanh(over / (1 - knee))
    return torch.where(over > 0, bent.copysign(sound), sound)


def decibels(value: Tensor) -> Tensor:
    """dB -> amplitude."""
    return torch.exp(value * (math.log(10.0) / 20.0))


class BlockBuffer:
    """Blocks of any length from a source that makes whole frames.

    ``make(frames)`` gives the next float32 ``(frames * hop,)``.
    """

    def __init__(self, hop: int) -> None:
        self.hop = hop
        self._left: NDArray[np.float32] = np.zeros(0, np.float32)

    def take(self, samples: int, make: Callable[[int], NDArray[np.float32]]) -> NDArray[np.float32]:
        """The next float32 ``(1, samples)``."""
        missing = samples - len(self._left)
        if missing > 0:
            fresh = make(-(-missing // self.hop))
            self._left = np.concatenate([self._left, fresh])
        taken, self._left = self._left[:samples], self._left[samples:]
        return np.ascontiguousarray(taken[None])


def ramp(before: Tensor, after: Tensor, frames: int) -> Tensor:
    """From just after ``before`` to ``after`` in ``frames`` equal steps: ``(frames, ...)``.

    A control that moved between two blocks glides over the block instead of stepping.
    """
    weight = torch.arange(1, frames + 1, dtype=after.dtype) / frames
    return before + weight.reshape(-1, *[1] * after.ndim) * (after - before)
