"""One text in the metadata of a PNG, a WAV or an MP4: read without any native parser.

Containers are walked by hand, chunk by chunk: no pixel is decoded, nothing is decompressed, and no size
that a file claims is believed before it was checked against what is there.

PNG: an uncompressed ``iTXt`` chunk before the pixels (PNG specification, 11.3.3.4). WAV: ``ICMT`` in a
``LIST INFO`` chunk (Multimedia Programming Interface and Data Specifications 1.0, 1991). MP4: the
comment that FFmpeg writes, ``moov/udta/meta/ilst/©cmt/data`` (QuickTime File Format, metadata).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from igm_gui.errors import ProjectError

MAX_TEXT = 32_000_000  # characters of one recipe: a timeline of 300 StyleGAN w+ keyframes
PNG_KEYWORD = b"igm-recipe"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ENDINGS = (".png", ".wav", ".mp4")


class _Damaged(Exception):
    pass


def read_text(path: Path) -> str | None:
    """The recipe's text in ``path``; None where there is none.

    ProjectError where the file can't be read, is none of the three kinds, or is damaged there.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(12)
            if start.startswith(PNG_SIGNATURE):
                raw = _read_png(file, size)
            elif start[:4] == b"RIFF" and start[8:12] == b"WAVE":
                raw = _read_wav(file, size)
            elif start[4:8] == b"ftyp":
                raw = _read_mp4(file, size)
            else:
                raise ProjectError(
                    f"{path.name} is not a PNG, WAV or MP4 file.",
                    "Files of these kinds that this program exported carry their recipe.",
                )
            return None if raw is None else raw.decode("utf-8")
    except OSError as error:
        raise ProjectError(
            f"{path.name} can't be read: {error.strerror or error}.", "Check that it exists and may be read."
        ) from error
    except (_Damaged, UnicodeDecodeError, struct.error) as error:
        raise ProjectError(
            f"{path.name} is cut short or damaged.", "Copy or download it again.", str(error)
        ) from error


def _take(file: BinaryIO, length: int, size: int) -> bytes:
    """``length`` bytes, refused before anything is read where the file does not hold them."""
    if length < 0 or file.tell() + length > size:
        raise _Damaged(f"{length} bytes promised, {size - file.tell()} there")
    raw = file.read(length)
    if len(raw) != length:
        raise _Damaged("cut short")
    return raw


# -- PNG


def _read_png(file: BinaryIO, size: int) -> bytes | None:
    file.seek(len(PNG_SIGNATURE))
    while True:
        length, kind = struct.unpack(">I4s", _take(file, 8, size))
        if kind in (b"IDAT", b"IEND"):
            return None
        if kind != b"iTXt" or length > MAX_TEXT + 64:
            if file.tell() + length + 4 > size:
                raise _Damaged(f"chunk {kind!r} is cut short")
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data = _take(file, length, size)
        (crc,) = struct.unpack(">I", _take(file, 4, size))
        keyword, _, rest = data.partition(b"\0")
        if keyword != PNG_KEYWORD:
            continue
        if crc != zlib.crc32(kind + data):
            raise _Damaged("the recipe's checksum is wrong")
        # compression flag, compression method, language tag \0, translated keyword \0, text
        if len(rest) < 4 or rest[0] != 0:
            raise _Damaged("the recipe is compressed")
        parts = rest[2:].split(b"\0", 2)
        if len(parts) != 3:
            raise _Damaged("the recipe's chunk is not whole")
        return parts[2]


# -- WAV


def append_wav_text(path: Path, text: str, software: str) -> None:
    """Add ``LIST INFO`` with ``ICMT`` (the text) and ``ISFT`` (the program) at the end of a finished WAV."""
    entries = b""
    for key, value in ((b"ISFT", software), (b"ICMT", text)):
        raw = value.encode("utf-8") + b"\0"
        entries += key + struct.pack("<I", len(raw)) + raw + b"\0" * (len(raw) % 2)
    chunk = b"LIST" + struct.pack("<I", len(entries) + 4) + b"INFO" + entries
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end % 2:
            file.write(b"\0")
            end += 1
        file.write(chunk)
        file.seek(4)
        file.write(struct.pack("<I", end + len(chunk) - 8))


def _riff_chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """(kind, length) of each chunk from here to ``end``; the file stands at the chunk's content."""
    while file.tell() + 8 <= end:
        kind, length = struct.unpack("<4sI", _take(file, 8, end))
        here = file.tell()
        if here + length > end:
            raise _Damaged(f"chunk {kind!r} is cut short")
        yield kind, length
        file.seek(here + length + length % 2)


def _read_wav(file: BinaryIO, size: int) -> bytes | None:
    file.seek(12)
    for kind, length in _riff_chunks(file, size):
        if kind != b"LIST" or length < 4 or file.read(4) != b"INFO":
            continue
        for key, inner in _riff_chunks(file, file.tell() + length - 4):
            if key == b"ICMT":
                if inner > MAX_TEXT:
                    raise _Damaged("the comment is too long")
                raw = file.read(inner).rstrip(b"\0")
                return raw if raw.startswith(b'{"igm_recipe"') else None
    return None


# -- MP4


def _boxes(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """(kind, end) of each box from here to ``end``; the file stands at the box's content."""
    while file.tell() + 8 <= end:
        here = file.tell()
        length, kind = struct.unpack(">I4s", _take(file, 8, end))
        if length == 1:
            (length,) = struct.unpack(">Q", _take(file, 8, end))
        elif length == 0:
            length = end - here
        if length < file.tell() - here or here + length > end:
            raise _Damaged(f"box {kind!r} is cut short")
        yield kind, here + length
        file.seek(here + length)


def _read_mp4(file: BinaryIO, size: int) -> bytes | None:
    file.seek(0)
    return _find_comment(file, size, (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data"))


def _find_comment(file: BinaryIO, end: int, path: tuple[bytes, ...]) -> bytes | None:
    for kind, box_end in _boxes(file, end):
        if kind != path[0]:
            continue
        if kind == b"meta":
            _take(file, 4, box_end)  # version and flags
        if len(path) > 1:
            return _find_comment(file, box_end, path[1:])
        _take(file, 8, box_end)  # type indicator, locale
        length = box_end - file.tell()
        if length > MAX_TEXT:
            raise _Damaged("the comment is too long")
        raw = _take(file, length, box_end)
        return raw if raw.startswith(b'{"igm_recipe"') else None
    return None
