"""MP4 files (H.264), with their recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ExportError
from igm_gui.formats.files import atomic_path
from igm_gui.formats.image import enlarged
from igm_gui.formats.recipe import Recipe, encode

MIN_SIDE = 256  # players show a 28-pixel video as a stamp, or refuse it
MAX_SIDE = 8192
# With macroblock-tree rate control, the x264 that PyAV brings gave other bytes for the same frames from one
# run to the next (seen at 280 × 280). Without it, the same film is the same file.
ENCODER = {"preset": "medium", "x264-params": "mbtree=0"}


def video_factor(height: int, width: int) -> int:
    """The whole-number magnification (each pixel a block) that brings the shorter side to 256 or more."""
    return max(1, -(-MIN_SIDE // max(1, min(height, width))))


def video_size(height: int, width: int, factor: int) -> tuple[int, int]:
    """Height and width of the film's frames: even, as H.264 needs them."""
    return height * factor + height * factor % 2, width * factor + width * factor % 2


def to_frame(picture: NDArray[np.uint8], factor: int, smooth: bool = False) -> NDArray[np.uint8]:
    """uint8 ``(H, W, C)`` -> ``(H', W', 3)`` with even sides: enlarged (by blocks or ``smooth``), grey made
    RGB, alpha put on black, the last row or column repeated where a side is odd (H.264 in 4:2:0 needs even
    sides)."""
    if picture.shape[-1] == 4:
        alpha = picture[..., 3:].astype(np.uint16)
        picture = ((picture[..., :3] * alpha + 127) // 255).astype(np.uint8)
    picture = enlarged(picture, factor, smooth)
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    if picture.shape[-1] == 1:
        picture = picture.repeat(3, axis=-1)
    return np.ascontiguousarray(picture)


class VideoWriter:
    """Takes pictures of one size; the file appears when the block of :func:`video_writer` ends well."""

    def __init__(self, container: Any, stream: Any, factor: int, smooth: bool = False) -> None:
        self._container, self._stream, self._factor, self._smooth = container, stream, factor, smooth
        self.frames = 0

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append uint8 ``(H, W, C)`` as the next frame."""
        import av

        frame = av.VideoFrame.from_ndarray(to_frame(picture, self._factor, self._smooth), format="rgb24")
        # Exact conversion: swscale's fast paths drift by a few levels.
        frame = frame.reformat(
            format="yuv420p", dst_colorspace="ITU709", interpolation="BICUBIC", dst_color_range="MPEG"
        )
        frame.pts = self.frames
        frame.time_base = self._stream.codec_context.time_base
        self.frames += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def _finish(self) -> None:
        for packet in self._stream.encode(None):
            self._container.mux(packet)


@contextmanager
def video_writer(
    path: Path,
    height: int,
    width: int,
    fps: float,
    recipe: Recipe | None = None,
    crf: int = 16,
    factor: int | None = None,
    smooth: bool = False,
) -> Iterator[VideoWriter]:
    """Write an MP4 (H.264, yuv420p) picture by picture: all of it or nothing.

    ``height`` and ``width`` are the pictures'; ``factor`` magnifies them (None: so that the shorter side
    is at least 256 pixels), by blocks or ``smooth``. ``crf`` is x264's constant rate factor, 0 (lossless)
    to 51. ExportError where it can't be written.
    """
    import av

    path = Path(path)
    factor = video_factor(height, width) if factor is None else factor
    out_height, out_width = video_size(height, width, factor)
    if max(out_height, out_width) > MAX_SIDE:
        raise ExportError(
            f"A video of {out_width}×{out_height} pixels is too large.",
            f"H.264 takes sides up to {MAX_SIDE} pixels. Export a PNG sequence instead.",
        )
    text = None if recipe is None else encode(recipe)
    with atomic_path(path) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                if recipe is not None and text is not None:
                    container.metadata["comment"] = text
                    container.metadata["encoder"] = recipe.program
                rate = Fraction(fps).limit_denominator(1001)
                stream = container.add_stream("libx264", rate=rate, options=ENCODER | {"crf": str(crf)})
                stream.width, stream.height, stream.pix_fmt = out_width, out_height, "yuv420p"
                stream.codec_context.time_base = 1 / rate
                # BT.709, limited range: said in the stream, so that players don't guess by size.
                stream.codec_context.color_primaries = 1
                stream.codec_context.color_trc = 1
                stream.codec_context.colorspace = 1
                stream.codec_context.color_range = 1
                writer = VideoWriter(container, stream, factor, smooth)
                yield writer
                writer._finish()
        except av.FFmpegError as error:
            raise ExportError(
                f"{path.name} could not be written to {path.parent}: {error.strerror or error}.",
                "Choose another folder, or free some space and try again. "
                "Nothing that was there has changed.",
                details=repr(error),
            ) from error
