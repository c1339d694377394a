"""Single pictures, sheets of pictures, and folders of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.renderer import Renderer
from igm_gui.export.work import (
    Work,
    as_float,
    batches,
    blank,
    check_pixels,
    encoding,
    folder_of_files,
    info_of,
    need_pictures,
    safe_name,
)
from igm_gui.formats.audio import write_wav
from igm_gui.formats.files import atomic_path
from igm_gui.formats.image import PngWriter, enlarged, write_png
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.grid import GridPoints, grid_scale, grid_shape
from igm_gui.session.recipes import grid_recipe, point_recipe
from igm_gui.session.state import GridSpec

MAX_BYTES = 1_000_000_000
SHEET_GAP = 16  # the grey between a sheet's pictures: nearly black, as in the window


def save_picture(
    path: Path, model: str, point: LatentPoint, device: str = "auto", scale: int = 1, smooth: bool = False
) -> Work:
    """A PNG of ``point`` at full size, or ``scale`` times as large: each pixel a block, or ``smooth``
    (Lanczos). The recipe is in it."""

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        check_pixels(info, info.output.height * scale, info.output.width * scale, MAX_BYTES)
        fitted = conform(point, info)
        for _, media in batches(renderer, model, [fitted], device):
            yield 0.5
            write_png(Path(path), enlarged(media[0], scale, smooth), point_recipe(info, fitted))
        yield 1.0

    return work


def save_sheet(
    path: Path,
    model: str,
    grid: GridSpec,
    base: LatentPoint | None = None,
    device: str = "auto",
    batch: int = 0,
) -> Work:
    """A PNG of the whole grid, ``grid.gap`` pixels between pictures magnified ``grid.scale`` times (0: as
    suits the model)."""

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        rows, columns = grid_shape(info, grid)
        scale = grid_scale(info, grid)
        height, width = info.output.height * scale, info.output.width * scale
        full_height, full_width = (
            rows * height + (rows - 1) * grid.gap,
            columns * width + (columns - 1) * grid.gap,
        )
        check_pixels(info, full_height, full_width, MAX_BYTES)
        points = GridPoints(info, grid, base)
        recipe = grid_recipe(info, replace(grid, scale=scale), base)
        with (
            atomic_path(Path(path)) as temporary,
            temporary.open("wb") as file,
            # One thread, so that rows stay in order; it packs them while the network makes the next.
            encoding(threads=1, ahead=2) as encoder,
        ):
            channels = info.output.channels
            png = PngWriter(file, full_height, full_width, channels, recipe)
            band = blank(height + grid.gap, full_width, channels, SHEET_GAP)
            for start, media in batches(renderer, model, points, device, batch):
                for index, picture in enumerate(media, start):
                    row, column = divmod(index, columns)
                    left = column * (width + grid.gap)
                    band[:height, left : left + width] = enlarged(picture, scale)
                    if column == columns - 1:
                        encoder.add(png.rows, band[: height if row == rows - 1 else None].copy())
                yield 0.99 * as_float(start + len(media), len(points))
            encoder.wait()
            png.close()
        yield 1.0

    return work


def save_singles(
    folder: Path,
    model: str,
    points: Sequence[LatentPoint] | GridSpec,
    base: LatentPoint | None = None,
    device: str = "auto",
    names: Sequence[str] = (),
    batch: int = 0,
) -> Work:
    """One PNG (or WAV) for each point or for each cell of a grid, each with its own recipe.

    ``names`` are the files' names without ending; by default the model's with a number, or the cell's
    row and column. The whole folder appears at the end.
    """

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        stem = safe_name(info.name)
        called = list(names)
        if isinstance(points, GridSpec):
            rows, columns = grid_shape(info, points)
            cells: Sequence[LatentPoint] = GridPoints(info, points, base)
            called = called or [
                f"{stem}-r{row + 1:03d}-c{column + 1:03d}" for row in range(rows) for column in range(columns)
            ]
        else:
            cells = [conform(point, info) for point in points]
            called = called or [f"{stem}-{number:05d}" for number in range(len(cells))]
        with folder_of_files(Path(folder)) as temporary, encoding() as encoder:
            for start, media in batches(renderer, model, cells, device, batch):
                for index, made in enumerate(media, start):
                    encoder.add(_write, temporary / called[index], info, cells[index], made)
                yield as_float(start + len(media), len(cells))

    return work


def _write(stem: Path, info: GeneratorInfo, point: LatentPoint, made: NDArray[Any]) -> None:
    recipe = point_recipe(info, point)
    if info.media == "sound":
        write_wav(stem.with_name(stem.name + ".wav"), made, info.output.sample_rate, recipe)
    else:
        write_png(stem.with_name(stem.name + ".png"), np.asarray(made, np.uint8), recipe)
