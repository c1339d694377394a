"""Pictures, sheets and folders of pictures: the pixels, the recipe, and nothing left behind."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from igm_gui.engine.loop import Job
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import Cancelled, ExportError, InputError, ModelError
from igm_gui.export import Work, finish, save_film, save_frames, save_picture, save_sheet, save_singles
from igm_gui.formats.image import enlarged
from igm_gui.formats.recipe import read_recipe
from igm_gui.latent.point import point_from_seed
from igm_gui.requests import RenderRequest, RenderResult
from igm_gui.session.grid import grid_points
from igm_gui.session.recipes import Film, restore_file
from igm_gui.session.state import GridSpec
from igm_gui.timeline import Keyframe, Timeline

MODEL = "uniform-pixels"


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def rendered(renderer: Renderer, *points) -> np.ndarray:
    return renderer.media(MODEL, points)[..., 0]


def test_a_picture_is_what_is_seen_and_brings_its_point_back(renderer, pixels, tmp_path):
    point = point_from_seed(pixels, 5)
    finish(save_picture(tmp_path / "a.png", MODEL, point), renderer)
    assert (pixels_of(tmp_path / "a.png") == rendered(renderer, point)[0]).all()
    restored = restore_file(tmp_path / "a.png")
    assert restored.changes["point"] == point
    assert restored.changes["model"] == MODEL
    assert restored.warning == ""


def test_a_picture_can_be_magnified(renderer, pixels, tmp_path):
    point = point_from_seed(pixels, 5)
    finish(save_picture(tmp_path / "a.png", MODEL, point, scale=3), renderer)
    want = rendered(renderer, point)[0].repeat(3, 0).repeat(3, 1)
    assert (pixels_of(tmp_path / "a.png") == want).all()
    finish(save_picture(tmp_path / "b.png", MODEL, point, scale=3, smooth=True), renderer)
    assert pixels_of(tmp_path / "b.png").shape == want.shape


@pytest.mark.parametrize("mode", ["seeds", "plane"])
def test_a_sheet_has_every_cell_in_its_place(mode, renderer, pixels, tmp_path):
    grid = GridSpec(mode, rows=3, columns=4, seed=7, gap=2, scale=2)
    progress: list[float] = []
    finish(save_sheet(tmp_path / "a.png", MODEL, grid), renderer, progress.append)
    sheet = pixels_of(tmp_path / "a.png")
    assert sheet.shape == (3 * 56 + 2 * 2, 4 * 56 + 3 * 2)
    cells = rendered(renderer, *grid_points(pixels, grid))
    for index, cell in enumerate(cells):
        row, column = divmod(index, 4)
        part = sheet[row * 58 : row * 58 + 56, column * 58 : column * 58 + 56]
        assert (part == cell.repeat(2, 0).repeat(2, 1)).all()
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert restore_file(tmp_path / "a.png").changes["grid"] == grid


def test_a_scale_that_suits_the_model_is_written_out(renderer, tmp_path):
    finish(save_sheet(tmp_path / "a.png", MODEL, GridSpec(rows=2, columns=3, gap=1, scale=0)), renderer)
    assert pixels_of(tmp_path / "a.png").shape == (2 * 252 + 1, 3 * 252 + 2)
    assert restore_file(tmp_path / "a.png").changes["grid"].scale == 9


def test_the_same_sheet_gives_the_same_bytes(renderer, tmp_path):
    for name in ("a.png", "b.png"):
        finish(save_sheet(tmp_path / name, MODEL, GridSpec(rows=5, columns=8)), renderer)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_sheet_by_class_needs_classes(renderer, tmp_path):
    with pytest.raises(InputError, match="no classes"):
        finish(save_sheet(tmp_path / "a.png", MODEL, GridSpec("classes")), renderer)


def test_a_sheet_too_large_for_memory_is_refused_at_once(renderer, tmp_path):
    with pytest.raises(ExportError, match="too large"):
        finish(save_sheet(tmp_path / "a.png", MODEL, GridSpec(rows=256, columns=256, scale=64)), renderer)
    assert list(tmp_path.iterdir()) == []


def test_single_files_each_bring_their_own_point_back(renderer, pixels, tmp_path):
    grid = GridSpec(rows=2, columns=3, seed=4)
    finish(save_singles(tmp_path / "new" / "cells", MODEL, grid), renderer)
    files = sorted((tmp_path / "new" / "cells").iterdir())
    assert [f.name for f in files][:2] == ["uniform-pixels-r001-c001.png", "uniform-pixels-r001-c002.png"]
    points = grid_points(pixels, grid)
    assert len(files) == len(points) == 6
    for file, point in zip(files, points, strict=True):
        assert restore_file(file).changes["point"] == point
        assert (pixels_of(file) == rendered(renderer, point)[0]).all()


def test_single_files_join_those_of_a_folder_that_exists(renderer, pixels, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "a.png").write_text("old")
    points = [point_from_seed(pixels, i) for i in range(2)]
    finish(save_singles(tmp_path, MODEL, points, names=["a", "b"]), renderer)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png", "mine.txt"]
    assert pixels_of(tmp_path / "a.png").shape == (28, 28)


def test_frames_are_numbered_and_show_their_moment(renderer, pixels, timeline, tmp_path):
    finish(save_frames(tmp_path / "frames", MODEL, timeline), renderer)
    files = sorted((tmp_path / "frames").iterdir())
    assert [f.name for f in files] == [f"frame-{i:05d}.png" for i in range(12)]
    moment = timeline.sample(4 / 6.0)
    assert (pixels_of(files[4]) == rendered(renderer, moment)[0]).all()
    assert restore_file(files[4]).changes["point"] == moment


def test_a_film_shows_what_the_timeline_does(renderer, timeline, tmp_path):
    import av

    finish(save_film(tmp_path / "a.mp4", MODEL, timeline, film=Film(crf=1)), renderer)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    assert len(frames) == timeline.frames
    for i in (0, 5, 11):
        want = rendered(renderer, timeline.sample(i / 6.0))[0].repeat(10, 0).repeat(10, 1)
        # Eight bits between 16 and 235 and H.264 cost a level or two.
        assert np.abs(frames[i].astype(int) - want).mean() < 1.5
    restored = restore_file(tmp_path / "a.mp4")
    assert restored.changes["timeline"] == timeline
    assert restored.recipe.kind == "timeline"


def decoded(path: Path) -> np.ndarray:
    import av

    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="gray") for f in container.decode(video=0)])


def test_a_film_may_go_round_more_than_once(renderer, timeline, tmp_path):
    finish(save_film(tmp_path / "a.mp4", MODEL, timeline, film=Film(2, crf=1, rounds=3)), renderer)
    frames = decoded(tmp_path / "a.mp4").astype(int)
    assert frames.shape == (3 * timeline.frames, 56, 56)
    for i in (1, 7):
        assert np.abs(frames[i] - frames[i + timeline.frames]).mean() < 1.5
        assert np.abs(frames[i] - frames[i + 1]).mean() > 10


def test_a_smooth_film_is_the_smooth_picture(renderer, timeline, tmp_path):
    finish(save_film(tmp_path / "a.mp4", MODEL, timeline, film=Film(4, smooth=True, crf=1)), renderer)
    frames = decoded(tmp_path / "a.mp4").astype(int)
    picture = renderer.media(MODEL, (timeline.sample(5 / 6.0),))[0]
    assert np.abs(frames[5] - enlarged(picture, 4, smooth=True)[..., 0]).mean() < 2
    assert np.abs(frames[5] - enlarged(picture, 4)[..., 0]).mean() > 5


def test_quality_is_worth_its_bytes(renderer, timeline, tmp_path):
    sizes, faults = [], []
    want = np.stack([renderer.media(MODEL, (timeline.sample(i / 6.0),))[0, ..., 0] for i in range(12)])
    want = want.repeat(10, 1).repeat(10, 2).astype(int)
    for crf in (30, 18, 4):
        finish(save_film(tmp_path / f"{crf}.mp4", MODEL, timeline, film=Film(crf=crf)), renderer)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
        faults.append(np.abs(decoded(tmp_path / f"{crf}.mp4") - want).mean())
    assert sizes == sorted(sizes)
    assert faults == sorted(faults, reverse=True)


def test_a_films_progress_is_what_is_packed(renderer, timeline, tmp_path):
    progress: list[float] = []
    finish(save_film(tmp_path / "a.mp4", MODEL, timeline), renderer, progress.append)
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


@pytest.mark.parametrize("make", [save_film, save_frames])
def test_an_empty_timeline_says_to_add_a_keyframe(make, renderer, tmp_path):
    with pytest.raises(ExportError, match="timeline is empty"):
        finish(make(tmp_path / "a.mp4", MODEL, Timeline()), renderer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [save_picture, save_film, save_frames, save_sheet])
def test_a_sound_is_no_picture(make, renderer, one_shot, timeline, tmp_path):
    what = {save_picture: timeline.keyframes[0].point, save_sheet: GridSpec()}.get(make, timeline)
    with pytest.raises(ExportError, match="makes sounds"):
        finish(make(tmp_path / "a", one_shot, what), renderer)


# -- nothing left behind

Maker = Callable[[Path], Work]


@pytest.fixture(params=["sheet", "singles", "frames", "film"])
def maker(request, timeline) -> Maker:
    grid = GridSpec(rows=9, columns=9)
    return {
        "sheet": lambda folder: save_sheet(folder / "a.png", MODEL, grid, batch=8),
        "singles": lambda folder: save_singles(folder / "a", MODEL, grid, batch=8),
        "frames": lambda folder: save_frames(
            folder / "a", MODEL, timeline.__class__(timeline.keyframes, 20.0)
        ),
        "film": lambda folder: save_film(
            folder / "a.mp4", MODEL, timeline.__class__(timeline.keyframes, 20.0)
        ),
    }[request.param]


def test_a_cancelled_export_leaves_nothing(maker, renderer, tmp_path):
    job = Job("export", maker(tmp_path))
    while job.progress == 0:
        assert job.step(renderer)
    assert job.progress < 1
    job.cancel()
    assert not job.step(renderer)
    assert isinstance(job.error, Cancelled)
    assert list(tmp_path.iterdir()) == []


class FailsLater(Renderer):
    """Renders twice, then fails."""

    def __init__(self, inner: Renderer) -> None:
        super().__init__()
        self._loaded, self._resolved, self._left = inner._loaded, inner._resolved, 2

    def render(self, request: RenderRequest) -> RenderResult:
        self._left -= 1
        if self._left < 0:
            return RenderResult(request, error=ModelError("The network broke."))
        return super().render(request)


def test_a_failing_network_leaves_nothing(maker, renderer, tmp_path):
    with pytest.raises(ModelError, match="network broke"):
        finish(maker(tmp_path), FailsLater(renderer))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_named(maker, renderer, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="could not be written") as caught:
        finish(maker(tmp_path / "file"), renderer)
    assert "Choose another folder" in caught.value.hint
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_that_may_not_be_written_is_said_before_the_work(maker, renderer, tmp_path, monkeypatch):
    def refused(*_arguments, **_options) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    # The one who runs the tests may be root, whom no folder refuses.
    monkeypatch.setattr(tempfile, "mkstemp", refused)
    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    renders = FailsLater(renderer)
    with pytest.raises(ExportError, match=f"to {tmp_path}: Permission denied"):
        finish(maker(tmp_path), renders)
    assert renders._left == 2
    assert list(tmp_path.iterdir()) == []


def test_a_name_no_file_can_have_is_said_before_the_work(maker, renderer, tmp_path):
    renders = FailsLater(renderer)
    with pytest.raises(ExportError, match="could not be written"):
        # The makers' own names are short: the folder's is the long one.
        finish(maker(tmp_path / ("n" * 300)), renders)
    assert list(tmp_path.iterdir()) == []
    for make in (save_picture, save_film):
        what = point_from_seed(renderer.generator(MODEL)[0].info, 1)
        if make is save_film:
            what = Timeline((Keyframe(0.0, what),), 1.0)
        long = tmp_path / f"{'ü' * 200}.mp4"
        with pytest.raises(ExportError, match=r"ü… could not be written") as caught:
            finish(make(long, MODEL, what), renderer)
        assert len(caught.value.message) < 300
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_film_is_said_before_the_work(renderer, timeline, tmp_path):
    (tmp_path / "a.mp4").mkdir()
    renders = FailsLater(renderer)
    with pytest.raises(ExportError, match="a folder has that name"):
        finish(save_film(tmp_path / "a.mp4", MODEL, timeline), renders)
    assert renders._left == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_disk_that_fills_up_leaves_nothing(renderer, pixels, tmp_path, monkeypatch):
    written = 0
    whole = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        nonlocal written
        written += 1
        if written > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExportError, match="No space left on device") as caught:
        finish(save_singles(tmp_path / "a", MODEL, GridSpec(rows=8, columns=8), batch=8), renderer)
    # It names the folder that was asked for, not the hidden one that the files are collected in.
    assert f"could not be written to {tmp_path / 'a'}: " in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_never_tells_a_path(renderer, pixels, tmp_path):
    finish(save_picture(tmp_path / "a.png", MODEL, point_from_seed(pixels, 5)), renderer)
    assert read_recipe(tmp_path / "a.png").model == MODEL
    assert str(pixels.path).encode() not in (tmp_path / "a.png").read_bytes()
