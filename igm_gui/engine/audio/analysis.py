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
    return spectrogram_of(samples, rate, columns, rows)[0]


def spectrogram_of(
    samples: NDArray[np.float32],
    rate: int,
    columns: int = 320,
    rows: int = 240,
    part: tuple[float, float] = (0.0, 1.0),
    top: float | None = None,
) -> tuple[NDArray[np.float32], float]:
    """:func:`spectrogram` of a ``part`` of the sound (of its length), and the level in dB that 1 stands for.

    0 dB is a sine at full scale. ``top`` None makes the loudest place on show that level.
    """
    mono = np.asarray(samples, np.float32).mean(axis=0)
    if mono.size == 0 or not np.isfinite(mono).all():
        return np.zeros((rows, columns), np.float32), 0.0
    size = 4096 if rate >= 32_000 else 2048
    long = _levels(mono, rate, size, size, columns, rows, part)
    short = _levels(mono, rate, size // 4, size // 2, columns, rows, part)
    # Under 300 Hz the short window is blind: it counts for half from 1.2 kHz on.
    weight = 0.5 * np.clip(np.log2(row_hertz(rows, rate) / 300.0) / 2.0, 0.0, 1.0).astype(np.float32)
    levels = long + weight * (short - long)
    if top is None:
        top = max(float(levels.max()), RANGE_DB + _SILENCE_DB)
    return np.clip((levels[:, ::-1].T - (top - RANGE_DB)) / RANGE_DB, 0.0, 1.0), top


def decibels(amplitude: float) -> float:
    """dB below full scale of a sample value; minus infinity for silence."""
    return 20.0 * math.log10(amplitude) if amplitude > 0 else -math.inf


def loudness(samples: NDArray[np.float32], rate: int) -> float:
    """Integrated loudness of ``samples (channels, n)`` in LUFS; minus infinity for silence.

    ITU-R BS.1770-4: K weighting, blocks of 400 ms that overlap by three quarters, gates at -70 LUFS and at
    10 LU below the mean.

    A sound shorter than a block is one block.
    """
    sound = np.atleast_2d(np.nan_to_num(np.asarray(samples, np.float64)))
    count = sound.shape[1]
    if count < 2 or not sound.any():
        return -math.inf
    padded = 1 << math.ceil(math.log2(2 * count))
    weighted = np.fft.irfft(np.fft.rfft(sound, padded) * _k_weighting(rate, padded // 2 + 1), padded)[
        :, :count
    ]
    sums = np.concatenate([[0.0], np.cumsum(np.square(weighted).sum(axis=0))])
    block = min(round(0.4 * rate), count)
    starts = np.arange(0, count - block + 1, max(1, round(0.1 * rate)))
    power = (sums[starts + block] - sums[starts]) / block
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    if power.size:
        power = power[power > 0.1 * power.mean()]
    return float(-0.691 + 10 * math.log10(power.mean())) if power.size else -math.inf


def at_loudness(samples: NDArray[np.float32], rate: int, lufs: float) -> NDArray[np.float32]:
    """``samples (channels, n)`` made as loud as ``lufs``, or as near to it as their peak leaves room for. The
    first ten seconds count: it is called where a person waits."""
    now, peak = loudness(samples[:, : 10 * rate], rate), float(np.abs(samples).max(initial=0.0))
    if not math.isfinite(now) or peak <= 0:
        return samples
    return samples * np.float32(min(10 ** ((lufs - now) / 20), 1.0 / peak))


def _k_weighting(rate: int, bins: int) -> NDArray[np.complex128]:
    """The response (bins,) from 0 to half of ``rate``: a high shelf of 4 dB and a high pass at 38 Hz. The
    filters of BS.1770, given there for 48 kHz, from their analogue parameters (De Man 2014)."""
    z = np.exp(-1j * np.pi * np.arange(bins) / (bins - 1))
    gain, quality, hertz = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k, head = math.tan(math.pi * hertz / rate), 10 ** (gain / 20)
    middle = head**0.4996667741545416
    bottom = 1 + k / quality + k * k
    shelf = (head + middle * k / quality + k * k) + 2 * (k * k - head) * z
    shelf = shelf + (head - middle * k / quality + k * k) * z * z
    shelf = shelf / (bottom + 2 * (k * k - 1) * z + (1 - k / quality + k * k) * z * z)
    quality, hertz = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * hertz / rate)
    bottom = 1 + k / quality + k * k
    low = (1 - z) ** 2 / (1 + 2 * (k * k - 1) / bottom * z + (1 - k / quality + k * k) / bottom * z * z)
    return np.asarray(shelf * low, np.complex128)


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
    mono: NDArray[np.float32],
    rate: int,
    window: int,
    size: int,
    columns: int,
    rows: int,
    part: tuple[float, float] = (0.0, 1.0),
) -> NDArray[np.float32]:
    """dB of each column and row, float32 ``(columns, rows)``, lowest frequency first."""
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    shape *= 2.0 / shape.sum()
    padded = np.pad(mono, window // 2)
    starts = np.clip(
        ((part[0] + (np.arange(columns) + 0.5) * (part[1] - part[0]) / columns) * len(mono)).astype(int),
        0,
        max(len(padded) - window, 0),
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
    above = (place - below).astype(np.float32)
    between = power[:, below] * (1 - above) + power[:, below + 1] * above
    ratio = math.sqrt(hertz[1] / hertz[0]) if rows > 1 else 1.0
    first = np.minimum(np.ceil(place / ratio).astype(int), power.shape[1] - 1)
    strongest = np.maximum.reduceat(power, first, axis=1)
    wide = place * (ratio - 1 / ratio) >= 1.0
    chosen = np.where(wide, strongest, between)
    return np.asarray(10.0 * np.log10(chosen + 10 ** (_SILENCE_DB / 10)), np.float32)
