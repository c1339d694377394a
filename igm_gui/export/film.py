"""A timeline as a film (MP4, WebP, GIF) or as numbered PNG files: frame i shows time i / fps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import overload

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.work import Work, as_float, batches, encoding, folder_of_files, info_of, need_pictures
from igm_gui.formats.animation import (
    MOST_FPS,
    AnimationWriter,
    animation_writer,
    check_frames,
    frame_step,
)
from igm_gui.formats.framing import framing
from igm_gui.formats.image import write_png
from igm_gui.formats.video import VideoWriter, video_writer
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.recipes import Film, point_recipe, timeline_recipe
from igm_gui.timeline import Timeline, fitted

AS_USUAL = Film()


class FramePoints(Sequence[LatentPoint]):
    """The point of every frame, worked out when asked for: an hour of film is 100,000 points.

    ``rounds`` is how often the timeline is gone through, of ``step`` frames one is there. ExportError where
    it has no keyframe.
    """

    def __init__(self, info: GeneratorInfo, timeline: Timeline, rounds: int = 1, step: int = 1) -> None:
        if not timeline.keyframes:
            raise ExportError("The timeline is empty.", "Add a keyframe first.")
        self._info, self._timeline, self._rounds = info, fitted(timeline, info), max(1, rounds)
        self._step = step

    def __len__(self) -> int:
        return -(-self._timeline.frames * self._rounds // self._step)

    @overload
    def __getitem__(self, index: int) -> LatentPoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[LatentPoint]: ...
    def __getitem__(self, index: int | slice) -> LatentPoint | list[LatentPoint]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        point = self._timeline.sample(index * self._step % self._timeline.frames / self._timeline.fps)
        assert point is not None  # there are keyframes
        return conform(point, self._info)


def save_film(
    path: Path,
    model: str,
    timeline: Timeline,
    device: str = "auto",
    film: Film = AS_USUAL,
    point: LatentPoint | None = None,
) -> Work:
    """The timeline as an MP4 (H.264) at ``timeline.fps``, written as ``film`` says; as an animated WebP or a
    GIF where ``path`` ends so (with fewer frames a second where players show no more).

    ``film`` and ``point`` go into the recipe. ExportError where it can't be written, or where the frame of
    ``film`` can't hold the picture."""

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        ending = Path(path).suffix.lower()
        step = frame_step(ending, timeline.fps) if ending in MOST_FPS else 1
        points = FramePoints(info, timeline, film.rounds, step)
        with (
            _writer(Path(path), info, timeline, film, point, len(points)) as writer,
            # One thread: frames go in order. x264 itself works on threads of its own.
            encoding(threads=1) as encoder,
        ):
            done = 0
            for _, media in batches(renderer, model, points, device):
                for picture in media:
                    for _ in encoder.room():
                        yield as_float(done - encoder.waiting, len(points))
                    encoder.add(writer.write, picture)
                    done += 1
                yield as_float(done - encoder.waiting, len(points))
            for _ in encoder.rest():
                yield as_float(done - encoder.waiting, len(points))

    return work


def _writer(
    path: Path, info: GeneratorInfo, timeline: Timeline, film: Film, point: LatentPoint | None, frames: int
) -> AbstractContextManager[VideoWriter | AnimationWriter]:
    """What writes the kind of film that ``path`` ends in."""
    recipe = timeline_recipe(info, timeline, point, film)
    height, width = info.output.height, info.output.width
    frame = framing(height, width, film.factor, film.smooth, film.frame, film.background)
    ending = path.suffix.lower()
    if ending not in MOST_FPS:
        return video_writer(path, frame, timeline.fps, recipe, film.crf)
    check_frames(path, frames)
    fps = timeline.fps / frame_step(ending, timeline.fps)
    return animation_writer(path, frame, fps, timeline.loop, recipe, film.crf)


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
                    for _ in encoder.room():
                        yield as_float(index - encoder.waiting, len(points))
                    encoder.add(write_png, temporary / f"frame-{index:05d}.png", picture, recipe)
                yield as_float(start + len(media) - encoder.waiting, len(points))
            for _ in encoder.rest():
                yield as_float(len(points) - encoder.waiting, len(points))

    return work
