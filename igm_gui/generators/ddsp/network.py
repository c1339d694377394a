"""Differentiable synthesis of musical notes: a small network steers oscillators and filtered noise.

After Engel, Hantrakul, Gu and Roberts 2020, "DDSP: Differentiable Digital Signal Processing",
arXiv:2001.04643. Theirs follows a given loudness curve with a recurrent network; here the whole
course of a note is generated, from z, pitch, dynamics and the time since the key went down, without
recurrence: any frame can be computed alone, so blocks join without a seam.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from igm_gui.generators.ddsp.analysis import (
    BANDS,
    FLOOR_HARMONIC,
    FLOOR_NOISE,
    HARMONICS,
    HOP,
    SAMPLE_RATE,
    band_centres,
    frequency,
)
from igm_gui.generators.ddsp.oscillators import decibels, oscillate, soft_limit, start_phases

NOTE_SECONDS = 2.0
NOTE_FRAMES = int(NOTE_SECONDS * SAMPLE_RATE) // HOP  # 375
FULL = -12.0  # the loudness, in dB full scale, of an instrument at its loudest
SOFTEST = -36.0  # dynamics that training saw, in dB below the loudest
NOISE_TABLE = 509  # frames until the noise repeats: 2.7 s, prime so that no beat coincides


@dataclass
class Controls:
    """What the synthesiser is told at each frame boundary; leading axes as given."""

    harmonic: Tensor  # (..., HARMONICS) dB relative to the note's level
    noise: Tensor  # (..., BANDS) dB per Hz relative to the note's level
    release: Tensor  # (...,) dB per second once the key is let go, positive


class Residual(nn.Module):
    """x + W2 silu(W1 norm(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.silu(self.first(self.norm(x))))


def time_features(time: Tensor) -> Tensor:
    """Time since the onset in seconds ``(...)`` -> smooth features, fine near the onset ``(..., 12)``."""
    time = time.clamp(0.0, 2.13)[..., None]
    scales = torch.tensor([0.004, 0.012, 0.036, 0.11, 0.33, 1.0], device=time.device)
    turns = torch.log2(time / 0.01 + 1.0)
    return torch.cat(
        [
            torch.exp(-time / scales),
            time - 1,
            turns / 4 - 1,
            *(f(turns * w) for w in (0.8, 1.6) for f in (torch.sin, torch.cos)),
        ],
        -1,
    )


def pitch_features(pitch: Tensor) -> Tensor:
    """MIDI pitch ``(...)`` -> ``(..., 5)``."""
    x = ((pitch - 64.0) / 32.0)[..., None]
    return torch.cat([x, *(f(x * w) for w in (2.0, 4.0) for f in (torch.sin, torch.cos))], -1)


class Decoder(nn.Module):
    """(z, pitch, dynamics, time) -> :class:`Controls`."""

    def __init__(self, z_dim: int = 16, width: int = 320, depth: int = 3) -> None:
        super().__init__()
        self.note = nn.Sequential(nn.Linear(z_dim + 6, width), nn.SiLU(), nn.Linear(width, width))
        self.time = nn.Linear(12, width)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 1 + HARMONICS + BANDS)
        self.release = nn.Linear(width, 1)

    def forward(self, z: Tensor, pitch: Tensor, dynamics: Tensor, time: Tensor) -> Controls:
        """``z (..., Z)``; ``(...)``: MIDI ``pitch``, ``dynamics`` in dB below the loudest, ``time`` in s."""
        given = torch.cat([z, pitch_features(pitch), dynamics[..., None] / 15.0 + 1.0], -1)
        note = self.note(given)
        out = self.out(self.norm(self.blocks(note + self.time(time_features(time)))))
        k = torch.arange(1, HARMONICS + 1, device=z.device)
        above = k * frequency(pitch).to(z.device)[..., None] > 0.98 * SAMPLE_RATE / 2
        # Harmonics as a distribution under one amplitude, as in the paper; here in dB.
        share = torch.log_softmax((out[..., 1 : 1 + HARMONICS] * 2.0).masked_fill(above, -1e4), -1)
        level = 20.0 * out[..., :1]
        harmonic = level + share * (20.0 / math.log(10.0))
        noise = 15.0 * out[..., 1 + HARMONICS :] - 70.0
        release = 8.0 + 60.0 * functional.softplus(self.release(functional.silu(note)))[..., 0]
        return Controls(harmonic.clamp_min(FLOOR_HARMONIC - 10), noise.clamp_min(FLOOR_NOISE - 10), release)


class Encoder(nn.Module):
    """Measured harmonics and noise of a note (:class:`~.analysis.Note`) -> mean and log variance of z."""

    def __init__(self, z_dim: int = 16, width: int = 128) -> None:
        super().__init__()
        self.frame = nn.Linear(HARMONICS + BANDS, 96)
        self.convolutions = nn.Sequential(
            nn.SiLU(),
            nn.Conv1d(96, width, 5, 2, 2),
            nn.SiLU(),
            nn.Conv1d(width, width, 5, 2, 2),
            nn.SiLU(),
            nn.Conv1d(width, 64, 5, 2, 2),
            nn.SiLU(),
        )
        self.out = nn.Sequential(nn.Linear(64 * 14 + 6, 192), nn.SiLU(), nn.Linear(192, 2 * z_dim))

    def forward(
        self, harmonic: Tensor, noise: Tensor, pitch: Tensor, dynamics: Tensor
    ) -> tuple[Tensor, Tensor]:
        """``harmonic (N, 107, HARMONICS)`` and ``noise (N, 107, BANDS)`` in dB -> two ``(N, Z)``."""
        frames = torch.cat([harmonic / 30.0 + 1.5, noise / 20.0 + 4.0], -1)
        x = self.convolutions(self.frame(frames).mT).flatten(1)
        x = self.out(torch.cat([x, pitch_features(pitch), dynamics[:, None] / 15.0 + 1.0], -1))
        mean, log_variance = x.chunk(2, -1)
        return mean, log_variance.clamp(-10, 4)


class TimbreNetwork(nn.Module):
    """Decoder, encoder and the frame of the latent space.

    ``mean`` and ``basis`` carry the standard normal z that a person moves to the decoder's own z:
    ``mean + z @ basis``. They come from the training set's codes, so that z has unit variance in
    every direction and its first axes have a meaning.
    """

    mean: Tensor
    basis: Tensor
    table: Tensor
    bins: Tensor

    def __init__(self, z_dim: int = 16, width: int = 320, depth: int = 3) -> None:
        super().__init__()
        self.decoder = Decoder(z_dim, width, depth)
        self.encoder = Encoder(z_dim)
        self.register_buffer("mean", torch.zeros(z_dim))
        self.register_buffer("basis", torch.eye(z_dim))
        random = np.random.RandomState(20).randn(2, NOISE_TABLE, HOP + 1).astype(np.float32)
        self.register_buffer(
            "table", torch.complex(*torch.from_numpy(random)) / math.sqrt(2.0), persistent=False
        )
        self.register_buffer("bins", self._interpolation(), persistent=False)

    @staticmethod
    def _interpolation() -> Tensor:
        """Noise bands -> FFT bins, linear between band centres: (BANDS, HOP + 1)."""
        hertz = torch.linspace(0, SAMPLE_RATE / 2, HOP + 1)
        centres = band_centres()
        place = torch.searchsorted(centres, hertz).clamp(1, BANDS - 1)
        low, high = centres[place - 1], centres[place]
        mix = ((hertz - low) / (high - low)).clamp(0, 1)
        weights = torch.zeros(BANDS, HOP + 1)
        weights[place - 1, torch.arange(HOP + 1)] = 1 - mix
        weights[place, torch.arange(HOP + 1)] = mix
        return weights

    def controls(self, z: Tensor, pitch: Tensor, loudness: Tensor, hold: Tensor, time: Tensor) -> Controls:
        """The decoder at the person's z, key released after ``hold`` seconds, levels in dB full scale."""
        dynamics = (loudness - FULL).clamp(SOFTEST, 0.0)
        controls = self.decoder(self.mean + z @ self.basis, pitch, dynamics, time)
        fall = loudness - controls.release * torch.relu(time - hold)
        return Controls(
            controls.harmonic + fall[..., None], controls.noise + fall[..., None], controls.release
        )

    def synthesise(
        self, harmonic: Tensor, noise: Tensor, hertz: Tensor, phases: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Controls at F + 1 boundaries -> sound of F frames, and the phases it ends with.

        ``harmonic`` amplitudes (N, F + 1, HARMONICS), ``noise`` power per Hz (N, F + 1, BANDS), ``hertz``
        (N, F + 1), ``phases`` (N, HARMONICS) float64; ``first`` counts frames since the start of the
        voice, so that a block hears the same noise as the whole. Gives (N, F * HOP) and (N, HARMONICS).
        """
        k = torch.arange(1, HARMONICS + 1, device=hertz.device)
        tones, ends = oscillate(hertz[..., None] * k, harmonic, phases, SAMPLE_RATE, HOP)
        size = 2 * HOP
        rows = (first + torch.arange(noise.shape[1], device=noise.device)) % NOISE_TABLE
        power = torch.exp(noise.clamp_min(1e-20).log() @ self.bins)
        # A bin's variance that gives the density ``power``: size * rate / 2 (one-sided).
        spectrum = self.table[rows] * (power * (size * SAMPLE_RATE / 2)).sqrt()
        window = torch.sin(math.pi * (torch.arange(size, device=noise.device) + 0.5) / size)
        frames = torch.fft.irfft(spectrum, size) * window
        hiss = frames[:, :-1, HOP:] + frames[:, 1:, :HOP]
        return tones + hiss.flatten(1), ends

    def forward(
        self, z: Tensor, pitch: Tensor, loudness: Tensor, hold: Tensor, vibrato: Tensor, noise: Tensor
    ) -> Tensor:
        """``z (N, Z)``; the rest ``(N,)``: MIDI, dB, s, cents, factor. Sound (N, 1, 2 s)."""
        time = torch.arange(NOTE_FRAMES + 1, device=z.device) * (HOP / SAMPLE_RATE)
        time = time.expand(len(z), -1)
        wide = z[:, None].expand(-1, time.shape[1], -1)
        pitch, loudness, hold = pitch[:, None], loudness[:, None], hold[:, None]
        vibrato, noise = vibrato[:, None], noise[:, None]
        harmonic, hiss, hertz = self.voice(
            wide, pitch.expand_as(time), loudness.expand_as(time), hold, vibrato, noise, time
        )
        phases = start_phases(HARMONICS).expand(len(z), -1)
        # Double-precision phases are not to be had on every GPU; the oscillators run on the CPU.
        sound, _ = self.on_cpu().synthesise(harmonic.cpu(), hiss.cpu(), hertz.cpu(), phases)
        return soft_limit(sound)[:, None].to(z.device)

    def on_cpu(self) -> TimbreNetwork:
        """This network where it is on the CPU; else its synthesiser alone, there."""
        if self.table.device.type == "cpu":
            return self
        network = TimbreNetwork.__new__(TimbreNetwork)
        nn.Module.__init__(network)
        network.register_buffer("table", self.table.cpu(), persistent=False)
        network.register_buffer("bins", self.bins.cpu(), persistent=False)
        return network

    def voice(
        self,
        z: Tensor,
        pitch: Tensor,
        loudness: Tensor,
        hold: Tensor,
        vibrato: Tensor,
        noise: Tensor,
        time: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Amplitudes, noise densities and fundamentals at the times ``time (...)`` since the onset."""
        controls = self.controls(z, pitch, loudness, hold, time)
        # Nothing sounds before the onset, and the note ends inside its length.
        gate = (time / (HOP / SAMPLE_RATE)).clamp(0, 1) * ((NOTE_SECONDS - time) / 0.03).clamp(0, 1)
        harmonic = decibels(controls.harmonic) * gate[..., None]
        hiss = decibels(controls.noise).square() * (gate * noise).square()[..., None]
        sway = vibrato * ((time - 0.25) / 0.5).clamp(0, 1) * torch.sin(2 * math.pi * 5.5 * time)
        return harmonic, hiss, frequency(pitch + sway / 100.0)
