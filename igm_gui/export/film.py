"""A timeline as an MP4 or as numbered PNG files: frame i shows time i / fps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.work import Work, as_float, batches, encoding, folder_of_files, info_of, need_pictures
from igm_gui.formats.image import write_png
from igm_gui.formats.video import video_writer
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.recipes import point_recipe, timeline_recipe
from igm_gui.timeline.timeline import Timeline


class FramePoints(Sequence[LatentPoint]):
    """The point of every frame, worked out when asked for: an hour of film is 100,000 points.

    ExportError where the timeline has no keyframe.
    """

    def __init__(self, info: GeneratorInfo, timeline: Timeline) -> None:
        if not timeline.keyframes:
            raise ExportError("The timeline is empty.", "Add a keyframe first.")
        self._info, self._timeline = info, timeline

    def __len__(self) -> int:
        return self._timeline.frames

    @overload
    def __getitem__(self, index: int) -> LatentPoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[LatentPoint]: ...
    def __getitem__(self, index: int | slice) -> LatentPoint | list[LatentPoint]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        point = self._timeline.sample(index / self._timeline.fps)
        assert point is not None  # there are keyframes
        return conform(point, self._info)


def save_film(
    path: Path,
    model: str,
    timeline: Timeline,
    device: str = "auto",
    crf: int = 16,
    factor: int | None = None,
    point: LatentPoint | None = None,
) -> Work:
    """An MP4 (H.264) of the timeline at ``timeline.fps``. ``crf`` is x264's quality, 0 lossless to 51;
    ``factor`` magnifies by blocks (None: to at least 256 pixels). ``point`` goes into the recipe."""

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        points = FramePoints(info, timeline)
        recipe = timeline_recipe(info, timeline, point)
        output = info.output
        with (
            video_writer(
                Path(path), output.height, output.width, timeline.fps, recipe, crf, factor
            ) as writer,
            # One thread: frames go in order. x264 itself works on threads of its own.
            encoding(threads=1) as encoder,
        ):
            for start, media in batches(renderer, model, points, device):
                for picture in media:
                    encoder.add(writer.write, picture)
                yield as_float(start + len(media), len(points))

    return work


def save_frames(folder: Path, model: str, timeline: Timeline, device: str = "auto") -> Work:
    """``frame-00000.png`` and so on in ``folder``, each with the recipe of its own point."""

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        points = FramePoints(info, timeline)
        with folder_of_files(Path(folder)) as temporary, encoding() as encoder:
            for start, media in batches(renderer, model, points, device):
                for index, picture in enumerate(media, start):
                    recipe = point_recipe(info, points[index])
                    encoder.add(write_png, temporary / f"frame-{index:05d}.png", picture, recipe)
                yield as_float(start + len(media), len(points))

    return work
