"""From any recording to what an encoder wants: mono, the right sample rate, onset, pitch, level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import InputError

MAX_SECONDS = 30.0


def to_mono(media: NDArray[Any], rate: int, wanted: int) -> Tensor:
    """float ``(channels, samples)`` or ``(samples,)`` at ``rate`` -> float32 ``(samples,)`` at ``wanted`` Hz.

    At most the first 30 s. InputError for what is not a sound: empty, silent or not finite.
    """
    sound = np.asarray(media, np.float32)
    if sound.ndim == 1:
        sound = sound[None]
    if sound.ndim != 2 or rate < 1000:
        raise InputError(
            "This is not a sound.", "A sound has the shape (channels, samples) and a sample rate in Hz."
        )
    sound = sound[:, : int(MAX_SECONDS * rate)]
    if sound.size == 0 or not np.isfinite(sound).all() or float(np.abs(sound).max()) < 1e-4:
        raise InputError(
            "There is nothing to hear in this sound.", "Choose a recording of at least one note or hit."
        )
    return resample(torch.from_numpy(sound.mean(0)), rate, wanted)


def resample(sound: Tensor, rate: int, wanted: int) -> Tensor:
    """Band-limited resampling of ``(samples,)`` by Fourier transform; mirrored ends keep edges quiet."""
    if rate == wanted:
        return sound
    size = len(sound)
    # A margin makes the circular transform harmless and both lengths an exact ratio of the rates.
    common = math.gcd(rate, wanted)
    unit, unit_wanted = rate // common, wanted // common
    blocks = -(-(size + 2 * 1024) // unit)
    padded = torch.nn.functional.pad(sound, (0, blocks * unit - size))
    spectrum = torch.fft.rfft(padded.double())
    out = blocks * unit_wanted
    bins = out // 2 + 1
    if bins <= len(spectrum):
        spectrum = spectrum[:bins]
    else:
        spectrum = torch.nn.functional.pad(spectrum, (0, bins - len(spectrum)))
    result = torch.fft.irfft(spectrum, out) * (out / (blocks * unit))
    return result[: round(size * wanted / rate)].float()


def onset(sound: Tensor, rate: int) -> int:
    """Where a sound begins: a millisecond before it first passes -50 dB of its peak."""
    loud = torch.nonzero(sound.abs() > sound.abs().max() * 0.003)
    return max(0, int(loud[0]) - rate // 1000) if len(loud) else 0


def _dip(row: Tensor, place: int) -> tuple[float, float]:
    """Bottom of the parabola through three values around ``place``: where and how deep."""
    a, b, c = (float(row[place + d]) for d in (-1, 0, 1))
    bend = a - 2 * b + c
    return place + (0.5 * (a - c) / bend if bend > 1e-12 else 0.0), b


def estimate_pitch(sound: Tensor, rate: int, low: float = 30.0, high: float = 96.6) -> tuple[float, float]:
    """MIDI pitch of a single note and how periodic it is, 0 to 1.

    YIN (de Cheveigne and Kawahara 2002, J. Acoust. Soc. Am. 111): cumulative mean normalised difference
    with threshold 0.15 and parabolic interpolation, median over the loud frames.
    """
    longest = int(rate / (440 * 2 ** ((low - 69) / 12))) + 2
    shortest = max(2, int(rate / (440 * 2 ** ((high - 69) / 12))))
    window = max(2 * longest, 1024)
    size = window + longest
    if len(sound) < size:
        sound = torch.nn.functional.pad(sound, (0, size - len(sound)))
    frames = sound.unfold(0, size, max(256, (len(sound) - size) // 60 or 1)).double()
    power = frames.square().mean(1)
    frames = frames[power >= power.max() * 0.03]
    padded = 1 << (size + window).bit_length()
    head = torch.fft.rfft(frames[:, :window], padded)
    correlation = torch.fft.irfft(head.conj() * torch.fft.rfft(frames, padded), padded)[:, : longest + 1]
    sums = torch.nn.functional.pad(frames.square().cumsum(1), (1, 0))
    energy = sums[:, window : window + longest + 1] - sums[:, : longest + 1]
    difference = (energy[:, :1] + energy - 2 * correlation).clamp_min(0)
    lag = torch.arange(1, longest + 1)
    normal = difference[:, 1:] * lag / difference[:, 1:].cumsum(1).clamp_min(1e-12)
    normal = torch.nn.functional.pad(normal, (1, 0), value=1.0)
    pitches, clarity = [], []
    for row in normal:
        inside = row[shortest:longest]
        dips = torch.nonzero(
            (inside < 0.15)
            & (inside <= row[shortest - 1 : longest - 1])
            & (inside < row[shortest + 1 : longest + 1])
        )
        place = int(dips[0]) + shortest if len(dips) else int(inside.argmin()) + shortest
        period, depth = _dip(row, place)
        clarity.append(1 - min(1.0, depth))
        # A dip several periods further on gives the period that many times as finely.
        for times in (2, 4, 8, 16):
            further = round(times * period)
            if further + 2 > longest:
                break
            place = further - 1 + int(row[further - 1 : further + 2].argmin())
            longer, depth_there = _dip(row, place)
            if depth_there > depth + 0.1:
                break
            period = longer / times
        pitches.append(69 + 12 * math.log2(rate / period / 440))
    return float(np.median(pitches)), float(np.median(clarity))
