"""Small pictures in pieces: order, size, and what happens to pieces that nobody wants any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from igm_gui.engine.loop import RenderLoop
from igm_gui.errors import ModelError
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.requests import RenderRequest, RenderResult

INFO = GeneratorInfo("grey", "test", OutputSpec("image", 2, 2, 1), (InputSpec("z", "latent", shape=(1,)),))


class GatedRenderer:
    """Paints each picture in the grey of its seed; waits where the test holds the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.fail = False

    def render(self, request: RenderRequest) -> RenderResult:
        self.entered.release()
        assert self.gate.wait(20)
        if self.fail:
            return RenderResult(request, error=ModelError("It broke."))
        self.sizes.append(len(request.points))
        media = np.stack([np.full((2, 2, 1), p.seed, np.uint8) for p in request.points])
        return RenderResult(request, INFO, media)


@pytest.fixture
def renderer() -> GatedRenderer:
    return GatedRenderer()


@pytest.fixture
def studio(qtbot: QtBot, renderer: GatedRenderer) -> Iterator[Studio]:
    made = Studio()
    made.loop = RenderLoop(made._arrived.emit, renderer)  # type: ignore[arg-type]
    made.loop.start()
    yield made
    renderer.gate.set()
    made.close()


def point(index: int) -> LatentPoint:
    return point_from_seed(INFO, index)


def collect(pieces: Pieces) -> dict[int, int]:
    """Index -> grey value, as it arrives."""
    got: dict[int, int] = {}

    def take(first: int, result: RenderResult) -> None:
        assert result.media is not None
        for i, media in enumerate(result.media):
            got[first + i] = int(media[0, 0, 0])

    pieces.arrived.connect(take)
    return got


def test_all_come_in_order_and_pieces_grow(qtbot: QtBot, studio: Studio, renderer: GatedRenderer) -> None:
    pieces = Pieces(studio)
    got = collect(pieces)
    with qtbot.waitSignal(pieces.finished, timeout=20_000):
        pieces.start("grey", 50, point, 8)
    assert got == {i: i for i in range(50)}
    assert list(got) == sorted(got)
    assert renderer.sizes[0] == 1
    assert max(renderer.sizes) > 1
    assert not pieces.running


def test_a_new_start_drops_the_piece_that_is_under_way(
    qtbot: QtBot, studio: Studio, renderer: GatedRenderer
) -> None:
    pieces = Pieces(studio)
    got = collect(pieces)
    renderer.gate.clear()
    pieces.start("grey", 5, lambda i: point(100 + i), 8)
    assert renderer.entered.acquire(timeout=20)
    with qtbot.waitSignal(pieces.finished, timeout=20_000):
        pieces.start("grey", 3, point, 8)
        renderer.gate.set()
    assert got == {0: 0, 1: 1, 2: 2}


def test_stop_lets_nothing_more_arrive(qtbot: QtBot, studio: Studio, renderer: GatedRenderer) -> None:
    pieces, other = Pieces(studio), Pieces(studio)
    got = collect(pieces)
    renderer.gate.clear()
    pieces.start("grey", 5, point, 8)
    assert renderer.entered.acquire(timeout=20)
    pieces.stop()
    # What another asks for afterwards shows that the first one's answer has passed by.
    with qtbot.waitSignal(other.finished, timeout=20_000):
        other.start("grey", 1, point, 8)
        renderer.gate.set()
    assert got == {}


def test_a_failure_ends_it(qtbot: QtBot, studio: Studio, renderer: GatedRenderer) -> None:
    pieces = Pieces(studio)
    renderer.fail = True
    with qtbot.waitSignal(pieces.failed, timeout=20_000) as failed:
        pieces.start("grey", 5, point, 8)
    assert failed.args is not None
    assert "It broke." in str(failed.args[0])
    assert not pieces.running


def test_what_is_dragged_goes_first(qtbot: QtBot, studio: Studio, renderer: GatedRenderer) -> None:
    pieces = Pieces(studio)
    order: list[str] = []
    pieces.arrived.connect(lambda *_: order.append("piece"))
    studio.rendered.connect(lambda r: order.append(r.request.slot))
    renderer.gate.clear()
    pieces.start("grey", 2, point, 8)
    assert renderer.entered.acquire(timeout=20)
    studio.loop.submit(RenderRequest("grey", (point(0),), "compare:1"))
    with qtbot.waitSignal(pieces.finished, timeout=20_000):
        renderer.gate.set()
    assert order.index("compare:1") <= 1
