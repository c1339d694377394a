"""The frame of timbre's latent space: unit variance in every direction, first axes with a meaning.

The codes of the training notes are whitened; then the space is turned so that z 1 follows the descriptor
that is easiest to name, z 2 the next, and so on. Both are linear, so a standard normal z stays one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.generators.ddsp.analysis import HARMONICS, frequency, grid
from igm_gui.generators.ddsp.network import SOFTEST, TimbreNetwork
from models.recipes.timbre_data import Notes

AXES = ("brightness", "sustain", "noisiness", "slow attack", "even harmonics")


def descriptors(harmonic: Tensor, noise: Tensor, pitch: Tensor) -> Tensor:
    """Measured notes in dB, (N, 107, ...), -> one column for each of AXES, (N, 5)."""
    frame = grid()
    power = 10 ** (harmonic / 10)
    total = power.sum(-1)  # (N, T)
    k = torch.arange(1, HARMONICS + 1)
    hertz = frequency(pitch)[:, None] * k
    mean_power = power[:, 8:80].mean(1)
    centroid = (mean_power.sqrt() * hertz).sum(1) / mean_power.sqrt().sum(1)
    late = 10 * torch.log10(total[:, -12:].mean(1) + 1e-9)
    early = 10 * torch.log10(total.amax(1) + 1e-9)
    hiss = torch.logsumexp(noise[:, 8:80].mean(1) / 4.34, -1) * 4.34
    reached = (total >= 0.5 * total.amax(1, keepdim=True)).float().argmax(1)
    attack = torch.log(frame[reached] + 4.0)
    even = 10 * torch.log10(mean_power[:, 1:8:2].sum(1) / mean_power[:, 0:7:2].sum(1) + 1e-6)
    return torch.stack([centroid.log(), late - early, hiss, attack, even.clamp(-40, 20)], 1)


@torch.no_grad()
def fit_space(network: TimbreNetwork, notes: Notes) -> None:
    """Set ``network.mean`` and ``network.basis`` from the training notes' codes."""
    rows, _ = notes.split()
    means, variances, columns = [], [], []
    for part in rows.split(256):
        harmonic, noise = notes.harmonic[part].float(), notes.noise[part].float()
        pitch, dynamics = notes.pitch[part], notes.dynamics[part].clamp(SOFTEST, 0)
        mean, log_variance = network.encoder(harmonic, noise, pitch, dynamics)
        means.append(mean)
        variances.append(log_variance.exp())
        columns.append(descriptors(harmonic, noise, pitch))
    codes, variance = torch.cat(means), torch.cat(variances).mean(0)
    centre = codes.mean(0)
    covariance = torch.cov(codes.T) + torch.diag(variance)
    root = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(root, (codes - centre).T, upper=False).T

    # What pitch and dynamics explain of a descriptor is not timbre: regress them out.
    wanted = torch.cat(columns)
    wanted = (wanted - wanted.mean(0)) / wanted.std(0)
    pitch = (notes.pitch[rows] - 64) / 18
    known = torch.stack([torch.ones_like(pitch), pitch, pitch**2, notes.dynamics[rows] / 10], 1)
    wanted = wanted - known @ torch.linalg.lstsq(known, wanted).solution
    towards = torch.linalg.lstsq(white, wanted).solution  # (Z, 5)
    z_dim = codes.shape[1]
    turn, triangle = torch.linalg.qr(torch.cat([towards, torch.eye(z_dim)[:, : z_dim - towards.shape[1]]], 1))
    turn = turn * torch.where(torch.diagonal(triangle) < 0, -1.0, 1.0)
    network.mean.copy_(centre)
    network.basis.copy_((root @ turn).T)
