"""Samples of several models from the same seeds: a sheet for each, or WAV files where it sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from igm_gui.engine.renderer import Renderer
from igm_gui.export.pictures import save_sheet, save_singles
from igm_gui.export.work import Work, folder_of_files, info_of, safe_name
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.state import GridSpec


def save_samples(
    folder: Path,
    models: Sequence[str],
    seed: int,
    base: LatentPoint,
    device: str = "auto",
    rows: int = 4,
    columns: int = 8,
    every_class: bool = False,
) -> Work:
    """``<model>.png`` for each model in ``folder``: ``rows`` x ``columns`` samples of the seeds from ``seed``
    on, with the recipe in it; single WAV files for a model that sounds.

    ``base`` gives class, truncation and the like as far as they fit a model; with ``every_class`` a model
    that has classes gets a row for each. The whole folder appears at the end, or nothing.
    """

    def work(renderer: Renderer) -> Iterator[float]:
        taken: set[str] = set()
        with folder_of_files(Path(folder)) as temporary:
            for number, model in enumerate(models):
                info = info_of(renderer, model, device)
                classes = every_class and bool(info.of_kind("label"))
                grid = GridSpec("classes" if classes else "seeds", rows, columns, seed)
                point = conform(base, info)
                # Two files may hold models of one name.
                stem = safe_name(info.name)
                while stem in taken:
                    stem = f"{stem}-{number + 1}"
                taken.add(stem)
                if info.media == "sound":
                    plain = GridSpec("seeds", rows, columns, seed)
                    names = [f"{stem}-seed-{seed + i:06d}" for i in range(rows * columns)]
                    part = save_singles(temporary, model, plain, point, device, names)
                else:
                    part = save_sheet(temporary / f"{stem}.png", model, grid, point, device)
                with closing(part(renderer)) as steps:  # type: ignore[type-var]
                    for done in steps:
                        yield (number + done) / len(models)

    return work
