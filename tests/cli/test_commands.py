"""Making things on the command line: what it writes, prints, and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import igm_gui
from igm_gui.formats.recipe import read_recipe
from igm_gui.latent.point import point_from_seed
from igm_gui.session.project import save_project
from igm_gui.session.recipes import restore_file
from igm_gui.session.state import SessionState
from igm_gui.timeline import Keyframe, Timeline
from tests.cli.answers import pixels_of, refused

# -- sample


def test_sample_writes_a_picture_for_each_seed(igm, tmp_path):
    answer = igm("sample", "fashion-gan", "--seed", 5, "-n", 3, "--out", tmp_path / "out", "--device", "cpu")
    assert answer.status == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [f.name for f in files] == [f"fashion-gan-{seed:06d}.png" for seed in (5, 6, 7)]
    want = igm_gui.load("fashion-gan", "cpu").sample(seed=5, n=3)
    for file, picture in zip(files, want, strict=True):
        assert (pixels_of(file) == picture[..., 0]).all()
    assert restore_file(files[2]).changes["point"].seed == 7


def test_sample_twice_gives_the_same_bytes(igm, tmp_path):
    for name in ("a", "b"):
        igm("sample", "fashion-gan", "--seed", 5, "-n", 2, "--out", tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("label", ["3", "dress", "Dress"])
def test_sample_by_class(label, igm, tmp_path):
    assert igm("sample", "fashion-gan", "--out", tmp_path, "--label", label, "--batch", 1).status == 0
    (file,) = tmp_path.iterdir()
    assert restore_file(file).changes["point"].vector("label").array.argmax() == 3


def test_sample_writes_sounds_with_other_inputs(igm, tmp_path):
    import soundfile

    answer = igm("sample", "additive", "--out", tmp_path, "--set", "pitch=72", "--seconds", 0.5)
    assert answer.status == 0
    assert "1 sound in" in answer.out
    (file,) = tmp_path.iterdir()
    sound, rate = soundfile.read(file)
    assert (len(sound), rate) == (24000, 48000)
    assert restore_file(file).changes["point"].get("pitch") == 72.0
    assert igm("sample", "additive", "--out", tmp_path / "whole", "-n", 2).status == 0
    assert len(list((tmp_path / "whole").glob("*.wav"))) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fashion-gan", "--label", "umbrella"), ("no class called umbrella", "trousers")),
        (("fashion-gan", "--label", "77"), ("no class",)),
        (("fashion-gan", "--truncation", "0.5"), ("no truncation",)),
        (("fashion-gan", "--set", "pitch=60"), ("no number called pitch",)),
        (("fashion-gan", "--set", "pitch"), ("name=number",)),
        (("additive", "--set", "pitch=600"), ("out of range", "28 to 96")),
        (("fashion-gan", "--seconds", "3"), ("makes pictures",)),
        (("uniform-pixels", "--label", "1"), ("no classes",)),
        (("nonsense",), ("no model called nonsense", "fashion-gan")),
        (("~nobody-of-that-name/model",), ("no model called ~nobody",)),
        (("",), ("empty name",)),
        (("fashion-gan", "--label", "\u00b2"), ("no class called",)),
        (("fashion-flow", "--set", "noise_seed=1.5"), ("whole numbers",)),
        (("fashion-flow", "--set", "steps=2.5"), ("between two steps", "1, 2 ")),
        (("/",), ("card.json",)),
        (("fashion-gan", "-n", "0"), ("whole number from 1",)),
        (("fashion-gan", "-n", "many"), ("whole number from 1",)),
        (("fashion-gan", "--seed", "-1"), ("whole number from 0",)),
        (("fashion-gan", "--seed", str(2**32)), ("whole number from 0",)),
        (("fashion-gan", "--seed", str(2**32 - 1), "-n", "2"), ("Seeds go up to",)),
        (("fashion-gan", "--device", "abacus"), ("invalid choice",)),
        (("fashion-gan", "--truncation", "nan"), ("not a number",)),
        (("fashion-gan", "--colour", "red"), ("unrecognized",)),
    ],
)
def test_sample_refuses_in_one_line(arguments, words, igm, tmp_path):
    refused(igm("sample", *arguments, "--out", tmp_path / "out"), *words)
    assert list(tmp_path.iterdir()) == []


def test_sample_into_a_file_is_refused(igm, tmp_path):
    (tmp_path / "file").write_text("mine")
    refused(igm("sample", "uniform-pixels", "--out", tmp_path / "file"), "is a file")
    refused(igm("sample", "uniform-pixels", "--out", tmp_path / "file" / "below"), "could not be written")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_or_endless_name_is_refused(igm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(igm("sample", "uniform-pixels", "--out", ""), "empty name")
    refused(igm("sample", "uniform-pixels", "--out", "a" * 300), "too long")
    refused(igm("grid", "uniform-pixels", "--out", "a" * 300 + ".png"), "too long")
    assert list(tmp_path.iterdir()) == []


# -- grid


def test_grid_writes_a_sheet(igm, tmp_path):
    path = tmp_path / "sheet.png"
    assert igm("grid", "fashion-gan", "--rows", 2, "--cols", 3, "--seed", 4, "--out", path).status == 0
    sheet = pixels_of(path)
    assert sheet.shape == (58, 88)
    np.testing.assert_array_equal(sheet[:28, :28], igm_gui.load("fashion-gan").sample(4, 6)[0, ..., 0])
    grid = restore_file(path).changes["grid"]
    assert (grid.rows, grid.columns, grid.seed) == (2, 3, 4)


def test_grid_by_class_and_by_plane(igm, tmp_path):
    by_class, plane = tmp_path / "c.png", tmp_path / "p.png"
    arguments = ("--cols", 2, "--gap", 0, "--scale", 2)
    assert igm("grid", "fashion-gan", "--mode", "classes", *arguments, "--out", by_class).status == 0
    assert pixels_of(by_class).shape == (560, 112)
    assert igm("grid", "fashion-gan", "--mode", "plane", "--rows", 2, *arguments, "--out", plane).status == 0
    assert pixels_of(plane).shape == (112, 112)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("additive", "--out", "a.png"), ("makes sounds",)),
        (("fashion-gan", "--out", "a.jpg"), ("does not end in .png",)),
        (("fashion-gan", "--out", "missing/../folder.png"), ("is a folder",)),
        (("fashion-gan", "--rows", "300", "--out", "a.png"), ("from 1 to 256",)),
        (("uniform-pixels", "--mode", "classes", "--out", "a.png"), ("no classes",)),
        (
            ("uniform-pixels", "--rows", "256", "--cols", "256", "--scale", "64", "--out", "a.png"),
            ("too large",),
        ),
    ],
)
def test_grid_refuses_in_one_line(arguments, words, igm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "missing").mkdir()
    refused(igm("grid", *arguments), *words)


# -- render


@pytest.fixture
def project(tmp_path) -> Path:
    info = igm_gui.load("uniform-pixels").info
    frames = tuple(Keyframe(float(i), point_from_seed(info, i), f"k{i}") for i in range(2))
    state = SessionState("uniform-pixels", point_from_seed(info, 9), timeline=Timeline(frames, 2.0, 5.0))
    save_project(tmp_path / "p.igm", state)
    return tmp_path / "p.igm"


def test_render_writes_what_the_ending_says(igm, project, tmp_path):
    generator = igm_gui.load("uniform-pixels")
    assert igm("render", project, "--out", tmp_path / "a.png").status == 0
    want = generator.render(generator.point(9))[0, ..., 0]
    assert (pixels_of(tmp_path / "a.png") == want).all()
    assert igm("render", project, "--out", tmp_path / "b.png", "--at", 1, "--scale", 2).status == 0
    assert (pixels_of(tmp_path / "b.png")[::2, ::2] == generator.render(generator.point(1))[0, ..., 0]).all()
    assert igm("render", project, "--out", tmp_path / "frames").status == 0
    assert len(list((tmp_path / "frames").iterdir())) == 10
    assert igm("render", project, "--out", tmp_path / "a.mp4").status == 0
    assert restore_file(tmp_path / "a.mp4").changes["timeline"].frames == 10


def test_render_goes_on_from_a_result(igm, project, tmp_path):
    igm("render", project, "--out", tmp_path / "a.mp4")
    igm("render", project, "--out", tmp_path / "a.png")
    assert igm("render", tmp_path / "a.mp4", "--out", tmp_path / "again.mp4").status == 0
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "again.mp4").read_bytes()
    assert igm("render", tmp_path / "a.png", "--out", tmp_path / "again.png").status == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_render_makes_a_sheet_again(igm, tmp_path):
    igm("grid", "uniform-pixels", "--rows", 2, "--cols", 3, "--seed", 5, "--out", tmp_path / "a.png")
    assert igm("render", tmp_path / "a.png", "--out", tmp_path / "again.png").status == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert igm("render", tmp_path / "a.png", "--out", tmp_path / "big.png", "--scale", 2).status == 0
    assert pixels_of(tmp_path / "big.png").shape[:2] == (2 * 56 + 2, 3 * 56 + 4)


def test_render_a_sound(igm, tmp_path):
    info = igm_gui.load("additive").info
    save_project(tmp_path / "s.igm", SessionState("additive", point_from_seed(info, 1)))
    assert igm("render", tmp_path / "s.igm", "--out", tmp_path / "s.wav").status == 0
    assert restore_file(tmp_path / "s.wav").changes["point"] == point_from_seed(info, 1)
    refused(igm("render", tmp_path / "s.igm", "--out", tmp_path / "s.mp4"), "makes sounds")
    refused(igm("render", tmp_path / "s.igm", "--out", tmp_path / "frames"), "makes sounds")


def test_render_refuses_in_one_line(igm, project, tmp_path):
    refused(igm("render", tmp_path / "none.igm", "--out", "a.png"), "no project file")
    refused(igm("render", project, "--out", tmp_path / "a.avi"), "does not end in .png or .wav or .mp4")
    refused(igm("render", project, "--out", tmp_path / "a.wav"), "makes pictures")
    refused(igm("render", project, "--out", tmp_path / "a.mp4", "--at", "1"), "--at")
    (tmp_path / "bad.igm").write_bytes(b"not a project")
    answer = igm("render", tmp_path / "bad.igm", "--out", tmp_path / "a.png")
    assert answer.status == 2
    assert "Traceback" not in answer.err


def test_render_goes_round_and_enlarges_smoothly(igm, project, tmp_path):
    import av

    assert igm("render", project, "--out", tmp_path / "a.mp4", "--rounds", 3).status == 0
    with av.open(tmp_path / "a.mp4") as film:
        assert sum(1 for _ in film.decode(video=0)) == 30
    for name, more in (("blocks", ()), ("smooth", ("--smooth",))):
        igm("render", project, "--out", tmp_path / f"{name}.png", "--scale", 4, *more)
    blocks, smooth = pixels_of(tmp_path / "blocks.png"), pixels_of(tmp_path / "smooth.png")
    assert blocks.shape == smooth.shape
    assert (blocks[1::4] == blocks[::4]).all()
    assert (smooth[1::4] != smooth[::4]).any()


def test_a_film_is_made_again_as_it_was_written(igm, project, tmp_path):
    import av

    def looks(path):
        with av.open(path) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        return np.stack(frames)

    first, again, other = (tmp_path / f"{name}.mp4" for name in ("first", "again", "other"))
    igm("render", project, "--out", first, "--rounds", 2, "--scale", 11, "--smooth", "--crf", 3)
    assert igm("render", first, "--out", again).status == 0
    assert np.array_equal(looks(first), looks(again))
    assert read_recipe(again).content == read_recipe(first).content
    igm("render", first, "--out", other, "--rounds", 1, "--scale", 10, "--no-smooth", "--crf", 0)
    film = looks(other)
    assert film.shape == (10, 280, 280, 3)
    assert abs(film[:, 1::10].astype(int) - film[:, ::10]).max() < 3, "blocks"


def test_a_film_in_a_frame_is_made_again_in_it(igm, project, tmp_path):
    import av

    def shape(path):
        with av.open(path) as film:
            picture = next(film.decode(video=0)).to_ndarray(format="rgb24")
        return picture.shape[:2], tuple(picture[2, 2] // 16)

    first, again, own, other = (tmp_path / f"{name}.mp4" for name in ("first", "again", "own", "other"))
    wide = ("--frame", "160x90", "--background", "#FFFFFF")
    assert igm("render", project, "--out", first, *wide).status == 0
    assert igm("render", first, "--out", again).status == 0
    assert first.read_bytes() == again.read_bytes()
    assert shape(first) == ((90, 160), (15, 15, 15))
    igm("render", first, "--out", own, "--frame", "own")
    assert shape(own)[0] == (280, 280)
    igm("render", own, "--out", other, "--frame", "9:16")
    assert shape(other) == ((1920, 1080), (15, 15, 15))
    refused(igm("render", first, "--out", other, "--scale", 4), "larger than a frame of 160×90")
    for wrong in ("161x90", "8x9000", "wide", "x", "1x1"):
        refused(igm("render", project, "--out", other, "--frame", wrong), "--frame")
    refused(igm("render", project, "--out", other, "--background", "white"), "no colour such as #1e2a3c")


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_an_animation_carries_what_made_it(ending, igm, project, tmp_path):
    first, again = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    assert igm("render", project, "--out", first, "--frame", "1:1", "--scale", 10).status == 0
    assert igm("render", first, "--out", again).status == 0
    assert first.read_bytes() == again.read_bytes()
    assert restore_file(first).changes["timeline"].frames == 10
    with Image.open(first) as image:
        assert (image.size, image.n_frames) == ((1080, 1080), 10)
    assert igm("render", first, "--out", tmp_path / "a.mp4").status == 0


def test_render_refuses_what_the_ending_has_no_use_for(igm, project, tmp_path):
    out = ("render", project, "--out")
    refused(igm(*out, tmp_path / "a.png", "--at", 99), "ends at 2 seconds")
    refused(igm(*out, tmp_path / "a.png", "--rounds", 2), "goes round")
    refused(igm(*out, tmp_path / "a.png", "--frame", "16:9"), "--frame is for a film")
    refused(igm(*out, tmp_path / "a.png", "--background", "#ffffff"), "--background is for a film")
    refused(igm(*out, tmp_path / "frames", "--smooth"), "--smooth is for")
    igm("grid", "uniform-pixels", "--rows", 2, "--cols", 2, "--out", tmp_path / "g.png")
    refused(igm("render", tmp_path / "g.png", "--out", tmp_path / "h.png", "--smooth"), "whole pixels")


def test_a_folder_below_a_file_is_told(igm, tmp_path):
    (tmp_path / "file").write_text("mine")
    told = igm("sample", "uniform-pixels", "--out", tmp_path / "file" / "below")
    refused(told, "is a file, not a folder")
