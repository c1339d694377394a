"""Flow matching: a network that says where each pixel is heading, and the walk from noise to picture.

With x_t = (1 - t) x_0 + t x_1, x_0 standard normal noise and x_1 a picture, the network learns the velocity
v(x, t, y) = E[x_1 - x_0 | x_t = x, y]; following dx/dt = v from t = 0 to 1 turns noise into a picture
(Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, SIZE, StyledNorm


class StyledBlock(nn.Module):
    """Two 3x3 convolutions around a skip connection, each after a styled norm."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norm1 = StyledNorm(channels, style_dim)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = StyledNorm(channels, style_dim)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x, style)))
        return x + self.conv2(F.silu(self.norm2(h, style)))


class Velocity(nn.Module):
    """x (B, 1, 28, 28), t (B,) in 0..1 and class weights (B, 10) -> velocity (B, 1, 28, 28).

    A small U-Net over 2x2 patches: 14x14 with `width` maps, 7x7 with twice as many.  Class weights that
    are all zero mean "any class": that is what guidance compares with.
    """

    def __init__(
        self, n_classes: int = N_CLASSES, width: int = 64, style_dim: int = 128, depth: int = 2
    ) -> None:
        super().__init__()
        self.style_dim = style_dim
        self.class_embedding = nn.Linear(n_classes, style_dim)  # its bias is "any class"
        self.time = nn.Linear(style_dim, style_dim)
        self.style = nn.Linear(style_dim, style_dim)
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.down14 = StyledBlock(width, style_dim)
        self.down7 = nn.Conv2d(width, 2 * width, 2, stride=2)
        self.middle = nn.ModuleList(StyledBlock(2 * width, style_dim) for _ in range(depth))
        self.up14 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.up = StyledBlock(width, style_dim)
        self.norm = StyledNorm(width, style_dim)
        self.leave = nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        half = self.style_dim // 2
        frequency = torch.exp(torch.linspace(0, math.log(100), half, device=x.device))
        angle = t[:, None] * frequency  # (B, half)
        clock = torch.cat([angle.sin(), angle.cos()], dim=1)
        style = F.silu(self.style(F.silu(self.time(clock) + self.class_embedding(label))))
        h = self.enter(F.pixel_unshuffle(x, 2))  # (B, width, 14, 14)
        skip = h = self.down14(h, style)
        h = self.down7(h)  # (B, 2 * width, 7, 7)
        for block in self.middle:
            h = block(h, style)
        h = self.up(skip + self.up14(h), style)
        return F.pixel_shuffle(self.leave(F.silu(self.norm(h, style))), 2)


def dct_basis(side: int, keep: int) -> Tensor:
    """The keep x keep lowest patterns of the orthonormal two-dimensional DCT-II: (keep^2, side^2)."""
    n = torch.arange(side, dtype=torch.float64)
    k = torch.arange(keep, dtype=torch.float64)[:, None]
    rows = torch.cos(math.pi / side * (n + 0.5) * k) * math.sqrt(2 / side)  # (keep, side)
    rows[0] /= math.sqrt(2)
    basis = torch.einsum("ai,bj->abij", rows, rows).reshape(keep * keep, side * side)
    return basis.float()


def follow(
    velocity: Velocity,
    x: Tensor,
    label: Tensor,
    steps: int,
    guidance: Tensor | None = None,
    midpoint: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (x_t, the picture x_t is heading for) at each of `steps` + 1 times from 0 to 1.

    Euler's rule, one look at the velocity in each step, is enough where the paths are nearly straight; on
    bent ones the midpoint rule (second order Runge-Kutta, two looks) needs fewer looks in all.  `guidance`
    (B,) other than 1 doubles the looks (classifier-free guidance, Ho and Salimans 2022, arXiv:2207.12598).
    """
    guided = guidance is not None and bool((guidance != 1).any())

    def look(x: Tensor, t: float) -> Tensor:
        time = torch.full((len(x),), t, device=x.device)
        v = velocity(x, time, label)
        if not guided:
            return v
        assert guidance is not None
        anyone = velocity(x, time, torch.zeros_like(label))
        return anyone + guidance.view(-1, 1, 1, 1) * (v - anyone)

    for i in range(steps):
        t, dt = i / steps, 1 / steps
        v = look(x, t)
        yield x, x + (1 - t) * v
        if midpoint:
            v = look(x + dt / 2 * v, t + dt / 2)
        x = x + dt * v
    yield x, x


class FlowSampler(nn.Module):
    """z, class, seed -> picture, by following the velocity from noise.

    The 784 numbers of the first noise are too many sliders, and single ones do nothing.  z holds the 64
    lowest frequencies of that noise, which settle what kind of garment comes; the rest comes from
    `noise_seed` and settles its texture.  The basis is orthonormal, so the noise is exactly normal.
    """

    def __init__(self, velocity: Velocity, z_side: int = 8) -> None:
        super().__init__()
        self.velocity = velocity
        self.register_buffer("basis", dct_basis(SIZE, z_side), persistent=False)
        self.basis: Tensor

    def noise(self, z: Tensor, noise_seed: Tensor) -> Tensor:
        """z (B, 64), seeds (B,) int64 -> standard normal noise (B, 1, 28, 28)."""
        rows = []
        for seed in noise_seed.tolist():
            source = torch.Generator().manual_seed(int(seed))
            rows.append(torch.randn(SIZE * SIZE, generator=source))
        fine = torch.stack(rows).to(z.device)
        fine = fine - (fine @ self.basis.T) @ self.basis
        return (fine + z @ self.basis).view(-1, 1, SIZE, SIZE)

    def walk(
        self, z: Tensor, label: Tensor, noise_seed: Tensor, steps: int = 3, guidance: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (x_t, the picture x_t is heading for) at each of `steps` + 1 times from 0 to 1."""
        yield from follow(self.velocity, self.noise(z, noise_seed), label, steps, guidance)

    def forward(
        self,
        z: Tensor,
        label: Tensor,
        noise_seed: Tensor,
        steps: Tensor,
        guidance: Tensor,
        progress: Tensor | None = None,
    ) -> Tensor:
        """Pictures (B, 1, 28, 28) in [-1, 1]; the rows may ask for different numbers of steps.

        `progress` (B,) in 0..1 is the time at which to look, 0 for the noise: between two steps a path
        is a straight line.
        """
        counts = steps.round().clamp(1, 1000).long()
        result = torch.empty(len(z), 1, SIZE, SIZE, device=z.device)
        for count in counts.unique().tolist():
            rows = counts == count
            place = count * (torch.ones_like(guidance) if progress is None else progress)[rows]
            x = torch.zeros_like(result[rows])
            walk = self.walk(z[rows], label[rows], noise_seed[rows], count, guidance[rows])
            for i, (state, _) in enumerate(walk):
                near = (1 - (place - i).abs()).clamp(min=0)  # 1 at step i, 0 at its neighbours
                x = x + near.view(-1, 1, 1, 1) * state
            result[rows] = x
        return result.clamp(-1, 1)
