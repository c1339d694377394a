"""PNG files, with their recipe."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from igm_gui.formats.files import write_atomic
from igm_gui.formats.metadata import PNG_KEYWORD
from igm_gui.formats.recipe import Recipe, encode

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def to_image(picture: NDArray[np.uint8]) -> Image.Image:
    """uint8 ``(H, W, C)`` with C of 1, 3 or 4 as a Pillow image of mode L, RGB or RGBA."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def png_bytes(picture: NDArray[np.uint8], recipe: Recipe | None = None, level: int = 6) -> bytes:
    """A PNG of uint8 ``(H, W, C)``; ``level`` is zlib's, 1 fast to 9 small. Same input, same bytes."""
    info = PngInfo()
    if recipe is not None:
        info.add_text("Software", recipe.program)
        info.add_itxt(PNG_KEYWORD.decode(), encode(recipe))
    buffer = io.BytesIO()
    to_image(picture).save(buffer, "PNG", pnginfo=info, compress_level=level)
    return buffer.getvalue()


def write_png(path: Path, picture: NDArray[np.uint8], recipe: Recipe | None = None, level: int = 6) -> None:
    """Write a PNG: all of it or nothing. ExportError where that fails."""
    write_atomic(Path(path), png_bytes(picture, recipe, level))


def enlarged(picture: NDArray[np.uint8], factor: int, smooth: bool = False) -> NDArray[np.uint8]:
    """``(H, W, C)`` -> ``(H * factor, W * factor, C)``: each pixel a block, or interpolated (Lanczos)."""
    if factor <= 1:
        return picture
    if not smooth:
        return picture.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = picture.shape[:2]
    big = np.asarray(to_image(picture).resize((width * factor, height * factor), Image.Resampling.LANCZOS))
    return big[..., None] if big.ndim == 2 else big
