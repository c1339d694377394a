"""Batches made at once: the same pictures in the same order, and nothing of it left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ModelError
from igm_gui.export.parallel import batches_at_once, divide, workers
from igm_gui.export.work import batches
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed

INFO = GeneratorInfo("meet", "fake", OutputSpec("image", 2, 2, 1), (InputSpec("z", "latent", shape=(1,)),))
POINTS = [point_from_seed(INFO, seed) for seed in range(7)]


def shade(point: LatentPoint) -> int:
    return int(np.clip(128 + 40 * point.vector("z")[0], 0, 255))


class Meeting:
    """Even pictures. The first two calls wait for each other, which one at a time would do for ever."""

    reentrant = True

    def __init__(self, fails: bool = False) -> None:
        self.info = INFO
        self.device = type("Device", (), {"type": "cpu"})()
        self.network, self.accelerator = None, None
        self.model_seconds = 0.0
        self.fails = fails
        self.calls = 0
        self.threads: set[int] = set()
        self._together = threading.Barrier(2, timeout=20)

    def to(self, device: str) -> None:
        assert device == "cpu"

    def render(self, points: Sequence[LatentPoint]) -> np.ndarray[Any, Any]:
        self.calls += 1
        self.threads.add(torch.get_num_threads())
        if self.calls <= 2:
            self._together.wait()
        if self.fails and POINTS[-1] in points:
            raise ZeroDivisionError("by zero")
        return np.stack([np.full((2, 2, 1), shade(p), np.uint8) for p in points])


def loaded(generator: Meeting) -> Renderer:
    renderer = Renderer()
    renderer._loaded["meet", "cpu"] = generator  # type: ignore[assignment]
    return renderer


@pytest.mark.usefixtures("two_threads")
def test_two_batches_are_made_at_once_and_come_in_order() -> None:
    generator = Meeting()
    parts = [(start, m) for start, m in batches(loaded(generator), "meet", POINTS, "cpu", 2) if len(m)]
    assert [start for start, _ in parts] == [0, 2, 4, 6]
    assert [int(m[0, 0, 0]) for _, media in parts for m in media] == [shade(p) for p in POINTS]
    assert generator.threads == {1}, "two batches share the two threads"


@pytest.mark.usefixtures("two_threads")
def test_who_waits_for_a_batch_is_not_held_up() -> None:
    class Slow(Meeting):
        def render(self, points: Sequence[LatentPoint]) -> np.ndarray[Any, Any]:
            time.sleep(0.3)
            return super().render(points)

    with closing(batches(loaded(Slow()), "meet", POINTS, "cpu", 2)) as parts:  # type: ignore[type-var]
        began = time.perf_counter()
        _, media = next(parts)
        assert len(media) == 0
        assert time.perf_counter() - began < 0.25


@pytest.mark.usefixtures("two_threads")
def test_a_failure_ends_it_with_nothing_left_running() -> None:
    with pytest.raises(ModelError, match="by zero"):
        list(batches(loaded(Meeting(fails=True)), "meet", POINTS, "cpu", 2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batch")]


@pytest.mark.usefixtures("two_threads")
def test_threads_that_begin_later_have_all_of_torchs_threads() -> None:
    seen: list[int] = []
    with workers(2, 1) as submit:
        assert submit(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == 2
        other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        other.start()
        other.join()
    assert seen == [2]


def test_what_keeps_state_is_asked_one_batch_at_a_time() -> None:
    generator = Meeting()
    generator.reentrant = False
    assert batches_at_once(generator)[0] == 1  # type: ignore[arg-type]


@given(st.integers(1, 256))
@settings(max_examples=60)
def test_no_more_threads_are_used_than_there_are(threads: int) -> None:
    count, each = divide(threads)
    assert 1 <= count <= 4
    assert 1 <= count * each <= threads
