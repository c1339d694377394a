"""How much a timeline's pictures change from moment to moment: what a constant pace is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError
from igm_gui.export.work import Work, as_float, batches, info_of, need_pictures
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.timeline import Timeline, fitted
from igm_gui.timeline.pace import STEPS, bent, retimed, stretches

ROUNDS = 4  # for smooth ways; the last one moves no keyframe
LOOKED_AT = 64  # pixels of the shorter side: finer grain is not what is seen to move


@dataclass
class Paced:
    """What :func:`constant_pace` found, once its work is done."""

    timeline: Timeline | None = None


def constant_pace(model: str, timeline: Timeline, device: str, found: Paced) -> Work:
    """Render each way from keyframe to keyframe at :data:`~igm_gui.timeline.pace.STEPS` equal steps, and give
    ``found`` the timeline on which every second changes as much as any other.

    Change is the root of the mean squared difference of the pictures, made small. ExportError where there is
    no way to go, or the model makes sounds.
    """

    def work(renderer: Renderer) -> Iterator[float]:
        info = info_of(renderer, model, device)
        need_pictures(info)
        ways = stretches(timeline)
        if not ways:
            raise ExportError("There is no way between keyframes yet.", "Add a second keyframe first.")
        # A smooth way's course depends on when its keyframes are reached: it is measured again there.
        smooth = any((timeline.keyframes[a].way or timeline.interpolation) == "spline" for a, _ in ways)
        rounds = ROUNDS if smooth else 1
        distances: dict[int, list[float]] = {a: [] for a, _ in ways}
        placed = timeline
        for turn in range(rounds):
            for done in _measure(renderer, model, device, info, placed, distances):
                yield (turn + done) / rounds
            if turn == 0 or turn < rounds - 1:
                placed = retimed(placed, {a: float(sum(steps)) for a, steps in distances.items()})
        found.timeline = bent(placed, distances)

    return work


def _measure(
    renderer: Renderer,
    model: str,
    device: str,
    info: GeneratorInfo,
    timeline: Timeline,
    distances: dict[int, list[float]],
) -> Iterator[float]:
    """Fill ``distances`` with those between the pictures of each way; yields progress."""
    suited = fitted(timeline, info)
    ways = stretches(timeline)
    points: list[LatentPoint] = [
        conform(suited.on_way(a, b, step / STEPS), info) for a, b in ways for step in range(STEPS + 1)
    ]
    small: list[NDArray[np.float32]] = []
    for _, media in batches(renderer, model, points, device):
        small += [reduced(picture) for picture in media]
        yield as_float(len(small), len(points))
    for number, (a, _) in enumerate(ways):
        part = small[number * (STEPS + 1) : (number + 1) * (STEPS + 1)]
        distances[a] = [float(np.sqrt(np.mean((y - x) ** 2))) for x, y in pairwise(part)]


def reduced(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 ``(H, W, C)`` -> float32 ``(h, w, C)``, the means of blocks, so that the shorter side has 64 to
    127 pixels; smaller pictures as they are. What is left over at the lower and right edge is left out."""
    block = max(1, min(picture.shape[:2]) // LOOKED_AT)
    height, width = picture.shape[0] // block, picture.shape[1] // block
    part = picture[: height * block, : width * block].astype(np.float32)
    return part.reshape(height, block, width, block, -1).mean(axis=(1, 3))
