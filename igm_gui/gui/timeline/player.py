"""Playing in real time: every frame has its own deadline, counted from the start."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from igm_gui.engine.audio.timeline_stream import Heard
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult

OUTLINE_SECONDS = 0.3
JITTER = 0.08  # seconds; a device takes several blocks of sound at once


class Player(QObject):
    """Moves the studio's playhead while it plays.

    The moment on show is start + whole frames since the start / fps, read from a monotonic clock:
    a late frame is left out, and time never drifts. ``clock`` gives seconds (a test has its own).
    """

    playing_changed = Signal(bool)
    sought = Signal(float)  # seconds: it plays on from there

    def __init__(
        self, studio: Studio, parent: QObject | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._clock = clock
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._started = 0.0
        self._from = 0.0
        self._outlined = 0.0
        self.playing = False
        # What a sound model lets be heard, which the playhead then goes by; None where it goes by the clock.
        self.follow: Callable[[], Heard | None] | None = None
        studio.rendered.connect(self._on_rendered)

    def toggle(self) -> None:
        """Play or pause."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        """Play from the playhead, or from the start where it stands at the end."""
        timeline = self._studio.state.timeline
        if self.playing or not timeline.keyframes:
            return
        at = self._studio.playhead or 0.0
        if at >= timeline.length - 0.5 / timeline.fps:
            at = 0.0
        self.playing = True
        self._anchor(at)
        self.playing_changed.emit(True)
        self._studio.pace_changed.emit(timeline.fps)
        self._tick()

    def pause(self) -> None:
        """Stop where it is."""
        if self.playing:
            self.playing = False
            self._timer.stop()
            self.playing_changed.emit(False)
            self._studio.pace_changed.emit(0.0)

    def seek(self, seconds: float) -> None:
        """Go to ``seconds``, playing on where it plays."""
        timeline = self._studio.state.timeline
        seconds = min(max(seconds, 0.0), timeline.length)
        if self.playing:
            self._anchor(seconds)
            self.sought.emit(seconds)
        self._studio.set_playhead(seconds)

    def retime(self) -> None:
        """The timeline changed while it plays: go on from here at its new pace."""
        timeline = self._studio.state.timeline
        if self.playing:
            if timeline.keyframes:
                self._anchor(min(self._studio.playhead or 0.0, timeline.length))
                self._studio.pace_changed.emit(timeline.fps)
            else:
                self.pause()

    def _anchor(self, seconds: float) -> None:
        self._from, self._started = seconds, self._clock()

    def _tick(self) -> None:
        if not self.playing:
            return
        timeline = self._studio.state.timeline
        self._go_by_sound()
        # The small term keeps a timer that fired on the dot from showing the frame before.
        frame = math.floor((self._clock() - self._started) * timeline.fps + 1e-3)
        seconds = self._from + frame / timeline.fps
        if seconds >= timeline.length - 1e-9:
            if not timeline.loop:
                self._studio.set_playhead(timeline.length)
                self.pause()
                return
            # Whole rounds are taken off the starting point: the deadlines stay where they are.
            self._from -= timeline.length * math.floor(seconds / timeline.length + 1e-9)
            seconds = max(self._from + frame / timeline.fps, 0.0)
        self._studio.set_playhead(seconds, self._renders())
        due = self._started + (frame + 1) / timeline.fps
        self._timer.start(max(0, math.ceil((due - self._clock()) * 1000)))

    @property
    def started_at(self) -> float:
        """The second of the timeline that it went on from last."""
        return self._from

    def _go_by_sound(self) -> None:
        """Be where the sound is: it may begin late, and goes by the device's clock."""
        heard = self.follow() if self.follow is not None else None
        if heard is None:
            return
        timeline = self._studio.state.timeline
        off = self._from + self._clock() - self._started - heard.place
        if timeline.loop and timeline.length:
            off -= timeline.length * round(off / timeline.length)
        if not heard.moving or abs(off) > max(1.5 / timeline.fps, JITTER):
            self._anchor(heard.place)

    def _renders(self) -> bool:
        """Whether this frame is rendered: every one of a film, but a sound's outline only now and then,
        because what is heard is streamed or rendered apart."""
        info = self._studio.session.info
        if info is None or info.media != "sound":
            return True
        now = self._clock()
        if now - self._outlined < OUTLINE_SECONDS:
            return False
        self._outlined = now
        return True

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot == "main" and result.error is not None:
            self.pause()
