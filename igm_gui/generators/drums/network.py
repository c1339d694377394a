"""Drum hits: a small decoder says what each band does, a synthesiser with no weights makes the sound.

A conditional variational autoencoder (Kingma and Welling 2014; Sohn et al. 2015) over the numbers of
:mod:`~igm_gui.generators.drums.analysis`; the synthesiser is differentiable (Engel et al. 2020, DDSP).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from igm_gui.generators.ddsp.oscillators import decibels
from igm_gui.generators.drums.analysis import (
    BANDS,
    FRAMES,
    HOP,
    POINTS,
    SAMPLE_RATE,
    SAMPLES,
    SIZE,
    Hit,
    edges,
    times,
)

PEAK = 0.89


def band_noise(seed: int) -> Tensor:
    """White noise of unit variance cut into the bands: float32 (BANDS, SAMPLES), the same for a seed."""
    white = torch.from_numpy(np.random.RandomState(seed % 2**32).randn(SAMPLES).astype(np.float32))
    spectrum = torch.fft.rfft(white)
    hertz = torch.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE)
    border = edges()
    masks = (hertz >= border[:-1, None]) & (hertz < border[1:, None])
    noise = torch.fft.irfft(spectrum * masks, SAMPLES)
    return noise / noise.square().mean(1, keepdim=True).sqrt()


def envelope(level: Tensor, length: Tensor | None = None) -> Tensor:
    """Levels in dB at ``times`` -> amplitude for each sample: (N, C, POINTS) -> (N, C, SAMPLES).

    ``length (N,)`` stretches time. Interpolated in dB every HOP samples, then linearly.
    """
    now = torch.arange(FRAMES + 1, device=level.device) * (HOP / SAMPLE_RATE)
    now = now.expand(len(level), -1) if length is None else now / length[:, None]
    grid = times().to(level.device)
    right = torch.searchsorted(grid, now.contiguous()).clamp(1, POINTS - 1)
    low, high = grid[right - 1], grid[right]
    mix = ((now - low) / (high - low)).clamp(0, 1)[:, None]
    wide = right[:, None].expand(-1, level.shape[1], -1)
    between = level.gather(2, wide - 1) * (1 - mix) + level.gather(2, wide) * mix
    # What fell to the floor is silence, not hiss.
    amplitude = decibels(between) * ((between + 80.0) / 10.0).clamp(0, 1)
    first, last = amplitude[..., :-1, None], amplitude[..., 1:, None]
    step = torch.arange(HOP, device=level.device) / HOP
    return (first + (last - first) * step).flatten(2)


def synthesise(hit: Hit, noise: Tensor, tune: Tensor | None = None, length: Tensor | None = None) -> Tensor:
    """Hits (N, ...) and band noise (BANDS, SAMPLES) or (N, BANDS, SAMPLES) -> sound (N, SAMPLES), unscaled.

    ``tune`` in semitones moves the tones, ``length`` stretches the levels.
    """
    ratio = torch.ones(len(hit.tone_hertz), 1) if tune is None else torch.exp2(tune / 12)[:, None]
    ratio = ratio.to(hit.tone_hertz.device)
    # The body's frequency needs no more than a straight line between its points, on a log scale.
    bend = torch.log2(hit.body_hertz)[:, None]
    now = torch.arange(FRAMES + 1, device=bend.device) * (HOP / SAMPLE_RATE)
    now = now.expand(len(bend), -1) if length is None else now / length[:, None]
    grid = times().to(bend.device)
    right = torch.searchsorted(grid, now.contiguous()).clamp(1, POINTS - 1)
    mix = ((now - grid[right - 1]) / (grid[right] - grid[right - 1])).clamp(0, 1)
    track = bend[:, 0].gather(1, right - 1) * (1 - mix) + bend[:, 0].gather(1, right) * mix
    hertz = torch.exp2(track) * ratio  # (N, FRAMES + 1)
    step = torch.arange(HOP, device=bend.device) / HOP
    fine = (hertz[:, :-1, None] + (hertz[:, 1:, None] - hertz[:, :-1, None]) * step).flatten(1)
    turn = 2 * math.pi / SAMPLE_RATE
    body = torch.sin(torch.remainder(fine.double().cumsum(1) * turn, 2 * math.pi).to(fine.dtype))

    levels = torch.cat([hit.body_level[:, None], hit.tone_level, hit.noise_level], 1)
    shapes = envelope(levels, length)[..., :SAMPLES]
    body = functional.pad(body, (0, SAMPLES - body.shape[1]))
    shapes = functional.pad(shapes, (0, SAMPLES - shapes.shape[2]))
    n = torch.arange(SAMPLES, device=bend.device, dtype=torch.float32)
    omega = hit.tone_hertz * ratio * turn
    start = torch.arange(BANDS, device=bend.device) * 2.399963  # spread phases: low peaks
    tones = torch.sin(omega[..., None] * n + start[:, None]) * (omega < math.pi)[..., None]
    sound = shapes[:, 0] * body + (shapes[:, 1 : 1 + BANDS] * tones).sum(1)
    # A tone of amplitude a has the analytic power a^2; noise of variance v has 2 v.
    sound = sound + (shapes[:, 1 + BANDS :] * noise).sum(1) * math.sqrt(0.5)
    fade = ((SAMPLES - n) / (0.04 * SAMPLE_RATE)).clamp(0, 1)
    return sound * fade


class DrumNetwork(nn.Module):
    """Decoder, encoder and, for each class, the frame of the latent space.

    The frame carries a standard normal z to the codes that the class's hits have (see
    :class:`~igm_gui.generators.ddsp.network.TimbreNetwork`): a hat is drawn from among the hats.
    """

    centre: Tensor
    scale: Tensor
    mean: Tensor
    basis: Tensor

    def __init__(self, z_dim: int = 16, classes: int = 6, width: int = 384) -> None:
        super().__init__()
        self.decoder = nn.Sequential(
            nn.Linear(z_dim + classes, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, SIZE),
        )
        self.encoder = nn.Sequential(
            nn.Linear(SIZE + classes, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.SiLU(),
            nn.Linear(width, 2 * z_dim),
        )
        self.judge = nn.Sequential(nn.Linear(SIZE, 128), nn.SiLU(), nn.Dropout(0.3), nn.Linear(128, classes))
        self.register_buffer("centre", torch.zeros(SIZE))
        self.register_buffer("scale", torch.ones(SIZE))
        self.register_buffer("mean", torch.zeros(classes, z_dim))
        self.register_buffer("basis", torch.eye(z_dim).repeat(classes, 1, 1))
        self._noise: dict[int, Tensor] = {}

    def decode(self, code: Tensor, label: Tensor) -> Tensor:
        """The decoder's own z (N, Z) and class weights (N, classes) -> numbers of a hit (N, SIZE)."""
        return self.centre + self.scale * self.decoder(torch.cat([code, label], -1))

    def encode(self, vector: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of a hit and its class -> mean and log variance of the decoder's z."""
        out = self.encoder(torch.cat([(vector - self.centre) / self.scale, label], -1))
        mean, log_variance = out.chunk(2, -1)
        return mean, log_variance.clamp(-8, 4)

    def classify(self, vector: Tensor) -> Tensor:
        """Numbers of a hit (N, SIZE) -> class logits."""
        return self.judge((vector - self.centre) / self.scale)

    def hit(self, z: Tensor, label: Tensor) -> Hit:
        """The person's standard normal z -> a hit."""
        code = label @ self.mean + torch.einsum("nz,nzy->ny", z, self.basis_of(label))
        return Hit.from_vector(self.decode(code, label))

    def basis_of(self, label: Tensor) -> Tensor:
        """The frame of the latent space for class weights (N, classes): (N, Z, Z)."""
        return torch.einsum("nc,czy->nzy", label, self.basis)

    def noise_of(self, seed: int, device: torch.device) -> Tensor:
        """The band noise of a seed, the last few kept."""
        if seed not in self._noise:
            while len(self._noise) >= 4:
                self._noise.pop(next(iter(self._noise)))
            self._noise[seed] = band_noise(seed)
        return self._noise[seed].to(device)

    def forward(self, z: Tensor, label: Tensor, tune: Tensor, length: Tensor, noise_seed: Tensor) -> Tensor:
        """``z (N, Z)``, ``label (N, classes)``, ``tune`` semitones, ``length`` factor -> (N, 1, SAMPLES)."""
        hit = self.hit(z, label)
        # Double-precision phases are not to be had on every GPU, and this is quick: on the CPU.
        parts = Hit(*(x.cpu() for x in vars(hit).values()))
        seeds = [int(seed) for seed in noise_seed.tolist()]
        cpu = torch.device("cpu")
        if len(set(seeds)) == 1:
            noise = self.noise_of(seeds[0], cpu)
        else:
            noise = torch.stack([self.noise_of(seed, cpu) for seed in seeds])
        sound = synthesise(parts, noise, tune.cpu(), length.cpu())
        sound = sound * (PEAK / sound.abs().amax(1, keepdim=True).clamp_min(1e-4))
        return sound[:, None].to(z.device)
