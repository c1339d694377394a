"""Samples of several models from the same seeds: a sheet for each, or WAV files where it sounds, and one
picture with all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.pictures import MAX_BYTES, SHEET_GAP, save_sheet, save_singles
from igm_gui.export.work import Work, folder_of_files, info_of, safe_name
from igm_gui.formats.files import write_atomic
from igm_gui.formats.image import enlarged, write_png
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.paths import assets_folder
from igm_gui.session.grid import grid_shape
from igm_gui.session.recipes import compare_recipe
from igm_gui.session.state import GridSpec

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

TOGETHER = "comparison"
CELL = 128  # pixels of a sample in the picture with all models, at least
MAX_CELL = 256
MARGIN, TITLE, BELOW = 16, 44, 20
QUIET, BRIGHT = (139, 146, 158), (215, 218, 224)


@dataclass(frozen=True)
class _Band:
    """One model in the picture with all of them."""

    info: GeneratorInfo
    sheet: Path
    rows: int
    columns: int
    gap: int  # in the sheet
    classes: bool  # whether its rows are classes, each with the same seeds


@dataclass(frozen=True)
class Samples:
    """Which samples are written: ``rows`` x ``columns`` of each of ``models``, of the seeds from ``seed`` on.

    ``base`` gives class, truncation and the like as far as they fit a model; with ``every_class`` a model
    that has classes gets a row for each, and one that has none as many rows as the others.
    """

    models: tuple[str, ...]
    seed: int
    base: LatentPoint
    device: str = "auto"
    rows: int = 4
    columns: int = 8
    every_class: bool = False


def save_samples(folder: Path, asked: Samples) -> Work:
    """``<model>.png`` for each model in ``folder``, with the recipe in it; single WAV files for a model that
    sounds. ``comparison.png`` shows those that make pictures side by side, as many samples of each, and
    brings the line-up back. The whole folder appears at the end, or nothing."""
    models, seed, base, device = asked.models, asked.seed, asked.base, asked.device
    rows, columns, every_class = asked.rows, asked.columns, asked.every_class

    def work(renderer: Renderer) -> Iterator[float]:
        taken = {TOGETHER}
        with folder_of_files(Path(folder)) as temporary:
            infos = [info_of(renderer, model, device) for model in models]
            most = rows
            if every_class:
                most = max([rows, *(len(label.classes) for i in infos for label in i.of_kind("label"))])
            bands: list[_Band] = []
            for number, (model, info) in enumerate(zip(models, infos, strict=True)):
                classes = every_class and bool(info.of_kind("label"))
                grid = GridSpec("classes" if classes else "seeds", min(most, 256), columns, seed)
                point = conform(base, info)
                # Two files may hold models of one name.
                stem = safe_name(info.name)
                while stem in taken:
                    stem = f"{stem}-{number + 1}"
                taken.add(stem)
                if info.media == "sound":
                    names = [f"{stem}-seed-{seed + i:06d}" for i in range(rows * columns)]
                    plain = GridSpec("seeds", rows, columns, seed)
                    part = save_singles(temporary, model, plain, point, device, names)
                else:
                    path = temporary / f"{stem}.png"
                    part = save_sheet(path, model, grid, point, device)
                    bands.append(_Band(info, path, *grid_shape(info, grid), grid.gap, classes))
                with closing(part(renderer)) as steps:  # type: ignore[type-var]
                    for done in steps:
                        yield 0.97 * (number + done) / len(models)
            if len(bands) > 1 and sum(b.sheet.stat().st_size for b in bands) < MAX_BYTES // 8:
                together = _together(bands, infos[0], seed)
                yield 0.98
                recipe = compare_recipe(infos, seed, conform(base, infos[0]))
                write_png(temporary / f"{TOGETHER}.png", together, recipe)
            yield 1.0

    return work


def save_comparison(path: Path, asked: Samples) -> Work:
    """One PNG with samples of all models that make pictures, one under the other: the ``comparison.png`` of
    :func:`save_samples`. Of a single such model it is the sheet. ExportError where none of them makes
    pictures."""

    def work(renderer: Renderer) -> Iterator[float]:
        infos = [info_of(renderer, model, asked.device) for model in asked.models]
        seen = tuple(m for m, info in zip(asked.models, infos, strict=True) if info.media == "image")
        if not seen:
            raise ExportError(
                "None of these models makes pictures.", "Export the sounds as a folder of files."
            )
        with tempfile.TemporaryDirectory(prefix="igm-") as scratch:
            folder = Path(scratch) / "samples"
            whole = save_samples(folder, replace(asked, models=seen))
            with closing(whole(renderer)) as steps:  # type: ignore[type-var]
                for done in steps:
                    yield 0.99 * done
            made = folder / f"{TOGETHER}.png"
            write_atomic(Path(path), (made if made.exists() else next(folder.iterdir())).read_bytes())
        yield 1.0

    return work


def _cells(band: _Band, side: int) -> list[NDArray[np.uint8]]:
    """The samples of a model as RGB, none higher or wider than ``side``."""
    from PIL import Image

    with Image.open(band.sheet) as opened:
        sheet = np.asarray(opened.convert("RGB"))
    height, width = band.info.output.height, band.info.output.width
    factor = max(1, side // max(height, width))
    cells = []
    for index in range(band.rows * band.columns):
        row, column = divmod(index, band.columns)
        top, left = row * (height + band.gap), column * (width + band.gap)
        cell = sheet[top : top + height, left : left + width]
        if max(height, width) > side:
            small = Image.fromarray(cell)
            small.thumbnail((side, side), Image.Resampling.LANCZOS)
            cells.append(np.asarray(small))
        else:
            cells.append(enlarged(cell, factor))
    return cells


def _together(bands: Sequence[_Band], first: GeneratorInfo, seed: int) -> NDArray[np.uint8]:
    """All models in one picture, one under the other: name and distance, what they share, their samples."""
    from PIL import Image, ImageDraw, ImageFont

    longest = max(max(b.info.output.height, b.info.output.width) for b in bands)
    side = min(max(CELL, longest), MAX_CELL)
    columns = max(b.columns for b in bands)
    width = 2 * MARGIN + columns * (side + 2) - 2
    height = MARGIN + sum(TITLE + b.rows * (side + 2) + BELOW for b in bands)
    page = Image.new("RGB", (width, height), (SHEET_GAP,) * 3)
    draw = ImageDraw.Draw(page)
    fonts = assets_folder() / "fonts"
    bold = ImageFont.truetype(str(fonts / "Inter-SemiBold.otf"), 15)
    plain = ImageFont.truetype(str(fonts / "Inter-Regular.otf"), 12)
    top = MARGIN
    for band in bands:
        draw.text((MARGIN, top), _fitting(band.info.title or band.info.name, bold, width), BRIGHT, bold)
        draw.text((MARGIN, top + 21), _fitting(_said(band, first, seed), plain, width), QUIET, plain)
        top += TITLE
        for index, cell in enumerate(_cells(band, side)):
            row, column = divmod(index, band.columns)
            x = MARGIN + column * (side + 2) + (side - cell.shape[1]) // 2
            y = top + row * (side + 2) + (side - cell.shape[0]) // 2
            page.paste(Image.fromarray(cell), (x, y))
        top += band.rows * (side + 2) + BELOW
    return np.asarray(page)


def _said(band: _Band, first: GeneratorInfo, seed: int) -> str:
    """What is behind a model's samples, and whether they pair with the first one's."""
    info, count = band.info, band.rows * band.columns
    last = seed + (band.columns if band.classes else count) - 1
    seeds = f"seeds {seed} to {last}" + (" for each class" if band.classes else "")
    parts = [f"{count} samples", seeds]
    if info is not first:
        mine, theirs = ((i.latent.shape, i.latent.prior) if i.latent else None for i in (info, first))
        same = mine is not None and mine == theirs
        name = first.title or first.name
        parts.append(f"the same z as {name}" if same else f"z of its own, not paired with {name}")
    if info.distance and info.distance.lower() != "none":
        parts.append(info.distance)
    return " · ".join(parts)


def _fitting(text: str, font: FreeTypeFont, width: int) -> str:
    """``text``, cut with … where it is longer than the page."""
    room = width - 2 * MARGIN
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"
