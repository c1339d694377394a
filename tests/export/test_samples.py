"""Samples of several models from the same seeds, written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ModelError
from igm_gui.export import finish, save_samples
from igm_gui.latent.point import point_from_seed


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def test_each_model_gets_the_same_seeds(renderer: Renderer, tmp_path: Path) -> None:
    info = renderer.generator("uniform-pixels")[0].info
    base = point_from_seed(info, 0)
    progress: list[float] = []
    work = save_samples(tmp_path / "out", ["uniform-pixels", "additive"], 5, base, rows=2, columns=3)
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
    work = save_samples(tmp_path / "out", ["uniform-pixels", "not-here"], 0, point_from_seed(info, 0))
    with pytest.raises(ModelError):
        finish(work, renderer)
    assert list(tmp_path.iterdir()) == []
