"""Sound as WAV: one point, or a timeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.work import Work, as_float, batches, info_of
from igm_gui.formats.audio import SampleFormat, wav_writer
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session.recipes import point_recipe, timeline_recipe
from igm_gui.timeline import Timeline, fitted

STREAM_SECONDS = 4.0
BLOCKS_PER_SECOND = 25  # how often a moving point is sampled; the stream ramps in between
BLOCKS_PER_STEP = 10
FADE_SECONDS = 0.01
ATTACK_SECONDS = 0.001


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
    """(progress, float32 (channels, samples)): blocks of one stream as long as ``timeline``.

    A block's point is the timeline's at the block's end, which the stream reaches by then.
    """
    generator, _ = renderer.generator(model, device)
    info = generator.info
    if "stream" not in info.abilities:
        raise ExportError(
            f"{info.name} does not stream: its sounds have one length.", "Leave the seconds out."
        )
    timeline = fitted(timeline, info)
    stream = generator.stream()  # type: ignore[attr-defined]
    rate = info.output.sample_rate
    total = round(timeline.length * rate)
    size = max(1, rate // BLOCKS_PER_SECOND)
    blocks: list[NDArray[np.float32]] = []
    for start in range(0, total, size):
        end = min(start + size, total)
        point = still
        if point is None:
            found = timeline.sample(end / rate)
            assert found is not None  # there are keyframes
            point = conform(found, info)
        blocks.append(stream.block(point, end - start))
        if len(blocks) == BLOCKS_PER_STEP or end == total:
            yield as_float(end, total), np.concatenate(blocks, axis=1)
            blocks.clear()


def _joined(
    renderer: Renderer, model: str, device: str, timeline: Timeline, info: GeneratorInfo
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(progress, float32 (channels, samples)): renderings laid end to end.

    Each begins while the one before fades out over 10 ms; its own first millisecond fades in, which is
    short enough to keep a drum's attack and long enough not to click.
    """
    rate, length = info.output.sample_rate, info.output.samples
    total = round(timeline.length * rate)
    fade = min(int(FADE_SECONDS * rate), length // 4)
    attack = min(int(ATTACK_SECONDS * rate), fade)
    hop = length - fade
    points, timeline = [], fitted(timeline, info)
    for start in range(0, total, hop):
        point = timeline.sample(start / rate)
        assert point is not None  # there are keyframes
        points.append(conform(point, info))
    falling = np.linspace(1.0, 0.0, fade, dtype=np.float32)
    rising = np.linspace(0.0, 1.0, attack, dtype=np.float32)
    tail = np.zeros((info.output.channels, fade), np.float32)
    written = 0
    for _, media in batches(renderer, model, points, device):
        for sound in media:
            sound = sound.copy()
            sound[:, :attack] *= rising
            sound[:, :fade] += tail
            tail = sound[:, hop:] * falling
            part = np.clip(sound[:, : min(hop, total - written)], -1.0, 1.0)
            written += part.shape[1]
            yield as_float(written, total), part
