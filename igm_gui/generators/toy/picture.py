"""What a toy generator has learnt, as a picture: where noise goes, how space is bent, where z lands."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from igm_gui.generators.toy import drawing as d
from igm_gui.generators.toy.network import ToyNetwork

NOISE_POINTS = 24_000
DENSITY_SIZE = d.SIZE // 2
GRID_LINES = 15
GRID_REACH = 2.6
POINTS_PER_LINE = 640


def fixed_noise(count: int) -> Tensor:
    """Standard normal points that cover the plane more evenly than random ones: ``(count, 2)``.

    Box and Muller's transform of the R2 sequence (Roberts 2018).
    """
    n = torch.arange(1, count + 1, dtype=torch.float64)
    u, v = torch.remainder(0.5 + n * 0.7548776662466927, 1), torch.remainder(0.5 + n * 0.5698402909980532, 1)
    radius = torch.sqrt(-2 * torch.log(u.clamp_min(1e-9)))
    return torch.stack([radius * torch.cos(2 * math.pi * v), radius * torch.sin(2 * math.pi * v)], 1).float()


def grid_points() -> Tensor:
    """Points along the lines of a square grid in noise space: ``(lines * POINTS_PER_LINE, 2)``."""
    fixed = torch.linspace(-GRID_REACH, GRID_REACH, GRID_LINES)
    along = torch.linspace(-GRID_REACH, GRID_REACH, POINTS_PER_LINE)
    across, run = torch.meshgrid(fixed, along, indexing="ij")
    upright, level = torch.stack([across, run], -1), torch.stack([run, across], -1)
    return torch.cat([upright, level]).reshape(-1, 2)


class ToyPicture(nn.Module):
    """Network and drawing: z, how far along the way, and what to show -> ``(N, 3, 384, 384)`` in [0, 1].

    Between noise and data each point goes in a straight line, x_t = (1 - t) z + t G(z): McCann's
    displacement interpolation where G is an optimal map.
    """

    def __init__(self, network: ToyNetwork) -> None:
        super().__init__()
        self.network = network
        self._moved: tuple[Tensor, ...] | None = None
        self._backdrop: tuple[tuple[float, bool, bool], Tensor] | None = None
        self._cloud: Tensor | None = None
        self._colours = d.ramp_colours(1024).T.contiguous()

    def forward(self, z: Tensor, progress: Tensor, data: Tensor, grid: Tensor) -> Tensor:
        """``z (N, 2)``; ``progress``, ``data`` and ``grid`` ``(N,)``, the last two on from 0.5 up."""
        images = self.network(z).cpu()
        rows = zip(z.cpu(), images, progress.tolist(), data.tolist(), grid.tolist(), strict=True)
        pictures = [self.draw(a, b, t, cloud >= 0.5, lines >= 0.5) for a, b, t, cloud, lines in rows]
        return torch.stack(pictures).to(z.device)

    def draw(self, z: Tensor, image: Tensor, progress: float, cloud: bool, lines: bool) -> Tensor:
        """One picture ``(3, 384, 384)``; ``z`` and ``image`` = G(z) are ``(2,)``."""
        key = (round(progress, 4), cloud, lines)
        if self._backdrop is None or self._backdrop[0] != key:
            self._backdrop = key, self.backdrop(*key)
        canvas = self._backdrop[1].clone()
        here = z + progress * (image - z)
        d.disc(canvas, z, 5.0, d.TEXT, ring=1.6)
        d.arrow(canvas, z, here, d.TEXT)
        d.disc(canvas, here, 7.0, d.BACKGROUND)
        d.disc(canvas, here, 5.2, d.GOLD)
        return canvas

    def backdrop(self, progress: float, cloud: bool, lines: bool) -> Tensor:
        """Everything but z: density, bent grid and training points, ``(3, 384, 384)``."""
        if self._moved is None:
            device = next(self.network.parameters()).device
            noise, net = fixed_noise(NOISE_POINTS), grid_points()
            self._moved = (
                noise,
                self.network(noise.to(device)).cpu(),
                net,
                self.network(net.to(device)).cpu(),
            )
        noise, noise_image, net, net_image = self._moved
        spread = torch.lerp(noise, noise_image, progress)
        density = d.blur(d.splat(spread, DENSITY_SIZE), 1.15)
        # Points per pixel -> brightness: square root, so that thin bridges between modes are seen.
        level = (density / (NOISE_POINTS * 1.2e-3)).clamp(0, 1).sqrt()
        shade = (level * 1023).to(torch.int64)
        canvas = d.double(self._colours[:, shade.flatten()].reshape(3, DENSITY_SIZE, DENSITY_SIZE))
        if cloud:
            if self._cloud is None:
                dots = d.blur(d.splat(self.network.cloud.cpu()), 0.75) * 3.2
                self._cloud = dots.clamp(0, 1) * 0.85
            d.over(canvas, self._cloud, d.GOLD)
        if lines:
            ink = d.splat(torch.lerp(net, net_image, progress))
            d.over(canvas, (1 - torch.exp(-ink * 0.6)) * 0.34, d.TEXT)
        return canvas
