"""The render thread, with a fake renderer whose every render waits at a gate that the test holds."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from igm_gui.engine.loop import Job, RenderLoop
from igm_gui.errors import Cancelled, ExportError, ModelError
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import Priority, RenderRequest, RenderResult

SECONDS = 20.0


def asked(number: int, slot: str = "main", priority: Priority = Priority.INTERACTIVE) -> RenderRequest:
    return RenderRequest("m", (LatentPoint((("x", float(number)),), number),), slot, priority)


def number(result: RenderResult) -> int | None:
    return result.request.points[0].seed


class GatedRenderer:
    """Says what it began, then waits to be let through. ``errors`` are given instead, by number."""

    def __init__(self) -> None:
        self.begun: queue.Queue[int] = queue.Queue()
        self.gate = threading.Semaphore(0)
        self.errors: dict[int, ModelError] = {}

    def render(self, request: RenderRequest) -> RenderResult:
        seed = request.points[0].seed
        assert seed is not None
        self.begun.put(seed)
        assert self.gate.acquire(timeout=SECONDS)
        return RenderResult(request, error=self.errors.get(seed))

    def let(self, count: int = 1) -> None:
        self.gate.release(count)


class Bench:
    def __init__(self) -> None:
        self.renderer = GatedRenderer()
        self.results: queue.Queue[RenderResult] = queue.Queue()
        self.loop = RenderLoop(self.results.put, self.renderer)  # type: ignore[arg-type]

    def begun(self) -> int:
        return self.renderer.begun.get(timeout=SECONDS)

    def result(self) -> RenderResult:
        return self.results.get(timeout=SECONDS)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.loop.start()
    yield made
    made.renderer.let(100)
    made.loop.stop()
    assert not made.loop._thread.is_alive()


def test_the_newest_request_wins(bench):
    bench.loop.submit(asked(0))
    assert bench.begun() == 0
    for i in range(1, 50):
        assert bench.loop.submit(asked(i))
    bench.renderer.let(2)
    assert [number(bench.result()), number(bench.result())] == [0, 49]
    assert bench.results.empty()
    assert bench.loop.idle


def test_a_stale_result_can_be_told_from_the_newest(bench):
    bench.loop.submit(asked(0))
    bench.begun()
    bench.loop.submit(asked(1))
    bench.renderer.let(2)
    assert not bench.loop.is_latest(bench.result().request)
    assert bench.loop.is_latest(bench.result().request)


def test_nothing_is_rendered_when_nothing_changed(bench):
    assert bench.loop.submit(asked(0))
    bench.begun()
    assert not bench.loop.submit(asked(0))  # while it runs
    bench.renderer.let()
    bench.result()
    assert not bench.loop.submit(asked(0))  # when it is done
    assert bench.loop.idle
    assert bench.loop.submit(asked(0), force=True)
    bench.begun()
    assert bench.loop.submit(asked(1))
    assert not bench.loop.submit(asked(1))  # while it waits
    bench.renderer.let(2)
    assert [number(bench.result()) for _ in range(2)] == [0, 1]


def test_each_slot_keeps_its_own_request(bench):
    bench.loop.submit(asked(0))
    bench.begun()
    bench.loop.submit(asked(1, "compare:1"))
    bench.loop.submit(asked(2, "compare:2"))
    bench.loop.submit(asked(3, "compare:1"))
    bench.renderer.let(3)
    assert sorted(number(bench.result()) for _ in range(3)) == [0, 2, 3]


def test_the_person_goes_ahead_of_thumbnails_and_batches(bench):
    bench.loop.submit(asked(0))
    bench.begun()
    bench.loop.submit(asked(1, "batch", Priority.BATCH))
    bench.loop.submit(asked(2, "thumb:a", Priority.THUMBNAIL))
    bench.loop.submit(asked(3, "main"))
    bench.renderer.let(4)
    assert [number(bench.result()) for _ in range(4)] == [0, 3, 2, 1]


def test_a_request_can_be_withdrawn(bench):
    bench.loop.submit(asked(0))
    bench.begun()
    bench.loop.submit(asked(1, "grid:1"))
    bench.loop.submit(asked(2, "grid:2"))
    bench.loop.submit(asked(3, "other"))
    bench.loop.withdraw("grid:")
    bench.renderer.let(2)
    assert [number(bench.result()) for _ in range(2)] == [0, 3]
    assert bench.loop.idle
    assert bench.loop.submit(asked(1, "grid:1"))  # not taken for the one that was withdrawn
    bench.renderer.let()
    assert number(bench.result()) == 1


def test_an_error_is_a_result_and_may_be_asked_again(bench):
    bench.renderer.errors[7] = ModelError("It broke.")
    bench.loop.submit(asked(7))
    bench.renderer.let()
    assert bench.result().error is bench.renderer.errors[7]
    del bench.renderer.errors[7]
    assert bench.loop.submit(asked(7))
    bench.renderer.let()
    assert bench.result().ok


def test_results_carry_their_time(bench):
    bench.loop.submit(asked(0))
    bench.renderer.let()
    assert bench.result().render_seconds > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_listeners_fault_does_not_end_the_thread():
    renderer = GatedRenderer()
    renderer.let(10)
    results: queue.Queue[RenderResult] = queue.Queue()

    def deliver(result: RenderResult) -> None:
        results.put(result)
        if number(result) == 0:
            raise RuntimeError("the window is gone")

    loop = RenderLoop(deliver, renderer)  # type: ignore[arg-type]
    loop.start()
    try:
        loop.submit(asked(0))
        assert number(results.get(timeout=SECONDS)) == 0
        loop.submit(asked(1))
        assert number(results.get(timeout=SECONDS)) == 1
    finally:
        loop.stop()


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_thumbnail_is_begun_while_the_person_is_likely_to_go_on():
    bench, clock = Bench(), Clock()
    bench.loop = RenderLoop(bench.results.put, bench.renderer, clock)  # type: ignore[arg-type]
    bench.loop.start()
    try:
        bench.loop.submit(asked(0))
        bench.begun()
        clock.now += 0.05  # that is what it takes
        bench.renderer.let()
        bench.result()
        bench.loop.submit(asked(1, "thumb:a", Priority.THUMBNAIL))
        bench.loop.submit(asked(2))
        assert bench.begun() == 2
        clock.now += 0.05
        bench.renderer.let()
        assert number(bench.result()) == 2
        assert not bench.loop.idle
        bench.renderer.let(2)
        clock.now += 0.2
        bench.loop.submit(asked(3, "thumb:b", Priority.THUMBNAIL))
        assert number(bench.result()) == 1
    finally:
        bench.renderer.let(100)
        bench.loop.stop()


def test_how_long_the_persons_pictures_will_take_is_known_from_the_last_one():
    bench, clock = Bench(), Clock()
    bench.loop = RenderLoop(bench.results.put, bench.renderer, clock)  # type: ignore[arg-type]
    bench.loop.start()
    try:
        assert bench.loop.busy("main") == (0.0, 0.0)
        bench.loop.submit(asked(1))
        assert bench.begun() == 1
        assert bench.loop.busy("main") == (0.0, 0.0), "nothing is known of the first"
        clock.now += 0.05
        bench.renderer.let()
        bench.result()
        assert bench.loop.busy("main") == (0.0, pytest.approx(0.05))
        bench.loop.submit(asked(2))
        assert bench.begun() == 2
        clock.now += 0.02
        assert bench.loop.busy("main") == pytest.approx((0.03, 0.05))
        bench.loop.submit(asked(3))
        assert bench.loop.busy("main") == pytest.approx((0.08, 0.05)), "and the one that waits"
        clock.now += 0.1
        assert bench.loop.busy("main") == pytest.approx((0.05, 0.05)), "late: it may end at any time"
    finally:
        bench.renderer.let(100)
        bench.loop.stop()


def test_a_pause_for_the_person_does_not_hold_up_jobs():
    bench, clock = Bench(), Clock()
    bench.loop = RenderLoop(bench.results.put, bench.renderer, clock)  # type: ignore[arg-type]
    bench.loop.start()
    try:
        bench.loop.submit(asked(0))
        bench.begun()
        clock.now += 0.05
        bench.renderer.let()
        bench.result()
        bench.loop.submit(asked(1, "thumb:a", Priority.THUMBNAIL))
        job = bench.loop.run_job(Job("count", counting(2, [])))
        assert job.finished.wait(SECONDS)
        assert not bench.loop.idle
    finally:
        bench.renderer.let(100)
        bench.loop.stop()


# -- jobs


def counting(steps: int, seen: list[str], bench: Bench | None = None) -> Callable[[object], Iterator[float]]:
    def work(_: object) -> Iterator[float]:
        try:
            for i in range(steps):
                seen.append(f"step {i}")
                yield (i + 1) / steps
        finally:
            seen.append("closed")

    return work


def test_a_job_runs_to_its_end_and_tells_its_progress(bench):
    seen: list[str] = []
    progress: list[float] = []
    job = bench.loop.run_job(Job("count", counting(4, seen), lambda j: progress.append(j.progress)))
    assert job.finished.wait(SECONDS)
    assert job.done
    assert job.error is None
    assert progress == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert seen == ["step 0", "step 1", "step 2", "step 3", "closed"]


def test_what_the_person_drags_goes_between_two_steps(bench):
    order: list[str] = []
    at_first, go_on = threading.Event(), threading.Event()

    def work(_: object) -> Iterator[float]:
        order.append("step 0")
        at_first.set()
        assert go_on.wait(SECONDS)
        yield 0.5
        order.append("step 1")
        yield 1.0

    bench.renderer.render = lambda request: order.append("picture") or RenderResult(request)  # type: ignore[method-assign,func-returns-value]
    job = bench.loop.run_job(Job("export", work))
    assert at_first.wait(SECONDS)
    bench.loop.submit(asked(1))
    bench.loop.submit(asked(2, "batch", Priority.BATCH))
    go_on.set()
    assert job.finished.wait(SECONDS)
    assert number(bench.result()) == 1
    assert number(bench.result()) == 2
    assert order == ["step 0", "picture", "step 1", "picture"]


def test_jobs_run_one_after_the_other(bench):
    seen: list[str] = []
    first = bench.loop.run_job(Job("a", counting(2, seen)))
    second = bench.loop.run_job(Job("b", counting(1, seen)))
    assert second.finished.wait(SECONDS)
    assert first.done
    assert seen == ["step 0", "step 1", "closed", "step 0", "closed"]
    assert bench.loop.idle


def test_a_cancelled_job_cleans_up(bench):
    seen: list[str] = []
    jobs: list[Job] = []

    def cancel_at_half(job: Job) -> None:
        if job.progress >= 0.5:
            job.cancel()

    jobs.append(bench.loop.run_job(Job("count", counting(100, seen), cancel_at_half)))
    assert jobs[0].finished.wait(SECONDS)
    assert isinstance(jobs[0].error, Cancelled)
    assert seen[-2:] == ["step 49", "closed"]


def test_a_failing_job_is_an_error_and_the_next_one_runs(bench):
    def refuse(_: object) -> Iterator[float]:
        yield 0.5
        raise ExportError("The disk is full.")

    def crash(_: object) -> Iterator[float]:
        raise ZeroDivisionError("by zero")
        yield 0.0

    first = bench.loop.run_job(Job("film", refuse))
    second = bench.loop.run_job(Job("grid", crash))
    third = bench.loop.run_job(Job("count", counting(1, [])))
    assert third.finished.wait(SECONDS)
    assert isinstance(first.error, ExportError)
    assert isinstance(second.error, ModelError)
    assert second.error.message == "grid failed: by zero."
    assert "ZeroDivisionError" in second.error.details
    assert third.error is None


def test_stopping_cancels_jobs_that_run_wait_or_come_late():
    bench = Bench()
    seen: list[str] = []
    first_step, go_on = threading.Event(), threading.Event()

    def slow(_: object) -> Iterator[float]:
        try:
            first_step.set()
            assert go_on.wait(SECONDS)
            while True:
                yield 0.5
        finally:
            seen.append("closed")

    bench.loop.start()
    running = bench.loop.run_job(Job("slow", slow))
    waiting = bench.loop.run_job(Job("count", counting(1, seen)))
    assert first_step.wait(SECONDS)
    go_on.set()
    bench.loop.stop()
    late = bench.loop.run_job(Job("late", counting(1, seen)))
    for job in (running, waiting, late):
        assert job.finished.is_set()
        assert isinstance(job.error, Cancelled)
    assert seen == ["closed"]


def test_stopping_drops_what_waits():
    bench = Bench()
    bench.loop.start()
    bench.loop.submit(asked(0))
    bench.begun()
    bench.loop.submit(asked(1))
    stopper = threading.Thread(target=bench.loop.stop)
    stopper.start()
    while not bench.loop.idle:  # stop() drops the waiting request at once, before it joins
        pass
    bench.renderer.let()
    stopper.join(SECONDS)
    assert number(bench.result()) == 0
    assert bench.results.empty()
