"""The thread that plays: commands in, blocks to the device."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.mixer import Mixer
from igm_gui.engine.audio.output import MOST_LATENCY, NO_DEVICE, Opener, Output
from igm_gui.engine.audio.status import Mark, block_for
from igm_gui.engine.audio.voices import Clip, LiveVoice, Voice
from igm_gui.errors import DeviceError

CROSSFADE = 0.025  # seconds, between two renderings
STOP_FADE = 0.015
RETRIGGER_FADE = 0.008
SAFETY = 0.06  # seconds that the device must hold at any time
GRACE = 1.5  # seconds of silence before the device is given back
RETRY, LONGEST_RETRY = 2.0, 30.0  # seconds between two looks for a device that went away


def _be_urgent() -> None:
    """Real-time scheduling for the calling thread, where the system grants it (Linux, to the audio group):
    it mostly sleeps, and must be let run at once when it wakes."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class PlayingThread:
    """Runs commands between blocks, and owns the output: opens, fills, changes, loses and gives it back.

    The thread starts with the first command. The other methods here are for this thread alone; other threads
    give it commands with :meth:`_do` and read what it leaves.
    """

    def __init__(self, opener: Opener | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.notices: deque[str] = deque(maxlen=8)
        self.news: deque[str] = deque(maxlen=8)
        self._opener = opener or Opener()
        self._clock = clock
        self._commands: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wanted = ""
        self._volume = 1.0
        self._starting = False  # asked to play, not yet begun
        self._actual: dict[int, int] = {}  # rate asked -> rate of the device
        # Below here only the playing thread writes.
        self._output: Output | None = None
        self._asked = 0
        self._mixer = Mixer(block_for(48_000), 48_000)
        self._block = np.zeros((self._mixer.block, 2), np.float32)
        self._silent = 0.0
        self._since_open = 0.0
        self._dry = 0
        self._mark: Mark | None = None
        self._levels: deque[tuple[float, float]] = deque(maxlen=128)  # when each block was written, its level
        self._live: LiveVoice | None = None
        self._look_later = False
        self._said = ""
        self._pause = RETRY
        self._look_again: float | None = None  # when to look whether a lost device is back

    def _do(self, command: Callable[[], None]) -> None:
        with self._wake:
            if self._closing:
                return
            self._commands.append(command)
            self._wake.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        # A thread that only waits for its turn must not wait 5 ms (the default) for it each time.
        sys.setswitchinterval(min(sys.getswitchinterval(), 5e-4))
        _be_urgent()
        while True:
            while self._commands:
                self._commands.popleft()()
            if self._closing:
                break
            if not self._mixer.sounding and self._silent >= GRACE:
                self._close_output()
            if self._output is None:
                self._rest()
            else:
                self._next_block()
        if self._output is not None:
            self._drain()
            self._close_output()

    def _rest(self) -> None:
        if self._look_later:
            self._look_later = False
            self._opener.look()
        with self._wake:
            while not (self._commands or self._closing):
                self._wake.wait()

    def _next_block(self) -> None:
        live = self._live
        if live is not None and self._output is not None and live is self._mixer.current:
            # What the device still holds is time for a stream that is a little late.
            spare = self._output.queued() - min(SAFETY, 0.4 * self._output.latency)
            live.wait_for(self._mixer.block, spare)
        self._mixer.mix(self._block)
        self._write(self._block)
        self._levels.append((self._clock(), self._mixer.level))
        self._look_for_lost()
        current = self._mixer.current
        if isinstance(current, Clip):
            self._mark = Mark(current, current.start + current.played, self._clock())
        elif current is not None or (
            not self._mixer.sounding and self._mark and self._silent > self._latency + 0.05
        ):
            self._mark = None
        if current is not self._live and not self._mixer.sounding:
            self._live = None
        seconds = self._mixer.block / self._mixer.rate
        self._silent = 0.0 if self._mixer.sounding else self._silent + seconds

    @property
    def _latency(self) -> float:
        return self._output.latency if self._output is not None else 0.0

    def _write(self, block: NDArray[np.float32]) -> None:
        output = self._output
        assert output is not None
        try:
            dry = output.write(block)
        except DeviceError as error:
            self._lose(error)
            return
        # A fresh stream reports that it was empty until it has been filled once.
        self._since_open += len(block) / output.rate
        if dry and self._mixer.sounding and self._since_open > output.latency + 0.05:
            self._dry += 1

    def _lose(self, error: DeviceError) -> None:
        """The device is gone: go on in silence, and say so."""
        assert self._output is not None
        rate = self._output.rate
        self._output.close()
        self._opener.devices = ()
        self._output = self._opener.open(NO_DEVICE, rate)[0]
        self.notices.append(f"{error} The sound goes on unheard until it is back.")
        self._pause, self._look_again = RETRY, self._clock() + RETRY

    def _look_for_lost(self) -> None:
        """A device that is back, or is there at last, is heard again: what sounds goes on there."""
        output = self._output
        if self._look_again is None or output is None or self._clock() < self._look_again:
            return
        self._opener.look()
        found = self._opener.open(self._wanted, output.rate)[0] if self._opener.has(self._wanted) else None
        if found is not None and found.real and found.rate == output.rate:
            self._look_again = None
            self._carry(found)
            self.news.append(f"{found.name} plays again.")
        else:
            if found is not None:
                found.close()
            self._pause = min(self._pause * 1.5, LONGEST_RETRY)
            self._look_again = self._clock() + self._pause

    def _open(self, rate: int, exact: bool = False) -> Output:
        """An output for sound at ``rate``. While something sounds, the open one is kept, and what comes is
        resampled: to open it anew would be a gap. ``exact`` allows no other rate."""
        if self._output is not None:
            if rate == self._output.rate or (not exact and (rate == self._asked or self._mixer.sounding)):
                return self._output
            self._drain()
            self._close_output()
        output = self._open_wanted(rate)
        self._install(output, rate)
        self._actual[rate] = output.rate
        return output

    def _open_wanted(self, rate: int) -> Output:
        output, notice = self._opener.open(self._wanted, rate)
        if notice and notice != self._said:
            self.notices.append(notice)
        self._said = notice  # the same sentence once, not at every play
        missing = not output.real and self._wanted != NO_DEVICE
        self._pause, self._look_again = RETRY, self._clock() + RETRY if missing else None
        return output

    def _install(self, output: Output, rate: int) -> None:
        mixer = Mixer(block_for(output.rate), output.rate, self._volume)
        self._block = np.zeros((mixer.block, 2), np.float32)
        self._mixer, self._output, self._asked = mixer, output, rate
        self._since_open = self._silent = 0.0
        self._dry = 0

    def _drain(self) -> None:
        """Fade out and write silence until the device has played everything it holds."""
        self._mixer.stop(0.01)
        assert self._output is not None
        left = int((self._output.latency + 0.06) * self._output.rate)
        while left > 0:
            self._mixer.mix(self._block)
            self._write(self._block)
            left -= len(self._block)

    def _fill(self, output: Output) -> None:
        """Silence until a fresh device is full: it would take a stream's whole lead at one draught."""
        self._block.fill(0.0)
        while self._since_open < output.latency and output is self._output:
            self._write(self._block)

    def _close_output(self) -> None:
        if self._output is not None:
            self._output.close()
        if self._dry:
            # This machine is busier than the buffer is long: a longer one the next time.
            self._opener.latency = min(self._opener.latency * 1.4, MOST_LATENCY)
            self._dry = 0
        self._output = None
        self._mark = None
        self._live = None
        self._look_again = None
        self._levels.clear()

    def _change_device(self) -> None:
        self._actual.clear()
        if self._output is None:
            return
        rate, current = self._asked, self._mixer.current
        if self._output.real:
            self._drain()  # cut off in mid-swing it would click
        self._output.close()
        self._said = ""
        if self._wanted != NO_DEVICE:
            self._opener.look()  # no stream is open: what was connected meanwhile is seen
        output = self._open_wanted(rate)
        self._actual[rate] = output.rate
        self._carry(output, current)

    def _carry(self, output: Output, current: Voice | None = None) -> None:
        """Go on at ``output`` with what sounds, or with ``current``."""
        current = current or self._mixer.current
        before = self._output
        self._install(output, self._asked)
        if before is not None and before is not output:
            before.close()
        if isinstance(current, Clip):
            current.convert(output.rate)
        elif isinstance(current, LiveVoice):
            self._fill(output)
        if current is not None:
            self._mixer.start(current, RETRIGGER_FADE, 0.0)

    def _start(self, voice: Voice, fade_in: float, fade_out: float) -> None:
        if isinstance(voice, LiveVoice):
            self._fill(self._open(voice.data_rate, exact=True))
            self._live = voice
        else:
            output = self._open(voice.rate)
            if isinstance(voice, Clip):
                voice.convert(output.rate)
        self._mixer.start(voice, fade_in, fade_out)
        self._silent = 0.0
        self._starting = False

    def _swap(self, clip: Clip) -> None:
        current = self._mixer.current
        if isinstance(current, Clip) and self._output is not None:
            clip.convert(self._output.rate)
            clip.follow(current)
            if clip.loop:
                clip.start %= max(1, len(clip.frames))
            elif clip.start >= len(clip.frames):
                clip.start = 0  # the place lies behind the end of this one
            self._mixer.start(clip, CROSSFADE, CROSSFADE)
            self._starting = False
        else:
            self._start(clip, 0.0, CROSSFADE)
