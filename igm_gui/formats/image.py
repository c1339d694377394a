"""PNG files, with their recipe.

Written here rather than by Pillow because exports wait for it, on the cores that the network needs: the
filter "up" and the fastest of Intel's ISA-L levels trade some of a file's size for time, and a sheet can be
written row by row while the network makes the next. PNG specification: https://www.w3.org/TR/png-3/.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ModelError
from igm_gui.formats.files import write_atomic
from igm_gui.formats.metadata import PNG_KEYWORD, PNG_SIGNATURE
from igm_gui.formats.recipe import Recipe, encode

try:
    from isal import isal_zlib
except ImportError:  # a processor it is not made for
    isal_zlib = None  # type: ignore[assignment]

COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
FILTER_UP = 2
CHUNK_BYTES = 1 << 18


def packer() -> Any:
    """A fresh compressor of the zlib format: ``compress(bytes)`` and ``flush()``."""
    if isal_zlib is not None:
        return isal_zlib.compressobj(1)
    return zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)


class PngWriter:
    """Writes an 8-bit PNG of ``height`` x ``width`` x ``channels`` (1, 3 or 4) from the top down.

    ``rows`` takes the next rows; ``close`` ends the file, once all of them were given.
    """

    def __init__(
        self, file: BinaryIO, height: int, width: int, channels: int, recipe: Recipe | None = None
    ) -> None:
        self._file = file
        self._shape = (height, width, channels)
        self._left = height
        self._above = np.zeros(width * channels, np.uint8)
        self._packer = packer()
        self._packed = bytearray()
        file.write(PNG_SIGNATURE)
        header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
        self._chunk(b"IHDR", header)
        if recipe is not None:
            self._chunk(b"tEXt", b"Software\0" + recipe.program.encode("latin-1", "replace"))
            # Not compressed, no language, no translated keyword.
            self._chunk(b"iTXt", PNG_KEYWORD + b"\0\0\0\0\0" + encode(recipe).encode())

    def _chunk(self, kind: bytes, data: bytes | bytearray) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind)
        self._file.write(data)
        self._file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))

    def rows(self, pixels: NDArray[np.uint8]) -> None:
        """The next rows, uint8 ``(rows, width, channels)``."""
        count = len(pixels)
        if pixels.shape[1:] != self._shape[1:] or count > self._left:
            raise ValueError(f"rows of shape {pixels.shape} in a picture of shape {self._shape}")
        self._left -= count
        flat = np.ascontiguousarray(pixels).reshape(count, -1)
        lines = np.empty((count, flat.shape[1] + 1), np.uint8)
        lines[:, 0] = FILTER_UP
        np.subtract(flat[0], self._above, out=lines[0, 1:])
        np.subtract(flat[1:], flat[:-1], out=lines[1:, 1:])
        self._above = flat[-1].copy()
        self._packed += self._packer.compress(lines.data)
        if len(self._packed) >= CHUNK_BYTES:
            self._chunk(b"IDAT", self._packed)
            self._packed.clear()

    def close(self) -> None:
        """End the file. ValueError where rows are missing."""
        if self._left:
            raise ValueError(f"{self._left} rows are missing")
        self._packed += self._packer.flush()
        self._chunk(b"IDAT", self._packed)
        self._chunk(b"IEND", b"")


def png_bytes(picture: NDArray[np.uint8], recipe: Recipe | None = None) -> bytes:
    """A PNG of uint8 ``(H, W, C)`` with C of 1, 3 or 4. Same input, same bytes on the same machine."""
    buffer = io.BytesIO()
    height, width, channels = picture.shape
    writer = PngWriter(buffer, height, width, channels, recipe)
    writer.rows(picture)
    writer.close()
    return buffer.getvalue()


def write_png(path: Path, picture: NDArray[np.uint8], recipe: Recipe | None = None) -> None:
    """Write a PNG: all of it or nothing. ExportError where that fails."""
    write_atomic(Path(path), png_bytes(picture, recipe))


def enlarged(picture: NDArray[np.uint8], factor: int, smooth: bool = False) -> NDArray[np.uint8]:
    """``(H, W, C)`` -> ``(H * factor, W * factor, C)``: each pixel a block, or interpolated (Lanczos)."""
    if factor <= 1:
        return picture
    if not smooth:
        return picture.repeat(factor, axis=0).repeat(factor, axis=1)
    from PIL import Image

    height, width = picture.shape[:2]
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    big = np.asarray(image.resize((width * factor, height * factor), Image.Resampling.LANCZOS))
    return big[..., None] if big.ndim == 2 else big


def read_picture(path: Path, most: int = 64_000_000) -> NDArray[np.uint8]:
    """A picture of the person's own as uint8 ``(H, W, 3)``, transparent parts on white.

    ModelError where it can't be read or has more than ``most`` pixels.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > most:
                raise ModelError(
                    f"{path.name} is {opened.width}×{opened.height} pixels.",
                    f"Pictures of up to {most // 1_000_000} million pixels can be read: make it smaller.",
                )
            turned = ImageOps.exif_transpose(opened).convert("RGBA")
    except ModelError:
        raise
    except Exception as error:  # Pillow's readers raise many kinds
        raise ModelError(
            f"{path.name} can't be read as a picture.", "PNG, JPEG, WebP and BMP are read.", repr(error)
        ) from error
    white = Image.new("RGBA", turned.size, "white")
    return np.asarray(Image.alpha_composite(white, turned).convert("RGB"))
