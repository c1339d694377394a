"""How pictures lie in a film's frame, and the films that pictures are: animated WebP and GIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from igm_gui.errors import ExportError
from igm_gui.formats.animation import (
    AnimationWriter,
    animation_writer,
    check_frames,
    frame_step,
    indexed,
    webp_options,
)
from igm_gui.formats.framing import framing, rgb
from igm_gui.formats.image import enlarged

sides = st.integers(1, 90)
frames = st.tuples(st.integers(8, 100), st.integers(8, 100)).map(lambda s: (2 * s[0], 2 * s[1]))
NOISE = np.random.default_rng(0)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return NOISE.integers(1, 255, (height, width, channels), dtype=np.uint8)


@given(sides, sides, frames, st.booleans(), st.sampled_from([1, 3, 4]))
def test_a_picture_lies_whole_in_the_middle_of_its_frame(
    height: int, width: int, frame: tuple[int, int], smooth: bool, channels: int
) -> None:
    how = framing(height, width, None, smooth, frame, "#ff00ff")
    picture = np.full((height, width, channels), 255, np.uint8)
    placed = how.place(picture)
    assert placed.shape == (frame[1], frame[0], 3)
    inside = (placed == 255).all(axis=-1)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert (placed[~inside] == (255, 0, 255)).all()
    for places, side in ((rows, frame[1]), (columns, frame[0])):
        assert abs(places[0] - (side - 1 - places[-1])) <= 1
    # It keeps its shape, but for whole pixels, and for one that fills what room is left.
    inner_height, inner_width = len(rows), len(columns)
    assert abs(inner_height * width - inner_width * height) <= 2 * max(height, width)
    fits = min(frame[0] / width, frame[1] / height)
    if smooth or fits >= 8:
        assert inner_width >= frame[0] - 1 or inner_height >= frame[1] - 1, "it takes the room there is"


@pytest.mark.parametrize("smooth", [False, True])
def test_pixels_stay_the_same_blocks_as_long_as_they_are_seen(smooth: bool) -> None:
    picture = noise(20, 30)
    small = framing(20, 30, None, smooth, (150, 114)).place(picture)
    assert (small[7:107] == enlarged(picture, 5, smooth)).all()
    assert not small[:7].any()
    assert (
        framing(20, 30, 2, smooth, (150, 114)).place(picture)[37:77, 45:105] == enlarged(picture, 2, smooth)
    ).all()
    # 38.57 times: blocks of 38 and 39 pixels, each of one colour.
    wide = framing(28, 28, frame=(1920, 1080)).place(noise(28, 28))
    assert wide[:, 420:1500].any(axis=-1).all()
    assert not wide[:, :420].any()
    assert len(np.unique(wide[:, 420:1500].reshape(-1, 3), axis=0)) <= 28 * 28


def test_a_picture_larger_than_its_frame_is_made_smaller() -> None:
    made = framing(100, 200, frame=(64, 64)).place(np.full((100, 200, 3), 9, np.uint8))
    assert (made.any(axis=-1).sum(axis=0) == 32).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"frame": (101, 100)}, "odd side"),
        ({"frame": (100, 100), "factor": 4}, "enlarged 4 times, is larger than a frame of 100×100"),
        ({"factor": 300}, "8400×8400 pixels is too large"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        framing(28, 28, **arguments)


# -- animated WebP and GIF


def written(path: Path, pictures: list[np.ndarray], fps: float = 25, loop: bool = True, **how) -> Path:
    height, width = pictures[0].shape[:2]
    crf = how.pop("crf", 16)
    with animation_writer(path, framing(height, width, **how), fps, loop, crf=crf) as writer:
        for picture in pictures:
            writer.write(picture)
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[int]]:
    frames, times = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
    return frames, times


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_grey_pictures_come_back_exactly(ending: str, tmp_path: Path) -> None:
    pictures = [noise(28, 28, 1) for _ in range(6)]
    frames, times = read(written(tmp_path / f"a{ending}", pictures, 25, factor=3, frame=(160, 90)))
    assert len(frames) == 6
    assert times == [40] * 6
    for frame, picture in zip(frames, pictures, strict=True):
        assert (frame[3:87, 38:122] == enlarged(picture, 3)).all()
        assert not frame[:, :38].any()


def test_a_gif_is_near_to_its_colours_and_smooth_ones_are_mixed(tmp_path: Path) -> None:
    y, x = np.mgrid[0:64, 0:64]
    slope = np.stack([4 * x, 4 * y, 255 - 2 * x - 2 * y], axis=-1).astype(np.uint8)
    for smooth, factor in ((False, 2), (True, 2), (False, 4)):
        how = {"factor": factor, "smooth": smooth}
        (frame,), _ = read(written(tmp_path / "a.gif", [slope], **how))
        want = framing(64, 64, **how).place(slope).astype(int)
        assert np.abs(frame - want).mean() < 7
        # Over a few pixels together the dots come to the right colour.
        blocks = [a.reshape(8 * factor, 8, 8 * factor, 8, 3).mean(axis=(1, 3)) for a in (frame, want)]
        assert np.abs(blocks[0] - blocks[1]).mean() < (1.5 if smooth else 4)


def test_colours_are_a_pictures_own_where_they_are_few() -> None:
    few = noise(12, 12)
    numbers, table = indexed(few, (1, 2, 3))
    assert (table[numbers] == few).all()
    assert tuple(table[-1]) == (1, 2, 3)
    assert len(indexed(noise(64, 64), (1, 2, 3))[1]) <= 256
    # A large picture's colours are chosen from a part of it.
    y, x = np.mgrid[0:300, 0:400]
    large = np.stack([x // 2, y // 2, (x + y) // 3], axis=-1).astype(np.uint8)
    numbers, table = indexed(large, (1, 2, 3))
    assert numbers.shape == (300, 400)
    assert np.abs(table[numbers].astype(int) - large).mean() < 6


def test_a_gifs_hundredths_do_not_drift_and_it_goes_round_as_the_timeline_does(tmp_path: Path) -> None:
    pictures = [np.full((8, 8, 3), 8 * i, np.uint8) for i in range(31)]
    path = written(tmp_path / "a.gif", pictures, 30, loop=True, factor=1)
    _, times = read(path)
    assert sum(times[:30]) == 1000
    assert set(times) == {30, 40}
    with Image.open(path) as image:
        assert image.info["loop"] == 0  # for ever
    with Image.open(written(tmp_path / "b.gif", pictures, 30, loop=False, factor=1)) as image:
        assert "loop" not in image.info
    with Image.open(written(tmp_path / "a.webp", pictures, 30, loop=False, factor=1)) as image:
        assert image.info["loop"] == 1
        assert image.n_frames == 31


def test_quality_of_a_smooth_webp_is_worth_its_bytes(tmp_path: Path) -> None:
    picture = noise(16, 16)
    want = framing(16, 16, 8, True).place(picture).astype(int)
    sizes, faults = [], []
    for crf in (30, 16, 4):
        path = written(tmp_path / f"{crf}.webp", [picture], factor=8, smooth=True, crf=crf)
        (frame,), _ = read(path)
        sizes.append(path.stat().st_size)
        faults.append(np.abs(frame - want).mean())
    assert sizes == sorted(sizes)
    assert faults == sorted(faults, reverse=True)
    assert faults[-1] == 0
    assert webp_options(False, 40)["lossless"] == "1"


@pytest.mark.parametrize(
    ("ending", "fps", "step"), [(".gif", 50, 1), (".gif", 60, 2), (".webp", 60, 1), (".webp", 240, 4)]
)
def test_frames_that_no_player_shows_are_left_out(ending: str, fps: float, step: int) -> None:
    assert frame_step(ending, fps) == step


def test_an_animation_too_long_for_memory_is_refused() -> None:
    check_frames(Path("a.gif"), 6000)
    with pytest.raises(ExportError, match="6,001 frames"):
        check_frames(Path("a.gif"), 6001)


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_a_full_disk_is_a_sentence(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    def full(*_arguments: object) -> None:
        raise av.FFmpegError(28, "No space left on device")

    monkeypatch.setattr(AnimationWriter, "_finish", full)
    with pytest.raises(ExportError, match=r"could not be written to .*No space left"):
        written(tmp_path / f"a{ending}", [noise(8, 8)])
    assert list(tmp_path.iterdir()) == []


def test_colours_are_read() -> None:
    assert rgb("#1e2a3c") == (30, 42, 60)
