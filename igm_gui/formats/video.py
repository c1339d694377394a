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
from igm_gui.formats.files import atomic_path, claimed
from igm_gui.formats.framing import Framing
from igm_gui.formats.recipe import Recipe, encode

# With macroblock-tree rate control, the x264 that PyAV brings gave other bytes for the same frames from one
# run to the next (seen at 280 × 280). Without it, the same film is the same file.
ENCODER = {"preset": "medium", "x264-params": "mbtree=0"}


def cannot_write(path: Path, error: Any) -> ExportError:
    """A sentence for what FFmpeg met while it wrote."""
    return ExportError(
        f"{path.name} could not be written to {path.parent}: {error.strerror or error}.",
        "Choose another folder, or free some space and try again. Nothing that was there has changed.",
        details=repr(error),
    )


class VideoWriter:
    """Takes pictures of one size; the file appears when the block of :func:`video_writer` ends well."""

    def __init__(self, container: Any, stream: Any, framing: Framing) -> None:
        self._container, self._stream, self._framing = container, stream, framing
        self.frames = 0

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append uint8 ``(H, W, C)`` as the next frame."""
        import av

        frame = av.VideoFrame.from_ndarray(self._framing.place(picture), format="rgb24")
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
    path: Path, framing: Framing, fps: float, recipe: Recipe | None = None, crf: int = 16
) -> Iterator[VideoWriter]:
    """Write an MP4 (H.264, yuv420p) picture by picture: all of it or nothing.

    ``crf`` is x264's constant rate factor, 0 (lossless) to 51. ExportError where it can't be written.
    """
    import av

    path = Path(path)
    text = None if recipe is None else encode(recipe)
    with atomic_path(path) as temporary, claimed(temporary):
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                if recipe is not None and text is not None:
                    container.metadata["comment"] = text
                    container.metadata["encoder"] = recipe.program
                rate = Fraction(fps).limit_denominator(1001)
                stream = container.add_stream("libx264", rate=rate, options=ENCODER | {"crf": str(crf)})
                stream.width, stream.height, stream.pix_fmt = framing.width, framing.height, "yuv420p"
                stream.codec_context.time_base = 1 / rate
                # BT.709, limited range: said in the stream, so that players don't guess by size.
                stream.codec_context.color_primaries = 1
                stream.codec_context.color_trc = 1
                stream.codec_context.colorspace = 1
                stream.codec_context.color_range = 1
                writer = VideoWriter(container, stream, framing)
                yield writer
                writer._finish()
        except av.FFmpegError as error:
            raise cannot_write(path, error) from error
