"""Antialiased drawing by coverage: points, lines and markers as float arrays, no plotting library.

Coordinates are those of the plane, y upwards; a canvas shows the square [-EXTENT, EXTENT]^2.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

SIZE = 384
EXTENT = 3.4
BACKGROUND = (15, 17, 20)
GOLD = (227, 181, 87)
BLUE = (75, 139, 214)
TEXT = (215, 218, 224)


def colour(rgb: tuple[int, int, int]) -> Tensor:
    """An 8-bit colour as ``(3, 1, 1)`` in [0, 1]."""
    return torch.tensor(rgb, dtype=torch.float32).reshape(3, 1, 1) / 255


def to_pixels(points: Tensor, size: int = SIZE) -> Tensor:
    """Plane -> pixel coordinates (x to the right, y down), pixel centres at whole numbers."""
    scale = size / (2 * EXTENT)
    flipped = points * torch.tensor([1.0, -1.0])
    return (flipped + EXTENT) * scale - 0.5


def splat(points: Tensor, size: int = SIZE, weights: Tensor | None = None) -> Tensor:
    """How much falls on each pixel, shared by the four nearest: ``(M, 2)`` -> ``(size, size)``."""
    pixels = to_pixels(points, size)
    corner = pixels.floor()
    part = pixels - corner
    x, y = corner.to(torch.int64).unbind(1)
    fx, fy = part.unbind(1)
    weight = torch.ones_like(fx) if weights is None else weights
    # One cell of margin on each side catches what lies half outside.
    pitch = size + 2
    keep = (x >= -1) & (x < size) & (y >= -1) & (y < size)
    base = torch.where(keep, (y + 1) * pitch + x + 1, torch.zeros_like(x))
    weight = weight * keep
    right, lower = weight * fx, weight * fy
    both = right * fy
    shares = torch.cat([weight - right - lower + both, right - both, lower - both, both])
    index = torch.cat([base, base + 1, base + pitch, base + pitch + 1])
    flat = torch.bincount(index, shares, minlength=pitch * pitch)
    return flat.to(torch.float32).reshape(pitch, pitch)[1:-1, 1:-1]


def blur(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of ``(H, W)``, ``sigma`` in pixels."""
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    rows = functional.conv2d(plane[None, None], kernel.reshape(1, 1, 1, -1), padding=(0, radius))
    return functional.conv2d(rows, kernel.reshape(1, 1, -1, 1), padding=(radius, 0))[0, 0]


def double(planes: Tensor) -> Tensor:
    """``(C, h, w)`` -> ``(C, 2 h, 2 w)``, bilinear with pixel centres kept.

    Three times as fast as interpolate: the two halves of each pixel are written in place.
    """
    count, height, width = planes.shape
    before = torch.cat([planes[:, :, :1], planes[:, :, :-1]], 2)
    after = torch.cat([planes[:, :, 1:], planes[:, :, -1:]], 2)
    wide = torch.empty(count, height, width, 2)
    torch.lerp(planes, before, 0.25, out=wide[..., 0])
    torch.lerp(planes, after, 0.25, out=wide[..., 1])
    planes = wide.view(count, height, 2 * width)
    before = torch.cat([planes[:, :1], planes[:, :-1]], 1)
    after = torch.cat([planes[:, 1:], planes[:, -1:]], 1)
    tall = torch.empty(count, height, 2, 2 * width)
    torch.lerp(planes, before, 0.25, out=tall[:, :, 0])
    torch.lerp(planes, after, 0.25, out=tall[:, :, 1])
    return tall.view(count, 2 * height, 2 * width)


def ramp_colours(count: int) -> Tensor:
    """From the background through blue to near white: ``(count, 3)`` in [0, 1]."""
    stops = (
        (0.0, BACKGROUND),
        (0.22, (24, 42, 74)),
        (0.55, BLUE),
        (0.82, (168, 205, 245)),
        (1.0, (240, 247, 255)),
    )
    place = torch.linspace(0, 1, count)
    result = torch.zeros(count, 3)
    for (low, dark), (high, light) in pairwise(stops):
        inside = (place >= low) & (place <= high)
        mix = ((place[inside] - low) / (high - low))[:, None]
        first, second = (torch.tensor(rgb, dtype=torch.float32) / 255 for rgb in (dark, light))
        result[inside] = first * (1 - mix) + second * mix
    return result


def over(canvas: Tensor, alpha: Tensor, rgb: tuple[int, int, int], top: int = 0, left: int = 0) -> None:
    """Lay a colour over ``canvas (3, H, W)`` with coverage ``alpha (h, w)``, in place."""
    height, width = alpha.shape
    part = canvas[:, top : top + height, left : left + width]
    part += alpha * (colour(rgb) - part)


def _window(low: Tensor, high: Tensor, margin: float) -> tuple[int, int, int, int] | None:
    """Rows and columns around two corners in pixels, clipped to the canvas; None where outside."""
    left, top = (max(0, int(v)) for v in (low - margin).floor().tolist())
    right, bottom = (min(SIZE, int(v) + 1) for v in (high + margin).ceil().tolist())
    return (top, bottom, left, right) if top < bottom and left < right else None


def _places(window: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    top, bottom, left, right = window
    y = torch.arange(top, bottom, dtype=torch.float32)[:, None]
    x = torch.arange(left, right, dtype=torch.float32)[None]
    return x, y


def disc(canvas: Tensor, point: Tensor, radius: float, rgb: tuple[int, int, int], ring: float = 0.0) -> None:
    """A filled disc, or with ``ring`` > 0 a circle of that thickness; sizes in pixels."""
    centre = to_pixels(point)
    window = _window(centre, centre, radius + ring + 2)
    if window is None:
        return
    x, y = _places(window)
    distance = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2).sqrt()
    edge = (distance - radius).abs() - ring / 2 if ring else distance - radius
    over(canvas, (0.5 - edge).clamp(0, 1), rgb, window[0], window[2])


def segment(
    canvas: Tensor, start: Tensor, end: Tensor, width: float, rgb: tuple[int, int, int], alpha: float
) -> None:
    """A straight line with round ends between two pixel positions."""
    window = _window(torch.minimum(start, end), torch.maximum(start, end), width + 2)
    if window is None:
        return
    x, y = _places(window)
    along = end - start
    length = float((along * along).sum())
    t = (((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(length, 1e-9)).clamp(0, 1)
    distance = ((x - start[0] - t * along[0]) ** 2 + (y - start[1] - t * along[1]) ** 2).sqrt()
    over(canvas, (width / 2 + 0.5 - distance).clamp(0, 1) * alpha, rgb, window[0], window[2])


def arrow(canvas: Tensor, start: Tensor, end: Tensor, rgb: tuple[int, int, int], alpha: float = 0.9) -> None:
    """An arrow between two points of the plane, ending just short of ``end``."""
    a, b = to_pixels(start), to_pixels(end)
    along = b - a
    length = float(along.norm())
    if length < 14:
        return
    unit = along / length
    tip = b - unit * 7
    segment(canvas, a + unit * 6, tip, 1.6, rgb, alpha)
    side = torch.stack([-unit[1], unit[0]])
    for sign in (1.0, -1.0):
        segment(canvas, tip, tip - unit * 8 + side * (sign * 4.5), 1.6, rgb, alpha)
