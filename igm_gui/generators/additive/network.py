"""Additive synthesis without weights: sixteen numbers -> harmonic amplitudes and their envelope.

Every dimension is standard normal and has one audible meaning; zero is a plain, mellow tone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from igm_gui.generators.ddsp.oscillators import decibels, oscillate, soft_limit, start_phases

SAMPLE_RATE = 48_000
HOP = 256
HARMONICS = 64
SECONDS = 2.0
HELD = 1.5  # seconds until the key is let go
SAMPLES = int(SECONDS * SAMPLE_RATE)

DIMENSIONS = (
    "brightness", "odd harmonics", "first formant", "first formant's strength", "second formant",
    "second formant's strength", "comb spacing", "comb depth", "attack", "decay", "sustain", "damping",
    "stretch", "vibrato", "tremolo", "shimmer",
)  # fmt: skip


def frequencies(z: Tensor, pitch: Tensor, time: Tensor) -> Tensor:
    """Partials in Hz, ``(..., K)``, of ``z (..., 16)``, MIDI ``pitch (...)`` at ``time (...)`` seconds."""
    k = torch.arange(1, HARMONICS + 1, dtype=z.dtype)
    fundamental = 440.0 * torch.exp2((pitch - 69.0) / 12.0)
    # Vibrato of up to half a semitone at 5.5 Hz sets in after a third of a second.
    depth = 25.0 * torch.relu(z[..., 13]) * ((time - 0.3) / 0.4).clamp(0, 1)
    fundamental = fundamental * torch.exp2(depth * torch.sin(2 * math.pi * 5.5 * time) / 1200.0)
    # Stiff strings: f_k = k f_0 sqrt(1 + B k^2) (Fletcher 1964). The fundamental stays in tune.
    stiffness = 2e-4 * torch.relu(z[..., 12, None])
    return fundamental[..., None] * k * ((1 + stiffness * k * k) / (1 + stiffness)).sqrt()


def amplitudes(z: Tensor, pitch: Tensor, time: Tensor) -> Tensor:
    """Amplitudes of the partials, ``(..., K)``; their power sums to 1 where the envelope is 1."""
    k = torch.arange(1, HARMONICS + 1, dtype=z.dtype)
    octave = torch.log2(k)
    height = octave + (pitch[..., None] - 60.0) / 12.0  # octaves above middle C

    level = -(9.0 - 3.5 * z[..., 0, None]) * octave  # dB
    level = level - torch.where(k % 2 == 0, 1.0, -0.25) * 9.0 * z[..., 1, None] * (k > 1)
    for centre, strength, place in ((2, 3, 1.2), (4, 5, 2.8)):
        distance = (height - place - 0.8 * z[..., centre, None]) / 0.35
        level = level + (5.0 + 6.0 * z[..., strength, None]) * torch.exp(-distance * distance)
    spacing = 4.0 * torch.exp2(0.6 * z[..., 6, None])
    level = level + 7.0 * torch.tanh(z[..., 7, None]) * torch.cos(2 * math.pi * (k - 1) / spacing)
    phase = k * 2.399963  # the golden angle: neighbouring partials never move together
    level = level + 6.0 * torch.relu(z[..., 15, None]) * torch.sin(
        2 * math.pi * 0.9 * time[..., None] + phase
    )
    shape = decibels(level)
    shape = shape / shape.square().sum(-1, keepdim=True).sqrt()

    # High partials die first (damping), the whole falls to the sustain level and, once let go, to nothing.
    damping = 0.35 * torch.exp2(1.2 * z[..., 11, None]) * octave * time[..., None]
    return shape * torch.exp(-damping) * envelope(z, time)[..., None]


def envelope(z: Tensor, time: Tensor) -> Tensor:
    """Attack, decay, sustain and release as a gain from 0 to 1, of the shape of ``time``."""
    attack = 0.02 * torch.exp2(1.5 * z[..., 8])
    decay = 0.5 * torch.exp2(1.2 * z[..., 9])
    sustain = torch.sigmoid(0.3 + 1.6 * z[..., 10])
    rise = 1 - torch.exp(-3.0 * time / attack)
    fall = sustain + (1 - sustain) * torch.exp(-torch.relu(time - attack) / decay)
    release = torch.exp(-torch.relu(time - HELD) / 0.09)
    end = ((SECONDS - time) / 0.03).clamp(0, 1)
    wobble = 1 - 0.35 * z[..., 14].clamp(0, 2) * (0.5 - 0.5 * torch.cos(2 * math.pi * 6.0 * time))
    return rise * fall * release * end * wobble


class AdditiveNetwork:
    """z ``(N, 16)``, pitch ``(N,)`` in MIDI notes, loudness ``(N,)`` in dB RMS -> ``(N, 1, SAMPLES)``."""

    def __call__(self, z: Tensor, pitch: Tensor, loudness: Tensor) -> Tensor:
        device = z.device
        z, pitch, loudness = z.cpu(), pitch.cpu(), loudness.cpu()  # float64 phases: not on every GPU
        frames = SAMPLES // HOP
        time = (torch.arange(frames + 1) * (HOP / SAMPLE_RATE)).expand(len(z), -1)
        z, pitch = z[:, None], pitch[:, None]
        gain = decibels(loudness)[:, None, None] * math.sqrt(2.0)
        phases = start_phases(HARMONICS).expand(len(z), -1)
        sound, _ = oscillate(
            frequencies(z, pitch, time), gain * amplitudes(z, pitch, time), phases, SAMPLE_RATE, HOP
        )
        return soft_limit(sound)[:, None].to(device)
