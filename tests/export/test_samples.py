"""Samples of several models from the same seeds, written."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError, ModelError
from igm_gui.export import Samples, finish, save_comparison, save_samples
from igm_gui.export.samples import _Band, _said
from igm_gui.latent.point import point_from_seed
from igm_gui.session.recipes import restore_file


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def test_each_model_gets_the_same_seeds(renderer: Renderer, tmp_path: Path) -> None:
    info = renderer.generator("uniform-pixels")[0].info
    base = point_from_seed(info, 0)
    progress: list[float] = []
    work = save_samples(tmp_path / "out", Samples(("uniform-pixels", "additive"), 5, base, rows=2, columns=3))
    finish(work, renderer, progress.append)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"additive-seed-{n:06d}.wav" for n in range(5, 11)] + ["uniform-pixels.png"]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    sheet = np.asarray(Image.open(tmp_path / "out" / "uniform-pixels.png"))
    z = point_from_seed(info, 9).vector("z").array[..., 0]
    cell = sheet[30 : 30 + 28, 30 : 30 + 28]  # second row, second column: seed 5 + 4
    assert np.array_equal(cell.reshape(28, 28), np.clip(np.floor((z + 1) * 128), 0, 255))


def test_one_missing_model_and_nothing_is_written(renderer: Renderer, tmp_path: Path) -> None:
    info = renderer.generator("uniform-pixels")[0].info
    work = save_samples(
        tmp_path / "out", Samples(("uniform-pixels", "not-here"), 0, point_from_seed(info, 0))
    )
    with pytest.raises(ModelError):
        finish(work, renderer)
    assert list(tmp_path.iterdir()) == []


def test_all_models_in_one_picture_with_as_many_samples_each(renderer: Renderer, tmp_path: Path) -> None:
    gan = renderer.generator("fashion-gan")[0].info
    base = point_from_seed(gan, 3, 8)
    names = ("fashion-gan", "fashion-vae", "uniform-pixels", "additive")
    finish(
        save_samples(tmp_path / "out", Samples(names, 5, base, rows=2, columns=3, every_class=True)), renderer
    )
    # The model without classes has as many samples as the others.
    sheets = {name: pixels_of(tmp_path / "out" / f"{name}.png") for name in names[:3]}
    assert {sheet.shape for sheet in sheets.values()} == {(10 * 28 + 9 * 2, 3 * 28 + 2 * 2)}
    page = pixels_of(tmp_path / "out" / "comparison.png")
    # The second model's band: ten rows, the cells four times as large, each in the middle of its place.
    top = 16 + (44 + 10 * 130 + 20) + 44
    cell = np.asarray(sheets["fashion-vae"])[30:58, 60:88]  # second class, third seed
    x, y = 16 + 2 * 130 + 8, top + 130 + 8
    assert np.array_equal(
        page[y : y + 112, x : x + 112], cell.repeat(4, 0).repeat(4, 1)[..., None].repeat(3, 2)
    )
    restored = restore_file(tmp_path / "out" / "comparison.png")
    assert restored.changes["model"] == "fashion-gan"
    assert restored.changes["compare"] == ("fashion-vae", "uniform-pixels", "additive")
    assert restored.changes["compare_seed"] == 5
    assert restored.changes["point"] == base
    assert restored.warning == ""


def test_one_picture_is_what_the_folder_holds(renderer: Renderer, tmp_path: Path) -> None:
    base = point_from_seed(renderer.generator("fashion-gan")[0].info, 3, 8)
    names = ("fashion-gan", "uniform-pixels")
    finish(save_samples(tmp_path / "out", Samples(names, 5, base, rows=2, columns=3)), renderer)
    work = save_comparison(tmp_path / "all.png", Samples((*names, "additive"), 5, base, rows=2, columns=3))
    finish(work, renderer)
    assert (tmp_path / "all.png").read_bytes() == (tmp_path / "out" / "comparison.png").read_bytes()
    with pytest.raises(ExportError, match="pictures"):
        finish(save_comparison(tmp_path / "none.png", Samples(("additive",), 5, base)), renderer)
    assert not (tmp_path / "none.png").exists()


def test_one_model_alone_is_no_comparison(renderer: Renderer, tmp_path: Path) -> None:
    info = renderer.generator("uniform-pixels")[0].info
    finish(
        save_samples(tmp_path / "out", Samples(("uniform-pixels",), 0, point_from_seed(info, 0))), renderer
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["uniform-pixels.png"]


def test_strangers_are_called_so(renderer: Renderer, tmp_path: Path) -> None:
    first, same, stranger = (
        renderer.generator(name)[0].info for name in ("fashion-gan", "fashion-vae", "uniform-pixels")
    )
    band = partial(_Band, sheet=tmp_path, rows=4, columns=8, gap=2, classes=False)
    assert "seeds 7 to 38 · the same z as Fashion, GAN" in _said(band(same), first, 7)
    assert _said(band(stranger), first, 7).endswith("z of its own, not paired with Fashion, GAN")
    assert _said(replace(band(same), rows=10, classes=True), first, 7).startswith("80 samples · ")
    assert "seeds 7 to 14 for each class" in _said(replace(band(same), rows=10, classes=True), first, 7)
