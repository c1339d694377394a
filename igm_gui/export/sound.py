"""Sound as WAV: one point, or a timeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.score import Joiner, StreamedScore, soft_end
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.work import Work, as_float, batches, info_of
from igm_gui.formats.audio import SampleFormat, wav_writer
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.recipes import point_recipe, timeline_recipe
from igm_gui.timeline import Timeline, fitted

STREAM_SECONDS = 4.0
BLOCKS_PER_STEP = 10


def save_sound(
    path: Path,
    model: str,
    point: LatentPoint,
    device: str = "auto",
    seconds: float | None = None,
    samples: SampleFormat = "PCM_16",
) -> Work:
    """A WAV of ``point``: the whole rendering, or ``seconds`` of a generator that streams.

    ExportError where the generator makes pictures, or does not stream and has no length of its own.
    """

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        _sounding(info)
        fitted = conform(point, info)
        recipe = point_recipe(info, fitted)
        with wav_writer(Path(path), info.output.sample_rate, info.output.channels, recipe, samples) as writer:
            if info.output.samples > 0 and seconds is None:
                for _, media in batches(renderer, model, [fitted], device):
                    writer.write(media[0])
                    yield 1.0
            else:
                still = Timeline(length=min(max(seconds or STREAM_SECONDS, 0.1), 36_000), loop=False)
                for done, block in _streamed(renderer, model, device, still, fitted):
                    writer.write(block)
                    yield done

    return work


def save_timeline_sound(
    path: Path,
    model: str,
    timeline: Timeline,
    device: str = "auto",
    point: LatentPoint | None = None,
    samples: SampleFormat = "PCM_16",
) -> Work:
    """A WAV of the timeline: streamed with the moving point where the generator can, else one
    rendering after the other, each from the point at its start, the last one's end faded under the next.

    ExportError where the timeline is empty or the generator makes pictures.
    """

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        _sounding(info)
        if not timeline.keyframes:
            raise ExportError("The timeline is empty.", "Add a keyframe first.")
        recipe = timeline_recipe(info, timeline, point)
        parts = (
            _streamed(renderer, model, device, timeline)
            if "stream" in info.abilities
            else _joined(renderer, model, device, timeline, info)
        )
        with wav_writer(Path(path), info.output.sample_rate, info.output.channels, recipe, samples) as writer:
            for done, block in parts:
                writer.write(block)
                yield done

    return work


def _sounding(info: GeneratorInfo) -> None:
    if info.media != "sound":
        raise ExportError(f"{info.name} makes pictures, not sounds.", "Export it as PNG or MP4.")
    if not info.output.samples and "stream" not in info.abilities:
        raise ExportError(
            f"{info.name} says neither how long its sounds are nor that it streams.",
            "Give output.samples in its card.",
        )


def _streamed(
    renderer: Renderer, model: str, device: str, timeline: Timeline, still: LatentPoint | None = None
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(progress, float32 (channels, samples)): blocks of one stream as long as ``timeline``."""
    generator, _ = renderer.generator(model, device)
    info = generator.info
    if "stream" not in info.abilities:
        raise ExportError(
            f"{info.name} does not stream: its sounds have one length.", "Leave the seconds out."
        )
    score = StreamedScore(info, generator.stream(), timeline, still=still)  # type: ignore[attr-defined]
    blocks: list[NDArray[np.float32]] = []
    while (block := score.block()) is not None:
        blocks.append(block)
        if len(blocks) == BLOCKS_PER_STEP or score.place >= score.total:
            yield as_float(score.place, score.total), np.concatenate(blocks, axis=1)
            blocks.clear()


def _joined(
    renderer: Renderer, model: str, device: str, timeline: Timeline, info: GeneratorInfo
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(progress, float32 (channels, samples)): renderings laid end to end (:class:`Joiner`)."""
    joiner, timeline = Joiner(info), fitted(timeline, info)
    total, place = round(timeline.length * info.output.sample_rate), 0
    points, keeps = [], []
    while place < total:
        point = timeline.sample(place / info.output.sample_rate)
        assert point is not None  # there are keyframes
        points.append(conform(point, info))
        keeps.append(joiner.keep(total - place))
        place += keeps[-1]
    written = number = 0
    for _, media in batches(renderer, model, points, device):
        for sound in media:
            part = joiner.add(sound, keeps[number])
            written, number = written + part.shape[1], number + 1
            yield as_float(written, total), soft_end(part, joiner.fade) if written == total else part
