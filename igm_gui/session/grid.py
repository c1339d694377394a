"""The points of a grid, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo
from igm_gui.latent.interpolate import plane
from igm_gui.latent.point import LatentPoint, conform, one_hot, point_from_seed, redrawn
from igm_gui.latent.priors import MAX_SEED
from igm_gui.session.state import GridSpec

MAX_ROWS = 256
CELL = 256  # pixels of a picture in a sheet, where small ones are enlarged
SHEET = 4096  # pixels of a sheet's longer side that this does not go beyond


def grid_shape(info: GeneratorInfo, grid: GridSpec) -> tuple[int, int]:
    """(rows, columns): in ``classes`` mode one row for each class, 256 at most."""
    if grid.mode != "classes":
        return grid.rows, grid.columns
    spec = next(iter(info.of_kind("label")), None)
    if spec is None:
        raise InputError(f"{info.name} has no classes.", "Make a grid by seeds or between four points.")
    return min(len(spec.classes), MAX_ROWS), grid.columns


def grid_scale(info: GeneratorInfo, grid: GridSpec) -> int:
    """``grid.scale``, or where that is 0 the largest whole number that leaves a picture within 256 and the
    sheet within 4096 pixels: a sheet of 28 x 28 pictures is worth showing, one of large ones is not larger.
    InputError as :func:`grid_shape`."""
    if grid.scale:
        return grid.scale
    rows, columns = grid_shape(info, grid)
    height, width = max(info.output.height, 1), max(info.output.width, 1)
    room = min((SHEET - (n - 1) * grid.gap) // (n * side) for n, side in ((rows, height), (columns, width)))
    return max(1, min(CELL // max(height, width), room))


def drawn(info: GeneratorInfo, base: LatentPoint, seed: int) -> LatentPoint:
    """``base``, which fits ``info``, with its latents drawn from ``seed`` (modulo 2**32): class, truncation
    and the like stay."""
    return redrawn(base, info, seed % (MAX_SEED + 1))


def grid_cells(
    info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None
) -> tuple[int, Callable[[int], LatentPoint]]:
    """How many cells a grid has, and the point of each by its number, row by row, made when asked for.

    ``base`` gives what the grid does not vary: class, truncation, directions. InputError where the grid
    asks for classes of a generator that has none.
    """
    rows, columns = grid_shape(info, grid)
    fixed = point_from_seed(info, grid.seed) if base is None else conform(base, info)
    if grid.mode == "plane":
        corners = tuple(
            drawn(info, fixed, grid.seed + i) if corner is None else conform(corner, info)
            for i, corner in enumerate(grid.corners)
        )

    def cell(index: int) -> LatentPoint:
        row, column = divmod(index, columns)
        if grid.mode == "seeds":
            return drawn(info, fixed, grid.seed + index)
        if grid.mode == "classes":
            spec = info.of_kind("label")[0]
            label = one_hot(len(spec.classes), row)
            return drawn(info, fixed, grid.seed + column).with_value(spec.name, label)
        u, v = column / max(columns - 1, 1), row / max(rows - 1, 1)
        return plane(corners, u, v, grid.interpolation)

    return rows * columns, cell


class GridPoints(Sequence[LatentPoint]):
    """A grid's points, row by row (see :func:`grid_cells`), each made when it is asked for."""

    def __init__(self, info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None) -> None:
        self._count, self._cell = grid_cells(info, grid, base)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> LatentPoint: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[LatentPoint, ...]: ...
    def __getitem__(self, index: int | slice) -> LatentPoint | tuple[LatentPoint, ...]:
        if isinstance(index, slice):
            return tuple(self._cell(i) for i in range(*index.indices(self._count)))
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._cell(index % self._count)


def grid_points(
    info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None
) -> tuple[LatentPoint, ...]:
    """All of the grid's points at once, row by row."""
    return GridPoints(info, grid, base)[:]
