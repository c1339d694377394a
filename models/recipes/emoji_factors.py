"""Seven factors by which a picture of emoji-64 may differ from the emoji as it was drawn.

Each is a number: 0 is the emoji itself, 1 one clearly visible step. Every training picture is
shown with and without them, and they are the last dimensions of w: so the network learns what
a size or a hue is, for all pictures alike, and a slider of the program can be named after it.
The same changes serve as the discriminator's differentiable augmentation.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

FACTORS = {
    "size": "from small to large",
    "tall": "from wide to tall",
    "tilt": "from anticlockwise to clockwise",
    "hue": "around the circle of colours",
    "vivid": "from grey to saturated",
    "light": "from dark to light; black and white stay",
    "warm": "from blue to yellow and red",
}
N_FACTORS = len(FACTORS)
# How far each goes by itself in samples (standard deviation). Mostly the emoji's own hue is kept.
USUAL = (0.4, 0.35, 0.5, 0.3, 0.5, 0.4, 0.35)
LARGEST_SIZE = 0.8  # beyond, most of a picture would be cut off


def draw(count: int, shown: float = 0.5, each: float = 0.3) -> Tensor:
    """Random factors (count, N_FACTORS): none at all for a share 1 - shown, else some of them."""
    a = torch.randn(count, N_FACTORS).clamp(-2.5, 2.5) * (torch.rand(count, N_FACTORS) < each)
    a[:, 0].clamp_(max=LARGEST_SIZE)
    return a * (torch.rand(count, 1) < shown)


def move(pictures: Tensor, a: Tensor) -> Tensor:
    """Size, height and tilt of pictures (B, 3, H, H) in -1..1; what comes in from outside is white."""
    across = torch.exp(-0.15 * a[:, 0] + 0.12 * a[:, 1])
    down = torch.exp(-0.15 * a[:, 0] - 0.12 * a[:, 1])
    cos, sin, zero = (a[:, 2] * math.radians(12)).cos(), (a[:, 2] * math.radians(12)).sin(), a[:, 0] * 0
    rows = [
        torch.stack([cos * across, sin * across, zero], 1),
        torch.stack([-sin * down, cos * down, zero], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures - 1, grid, mode="bicubic", align_corners=False) + 1


def turn(pictures: Tensor, hue: Tensor, vivid: Tensor) -> Tensor:
    """Hue by a rotation of RGB space around its grey axis, saturation by the distance from that axis."""
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / 3**0.5
    angle = (hue * math.radians(45))[:, None, None]
    rotation = angle.cos() * (torch.eye(3) - grey) + angle.sin() * cross
    matrix = grey + torch.exp(0.35 * vivid)[:, None, None] * rotation
    return torch.einsum("bij,bjhw->bihw", matrix, pictures)


def colour(pictures: Tensor, a: Tensor) -> Tensor:
    """Hue, saturation, brightness and warmth of pictures (B, 3, H, H) in -1..1."""
    pictures = turn(pictures, a[:, 3], a[:, 4]).clamp(-1, 1)
    light, warm = 0.35 * a[:, 5], 0.3 * a[:, 6]
    gamma = torch.stack([-light - warm, -light, -light + warm], 1).exp()[:, :, None, None]
    return ((pictures + 1) / 2).clamp(min=1e-4) ** gamma * 2 - 1


def apply(pictures: Tensor, a: Tensor) -> Tensor:
    """Pictures (B, 3, H, H) in -1..1 changed by the factors a (B, N_FACTORS)."""
    result = pictures.clone()
    moved, coloured = (a[:, :3] != 0).any(1), (a[:, 3:] != 0).any(1)
    if moved.any():
        result[moved] = move(result[moved], a[moved]).clamp(-1, 1)
    if coloured.any():
        result[coloured] = colour(result[coloured], a[coloured])
    return result
