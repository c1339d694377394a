"""One text in the metadata of a PNG, WAV, MP4, WebP or GIF: read without any native parser.

Containers are walked by hand, chunk by chunk: no pixel is decoded, nothing is decompressed, and no size
that a file claims is believed before it was checked against what is there.

PNG: an uncompressed ``iTXt`` chunk before the pixels (PNG specification, 11.3.3.4). WAV: ``ICMT`` in a
``LIST INFO`` chunk (Multimedia Programming Interface and Data Specifications 1.0, 1991). MP4: the
comment that FFmpeg writes, ``moov/udta/meta/ilst/©cmt/data`` (QuickTime File Format, metadata). GIF: a
comment extension before the pictures (GIF89a specification, 24). WebP: an ``XMP `` chunk (RFC 9649, 2.7.1.5).
"""

from __future__ import annotations

import html
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
ENDINGS = (".png", ".wav", ".mp4", ".webp", ".gif")


class _Damaged(Exception):
    pass


def read_text(path: Path) -> str | None:
    """The recipe's text in ``path``; None where there is none.

    ProjectError where the file can't be read, is none of these kinds, or is damaged there.
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
            elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
                raw = _read_webp(file, size)
            elif start[:6] in (b"GIF89a", b"GIF87a"):
                raw = _read_gif(file, size)
            else:
                raise ProjectError(
                    f"{path.name} is not a PNG, WAV, MP4, WebP or GIF file.",
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


# -- WebP

XMP_START = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:igm="urn:igm-studio"><igm:recipe>'
)
XMP_END = b"</igm:recipe></rdf:Description></rdf:RDF></x:xmpmeta>"
XMP_FLAG = 0x04


def append_webp_text(path: Path, text: str, width: int, height: int) -> None:
    """Add the text, as XMP, at the end of a finished WebP of these many pixels.

    Of a film whose pictures are all the same libwebp keeps one, in the simple format, which holds nothing
    else: it is made the extended one.
    """
    raw = XMP_START + html.escape(text, quote=False).encode("utf-8") + XMP_END
    with path.open("r+b") as file:
        if file.read(16)[12:] != b"VP8X":
            file.seek(12)
            picture = file.read()
            file.seek(12)
            size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
            file.write(b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + picture)
        end = file.seek(0, os.SEEK_END)
        file.write(b"XMP " + struct.pack("<I", len(raw)) + raw + b"\0" * (len(raw) % 2))
        length = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", length - 8))
        file.seek(20)
        (flags,) = file.read(1)
        file.seek(20)
        file.write(bytes([flags | XMP_FLAG]))
        assert end % 2 == 0  # chunks of a WebP are padded


def _read_webp(file: BinaryIO, size: int) -> bytes | None:
    file.seek(12)
    for kind, length in _riff_chunks(file, size):
        if kind == b"XMP ":
            if length > 2 * MAX_TEXT:
                raise _Damaged("the XMP is too long")
            raw = _take(file, length, size)
            if raw.startswith(XMP_START) and raw.endswith(XMP_END):
                inner = raw[len(XMP_START) : -len(XMP_END)].decode("utf-8")
                return html.unescape(inner).encode("utf-8")
    return None


# -- GIF

MAX_BLOCKS = 2 * MAX_TEXT // 255  # a block may hold a single byte: the window must not wait for millions


def insert_gif_text(path: Path, text: str) -> None:
    """Put the text, as a comment, before the pictures of a finished GIF."""
    raw = text.encode("ascii")
    blocks = (bytes([len(part)]) + part for part in (raw[i : i + 255] for i in range(0, len(raw), 255)))
    whole = path.read_bytes()
    head = 13 + _colour_bytes(whole[10])
    path.write_bytes(b"".join((whole[:head], b"\x21\xfe", *blocks, b"\0", whole[head:])))


def _read_gif(file: BinaryIO, size: int) -> bytes | None:
    file.seek(10)
    file.seek(_colour_bytes(_take(file, 3, size)[0]), os.SEEK_CUR)
    left = iter(range(MAX_BLOCKS))
    while True:
        (kind,) = _take(file, 1, size)
        if kind in (0x2C, 0x3B):  # the first picture, or the end
            return None
        if kind != 0x21:
            raise _Damaged(f"block {kind:#x} is none of a GIF's")
        (label,) = _take(file, 1, size)
        raw = _sub_blocks(file, size, left)
        if label == 0xFE and raw.startswith(b'{"igm_recipe"'):
            return raw


def _colour_bytes(flags: int) -> int:
    """How long the table of colours is that comes next."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _sub_blocks(file: BinaryIO, size: int, left: Iterator[int]) -> bytes:
    """The content of the sub-blocks from here on; each takes one of those ``left``."""
    kept = bytearray()
    for _ in left:
        (length,) = _take(file, 1, size)
        if not length:
            return bytes(kept)
        kept += _take(file, length, size)
        if len(kept) > MAX_TEXT:
            break
    raise _Damaged("the comment is too long")
