"""What is shown of a sound: its outline, its spectrogram on a logarithmic scale, names of notes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
LOWEST_HZ = 40.0
RANGE_DB = 78.0
_SILENCE_DB = -120.0


def note_name(pitch: float) -> str:
    """``A4`` for 69; with cents where the pitch lies between keys, such as ``A4 +12``."""
    key = round(pitch)
    cents = round((pitch - key) * 100)
    name = f"{NAMES[key % 12]}{key // 12 - 1}"
    return f"{name} {cents:+d}" if cents else name


def note_hertz(pitch: float) -> float:
    """MIDI note number -> Hz, equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def hertz_note(hertz: float) -> float:
    """Hz -> MIDI note number with its fraction."""
    return 69.0 + 12.0 * math.log2(max(hertz, 1e-6) / 440.0)


def outline(samples: NDArray[np.float32], columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value of each of ``columns`` equal parts of ``samples (n,)``.

    Each part reaches to the first sample of the next, so that the outline of a slow wave has no gaps.
    Both float32 ``(columns,)``; zeros where there is no sound.
    """
    count = len(samples)
    if count == 0 or columns < 1:
        nothing = np.zeros(max(columns, 0), np.float32)
        return nothing, nothing.copy()
    edges = (np.arange(columns) * count) // columns
    low = np.minimum.reduceat(samples, edges)
    high = np.maximum.reduceat(samples, edges)
    joint = samples[np.append(edges[1:], count - 1)]
    return np.minimum(low, joint), np.maximum(high, joint)


def highest_hertz(rate: int) -> float:
    """The top of the spectrogram for sound at ``rate`` Hz."""
    return min(rate / 2 * 0.98, 18_000.0)


def row_hertz(rows: int, rate: int) -> NDArray[np.float64]:
    """Centre frequencies of the rows, lowest first, equally spaced in octaves."""
    return np.geomspace(LOWEST_HZ, highest_hertz(rate), rows)


def spectrogram(
    samples: NDArray[np.float32], rate: int, columns: int = 320, rows: int = 240
) -> NDArray[np.float32]:
    """Levels of ``samples (channels, n)`` at ``rate`` Hz, float32 ``(rows, columns)`` from 0 to 1.

    Row 0 is the highest frequency. 1 is the loudest place, 0 is :data:`RANGE_DB` below it or quieter. Two
    transforms are multiplied, one with a long window (85 ms), which parts the partials, and one with a
    short (21 ms), which shows the onset (Cheung and Lim 1991, "Combined multiresolution spectrograms").
    """
    mono = np.asarray(samples, np.float32).mean(axis=0)
    if mono.size == 0 or not np.isfinite(mono).all():
        return np.zeros((rows, columns), np.float32)
    size = 4096 if rate >= 32_000 else 2048
    long = _levels(mono, rate, size, size, columns, rows)
    short = _levels(mono, rate, size // 4, size // 2, columns, rows)
    # Under 300 Hz the short window is blind: it counts for half from 1.2 kHz on.
    weight = 0.5 * np.clip(np.log2(row_hertz(rows, rate) / 300.0) / 2.0, 0.0, 1.0).astype(np.float32)
    levels = long + weight * (short - long)
    top = max(float(levels.max()), RANGE_DB + _SILENCE_DB)
    return np.clip((levels[:, ::-1].T - (top - RANGE_DB)) / RANGE_DB, 0.0, 1.0)


def colour_levels(samples: NDArray[np.float32], rate: int, columns: int, rows: int) -> NDArray[np.uint8]:
    """A quick spectrogram for small pictures: uint8 ``(rows, columns)``, the lowest frequency first.

    Each column is measured against its own loudest place, 255 there and 0 at 48 dB below: what rings at the
    end of a note is seen as well as its onset.
    """
    mono = np.asarray(samples, np.float32).mean(axis=0)
    if mono.size == 0 or not np.isfinite(mono).all():
        return np.zeros((rows, columns), np.uint8)
    size = 2048 if rate >= 32_000 else 1024
    levels = _levels(mono, rate, size, size, columns, rows)
    below = levels - np.maximum(levels.max(axis=1, keepdims=True), _SILENCE_DB + 48.0)
    return np.round(np.clip(1.0 + below.T / 48.0, 0.0, 1.0) * 255).astype(np.uint8)


def _levels(
    mono: NDArray[np.float32], rate: int, window: int, size: int, columns: int, rows: int
) -> NDArray[np.float32]:
    """dB of each column and row, float32 ``(columns, rows)``, lowest frequency first."""
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape *= 2.0 / shape.sum()
    padded = np.pad(mono, window // 2)
    starts = np.clip(
        ((np.arange(columns) + 0.5) * len(mono) / columns).astype(int), 0, max(len(padded) - window, 0)
    )
    if len(padded) < window:
        padded = np.pad(padded, (0, window - len(padded)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[starts] * shape
    spectrum = np.fft.rfft(frames, size, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    # Low rows lie between two bins and are interpolated; high rows span many and take the strongest.
    hertz = row_hertz(rows, rate)
    place = hertz * size / rate
    below = np.minimum(place.astype(int), power.shape[1] - 2)
    part = (place - below).astype(np.float32)
    between = power[:, below] * (1 - part) + power[:, below + 1] * part
    ratio = math.sqrt(hertz[1] / hertz[0]) if rows > 1 else 1.0
    first = np.minimum(np.ceil(place / ratio).astype(int), power.shape[1] - 1)
    strongest = np.maximum.reduceat(power, first, axis=1)
    wide = place * (ratio - 1 / ratio) >= 1.0
    chosen = np.where(wide, strongest, between)
    return np.asarray(10.0 * np.log10(chosen + 10 ** (_SILENCE_DB / 10)), np.float32)
