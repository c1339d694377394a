"""The mapping network z -> w of the style family: an invertible one.

A normalizing flow of affine couplings (Dinh et al. 2017, arXiv:1605.08803), conditioned on the
label. StyleGAN's mapping network (Karras et al. 2019, arXiv:1812.04948) is a plain MLP; a flow
does the same work and can be run backwards, so that a picture which the encoder has placed in
w also has a place in z, and its density log p(w | label) says which label fits a w best.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_LOG_SCALE = 2.0


class Coupling(nn.Module):
    """Half of the dimensions scale and shift the other half; then the dimensions change places."""

    permutation: Tensor

    def __init__(self, dim: int, n_labels: int, hidden: int) -> None:
        super().__init__()
        self.kept = dim // 2
        self.first = nn.Linear(self.kept + n_labels, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 2 * (dim - self.kept))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.register_buffer("permutation", torch.randperm(dim))

    def _scale_shift(self, kept: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.silu(self.first(torch.cat([kept, label], 1)))
        hidden = F.silu(self.second(hidden))
        log_scale, shift = self.last(hidden).chunk(2, dim=1)
        # Bounded, so that a point far from the data can't blow up; tanh(x / m) m is x where it matters.
        return torch.tanh(log_scale / MAX_LOG_SCALE) * MAX_LOG_SCALE, shift

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        kept, moved = z[:, : self.kept], z[:, self.kept :]
        log_scale, shift = self._scale_shift(kept, label)
        return torch.cat([kept, moved * log_scale.exp() + shift], 1)[:, self.permutation]

    def inverse(self, w: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """The z that gave w, and log |dz / dw| as (B,)."""
        w = w[:, self.permutation.argsort()]
        kept, moved = w[:, : self.kept], w[:, self.kept :]
        log_scale, shift = self._scale_shift(kept, label)
        return torch.cat([kept, (moved - shift) * (-log_scale).exp()], 1), -log_scale.sum(1)


class FlowMapping(nn.Module):
    """z (N(0, 1)) and label weights to w, invertibly. `dim` is both z's and w's size."""

    def __init__(self, dim: int, n_labels: int, hidden: int, n_couplings: int) -> None:
        super().__init__()
        self.couplings = nn.ModuleList([Coupling(dim, n_labels, hidden) for _ in range(n_couplings)])

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """z (B, dim), label weights (B, n_labels) -> w (B, dim)."""
        for coupling in self.couplings:
            z = coupling(z, label)
        return z

    def inverse(self, w: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """w (B, dim) -> z (B, dim) and log |dz / dw| (B,)."""
        log_det = w.new_zeros(len(w))
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, Coupling)
            w, part = coupling.inverse(w, label)
            log_det = log_det + part
        return w, log_det

    def log_density(self, w: Tensor, label: Tensor) -> Tensor:
        """log p(w | label) in nats: (B,)."""
        z, log_det = self.inverse(w, label)
        return log_det - 0.5 * (z.square().sum(1) + z.shape[1] * math.log(2 * math.pi))
