"""The points of a grid, row by row."""

from __future__ import annotations

from dataclasses import replace

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo
from igm_gui.latent.interpolate import plane
from igm_gui.latent.point import LatentPoint, conform, one_hot, point_from_seed
from igm_gui.latent.priors import MAX_SEED
from igm_gui.session.state import GridSpec

MAX_ROWS = 256


def grid_shape(info: GeneratorInfo, grid: GridSpec) -> tuple[int, int]:
    """(rows, columns): in ``classes`` mode one row for each class, 256 at most."""
    if grid.mode != "classes":
        return grid.rows, grid.columns
    spec = next(iter(info.of_kind("label")), None)
    if spec is None:
        raise InputError(f"{info.name} has no classes.", "Make a grid by seeds or between four points.")
    return min(len(spec.classes), MAX_ROWS), grid.columns


def drawn(info: GeneratorInfo, base: LatentPoint, seed: int) -> LatentPoint:
    """``base`` with its latents drawn from ``seed`` (modulo 2**32): class, truncation and the like stay."""
    seed %= MAX_SEED + 1
    fresh = point_from_seed(info, seed)
    point = conform(base, info)
    for spec in info.of_kind("latent"):
        point = point.with_value(spec.name, fresh.vector(spec.name))
    return replace(point, seed=seed)


def grid_points(
    info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None
) -> tuple[LatentPoint, ...]:
    """The grid's points, rows x columns of them, row by row.

    ``base`` gives what the grid does not vary: class, truncation, directions. InputError where the grid
    asks for classes of a generator that has none.
    """
    rows, columns = grid_shape(info, grid)
    base = point_from_seed(info, grid.seed) if base is None else conform(base, info)
    if grid.mode == "seeds":
        return tuple(drawn(info, base, grid.seed + i) for i in range(rows * columns))
    if grid.mode == "classes":
        spec = info.of_kind("label")[0]
        columns_points = [drawn(info, base, grid.seed + column) for column in range(columns)]
        labels = [one_hot(len(spec.classes), row) for row in range(rows)]
        return tuple(point.with_value(spec.name, label) for label in labels for point in columns_points)
    corners = tuple(
        drawn(info, base, grid.seed + i) if corner is None else conform(corner, info)
        for i, corner in enumerate(grid.corners)
    )
    return tuple(
        plane(corners, column / max(columns - 1, 1), row / max(rows - 1, 1), grid.interpolation)
        for row in range(rows)
        for column in range(columns)
    )
