"""What every widget may know: the session, results as they arrive, long jobs, notices."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from igm_gui.engine.loop import Job, RenderLoop, Work
from igm_gui.errors import Cancelled, IgmError
from igm_gui.formats import library
from igm_gui.formats.card import card_info, read_card
from igm_gui.formats.trust import TrustNeeded, trust
from igm_gui.generators.memory import TooLarge, allow_half
from igm_gui.generators.roles import RolesNeeded
from igm_gui.gui.models.opening import Opener
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import Priority, RenderRequest, RenderResult
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState

LEAD_SECONDS = 0.005  # before a picture is done the next is asked for: the render thread must not wait
LONG_SECONDS = 0.02  # pictures that take as long are asked for once each
PATIENCE, LONGEST_PATIENCE = 0.016, 0.04  # what follows the pointer itself is painted at least so often


@dataclass(frozen=True)
class Notice:
    """A sentence for the person. ``kind`` is ``info``, ``good``, ``error`` or ``question``; ``retry`` may be
    offered, on a button called ``action``."""

    text: str
    hint: str = ""
    details: str = ""
    kind: str = "info"
    retry: Callable[[], object] | None = None
    action: str = "Retry"
    icon: str = "folder-open"  # of that button, where it is neither an error's nor a question's
    open: Callable[[], object] | None = None  # opens what the sentence is about, on a button of its own


class Studio(QObject):
    """The bridge between a :class:`Session` and the render thread.

    Widgets read ``session.state``, change it through the session and its actions, and listen to
    ``changed``. Pictures come back on ``rendered``, always on the interface's thread; a stale result of a
    slot is not delivered. Widgets never see the renderer and never each other.
    """

    changed = Signal(object, object)  # SessionState, frozenset of changed names
    rendered = Signal(object)  # RenderResult, the newest of its slot
    notice = Signal(object)  # Notice
    job_changed = Signal(object)  # Job: progress, done, error
    playhead_changed = Signal(float)
    pace_changed = Signal(float)  # pictures a second that what plays aims at, 0 when nothing does
    painted = Signal()  # the newest main result is on screen
    roles_asked = Signal(str, object)  # model, RolesNeeded: what its inputs are is to be said
    closing = Signal()  # the last chance to stop what plays

    _arrived = Signal(object)
    _job_stepped = Signal(object)

    def __init__(self, session: Session | None = None, loop: RenderLoop | None = None) -> None:
        super().__init__()
        self.session = session or Session()
        self.loop = loop or RenderLoop(self._arrived.emit)
        self.jobs: list[Job] = []
        self.playhead: float | None = None
        self.last: RenderResult | None = None
        self.asked_at = 0.0  # perf_counter when the newest main result was asked for
        self._asked: deque[tuple[RenderRequest, float]] = deque(maxlen=256)
        self._done_calls: dict[int, Callable[[Job], None]] = {}
        self._thumbs: dict[str, tuple[RenderRequest, Callable[[RenderResult], None]]] = {}
        self.opener = Opener(self)
        self._arrived.connect(self._on_arrived)
        self._job_stepped.connect(self._on_job)
        self._stop_listening = self.session.listen(self._on_session)

    @property
    def state(self) -> SessionState:
        return self.session.state

    def start(self) -> None:
        """Start the render thread and ask for the current point."""
        self.loop.start()
        self.refresh()

    def close(self) -> None:
        """Stop the render thread; nothing is delivered afterwards."""
        self.closing.emit()
        self._stop_listening()
        self.loop.stop()

    # -- rendering

    def refresh(self, force: bool = False) -> None:
        """Ask for the main picture: the timeline's at the playhead, or the current point's."""
        if self.state.model:
            now = time.perf_counter()
            request = self.session.request(at=self.playhead)
            self._asked.append((request, now))
            if not self.loop.submit(request, force):
                self._asked.pop()

    @property
    def due(self) -> float:
        """Seconds until the next main picture is to be asked for, where pictures take long: shortly before
        the render thread is expected to be free. Once is enough, for the newest place of the pointer."""
        busy, took = self.loop.busy("main")
        return max(0.0, busy - LEAD_SECONDS) if took >= LONG_SECONDS else 0.0

    @property
    def patience(self) -> float:
        """Seconds for which a change of the main picture may wait for the next one without being seen later:
        until it is due, or a turn of the screen while one waits to be begun."""
        if self.loop.busy("main")[1] >= LONG_SECONDS:
            return min(self.due, LONGEST_PATIENCE)
        return PATIENCE if self.loop.waits("main") else 0.0

    def thumbnail(
        self,
        slot: str,
        model: str,
        points: tuple[LatentPoint, ...],
        side: int,
        done: Callable[[RenderResult], None],
    ) -> None:
        """Render ``points`` no larger than ``side`` pixels when nothing more urgent waits; ``done`` is
        called on the interface's thread with the result, unless a newer call took the slot."""
        request = RenderRequest(
            model, points, f"thumb:{slot}", Priority.THUMBNAIL, self.state.device, width=side, conform=True
        )
        self._thumbs[request.slot] = (request, done)
        self.loop.submit(request, force=True)

    def drop_thumbnails(self, prefix: str) -> None:
        """Forget the thumbnails asked for in slots that start with ``prefix``; none of them is delivered."""
        for slot in [name for name in self._thumbs if name.startswith(f"thumb:{prefix}")]:
            del self._thumbs[slot]
            self.loop.withdraw(slot)

    def set_playhead(self, seconds: float | None, render: bool = True) -> None:
        """Show the timeline at ``seconds``; None shows the current point again. Without ``render`` only the
        playhead moves, and the picture stays for the next :meth:`refresh`."""
        if seconds == self.playhead:
            return
        self.playhead = seconds
        if render:
            self.refresh()
        if seconds is not None:
            self.playhead_changed.emit(seconds)

    # -- models

    def open_model(self, model: str) -> bool:
        """Change to a bundled name or path; the old picture stays until the new one is there.

        A file not seen before is tried first, in the background; the change follows. True where the model
        changes, now or then.
        """
        model = library.called(model)
        return self.opener.open(model) or self.open_now(model)

    def open_now(self, model: str) -> bool:
        """Change to a bundled name or path without a trial in the background."""
        info = self.card_of(model)
        return self.session.open_model(model, info)

    def card_of(self, model: str) -> GeneratorInfo | None:
        """What is known of ``model`` without loading it; None where that is nothing."""
        known = self.session.infos.get(model)
        if known is not None:
            return known
        try:
            path = library.find(model)
            return card_info(read_card(path), path)
        except IgmError:
            return None

    # -- long work

    def run(self, name: str, work: Work, done: Callable[[Job], None] | None = None) -> Job:
        """Run a long piece of work on the render thread, with progress on ``job_changed``.

        ``done`` is called on the interface's thread at the end. A failure becomes a notice.
        """
        job = Job(name, work, self._job_stepped.emit)
        if done is not None:
            self._done_calls[id(job)] = done
        self.jobs.append(job)
        self.loop.run_job(job)
        self.job_changed.emit(job)
        return job

    def say(self, text: str, hint: str = "", kind: str = "info") -> None:
        """Show a sentence for a few seconds."""
        self.notice.emit(Notice(text, hint, kind=kind))

    def fail(self, error: IgmError, retry: Callable[[], object] | None = None, model: str = "") -> None:
        """Show an error with its hint; details one click away. What a yes would mend is asked instead, and
        so are the roles of the inputs of ``model``."""
        action, kind = "Retry", "error"
        if isinstance(error, RolesNeeded) and error.arguments and model:
            self.roles_asked.emit(model, error)
            return
        if isinstance(error, TrustNeeded | TooLarge):
            kind, again, sha256 = "question", retry, error.sha256
            action = "Open it" if isinstance(error, TrustNeeded) else "Open in half precision"
            remember = trust if isinstance(error, TrustNeeded) else allow_half
            name = error.message.split(" is a " if isinstance(error, TrustNeeded) else " needs ")[0]

            def retry() -> None:
                try:
                    remember(sha256, name)
                except IgmError as failed:
                    self.fail(failed)
                    return
                if again is not None:
                    again()

        self.notice.emit(Notice(error.message, error.hint, error.details, kind, retry, action))

    # -- what comes back (interface's thread)

    def _on_session(self, state: SessionState, changed: frozenset[str]) -> None:
        asks = bool(changed & {"model", "point", "device", "timeline"})
        if asks and "model" not in changed:
            self.refresh()  # first: the network begins while the rest of the window follows
        self.changed.emit(state, changed)
        if asks and "model" in changed:
            # In a turn of its own: loading shares the interpreter, and panels are made for the new inputs.
            QTimer.singleShot(0, self, self.refresh)

    def _on_arrived(self, result: RenderResult) -> None:
        request = result.request
        if result.info is not None:
            self.session.learn(result.info, request.model)
        if request.slot.startswith("thumb:"):
            waiting = self._thumbs.get(request.slot)
            # An older rendering of the slot may still come in: it belongs to nobody any more.
            if waiting is not None and waiting[0] is request:
                del self._thumbs[request.slot]
                waiting[1](result)
            return
        if request.slot == "main":
            while self._asked:
                asked, when = self._asked.popleft()
                if asked is request:
                    self.asked_at = when
                    break
            if request.model != self.state.model:
                return
            if result.error is not None:
                self.fail(result.error, lambda: self.refresh(force=True), request.model)
            elif not request.points:
                # Only the inputs were asked for; session.learn has made the point fit.
                self.refresh()
            else:
                self.last = result
            if result.notice:
                self.say(result.notice)
        self.rendered.emit(result)

    def _on_job(self, job: Job) -> None:
        self.job_changed.emit(job)
        if not job.done or job not in self.jobs:
            return
        self.jobs.remove(job)
        done = self._done_calls.pop(id(job), None)
        if job.error is not None:
            if isinstance(job.error, Cancelled):
                self.say(f"{job.name}: cancelled. Nothing was written.")
            else:
                self.fail(job.error)
        if done is not None:
            done(job)
