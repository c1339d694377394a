"""A recorded note taken apart: pitch over time, the level of each harmonic, and the noise between them.

With the fundamental known, harmonic k is the projection of a windowed frame on exp(-2 pi i k f0 t). The
window is four periods long, so that its zeros fall half-way between harmonics: what is measured at
(k + 1/2) f0 is noise alone, and is taken off the harmonics again (after Serra and Smith 1990,
"Spectral modeling synthesis").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLE_RATE = 24_000
HOP = 128
HARMONICS = 128
BANDS = 40
FLOOR_HARMONIC = -90.0  # dB relative to the note's level
FLOOR_NOISE = -120.0  # dB per Hz relative to the note's level
HELD_FRAMES = 400  # 2.13 s
REFERENCE = 440.0


def grid() -> Tensor:
    """Frame numbers that are looked at: each in the first quarter second, then every sixth; int64 (107,)."""
    return torch.cat([torch.arange(48), torch.arange(48, HELD_FRAMES, 6)])


def band_centres() -> Tensor:
    """Centres of the noise bands in Hz, equally spaced in mel from 40 Hz to 11.6 kHz; (BANDS,)."""
    low, high = (2595 * math.log10(1 + f / 700) for f in (40.0, 11_600.0))
    mel = torch.linspace(low, high, BANDS)
    return 700 * (10 ** (mel / 2595) - 1)


def frequency(pitch: Tensor | float) -> Tensor:
    """MIDI note number -> Hz."""
    return REFERENCE * torch.exp2((torch.as_tensor(pitch, dtype=torch.float32) - 69.0) / 12.0)


def _frames(sound: Tensor, centres: Tensor, length: int) -> Tensor:
    """Windows of ``length`` around ``centres`` (samples): (T, length). Zero outside the sound."""
    padded = torch.nn.functional.pad(sound, (length, length))
    index = centres[:, None] + torch.arange(length) + (length - length // 2)
    return padded[index.clamp(0, len(padded) - 1)]


def _window_length(f0: float) -> int:
    return int(min(max(4 * SAMPLE_RATE / f0, 480), 1920)) // 2 * 2


def _project(frames: Tensor, hertz: Tensor) -> Tensor:
    """Hann-windowed projection of ``frames (T, L)`` on ``hertz (K,)``: complex amplitude (T, K)."""
    length = frames.shape[1]
    window = torch.hann_window(length)
    t = (torch.arange(length, dtype=torch.float64) - length // 2) / SAMPLE_RATE
    angle = torch.remainder(2 * math.pi * t[:, None] * hertz.double(), 2 * math.pi).float()
    windowed = frames * (2 * window / window.sum())
    return torch.complex(windowed @ angle.cos(), -(windowed @ angle.sin()))


def track_pitch(sound: Tensor, f0: float, frames: int = HELD_FRAMES) -> Tensor:
    """Fundamental in Hz at each hop, within 80 cents of ``f0``, from the phase advance of harmonics 1-8.

    Smoothed by a median over 11 frames; ``f0`` itself where there is nothing to measure. (frames,).
    """
    length = _window_length(f0)
    centres = torch.arange(frames) * HOP
    step = 16
    k = torch.arange(1, 9)
    k = k[k * f0 < SAMPLE_RATE / 2 * 0.9]
    here = _project(_frames(sound, centres, length), k * f0)
    there = _project(_frames(sound, centres + step, length), k * f0)
    # The projection's own origin moved with the frame: the advance is that of the full frequency.
    expected = 2 * math.pi * k * f0 * step / SAMPLE_RATE
    rest = torch.angle(there * here.conj() * torch.exp(torch.complex(torch.zeros(()), -expected)))
    each = f0 + rest * SAMPLE_RATE / (2 * math.pi * step) / k
    power = here.abs().square() * k
    total = power.sum(1)
    estimate = (each * power).sum(1) / total.clamp_min(1e-20)
    usable = (total > total.max() * 1e-4) & ((estimate / f0).log2().abs() < 80 / 1200)
    if not bool(usable.any()):
        return torch.full((frames,), f0)
    typical = estimate[usable].median()
    estimate = torch.where(usable, estimate, typical)
    padded = torch.nn.functional.pad(estimate[None], (5, 5), mode="replicate")[0]
    return padded.unfold(0, 11, 1).median(1).values


def straighten(sound: Tensor, track: Tensor, f0: float) -> Tensor:
    """``sound`` played at a varying speed so that its fundamental, ``track`` per hop, stays at ``f0``."""
    size = len(sound)
    speed = f0 / track
    held = torch.cat([speed, speed[-1:].expand(max(0, size // HOP + 2 - len(speed)))])
    position = torch.nn.functional.interpolate(held[None, None], scale_factor=HOP, mode="linear")[0, 0, :size]
    position = position.double().cumsum(0) - position[0]  # 0-based place in the sound, in samples
    # Four times oversampled by FFT, then Catmull-Rom.
    spectrum = torch.fft.rfft(sound)
    fine = torch.fft.irfft(torch.nn.functional.pad(spectrum, (0, 2 * size - len(spectrum) + 1)), 4 * size) * 4
    place = (position * 4).clamp(1, 4 * size - 3)
    index = place.long()
    x = (place - index).float()
    a, b, c, d = (fine[index + offset] for offset in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))


def levels(sound: Tensor, f0: float, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Harmonic amplitudes (T, HARMONICS) and noise density (T, BANDS, power per Hz) at ``frames``.

    ``sound`` float32 (S,) with a steady fundamental of ``f0`` Hz. Harmonics above Nyquist are 0.
    """
    length = _window_length(f0)
    cut = _frames(sound, frames * HOP, length)
    count = max(1, min(HARMONICS, int(0.98 * SAMPLE_RATE / 2 / f0)))
    k = torch.arange(1, count + 1)
    power = _project(cut, k * f0).abs().square()
    between = (torch.arange(int(SAMPLE_RATE / 2 / f0)) + 0.5) * f0
    gap = _project(cut, between).abs().square()
    wide = torch.cat([gap, gap[:, -1:]], 1)
    leak = torch.minimum(wide[:, :count], wide[:, 1 : count + 1])
    harmonic = torch.zeros(len(frames), HARMONICS)
    harmonic[:, :count] = (power - leak).clamp_min(0).sqrt()

    window = torch.hann_window(length)
    bandwidth = SAMPLE_RATE * window.square().sum() / window.sum().square()  # Hz that one projection hears
    density = gap / (2 * bandwidth)
    centres = band_centres()
    edges = torch.cat([torch.zeros(1), (centres[:-1] + centres[1:]) / 2, torch.tensor([SAMPLE_RATE / 2.0])])
    noise = torch.zeros(len(frames), BANDS)
    for band in range(BANDS):
        inside = (between >= edges[band]) & (between < edges[band + 1])
        if bool(inside.any()):
            noise[:, band] = density[:, inside].mean(1)
        else:  # narrower than the spacing of the measurements: the nearest two, interpolated in dB
            place = float(centres[band] / f0 - 0.5)
            low = min(max(int(place), 0), len(between) - 1)
            high = min(low + 1, len(between) - 1)
            mix = min(max(place - low, 0.0), 1.0)
            pair = density[:, [low, high]].clamp_min(1e-20).log()
            noise[:, band] = torch.exp(pair[:, 0] * (1 - mix) + pair[:, 1] * mix)
    return harmonic, noise


@dataclass
class Note:
    """A note in numbers. Levels in dB relative to ``level``, the loudest frame's RMS in dB full scale."""

    harmonic: Tensor  # (T, HARMONICS), from FLOOR_HARMONIC up
    noise: Tensor  # (T, BANDS), dB per Hz, from FLOOR_NOISE up
    level: float
    detune: float  # cents from the pitch asked for, median
    tonality: float  # share of the power that is harmonic, 0 to 1


def analyse(sound: Tensor, pitch: float) -> Note:
    """Take a note apart that starts at sample 0: float32 ``(S,)`` at SAMPLE_RATE, MIDI ``pitch``."""
    f0 = float(frequency(pitch))
    need = HELD_FRAMES * HOP
    if len(sound) < need:
        sound = torch.nn.functional.pad(sound, (0, need - len(sound)))
    energy = torch.nn.functional.avg_pool1d(sound.square()[None, None], 1024, 256)[0, 0]
    level = 10 * math.log10(float(energy.max()) + 1e-12)
    track = track_pitch(sound, f0)
    harmonic, noise = levels(straighten(sound, track, f0), f0, grid())
    centres = band_centres()
    width = torch.cat([centres[1:] - centres[:-1], centres[-1:] - centres[-2:-1]])
    tonal = float(harmonic.square().sum() / 2)
    hiss = float((noise * width).sum())
    return Note(
        (20 * torch.log10(harmonic + 1e-9) - level).clamp(FLOOR_HARMONIC, 20),
        (10 * torch.log10(noise + 1e-18) - level).clamp(FLOOR_NOISE, 0),
        level,
        float(1200 * (track / f0).log2().median()),
        tonal / (tonal + hiss + 1e-20),
    )
