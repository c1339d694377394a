"""The real window, driven with real mouse events: how long until pixels change, and what stalls."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import stand_in
import torch
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from igm_gui.engine.loop import Job
from igm_gui.engine.renderer import Renderer
from igm_gui.generators.base import TorchGenerator
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Notice, Studio
from igm_gui.latent.point import point_from_seed
from igm_gui.requests import RenderResult

PATIENCE_MS = 60_000
SETTLE_SECONDS = 1.0
PICTURES = 40  # finished in one drag at least: one more or less is not to count
MOUSE_MS = 8  # an ordinary mouse reports 125 times a second


def turn(seconds: float) -> None:
    """Let the event loop run."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(statistics.median(milliseconds), 3),
        "p95_ms": round(float(np.percentile(milliseconds, 95)), 3),
        "max_ms": round(max(milliseconds), 3),
        "count": len(milliseconds),
    }


def _inputs(generator: TorchGenerator) -> Iterator[Any]:
    """Inputs of one point, another one each time: some networks keep what they have computed."""
    points = [point_from_seed(generator.info, seed) for seed in range(1, 5)]
    return itertools.cycle([generator.prepare([point]) for point in points])


def passes_per_second(generator: TorchGenerator, seconds: float) -> float:
    """How many forward passes of one point ``generator`` makes a second, back to back."""
    with torch.inference_mode():
        inputs = _inputs(generator)
        for _ in range(2):
            generator.forward(next(inputs))
        start, passes = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            generator.forward(next(inputs))
            passes += 1
        return passes / (time.perf_counter() - start)


def bare_computing(generator: TorchGenerator, passes: int = 20) -> float:
    """Processor seconds of one forward pass, all threads: the median of ``passes``."""
    used = []
    with torch.inference_mode():
        inputs = _inputs(generator)
        for _ in range(passes + 2):
            before = time.process_time()
            generator.forward(next(inputs))
            used.append(time.process_time() - before)
    return statistics.median(used[2:])


class Bench:
    """A window on ``model`` whose first picture has been painted."""

    def __init__(self, model: str) -> None:
        self.studio = Studio()
        self.said = ""
        self.studio.notice.connect(self._hear)
        self.studio.open_model(model)
        self.window = MainWindow(self.studio)
        self.window.resize(1400, 900)
        self.window.show()
        explore = self.window.stack.widget_of("explore")
        assert isinstance(explore, ExploreWorkspace)
        self.picture = explore.canvas.picture
        self.studio.start()
        self._until_painted(lambda: None)
        turn(SETTLE_SECONDS)
        strip = explore.findChild(LatentStrip)
        assert strip is not None
        self.strip: LatentStrip = strip
        self._step = 0

    def _hear(self, notice: Notice) -> None:
        self.said = f"{notice.text} {notice.hint}"

    def close(self) -> None:
        self.studio.close()
        self.window.close()
        self.window.deleteLater()
        turn(0.1)

    def _until_painted(self, act: Callable[[], Any]) -> float:
        """Seconds from ``act`` until the next new picture is painted."""
        loop = QEventLoop()
        self.picture.painted.connect(loop.quit)
        QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
        start = time.perf_counter()
        act()
        loop.exec()
        seconds = time.perf_counter() - start
        self.picture.painted.disconnect(loop.quit)
        if seconds * 1000 >= PATIENCE_MS:
            raise RuntimeError(f"no picture was painted. {self.said}")
        return seconds

    def _mouse(self, kind: QEvent.Type) -> None:
        QApplication.sendEvent(self.strip, self._event(kind))

    def _event(self, kind: QEvent.Type) -> QMouseEvent:
        """A mouse event on the strip: every move to another bar's neighbourhood and height."""
        self._step += 1
        area = self.strip.rect()
        x = area.width() * (0.1 + 0.8 * ((self._step * 7) % 97) / 97)
        y = area.height() * (0.2 + 0.6 * ((self._step * 13) % 89) / 89)
        place = QPointF(x, y)
        button = Qt.MouseButton.LeftButton
        return QMouseEvent(
            kind,
            place,
            self.strip.mapToGlobal(place),
            Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button,
            Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button,
            Qt.KeyboardModifier.NoModifier,
        )

    def latency(self, runs: int) -> dict[str, Any]:
        """One move at a time: from the mouse event to painted pixels, less that picture's own forward."""
        self._until_painted(lambda: self._mouse(QEvent.Type.MouseButtonPress))
        beyond, forward, computing = [], [], []
        bare = self._on_render_thread(bare_computing)
        for number in range(runs + 5):
            before = time.process_time()
            seconds = self._until_painted(lambda: self._mouse(QEvent.Type.MouseMove))
            used = time.process_time() - before
            last = self.studio.last
            assert last is not None
            if number >= 5:
                beyond.append(1e3 * (seconds - last.model_seconds))
                forward.append(1e3 * last.model_seconds)
                computing.append(1e3 * (used - bare))
            turn(0.01)
        self._mouse(QEvent.Type.MouseButtonRelease)
        return {
            "beyond_forward": percentiles(beyond),
            "beyond_forward_computing": percentiles(computing),
            "forward": percentiles(forward),
        }

    def _on_render_thread(self, measure: Callable[[TorchGenerator], float], generator: Any = None) -> float:
        """What ``measure`` says of the model's generator (or of another) where pictures are made.

        OpenMP keeps a team of threads for every thread that asked for one. With more threads in teams than
        there are cores it lets them sleep at once instead of waiting awake for the next layer: passes made on
        the interface's thread would slow down the pictures that are measured after them, by half and more.
        """
        found: list[float] = []

        def work(renderer: Renderer) -> Iterator[float]:
            mine = renderer.generator(self.studio.state.model, self.studio.state.device)[0]
            found.append(measure(generator or mine))
            yield 1.0

        job = self.studio.loop.run_job(Job("bare passes", work))
        while not job.finished.is_set():
            turn(0.02)
        if job.error is not None:
            raise job.error
        return found[0]

    def _bare_rate(self, seconds: float) -> float:
        """Forward passes a second, back to back, the window idle."""
        return self._on_render_thread(lambda generator: passes_per_second(generator, seconds))

    def _plain_rate(self, seconds: float) -> float:
        """The same for the network as PyTorch loads it: what a script of its own would get. 0 where there is
        no such network."""
        plain = stand_in.as_loaded(self.studio.state.model)
        if plain is None:
            return 0.0
        return self._on_render_thread(lambda generator: passes_per_second(generator, seconds), plain)

    def _drag(self, seconds: float) -> tuple[float, float, list[float]]:
        """Move as an ordinary mouse does: pictures that arrived and that were painted a second (two that
        arrive in one turn of the event loop are painted as one), gaps of the event loop in ms."""
        finished = shown = 0
        ticks: list[float] = []

        def arrived(result: RenderResult) -> None:
            nonlocal finished
            finished += result.request.slot == "main" and result.media is not None

        def painted() -> None:
            nonlocal shown
            shown += 1

        def move() -> None:
            ticks.append(time.perf_counter())
            QApplication.sendEvent(self.strip, moves.pop())

        # Made beforehand, as it is not the program that makes them.
        moves = [self._event(QEvent.Type.MouseMove) for _ in range(round(1.5e3 * seconds / MOUSE_MS))]
        moves.reverse()
        self._mouse(QEvent.Type.MouseButtonPress)
        self.picture.painted.connect(painted)
        self.studio.rendered.connect(arrived)
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(move)
        start = time.perf_counter()
        timer.start(MOUSE_MS)
        turn(seconds)
        timer.stop()
        elapsed = time.perf_counter() - start
        self.picture.painted.disconnect(painted)
        self.studio.rendered.disconnect(arrived)
        self._mouse(QEvent.Type.MouseButtonRelease)
        turn(0.2)
        return finished / elapsed, shown / elapsed, [1e3 * (b - a) for a, b in itertools.pairwise(ticks)]

    def dragging(self, rounds: int, seconds: float) -> dict[str, Any]:
        """Drags and back-to-back forward passes take turns; medians of the rounds.

        ``ratio`` is finished pictures to what could be: as many as forward passes give, or as the mouse
        moved where that is less. ``plain_ratio`` is to the passes of the network as PyTorch loads it, before
        this program arranges it, where there is such a network. Each drag lasts ``seconds``, or as long as
        forty pictures take.
        """
        last = self.studio.last
        if last is not None:
            seconds = max(seconds, PICTURES * last.model_seconds)
        bare, plain, dragged, shown, moves, ratios, plain_ratios = [], [], [], [], [], [], []
        gaps: list[float] = []
        for _ in range(rounds):
            bare.append(self._bare_rate(seconds))
            plain.append(self._plain_rate(seconds))
            rate, painted, more = self._drag(seconds)
            dragged.append(rate)
            shown.append(painted)
            moves.append(len(more) / max(sum(more) / 1e3, 1e-9))
            ratios.append(rate / min(bare[-1], moves[-1]))
            if plain[-1]:
                plain_ratios.append(rate / min(plain[-1], moves[-1]))
            gaps += more
        found: dict[str, Any] = {
            "finished_per_second": round(statistics.median(dragged), 2),
            "painted_per_second": round(statistics.median(shown), 2),
            "forwards_per_second": round(statistics.median(bare), 2),
            "moves_per_second": round(statistics.median(moves), 2),
            "ratio": round(statistics.median(ratios), 4),
            "loop_gaps": percentiles(gaps),
        }
        if plain_ratios:
            found["plain_forwards_per_second"] = round(statistics.median(plain), 2)
            found["plain_ratio"] = round(statistics.median(plain_ratios), 4)
        return found

    def at_rest(self, seconds: float) -> dict[str, float]:
        """CPU time while nothing changes, in per cent of one core."""
        # Small pictures of the last drag are still made: up to a minute until a second passes without work.
        for _ in range(60):
            before = time.process_time()
            turn(1.0)
            if time.process_time() - before < 0.01:
                break
        start, before = time.perf_counter(), time.process_time()
        turn(seconds)
        used = (time.process_time() - before) / (time.perf_counter() - start)
        return {"cpu_percent": round(100 * used, 3), "seconds": seconds}


def measured(model: str, runs: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Latency, dragging and rest for one model."""
    bench = Bench(model)
    try:
        info = bench.studio.session.info
        assert info is not None
        return {
            "model": info.name,
            "output": info.output.text,
            "latency": bench.latency(runs),
            "dragging": bench.dragging(rounds, seconds),
            "at_rest": bench.at_rest(5.0),
        }
    finally:
        bench.close()
