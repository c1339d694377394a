"""Animated WebP and GIF: short films that play by themselves wherever a picture is shown.

WebP keeps every colour (without loss, or in the manner of JPEG). GIF has at most 256 in each frame; every
frame gets a table of its own. Both go through the writers of FFmpeg.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ExportError
from igm_gui.formats.files import atomic_path, claimed
from igm_gui.formats.framing import Framing, rgb
from igm_gui.formats.metadata import append_webp_text, insert_gif_text
from igm_gui.formats.recipe import Recipe, encode
from igm_gui.formats.video import cannot_write

# Browsers show a GIF frame of less than 2 hundredths of a second for 10 of them, WebP's are counted in
# thousandths.
MOST_FPS = {".gif": 50.0, ".webp": 60.0}
CLOCK = {".gif": 100, ".webp": 1000}
MOST_FRAMES = 6000  # what is packed is kept in memory until the end
LOSSLESS_CRF = 6
COLOURS = 256
LOOKED_AT = 128  # pixels of a side are enough to choose colours by


def frame_step(ending: str, fps: float) -> int:
    """Of how many frames one is written, so that there are no more in a second than players show."""
    return max(1, math.ceil(fps / MOST_FPS[ending] - 1e-9))


def webp_options(smooth: bool, crf: int) -> dict[str, str]:
    """How hard WebP presses for a quality that is given as x264's ``crf``: sharp blocks are the smallest
    without any loss, and so is what asks for the highest quality."""
    if not smooth or crf <= LOSSLESS_CRF:
        return {"lossless": "1", "quality": "40", "compression_level": "2"}
    return {"lossless": "0", "quality": str(round(min(max(106 - crf, 50), 95))), "compression_level": "4"}


def indexed(
    picture: NDArray[np.uint8], background: tuple[int, int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """``picture``, uint8 ``(H, W, 3)``, as numbers uint8 ``(H, W)`` of at most 256 colours uint8 ``(n, 3)``,
    the last of which is ``background``.

    A picture's own colours where there are no more, else the cells of a median cut (Heckbert 1982), moved to
    their means.
    """
    from PIL import Image

    wide = picture.astype(np.uint32)
    own, numbers = np.unique(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], return_inverse=True)
    if len(own) < COLOURS:
        colours = np.stack([own >> 16, own >> 8 & 255, own & 255], axis=-1).astype(np.uint8)
        numbers = numbers.reshape(picture.shape[:2]).astype(np.uint8)
    else:
        step = -(-max(picture.shape[:2]) // LOOKED_AT)  # of a large picture a part is as good, and quicker
        looked_at = Image.fromarray(np.ascontiguousarray(picture[::step, ::step]))
        made = looked_at.quantize(COLOURS - 1, Image.Quantize.MEDIANCUT, kmeans=1)
        colours = np.asarray(made.getpalette("RGB"), np.uint8).reshape(-1, 3)[: COLOURS - 1]
        if step > 1:
            made = Image.fromarray(picture).quantize(palette=made, dither=Image.Dither.NONE)
        numbers = np.asarray(made)
    return numbers, np.concatenate([colours, np.array([background], np.uint8)])


class AnimationWriter:
    """Takes pictures of one size; the file appears when the block of :func:`animation_writer` ends well."""

    def __init__(self, container: Any, stream: Any, framing: Framing, fps: float, clock: int) -> None:
        self._container, self._stream, self._framing = container, stream, framing
        self._fps, self._clock = fps, clock
        self.frames = 0

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append uint8 ``(H, W, C)`` as the next frame."""
        import av

        if self._stream.pix_fmt == "pal8":
            pair: Any = self._indexed(picture)
            frame = av.VideoFrame.from_ndarray(pair, format="pal8")
        else:
            frame = av.VideoFrame.from_ndarray(self._framing.place(picture), format="rgb24")
            frame = frame.reformat(format="bgra")
        frame.pts = round(self.frames / self._fps * self._clock)
        frame.time_base = Fraction(1, self._clock)
        self.frames += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _indexed(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The frame as numbers of colours uint8 ``(H, W)``, and the colours as FFmpeg wants them, ARGB."""
        framing = self._framing
        # The colours are chosen from the picture as it was made: it has all of them, and far fewer pixels.
        numbers, colours = indexed(framing.flat(picture), rgb(framing.background))
        if framing.by_blocks(picture.shape[1]):
            frame = framing.blocks(numbers, len(colours) - 1)
        else:
            from PIL import Image

            table = Image.new("P", (1, 1))
            table.putpalette(colours.tobytes())
            # What lies between two of the colours is mixed from dots (Floyd and Steinberg 1976).
            frame = np.asarray(Image.fromarray(framing.place(picture)).quantize(palette=table))
        argb = np.zeros((COLOURS, 4), np.uint8)
        argb[:, 0] = 255
        argb[: len(colours), 1:] = colours
        return frame, argb

    def _finish(self) -> None:
        for packet in self._stream.encode(None):
            self._container.mux(packet)


@contextmanager
def animation_writer(
    path: Path, framing: Framing, fps: float, loop: bool, recipe: Recipe | None = None, crf: int = 16
) -> Iterator[AnimationWriter]:
    """Write a ``.gif`` or ``.webp`` picture by picture: all of it or nothing.

    ``fps`` is at most :data:`MOST_FPS`; ``loop``: for ever, else once. ``crf`` is a film's quality, see
    :func:`webp_options`. ExportError where it can't be written.
    """
    import av

    path = Path(path)
    ending = path.suffix.lower()
    text = None if recipe is None else encode(recipe)
    if ending == ".gif":
        codec, pixels, options = "gif", "pal8", {}
        how_often = {"loop": "0" if loop else "-1"}
    else:
        codec, pixels, options = "libwebp_anim", "bgra", webp_options(framing.smooth, crf)
        how_often = {"loop": "0" if loop else "1"}
    with atomic_path(path) as temporary, claimed(temporary):
        try:
            with av.open(str(temporary), "w", format=ending[1:], options=how_often) as container:
                rate = Fraction(fps).limit_denominator(1001)
                stream: Any = container.add_stream(codec, rate=rate, options=options)
                stream.width, stream.height, stream.pix_fmt = framing.width, framing.height, pixels
                stream.codec_context.time_base = Fraction(1, CLOCK[ending])
                writer = AnimationWriter(container, stream, framing, fps, CLOCK[ending])
                yield writer
                writer._finish()
        except av.FFmpegError as error:
            raise cannot_write(path, error) from error
        if text is not None and ending == ".gif":
            insert_gif_text(temporary, text)
        elif text is not None:
            append_webp_text(temporary, text, framing.width, framing.height)


def check_frames(path: Path, frames: int) -> None:
    """ExportError where an animation would have more frames than fit in memory."""
    if frames > MOST_FRAMES:
        raise ExportError(
            f"{path.name} would have {frames:,} frames; an animation has up to {MOST_FRAMES:,}.",
            "Export an MP4, or make the timeline shorter.",
        )
