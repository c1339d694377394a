"""A timeline as sound: what the pieces add up to, whatever is done between two of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igm_gui.engine.audio.score import JoinedScore, Score, StreamedScore
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.timeline import Keyframe, Timeline
from tests.engine.audio.fakes import SineGenerator

RATE = 8000
STEEPEST = 0.5 * 2 * np.pi * 300 / RATE


def hit_info(samples: int = 2400) -> GeneratorInfo:
    return GeneratorInfo(
        "hit",
        "fake",
        OutputSpec("sound", sample_rate=RATE, samples=samples),
        (InputSpec("hertz", "scalar", minimum=20, maximum=2000, default=200.0),),
    )


def render(point: LatentPoint) -> np.ndarray:
    """A sine that is cut off in mid-swing."""
    hertz = point.scalar("hertz")
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(2400) / RATE))[None].astype(np.float32)


def timeline_of(info: GeneratorInfo, length: float, loop: bool = False) -> Timeline:
    point = point_from_seed(info)
    first, last = (point.with_value("hertz", hertz) for hertz in (150.0, 290.0))
    frames = (Keyframe(0.0, first), Keyframe(length, last))
    return Timeline(frames, length=length, loop=loop)


def make(kind: str, length: float, start: float = 0.0, loop: bool = False) -> Score:
    if kind == "joined":
        info = hit_info()
        return JoinedScore(info, render, timeline_of(info, length), start, loop)
    generator = SineGenerator(RATE)
    timeline = timeline_of(generator.info, length)
    return StreamedScore(generator.info, generator.stream(), timeline, start, loop)


def whole(score: Score, most: int = 10_000) -> np.ndarray:
    blocks = []
    while len(blocks) < most and (block := score.block()) is not None:
        blocks.append(block)
    return np.concatenate(blocks, axis=1)[0]


def steepest(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(np.concatenate([[0.0], sound, [0.0]]))).max())


@pytest.mark.parametrize("kind", ["joined", "streamed"])
@settings(max_examples=60, deadline=None)
@given(length=st.floats(0.1, 3.0), start=st.floats(0.0, 1.0))
def test_it_has_the_timelines_length_and_neither_begins_nor_ends_nor_joins_with_a_click(
    kind: str, length: float, start: float
) -> None:
    score = make(kind, length, start)
    left = score.total - score.place
    if kind == "joined":
        left = score.total - min(round(start * RATE), score.total)
    if left < 100:
        return
    sound = whole(score)
    assert (
        left - (score.fade if kind == "joined" else 0) <= len(sound) <= left
    )  # near the next it begins with that
    assert steepest(sound) < 2.2 * STEEPEST  # two sounds at once where one leaves under the next
    assert abs(sound[-1]) < 1e-6


@pytest.mark.parametrize("kind", ["joined", "streamed"])
def test_from_the_middle_it_is_what_it_is_from_the_start(kind: str) -> None:
    all_of_it, rest = whole(make(kind, 1.5)), whole(make(kind, 1.5, 0.7))
    if kind == "streamed":  # a stream begins with its own phase: as many frames, as loud
        assert len(rest) == len(all_of_it) - round(0.7 * RATE)
        return
    settled = round(0.01 * RATE)
    np.testing.assert_allclose(rest[settled:], all_of_it[round(0.7 * RATE) + settled :], atol=1e-6)


@pytest.mark.parametrize("kind", ["joined", "streamed"])
def test_a_loop_goes_on_without_a_click(kind: str) -> None:
    score = make(kind, 1.03, loop=True)
    sound = whole(score, 120)
    assert len(sound) > 3 * 1.03 * RATE
    assert np.abs(np.diff(sound)).max() < 2.2 * STEEPEST
    assert np.abs(sound[-RATE // 2 :]).max() > 0.3


@pytest.mark.parametrize("kind", ["joined", "streamed"])
@settings(max_examples=150, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.integers(1, 9), st.one_of(st.floats(0.0, 2.0), st.none()), st.floats(0.3, 2.0)),
        max_size=6,
    )
)
def test_seeking_and_editing_make_no_click(kind: str, moves: list[tuple[int, float | None, float]]) -> None:
    score = make(kind, 1.5, loop=True)
    blocks = []
    for blocks_before, place, length in moves:
        blocks += [score.block() for _ in range(blocks_before)]
        if place is None:
            score.set_timeline(timeline_of(score.info, length))
        else:
            score.seek(place)
    blocks += [score.block() for _ in range(9)]
    sound = np.concatenate([block for block in blocks if block is not None], axis=1)[0]
    assert len(sound) > 0
    # Up to three sounds at once, two of them fading: steeper than one, but none is cut off, by up to 0.5.
    assert np.abs(np.diff(sound)).max() < 3.6 * STEEPEST
