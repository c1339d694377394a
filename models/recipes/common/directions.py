"""Named directions of z, found by measuring what can be seen and asking how it follows z."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from igm_gui.generators.fashion.network import N_CLASSES, Z_DIM
from igm_gui.info import Direction


def attributes(x: Tensor) -> dict[str, tuple[Tensor, str]]:
    """Pictures (N, 1, 28, 28) in [-1, 1] -> name: (one number for each, what it is)."""
    light = (x[:, 0] + 1) / 2  # (N, 28, 28)
    mask = (light > 0.12).float()
    area = mask.sum(dim=(1, 2)).clamp(min=1)
    place = torch.arange(light.shape[-1], dtype=torch.float32)
    spread = []
    for axis in (2, 1):  # along columns: width; along rows: height
        profile = mask.sum(dim=3 - axis) / area[:, None]
        mean = (profile * place).sum(dim=1, keepdim=True)
        spread.append((profile * (place - mean).square()).sum(dim=1).sqrt())
    inside = (F.avg_pool2d(mask[:, None], 3, 1, 1) > 0.99)[:, 0].float()
    blurred = F.avg_pool2d(light[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    texture = ((light - blurred).abs() * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1)
    centre = (mask * place[:, None]).sum(dim=(1, 2)) / area
    return {
        "tone": ((light * mask).sum(dim=(1, 2)) / area, "dark to light"),
        "width": (spread[0], "narrow to wide"),
        "height": (spread[1], "low to tall"),
        "pattern": (texture, "plain to patterned"),
        "flare": (centre, "more above to more below"),
    }


@torch.no_grad()
def find_directions(
    draw: Callable[[Tensor, Tensor], Tensor], count: int = 4000, batch: int = 250, seed: int = 1
) -> tuple[Direction, ...]:
    """Directions along which an attribute changes most, for draw(z, label weights) -> pictures.

    For normal z the coefficients of a linear fit are the attribute's mean gradient (Stein's lemma), so a fit
    to random samples says which way to go.  Attributes are taken relative to their class, and directions
    after the first are made orthogonal to it: light pictures would otherwise count as plain.  R^2, the share
    of an attribute's variance that its fit explains, goes into the description; below 0.1 it is left out.
    """
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(count, Z_DIM, generator=random)
    classes = torch.arange(count) % N_CLASSES
    label = F.one_hot(classes, N_CLASSES).float()
    parts = [draw(z[i : i + batch], label[i : i + batch]) for i in range(0, count, batch)]
    found: list[Direction] = []
    first: Tensor | None = None
    for name, (values, meaning) in attributes(torch.cat(parts)).items():
        values = values.clone()
        for k in range(N_CLASSES):
            part = values[classes == k]
            values[classes == k] = (part - part.mean()) / part.std().clamp(min=1e-6)
        design = torch.cat([z, torch.ones(count, 1)], dim=1)
        fit = torch.linalg.lstsq(design, values[:, None]).solution[:, 0]
        r2 = float(1 - (values - design @ fit).var() / values.var())
        if r2 >= 0.1:
            vector = fit[:Z_DIM]
            if first is None:
                first = F.normalize(vector, dim=0)
            else:
                vector = vector - (vector @ first) * first
            vector = F.normalize(vector, dim=0)
            text = f"{meaning}; explains {r2:.0%} of it within a class"
            found.append(Direction(name, "z", tuple(round(v, 4) for v in vector.tolist()), -3.0, 3.0, text))
    return tuple(found)
