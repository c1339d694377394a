"""The render thread: newest request wins, interactive before thumbnails before long jobs."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import Cancelled, IgmError, ModelError
from igm_gui.requests import Priority, RenderRequest, RenderResult

Deliver = Callable[[RenderResult], None]
Work = Callable[[Renderer], Iterator[float]]
QUIET_RENDERINGS = 3.0
MAX_QUIET_SECONDS = 0.3


class Job:
    """A long piece of work on the render thread, one step at a time.

    ``work(renderer)`` is an iterator that yields its progress from 0 to 1 after each step; what
    the person drags meanwhile goes ahead between two steps. ``changed(job)`` is called on the render
    thread after each step and at the end. Closing the iterator must clean up (atomic writing does).
    """

    def __init__(self, name: str, work: Work, changed: Callable[[Job], None] | None = None) -> None:
        self.name = name
        self.progress = 0.0
        self.done = False
        self.error: IgmError | None = None
        self.finished = threading.Event()
        self._work = work
        self._steps: Iterator[float] | None = None
        self._changed = changed
        self._cancelled = False

    def cancel(self) -> None:
        """Stop before the next step. Ends with the error :class:`Cancelled`."""
        self._cancelled = True

    def step(self, renderer: Renderer) -> bool:
        """One step; True while there is more to do."""
        try:
            if self._cancelled:
                if self._steps is not None and hasattr(self._steps, "close"):
                    self._steps.close()
                raise Cancelled()
            if self._steps is None:
                self._steps = iter(self._work(renderer))
            self.progress = min(max(next(self._steps), 0.0), 1.0)
        except StopIteration:
            self.progress, self.done = 1.0, True
        except IgmError as error:
            self.error, self.done = error, True
        except Exception as error:
            self.error = ModelError(f"{self.name} failed: {error}.", "", traceback.format_exc())
            self.done = True
        if self._changed is not None:
            self._changed(self)
        if self.done:
            self.finished.set()
        return not self.done


class RenderLoop:
    """One daemon thread around a :class:`Renderer`.

    ``submit`` never blocks: it overwrites the waiting request of the same slot. ``deliver`` is called on
    the render thread with every result. A request equal to the slot's last one (waiting, running
    or done) is dropped: nothing is rendered when nothing changed.
    """

    def __init__(
        self,
        deliver: Deliver,
        renderer: Renderer | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._last_interactive = (-MAX_QUIET_SECONDS, 0.0)  # when the last one ended, and what it took
        self._ends = -1.0  # when the person's rendering that runs is expected to
        self.renderer = renderer or Renderer()
        self._deliver = deliver
        self._waiting: dict[str, RenderRequest] = {}
        self._latest: dict[str, RenderRequest] = {}
        self._jobs: list[Job] = []
        self._lock = threading.Condition()
        self._stopping = False
        self._resting = False  # the thread waits for work
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread after the step it is in; waiting requests are dropped, jobs cancelled."""
        with self._lock:
            self._stopping = True
            self._waiting.clear()
            for job in self._jobs:
                job.cancel()
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, request: RenderRequest, force: bool = False) -> bool:
        """Ask for ``request``; False where it is the slot's last one already (unless ``force``)."""
        with self._lock:
            if not force and self._latest.get(request.slot) == request:
                return False
            self._latest[request.slot] = request
            self._waiting[request.slot] = request
            self._lock.notify()
            begun_at_once = self._resting and request.priority == Priority.INTERACTIVE
        if begun_at_once:
            # The interpreter goes to the render thread now, not after a turn of the caller's: the network
            # begins, and what else follows from the person's move is done beside it. Not while a picture is
            # made: its threads would have this one's core for a while.
            time.sleep(0)
        return True

    def withdraw(self, slot: str) -> None:
        """Forget what waits in ``slot`` (slots that start with it, where it ends with ``:``)."""
        with self._lock:
            for name in [
                n for n in self._waiting if n == slot or (slot.endswith(":") and n.startswith(slot))
            ]:
                del self._waiting[name]
            for name in [n for n in self._latest if n == slot or (slot.endswith(":") and n.startswith(slot))]:
                del self._latest[name]

    def is_latest(self, request: RenderRequest) -> bool:
        """Whether no newer request was made in this one's slot."""
        return self._latest.get(request.slot) is request

    def run_job(self, job: Job) -> Job:
        """Queue a long piece of work; jobs run one after the other."""
        with self._lock:
            if not self._stopping:
                self._jobs.append(job)
                self._lock.notify()
                return job
        job.cancel()
        job.step(self.renderer)
        return job

    def waits(self, slot: str) -> bool:
        """Whether the newest request of ``slot`` has not been begun."""
        return slot in self._waiting

    def busy(self, slot: str) -> tuple[float, float]:
        """Seconds that the person's rendering that runs, and the one that waits in ``slot``, are expected to
        take from now on (0 where there is neither), and that the last one took."""
        took = self._last_interactive[1]
        left = max(0.0, self._ends - self._clock())
        return left + (took if self.waits(slot) else 0.0), took

    @property
    def idle(self) -> bool:
        with self._lock:
            return not self._waiting and not self._jobs

    def _next(self) -> RenderRequest | Job | None:
        """Wait for work and take the most urgent; None to end."""
        with self._lock:
            while not self._stopping:
                pause: float | None = None
                if self._waiting:
                    request = min(self._waiting.values(), key=lambda r: r.priority)
                    pause = 0.0 if request.priority == Priority.INTERACTIVE else self._quiet_left()
                    if not pause and not (self._jobs and request.priority == Priority.BATCH):
                        del self._waiting[request.slot]
                        return request
                if self._jobs:
                    return self._jobs[0]
                self._resting = True
                self._lock.wait(pause)
                self._resting = False
        return None

    def _quiet_left(self) -> float:
        """Seconds for which nothing but the person's own requests is begun.

        A rendering can't be interrupted. Right after one that the person asked for, the next is likely:
        a thumbnail begun in between would make it wait. The slower the model, the longer the pause.
        """
        ended, took = self._last_interactive
        return max(0.0, ended + min(QUIET_RENDERINGS * took, MAX_QUIET_SECONDS) - self._clock())

    def _tell(self, result: RenderResult) -> None:
        try:
            self._deliver(result)
        except Exception:
            # A listener's fault is reported like any thread's, but must not end the render thread.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def _run(self) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, Job):
                if not work.step(self.renderer):
                    with self._lock:
                        self._jobs.remove(work)
                continue
            start = self._clock()
            if work.priority == Priority.INTERACTIVE:
                self._ends = start + self._last_interactive[1]
            result = self.renderer.render(work)
            seconds = self._clock() - start
            self._ends = start
            if work.priority == Priority.INTERACTIVE:
                self._last_interactive = (start + seconds, seconds)
            if result.error is not None:
                # A failed request may be asked again: the file may have been mended.
                with self._lock:
                    if self._latest.get(work.slot) is work:
                        del self._latest[work.slot]
            self._tell(result if result.render_seconds else replace(result, render_seconds=seconds))
        for job in self._jobs:
            job.cancel()
            job.step(self.renderer)
