"""Distances between sounds, by their spectra at several resolutions."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

SIZES = (2048, 1024, 512, 256, 128, 64)


def _spectrum(sound: Tensor, size: int) -> Tensor:
    """Magnitudes of ``sound (N, S)``, a full-scale sine near 1: (N, bins, frames)."""
    window = torch.hann_window(size, device=sound.device)
    stft = torch.stft(sound, size, size // 4, window=window, return_complex=True)
    return (stft.real.square() + stft.imag.square() + 1e-10).sqrt() * (2 / window.sum())


def multi_scale_spectral(a: Tensor, b: Tensor, sizes: tuple[int, ...] = SIZES) -> Tensor:
    """Multi-scale spectral distance of ``a`` and ``b`` (N, S): one number for each, (N,).

    Mean over the sizes of mean |A - B| / mean B + mean |log A - log B|, magnitudes floored 80 dB below
    full scale. The form of Engel et al. 2020 (arXiv:2001.04643, eq. 4), made independent of level.
    """
    total = torch.zeros(len(a))
    for size in sizes:
        x, y = _spectrum(a, size).clamp_min(1e-4), _spectrum(b, size).clamp_min(1e-4)
        linear = (x - y).abs().mean((1, 2)) / y.mean((1, 2))
        total = total + linear + (x.log() - y.log()).abs().mean((1, 2))
    return total / len(sizes)


@functools.lru_cache(maxsize=32)
def mel_bands(size: int, rate: int, count: int) -> Tensor:
    """Triangles equally spaced in mel over the bins of an FFT of ``size``: (count, bins)."""
    count = min(count, size // 8)
    mel = torch.linspace(0, 2595 * math.log10(1 + rate / 2 / 700), count + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = torch.linspace(0, rate / 2, size // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangle = torch.minimum((hertz - low) / (centre - low), (high - hertz) / (high - centre)).clamp_min(0)
    nearest = torch.nn.functional.one_hot((hertz[None] - centre).abs().argmin(1), len(hertz))
    return torch.maximum(triangle, nearest.to(triangle.dtype))


def multi_scale_mel(a: Tensor, b: Tensor, rate: int, sizes: tuple[int, ...] = SIZES) -> Tensor:
    """As :func:`multi_scale_spectral`, over mel bands: a few cents of detuning cost nothing. (N,)."""
    total = torch.zeros(len(a))
    for size in sizes:
        bands = mel_bands(size, rate, 80)
        x = (bands @ _spectrum(a, size).square()).sqrt().clamp_min(1e-4)
        y = (bands @ _spectrum(b, size).square()).sqrt().clamp_min(1e-4)
        linear = (x - y).abs().mean((1, 2)) / y.mean((1, 2))
        total = total + linear + (x.log() - y.log()).abs().mean((1, 2))
    return total / len(sizes)
