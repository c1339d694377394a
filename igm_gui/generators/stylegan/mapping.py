"""z -> w: the mapping network of StyleGAN2 and StyleGAN3 (Karras et al. 2019, 2020, 2021)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from igm_gui.generators.half import kept


def normalize_2nd_moment(x: Tensor) -> Tensor:
    """``x`` (N, D) scaled so that the mean square of each row is 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Dense(nn.Module):
    """A fully connected layer with its equalized learning rate folded into the weights.

    ``weight`` (out, in) and ``bias`` (out,) are the stored ones; ``lr`` is the layer's learning-rate
    multiplier. ``activate`` applies leaky ReLU 0.2 with gain sqrt(2).
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self, weight: Tensor, bias: Tensor | None, weight_gain: float, bias_gain: float, activate: bool
    ) -> None:
        super().__init__()
        self.register_buffer("weight", kept((weight * weight_gain).contiguous()))
        bias = torch.zeros(weight.shape[0]) if bias is None else bias
        self.register_buffer("bias", bias * bias_gain)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.weight.to(x.dtype), self.bias)
        return F.leaky_relu(x, 0.2).mul_(math.sqrt(2)) if self.activate else x


class ClassTable(nn.Module):
    """Class weights (N, c_dim) -> their rows of a table, mixed and projected, as StyleGAN-XL embeds classes
    (Sauer et al. 2022, arXiv:2202.00273, section 3.1)."""

    table: Tensor

    def __init__(self, table: Tensor, project: Dense) -> None:
        super().__init__()
        self.register_buffer("table", table)
        self.project = project

    def forward(self, c: Tensor) -> Tensor:
        return self.project(c @ self.table)


class Mapping(nn.Module):
    """z (N, z_dim) and class weights c (N, c_dim) -> w (N, w_dim).

    ``w_avg`` is (w_dim,), or (c_dim, w_dim) where every class has an average of its own (StyleGAN-XL).
    """

    w_avg: Tensor

    def __init__(
        self,
        layers: list[Dense],
        embed: Dense | ClassTable | None,
        w_avg: Tensor,
        z_dim: int,
        c_dim: int,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.embed = embed
        self.register_buffer("w_avg", w_avg)
        self.z_dim, self.c_dim = z_dim, c_dim

    def average(self, c: Tensor | None) -> Tensor:
        """What truncation pulls to: (1, w_dim), or (N, w_dim) for these class weights."""
        if self.w_avg.ndim == 1 or c is None:
            return self.w_avg.reshape(-1, self.w_avg.shape[-1]).mean(0, keepdim=True)
        return c @ self.w_avg

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        parts = [normalize_2nd_moment(z)] if self.z_dim else []
        if self.embed is not None and c is not None:
            parts.append(normalize_2nd_moment(self.embed(c)))
        x = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        for layer in self.layers:
            x = layer(x)
        return x


def truncate(w: Tensor, w_avg: Tensor, psi: Tensor, cutoff: Tensor, num_ws: int) -> Tensor:
    """w (N, w_dim) -> ws (N, num_ws, w_dim): the first ``cutoff`` layers pulled to ``w_avg`` by ``psi``.

    ``w_avg`` is (1 or N, w_dim), ``psi`` and ``cutoff`` are (N,); psi 1 changes nothing (Karras et al. 2019,
    section B).
    """
    layer = torch.arange(num_ws, device=w.device)
    amount = torch.where(layer[None] < cutoff[:, None], psi[:, None], torch.ones_like(psi)[:, None])
    return w_avg[:, None] + amount[..., None] * (w - w_avg)[:, None]
