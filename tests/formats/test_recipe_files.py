"""Recipes in real PNG, WAV and MP4 files, whole and damaged."""

from __future__ import annotations

import contextlib
import random
import struct
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from igm_gui.errors import ExportError, ProjectError
from igm_gui.formats import metadata
from igm_gui.formats.animation import animation_writer
from igm_gui.formats.audio import wav_writer, write_wav
from igm_gui.formats.framing import framing, video_factor
from igm_gui.formats.image import enlarged, png_bytes, write_png
from igm_gui.formats.recipe import RECIPE_VERSION, Recipe, decode, encode, read_recipe
from igm_gui.formats.video import video_writer

RECIPE = Recipe(
    "point", "gesichter-ä", "ab" * 32, {"point": {"seed": 3, "values": {"x": 0.1 + 0.2}}}, "IGM Studio 9"
)
NOISE = np.random.default_rng(0)


def picture(height: int = 20, width: int = 24, channels: int = 3) -> np.ndarray:
    return NOISE.integers(0, 256, (height, width, channels), dtype=np.uint8)


def make_png(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    write_png(path, picture(), recipe)
    return path


def make_wav(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    write_wav(path, np.sin(np.arange(3001) / 9, dtype=np.float32)[None], 16000, recipe)
    return path


def make_mp4(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    with video_writer(path, framing(20, 24), 25, recipe) as writer:
        for _ in range(5):
            writer.write(picture())
    return path


def make_animation(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    with animation_writer(path, framing(20, 24, 1), 25, True, recipe) as writer:
        for _ in range(5):
            writer.write(picture())
    return path


MAKERS = {
    ".png": make_png, ".wav": make_wav, ".mp4": make_mp4, ".webp": make_animation, ".gif": make_animation,
}  # fmt: skip
KINDS = pytest.mark.parametrize("ending", list(MAKERS))


@KINDS
def test_a_recipe_comes_back_from_the_file(ending, tmp_path):
    assert read_recipe(MAKERS[ending](tmp_path / f"a{ending}")) == RECIPE


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_a_film_that_stands_still_has_its_recipe_too(ending, smooth, count, tmp_path):
    path, still = tmp_path / f"a{ending}", picture()
    how = framing(20, 24, 3, smooth)
    with animation_writer(path, how, 25, True, RECIPE, crf=0) as writer:
        for _ in range(count):
            writer.write(still)
    assert read_recipe(path) == RECIPE
    with Image.open(path) as image:
        assert image.size == (72, 60)
        if ending == ".webp":
            assert (np.asarray(image.convert("RGB")) == how.place(still)).all()


@KINDS
def test_a_large_recipe_comes_back(ending, tmp_path):
    large = Recipe("timeline", "m", "", {"timeline": {"keyframes": ["x" * 3_000_000]}}, "IGM Studio 9")
    assert read_recipe(MAKERS[ending](tmp_path / f"a{ending}", large)) == large


@KINDS
def test_the_endings_case_and_the_files_name_mean_nothing(ending, tmp_path):
    path = MAKERS[ending](tmp_path / f"a{ending}").rename(tmp_path / "no ending")
    assert read_recipe(path) == RECIPE


@KINDS
def test_a_file_without_a_recipe_says_so(ending, tmp_path):
    path = MAKERS[ending](tmp_path / f"a{ending}", None)
    with pytest.raises(ProjectError, match="carries no recipe") as caught:
        read_recipe(path)
    assert "another program" in caught.value.hint


@KINDS
def test_a_file_cut_anywhere_gives_the_recipe_or_a_sentence(ending, tmp_path):
    whole = MAKERS[ending](tmp_path / f"a{ending}").read_bytes()
    cut = tmp_path / "cut"
    for length in random.Random(1).sample(range(len(whole)), min(200, len(whole))):
        cut.write_bytes(whole[:length])
        with contextlib.suppress(ProjectError):
            assert read_recipe(cut) == RECIPE


@KINDS
def test_a_flipped_bit_never_gives_another_recipe(ending, tmp_path):
    whole = MAKERS[ending](tmp_path / f"a{ending}").read_bytes()
    text = encode(RECIPE).encode()
    start = whole.index(text)
    rng = random.Random(2)
    places = [rng.randrange(len(whole)) for _ in range(150)]
    places += [rng.randrange(start - 60, start + len(text)) for _ in range(350)]
    flipped = tmp_path / "flipped"
    for place in places:
        raw = bytearray(whole)
        raw[place] ^= 1 << rng.randrange(8)
        flipped.write_bytes(raw)
        with contextlib.suppress(ProjectError):
            assert read_recipe(flipped) == RECIPE


def test_other_files_are_named_as_such(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(ProjectError, match=r"notes.txt is not a PNG, WAV, MP4, WebP or GIF"):
        read_recipe(path)
    path.write_bytes(b"")
    with pytest.raises(ProjectError, match="is not a PNG"):
        read_recipe(path)
    with pytest.raises(ProjectError, match="can't be read"):
        read_recipe(tmp_path / "missing.png")
    with pytest.raises(ProjectError, match="can't be read"):
        read_recipe(tmp_path)


def test_a_newer_recipe_says_to_update():
    newer = Recipe("point", "m", "", {}, "IGM Studio 99", RECIPE_VERSION + 1)
    with pytest.raises(ProjectError, match=r"newer version.*IGM Studio 99") as caught:
        decode(encode(newer))
    assert "Update" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"igm_recipe":"1"}',
        '{"igm_recipe":1}',
        "[" * 100_000,
        '{"igm_recipe":1e400}',
    ],
)
def test_a_recipe_that_is_none_is_damaged(text):
    with pytest.raises(ProjectError, match="damaged"):
        decode(text)


@pytest.mark.parametrize(
    "change",
    [{"kind": "sculpture"}, {"model": "m"}, {"model": {"name": 3}}, {"model": {"name": ""}}, {"content": []}],
)
def test_a_well_sealed_recipe_with_wrong_fields_is_damaged(change):
    import json

    raw = json.loads(encode(RECIPE))
    raw.pop("crc32")
    raw.update(change)
    body = json.dumps(raw, separators=(",", ":"))
    sealed = f'{body[:-1]},"crc32":"{zlib.crc32(body.encode()):08x}"}}'
    with pytest.raises(ProjectError, match="damaged"):
        decode(sealed)


def test_a_value_that_is_not_a_number_can_not_be_a_recipe():
    with pytest.raises(ProjectError, match="not a finite number"):
        encode(Recipe("point", "m", "", {"x": float("nan")}))


def test_a_recipe_too_long_for_a_file_is_refused():
    with pytest.raises(ProjectError, match="shorter timeline"):
        encode(Recipe("timeline", "m", "", {"x": "y" * (metadata.MAX_TEXT + 1)}))


# -- hostile containers


@pytest.mark.parametrize("block", [b"\x21\xfe\0", b"\x01a"], ids=["extensions", "blocks of a byte"])
def test_a_gif_of_countless_parts_is_not_read_to_its_end(block, tmp_path, monkeypatch):
    taken = 0
    take = metadata._take

    def counted(*arguments):
        nonlocal taken
        taken += 1
        return take(*arguments)

    monkeypatch.setattr(metadata, "_take", counted)
    path = tmp_path / "a.gif"
    path.write_bytes(b"GIF89a" + bytes(7) + b"\x21\xfe" * (block[0] == 1) + block * 1_000_000)
    with pytest.raises(ProjectError, match="damaged"):
        read_recipe(path)
    assert taken < 4 * metadata.MAX_BLOCKS


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_compressed_text_is_never_decompressed(tmp_path):
    bomb = zlib.compress(b"0" * 50_000_000)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        metadata.PNG_SIGNATURE
        + chunk(b"iTXt", metadata.PNG_KEYWORD + b"\0\1\0\0\0" + bomb)
        + chunk(b"IEND", b"")
    )
    with pytest.raises(ProjectError, match="damaged"):
        read_recipe(path)


@pytest.mark.parametrize(
    "raw",
    [
        metadata.PNG_SIGNATURE + struct.pack(">I4s", 2**31, b"iTXt") + b"igm-recipe",
        metadata.PNG_SIGNATURE + struct.pack(">I4s", 2**32 - 1, b"abcd"),
        metadata.PNG_SIGNATURE + chunk(b"iTXt", metadata.PNG_KEYWORD + b"\0\0"),
        metadata.PNG_SIGNATURE + chunk(b"iTXt", metadata.PNG_KEYWORD + b"\0\0\0\0\0\xff\xfe"),
        b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xffINFO",
        b"RIFF\x10\0\0\0WAVELIST\x10\0\0\0INFOICMT\xff\xff\xff\xff",
        b"\0\0\0\x10ftypisom\0\0\0\0" + struct.pack(">I4sQ", 1, b"moov", 2**63),
        b"\0\0\0\x10ftypisom\0\0\0\0" + struct.pack(">I4s", 7, b"moov"),
        b"\0\0\0\x10ftypisom\0\0\0\0" + struct.pack(">I4sI4s", 16, b"moov", 99, b"udta"),
    ],
)
def test_sizes_that_files_claim_are_not_believed(raw, tmp_path):
    path = tmp_path / "hostile"
    path.write_bytes(raw)
    with pytest.raises(ProjectError):
        read_recipe(path)


# -- what other programs see


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_png_holds_the_very_pixels(channels, tmp_path):
    pixels = picture(channels=channels)
    write_png(tmp_path / "a.png", pixels, RECIPE)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        assert (np.asarray(image).reshape(pixels.shape) == pixels).all()
        assert image.info["Software"] == "IGM Studio 9"


def test_the_same_picture_gives_the_same_bytes():
    pixels = picture()
    assert png_bytes(pixels, RECIPE) == png_bytes(pixels, RECIPE)


def test_enlarging_by_blocks_and_smoothly():
    pixels = np.array([[[0], [255]]], np.uint8)
    assert enlarged(pixels, 2)[..., 0].tolist() == [[0, 0, 255, 255]] * 2
    assert enlarged(picture(), 3, smooth=True).shape == (60, 72, 3)
    assert enlarged(picture(channels=1), 3, smooth=True).shape == (60, 72, 1)
    assert (enlarged(pixels, 1) == pixels).all()


@pytest.mark.parametrize(("form", "width"), [("PCM_16", 2), ("PCM_24", 3)])
def test_a_wav_opens_everywhere(form, width, tmp_path):
    import av
    import soundfile
    from scipy.io import wavfile

    path = tmp_path / "a.wav"
    sound = NOISE.uniform(-1, 1, (2, 4001)).astype(np.float32)
    write_wav(path, sound, 22050, RECIPE, form)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, width, 22050)
        assert len(file.readframes(10**6)) == 4001 * 2 * width
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == 22050
    np.testing.assert_allclose(read.T, sound, atol=2 / 2 ** (8 * width - 1))
    assert wavfile.read(path)[1].shape == (4001, 2)
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 4001
        assert container.metadata["comment"].startswith('{"igm_recipe"')


def test_too_loud_sound_is_clipped_not_wrapped(tmp_path):
    import soundfile

    write_wav(tmp_path / "a.wav", np.array([[2.0, -2.0, 1.0, -1.0]], np.float32), 8000)
    read, _ = soundfile.read(tmp_path / "a.wav")
    np.testing.assert_allclose(read, [1, -1, 1, -1], atol=1e-4)


def test_a_sound_in_blocks_is_the_sound_in_one(tmp_path):
    sound = NOISE.uniform(-1, 1, (1, 1000)).astype(np.float32)
    write_wav(tmp_path / "one.wav", sound, 8000, RECIPE)
    with wav_writer(tmp_path / "blocks.wav", 8000, 1, RECIPE) as writer:
        for start in range(0, 1000, 170):
            writer.write(sound[:, start : start + 170])
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "blocks.wav").read_bytes()


def test_a_film_has_its_frames_size_rate_and_colours(tmp_path):
    import av

    colours = [(200, 40, 40), (30, 180, 60), (20, 60, 220), (128, 128, 128), (255, 255, 255), (0, 0, 0)]
    path = tmp_path / "a.mp4"
    with video_writer(path, framing(27, 31), 12.5, RECIPE, crf=10) as writer:
        for colour in colours:
            writer.write(np.full((27, 31, 3), colour, np.uint8))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.height, stream.width) == (270, 310)
        assert float(stream.average_rate) == 12.5
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == len(colours)
    for frame, colour in zip(frames, colours, strict=True):
        np.testing.assert_allclose(frame.reshape(-1, 3).mean(axis=0), colour, atol=4)


@pytest.mark.parametrize(
    ("height", "width", "factor"), [(28, 28, 10), (256, 300, 1), (255, 300, 2), (1, 1, 256)]
)
def test_small_pictures_are_magnified_by_blocks_for_film(height, width, factor):
    assert video_factor(height, width) == factor


def test_frames_have_even_sides_and_three_colours():
    assert framing(27, 31, 1).place(picture(27, 31, 1)).shape == (28, 32, 3)
    opaque = np.full((4, 4, 4), 255, np.uint8)
    opaque[..., 3] = 128
    assert (framing(4, 4, 1).place(opaque) == 128).all()
    blue = framing(4, 4, 1, background="#0000ff").place(opaque)
    assert (blue == (128, 128, 255)).all()


def test_a_film_that_is_too_large_is_refused():
    with pytest.raises(ExportError, match="too large"):
        framing(9000, 10)


@KINDS
def test_a_failure_while_writing_leaves_what_was_there(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"before")

    def fail() -> None:
        if ending == ".mp4":
            with video_writer(path, framing(20, 24), 25, RECIPE) as writer:
                writer.write(picture())
                raise OSError(28, "No space left on device")
        elif ending in (".gif", ".webp"):
            with animation_writer(path, framing(20, 24), 25, True, RECIPE) as animation:
                animation.write(picture())
                raise OSError(28, "No space left on device")
        elif ending == ".wav":
            with wav_writer(path, 8000, 1, RECIPE) as sound:
                sound.write(np.zeros((1, 10), np.float32))
                raise OSError(28, "No space left on device")
        else:
            write_png(path / "below-a-file.png", picture(), RECIPE)

    with pytest.raises(ExportError, match="could not be written"):
        fail()
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
