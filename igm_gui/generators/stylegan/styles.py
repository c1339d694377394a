"""The space w of a network: its layers' names, its spread, its principal directions.

Principal directions are those of mapped samples (GANSpace: Härkönen et al. 2020, arXiv:2004.02546).
"""

from __future__ import annotations

import torch
from torch import Tensor

from igm_gui.generators.stylegan.mapping import Mapping
from igm_gui.info import StyleSpace

SAMPLES = 4096
DIRECTIONS = 24


def mapped_samples(mapping: Mapping, count: int = SAMPLES) -> Tensor:
    """w (count, w_dim) of seeded samples of the prior; classes are drawn evenly."""
    source = torch.Generator().manual_seed(0)
    z = torch.randn(count, mapping.z_dim, generator=source)
    c = None
    if mapping.c_dim:
        c = torch.eye(mapping.c_dim)[torch.randint(mapping.c_dim, (count,), generator=source)]
    return mapping(z, c)


def principal_directions(w: Tensor, count: int = DIRECTIONS) -> Tensor:
    """(N, D) -> (count or D, D): the directions of most variance, each as long as the standard deviation
    along it, its largest entry positive."""
    centred = (w - w.mean(0)).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / max(len(w) - 1, 1))
    count = min(count, len(values))
    values, rows = values.flip(0)[:count], vectors.T.flip(0)[:count]
    signs = rows.gather(1, rows.abs().argmax(1, keepdim=True)).sign()
    return (rows * signs * values.clamp(min=0).sqrt()[:, None]).float()


def style_space(mapping: Mapping, layers: tuple[str, ...]) -> StyleSpace:
    """What is known of ``mapping``'s w; ``layers`` names the rows of ws."""
    with torch.inference_mode():
        w = mapped_samples(mapping)
        directions = principal_directions(w)
    return StyleSpace(
        layers,
        w.shape[1],
        mapping.z_dim,
        float(w.std(0).square().mean().sqrt()),
        tuple(tuple(row) for row in directions.tolist()),
    )


def edited(ws: Tensor, second: Tensor | None, amounts: Tensor | None, offset: Tensor | None) -> Tensor:
    """ws (N, num_ws, w_dim) with each layer moved to ``second`` by ``amounts`` (N, num_ws), 0 to 1, and then
    by ``offset``. A NaN in them is a point that has none."""
    if second is not None and amounts is not None:
        # lerp is exact at both ends: a layer that follows the second style has just that one.
        ws = torch.lerp(ws, second, amounts.nan_to_num(0.0).clamp(0, 1)[..., None])
    return ws if offset is None else ws + offset.nan_to_num(0.0)
