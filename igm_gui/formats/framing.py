"""How a picture lies in the frame of a film: enlarged, in the middle, on a background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ExportError
from igm_gui.formats.image import enlarged

MIN_SIDE = 256  # players show a 28-pixel video as a stamp, or refuse it
MAX_SIDE = 8192
BLACK = "#000000"
# From here on nobody sees that some blocks are a pixel wider than others, and the picture fills its frame.
UNEVEN_FROM = 8

Size = tuple[int, int]  # width, height


def video_factor(height: int, width: int) -> int:
    """The whole-number magnification (each pixel a block) that brings the shorter side to 256 or more."""
    return max(1, -(-MIN_SIDE // max(1, min(height, width))))


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True)
class Framing:
    """Frames of ``width`` x ``height`` pixels, in whose middle a picture takes ``inner``, on ``background``.

    ``factor`` is the whole number of times that it is enlarged, 0 where it is none.
    """

    width: int
    height: int
    inner: Size
    factor: int
    smooth: bool = False
    background: str = BLACK

    def place(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 ``(H, W, C)`` of 1, 3 or 4 channels -> the frame, uint8 ``(height, width, 3)``, contiguous.

        Alpha is put on the background. Without room around it a picture's last row or column is repeated
        where the frame is one pixel larger.
        """
        picture = self.flat(picture)
        if not self.by_blocks(picture.shape[1]) and not self.factor:
            from PIL import Image

            picture = np.asarray(Image.fromarray(picture).resize(self.inner, Image.Resampling.LANCZOS))
        return self.around(self._enlarged(picture), rgb(self.background))

    def by_blocks(self, width: int) -> bool:
        """Whether each pixel of a picture that is ``width`` wide becomes a block of its colour."""
        return not self.smooth and self.inner[0] >= width

    def blocks(self, picture: NDArray[np.uint8], background: int) -> NDArray[np.uint8]:
        """The frame of numbers of colours, uint8 ``(H, W)``, where :meth:`by_blocks` is so."""
        return self.around(self._enlarged(picture), background)

    def around(self, picture: NDArray[np.uint8], background: int | tuple[int, int, int]) -> NDArray[np.uint8]:
        """``picture``, as large as it will be, in the middle of the frame; contiguous."""
        height, width = picture.shape[:2]
        down, right = self.height - height, self.width - width
        if 0 < max(down, right) <= 1:
            return np.pad(picture, ((0, down), (0, right), (0, 0))[: picture.ndim], mode="edge")
        if down or right:
            frame = _blank(self.height, self.width, background).copy()
            frame[down // 2 : down // 2 + height, right // 2 : right // 2 + width] = picture
            return frame
        return np.ascontiguousarray(picture)

    def flat(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 ``(H, W, C)`` -> ``(H, W, 3)``: grey made RGB, alpha put on the background."""
        if picture.shape[-1] == 4:
            alpha = picture[..., 3:].astype(np.uint16)
            under = np.array(rgb(self.background), np.uint16) * (255 - alpha)
            picture = ((picture[..., :3] * alpha + under + 127) // 255).astype(np.uint8)
        return picture.repeat(3, axis=-1) if picture.shape[-1] == 1 else picture

    def _enlarged(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.factor:
            return enlarged(picture, self.factor, self.smooth)
        width, height = self.inner
        rows = np.arange(height) * picture.shape[0] // height
        columns = np.arange(width) * picture.shape[1] // width
        return picture[:, columns][rows]  # whole rows are copied, not single pixels


@lru_cache(maxsize=1)
def _blank(height: int, width: int, colour: int | tuple[int, int, int]) -> NDArray[np.uint8]:
    """A frame of ``colour`` alone, to be copied: filling one with three bytes over and over takes longer."""
    if isinstance(colour, int):
        return np.full((height, width), colour, np.uint8)
    return np.full((height, width, 3), colour, np.uint8)


def framing(
    height: int,
    width: int,
    factor: int | None = None,
    smooth: bool = False,
    frame: Size | None = None,
    background: str = BLACK,
) -> Framing:
    """How pictures of ``height`` x ``width`` lie in ``frame`` (width, height; None: one of their own size).

    ``factor`` enlarges them a whole number of times; None takes as much of ``frame`` as there is room for,
    and without one brings the shorter side to 256 pixels or more. Sides are even, as H.264 in 4:2:0 needs
    them. ExportError where the frame is too large, odd, or too small for ``factor``.
    """
    if frame is None:
        factor = video_factor(height, width) if factor is None else factor
        inner = width * factor, height * factor
        made = Framing(inner[0] + inner[0] % 2, inner[1] + inner[1] % 2, inner, factor, smooth, background)
    elif frame[0] % 2 or frame[1] % 2:
        raise ExportError(
            f"A frame of {frame[0]}×{frame[1]} pixels has an odd side.",
            "Films need sides that are even numbers.",
        )
    else:
        made = _within(height, width, factor, smooth, frame, background)
    if max(made.width, made.height) > MAX_SIDE:
        raise ExportError(
            f"A film of {made.width}×{made.height} pixels is too large.",
            f"Its sides may have up to {MAX_SIDE} pixels. Export a PNG sequence instead.",
        )
    return made


def _within(
    height: int, width: int, factor: int | None, smooth: bool, frame: Size, background: str
) -> Framing:
    fits = min(frame[0] / width, frame[1] / height)
    if factor is not None:
        if factor > fits:
            raise ExportError(
                f"A picture of {width}×{height} pixels, enlarged {factor} times, is larger than a frame of "
                f"{frame[0]}×{frame[1]}.",
                "Take a larger frame, or enlarge it less.",
            )
    elif fits >= 1 and (fits == int(fits) or (not smooth and fits < UNEVEN_FROM)):
        factor = int(fits)
    inner = max(1, round(width * fits)), max(1, round(height * fits))
    if factor is not None:
        inner = width * factor, height * factor
    return Framing(*frame, inner, factor or 0, smooth, background)
