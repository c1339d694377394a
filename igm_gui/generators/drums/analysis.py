"""A drum hit taken apart: one gliding low tone, and above it bands that are part tone, part noise.

Below BODY_TOP the hit is a single oscillator with its own course of frequency and level, which holds the
falling pitch of a kick or tom. Above, each quarter octave is an analytic signal; how well it predicts itself
one and a half periods of its bandwidth later says how much of it is tone (a tone does, noise doesn't).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLE_RATE = 44_100
SAMPLES = SAMPLE_RATE
BODY_LOW, BODY_TOP = 25.0, 260.0
BANDS = 24  # quarter octaves from BODY_TOP to 16.6 kHz
POINTS = 48  # places in time, dense at the start
HOP = 32
FLOOR = -80.0  # dB below the hit's loudest point
FRAMES = SAMPLES // HOP
SIZE = 2 * BANDS * POINTS + BANDS + 2 * POINTS  # numbers that describe a hit


def edges() -> Tensor:
    """Borders of the bands in Hz, (BANDS + 1,)."""
    return BODY_TOP * 2 ** (torch.arange(BANDS + 1) / 4)


def times() -> Tensor:
    """Where levels are told, in seconds from 0 to 1: 2 ms apart at first, then ever wider; (POINTS,)."""
    place = torch.arange(POINTS, dtype=torch.float64) / (POINTS - 1)
    bend = 5.2
    return ((torch.exp(bend * place) - 1) / (math.exp(bend) - 1)).float()


@dataclass
class Hit:
    """What makes a hit; leading axes as given. Levels in dB, frequencies in Hz."""

    body_level: Tensor  # (..., POINTS)
    body_hertz: Tensor  # (..., POINTS)
    tone_level: Tensor  # (..., BANDS, POINTS)
    tone_hertz: Tensor  # (..., BANDS)
    noise_level: Tensor  # (..., BANDS, POINTS)

    def vector(self) -> Tensor:
        """As numbers of order one for a network, (..., SIZE)."""
        low, high = edges()[:-1], edges()[1:]
        within = torch.log(self.tone_hertz / low) / torch.log(high / low) * 2 - 1
        parts = [
            self.tone_level.flatten(-2) / 20 + 2,
            self.noise_level.flatten(-2) / 20 + 2,
            within,
            self.body_level / 20 + 2,
            torch.log2(self.body_hertz / 80.0),
        ]
        return torch.cat(parts, -1)

    @staticmethod
    def from_vector(vector: Tensor) -> Hit:
        """The inverse of :meth:`vector`; frequencies are kept within their bands."""
        levels = BANDS * POINTS
        tone, noise, within, body, bend = vector.split([levels, levels, BANDS, POINTS, POINTS], -1)
        low, high = edges()[:-1].to(vector.device), edges()[1:].to(vector.device)
        hertz = low * torch.exp((within.clamp(-1, 1) + 1) / 2 * torch.log(high / low))
        shape = (*vector.shape[:-1], BANDS, POINTS)
        return Hit(
            (body - 2) * 20,
            (80.0 * torch.exp2(bend)).clamp(BODY_LOW, BODY_TOP),
            (tone.reshape(shape) - 2) * 20,
            hertz,
            (noise.reshape(shape) - 2) * 20,
        )


def _bands(sound: Tensor) -> tuple[Tensor, Tensor]:
    """Analytic signals of the body, (S,), and of the bands, (BANDS, S); together they sum to the sound."""
    size = 1 << (SAMPLES + SAMPLES // 3).bit_length()
    spectrum = torch.fft.fft(sound, size)
    hertz = torch.fft.fftfreq(size, 1 / SAMPLE_RATE)
    octave = torch.log2(hertz.clamp_min(1.0) / BODY_TOP) * 4

    def above(edge: float) -> Tensor:
        # Raised cosine a third of a band wide: neighbours share the slope and sum to one.
        x = ((octave - edge) * 3 + 0.5).clamp(0, 1)
        return (0.5 - 0.5 * torch.cos(math.pi * x)) * (hertz > 0)

    steps = torch.stack([above(float(i)) for i in range(BANDS + 1)])
    masks = steps[:-1] - steps[1:]
    body_mask = ((hertz > 12) & (hertz < SAMPLE_RATE / 2)).float() * (1 - above(0.0))
    split = torch.fft.ifft(2 * spectrum * torch.cat([body_mask[None], masks]))[:, :SAMPLES]
    return split[0], split[1:]


def _smooth(values: Tensor, width: int) -> Tensor:
    """Moving average over ``width`` samples along the last axis, ends held; real or complex."""
    if values.is_complex():
        return torch.complex(_smooth(values.real, width), _smooth(values.imag, width))
    left = width // 2
    padded = torch.nn.functional.pad(values[None], (left, width - 1 - left), mode="replicate")[0]
    sums = torch.nn.functional.pad(padded.double().cumsum(-1), (1, 0))
    return ((sums[..., width:] - sums[..., :-width]) / width).float()


def _at_times(values: Tensor, reduce_power: bool = True) -> Tensor:
    """Values along the last axis averaged around each of ``times``: (..., POINTS)."""
    place = (times() * (SAMPLES - 1)).round().long()
    between = (place[1:] + place[:-1]) // 2
    start = torch.cat([place[:1], between])
    end = torch.maximum(torch.cat([between, place[-1:] + 1]), start + 1)
    sums = torch.nn.functional.pad(values.double().cumsum(-1), (1, 0))
    mean = (sums[..., end] - sums[..., start]) / (end - start)
    return (mean.clamp_min(0) if reduce_power else mean).float()


def analyse(sound: Tensor) -> Hit:
    """Take a hit apart that begins at sample 0: float32 ``(S,)`` at SAMPLE_RATE, first second used."""
    sound = sound[:SAMPLES]
    sound = torch.nn.functional.pad(sound, (0, SAMPLES - len(sound)))
    sound = sound / sound.abs().max().clamp_min(1e-6)
    body, bands = _bands(sound)

    power = body.abs().square()
    advance = _smooth((body[1:] * body[:-1].conj())[None], 200)[0]
    hertz = torch.angle(advance) * (SAMPLE_RATE / (2 * math.pi))
    hertz = torch.nn.functional.pad(hertz, (0, 1), value=80.0).clamp(BODY_LOW, BODY_TOP)
    weighted = _at_times(hertz * power, False) / _at_times(power).clamp_min(1e-12)
    audible = _at_times(power) > 1e-6 * float(power.max())
    body_hertz = weighted.clamp(BODY_LOW, BODY_TOP)
    for i in range(1, POINTS):  # where nothing is left to measure the last frequency goes on
        if not bool(audible[i]):
            body_hertz[i] = body_hertz[i - 1]

    tone_rows, noise_rows, tone_hertz = [], [], []
    border = edges()
    for i in range(BANDS):
        band, width = bands[i], float(border[i + 1] - border[i])
        lag = int(1.5 * SAMPLE_RATE / width)
        window = max(int(6 * SAMPLE_RATE / width), 256)
        level = band.abs().square()
        later = torch.nn.functional.pad(band[lag:], (0, lag))
        same = _smooth((later * band.conj())[None], window)[0].abs()
        # Against the mean of both ends' power, so that a quick decay is not taken for noise.
        both = (_smooth(level[None], window)[0] * _smooth(later.abs().square()[None], window)[0]).sqrt()
        tonal = ((same / both.clamp_min(1e-12) - 0.55) / 0.35).clamp(0, 1)
        tone_rows.append(_at_times(level * tonal))
        noise_rows.append(_at_times(level * (1 - tonal)))
        turn = (band[1:] * band[:-1].conj() * tonal[1:]).sum()
        rate = float(torch.angle(turn)) * SAMPLE_RATE / (2 * math.pi)
        tone_hertz.append(min(max(rate, float(border[i])), float(border[i + 1])))

    def decibel(values: Tensor) -> Tensor:
        return (10 * torch.log10(values + 1e-12)).clamp(FLOOR, 6)

    return Hit(
        decibel(_at_times(power)),
        body_hertz,
        decibel(torch.stack(tone_rows)),
        torch.tensor(tone_hertz),
        decibel(torch.stack(noise_rows)),
    )
