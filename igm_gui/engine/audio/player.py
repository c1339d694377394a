"""The thread that plays: commands in, blocks to the device, what is heard where."""

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
from igm_gui.engine.audio.output import MOST_LATENCY, NO_DEVICE, Opener, Output, OutputDevice
from igm_gui.engine.audio.status import Mark, Opening, PlayerStatus, block_for
from igm_gui.engine.audio.voices import Clip, LiveVoice, Voice
from igm_gui.errors import DeviceError

CROSSFADE = 0.025  # seconds, between two renderings
STOP_FADE = 0.015
RETRIGGER_FADE = 0.008
SAFETY = 0.06  # seconds that the device must hold at any time
GRACE = 1.5  # seconds of silence before the device is given back


def _be_urgent() -> None:
    """Real-time scheduling for the calling thread, where the system grants it (Linux, to the audio group):
    it mostly sleeps, and must be let run at once when it wakes."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Player:
    """Plays clips and live voices through one output. The methods never block.

    The thread starts with the first sound and gives the device back after a while of silence, so that
    nothing runs at rest. ``notices`` collects sentences for the person (a lost device, none found).
    """

    def __init__(self, opener: Opener | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.notices: deque[str] = deque(maxlen=8)
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
        self._live: LiveVoice | None = None
        self._look_later = False
        self._said = ""

    # -- what the interface calls

    def play(self, samples: NDArray[np.float32], rate: int, loop: bool = False, start: float = 0.0) -> None:
        """Play float32 ``(channels, n)`` in [-1, 1] at ``rate`` Hz from ``start`` seconds on.

        What sounds already leaves with a short fade; the new sound's own attack is kept.
        """
        clip = self._clip(samples, rate, loop, start)
        self._starting = True
        self._do(lambda: self._start(clip, 0.0 if clip.start == 0 else RETRIGGER_FADE, RETRIGGER_FADE))

    def swap(self, samples: NDArray[np.float32], rate: int, loop: bool = False) -> None:
        """Crossfade from the clip that plays to a new rendering, at the same place; from the start where
        nothing plays."""
        clip = self._clip(samples, rate, loop, 0.0)
        self._starting = True
        self._do(lambda: self._swap(clip))

    def attach(self, voice: LiveVoice) -> None:
        """Bring in a live voice; what sounds crossfades into it."""

        def begin() -> None:
            if not voice.cancelled:
                self._start(voice, CROSSFADE, CROSSFADE)

        self._do(begin)

    def stop(self, fade: float = STOP_FADE) -> None:
        """Fade out what sounds."""

        def fade_out() -> None:
            self._mixer.stop(fade)
            self._mark = None

        self._do(fade_out)

    def set_loop(self, loop: bool) -> None:
        """Whether the clip that plays starts again at its end."""

        def change() -> None:
            if isinstance(self._mixer.current, Clip):
                clip = self._mixer.current
                if clip.loop and not loop:
                    clip.start, clip.played = (clip.start + clip.played) % max(1, len(clip.frames)), 0
                clip.loop = loop

        self._do(change)

    def set_volume(self, volume: float) -> None:
        """0 to 1."""
        self._volume = min(max(volume, 0.0), 1.0)
        self._mixer.volume = self._volume

    @property
    def volume(self) -> float:
        return self._volume

    def set_device(self, name: str) -> None:
        """Change to a device by name; empty for the default one, :data:`NO_DEVICE` for silence."""
        self._wanted = name
        self._do(self._change_device)

    @property
    def wanted_device(self) -> str:
        """The device chosen by the person; empty for the default one."""
        return self._wanted

    @property
    def devices(self) -> tuple[OutputDevice, ...]:
        """The devices found when they were last looked for."""
        return self._opener.devices

    def look_for_devices(self) -> threading.Event:
        """Look for devices in the background; the answer is set when :attr:`devices` is fresh.

        While something plays the list stays as it is: looking again would end the sound.
        """
        done = threading.Event()

        def look() -> None:
            if self._output is not None and self._output.real:
                self._look_later = True
            else:
                self._opener.look()
            done.set()

        self._do(look)
        return done

    def open_for(self, rate: int) -> Opening:
        """Open the output for sound at ``rate`` Hz ahead of time."""
        opening = Opening(rate)

        def open_it() -> None:
            opening.actual = self._open(rate).rate
            opening.done.set()

        self._do(open_it)
        return opening

    def status(self) -> PlayerStatus:
        """What is heard now."""
        output, mark, live = self._output, self._mark, self._live
        if output is None:
            name = self._wanted or (self.devices[0].name if self.devices else "")
            return PlayerStatus(playing=self._starting, device=name)
        position = length = 0.0
        playing = self._mixer.sounding or self._starting
        if mark is not None:
            clip, rate = mark.clip, mark.clip.data_rate
            heard = mark.frames / rate - output.latency + (self._clock() - mark.time)
            length = clip.length
            playing = playing or heard < length
            position = max(heard, clip.start / rate)
            position = position % length if clip.loop and length else min(position, length)
        return PlayerStatus(
            playing=playing,
            position=position,
            length=length,
            level=self._mixer.level,
            device=output.name,
            real=output.real,
            rate=output.rate,
            block=self._mixer.block,
            latency=output.latency + (live.ring.fill / output.rate if live is not None else 0.0),
            underruns=self._dry + (live.underruns if live is not None else 0),
        )

    def close(self, timeout: float = 3.0) -> None:
        """Fade out, let the device play what it holds, end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    # -- the thread that plays

    def _do(self, command: Callable[[], None]) -> None:
        with self._wake:
            if self._closing:
                return
            self._commands.append(command)
            self._wake.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
                self._thread.start()

    def _clip(self, samples: NDArray[np.float32], rate: int, loop: bool, start: float) -> Clip:
        clip = Clip(samples, rate, loop, start)
        # Converted here, where it may take time, when the device is known to refuse the rate.
        clip.convert(self._actual.get(rate, rate))
        return clip

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
            live.wait_for(self._mixer.block, self._output.queued() - SAFETY)
        self._mixer.mix(self._block)
        self._write(self._block)
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
        self.notices.append(f"{error} The sound goes on unheard.")

    def _open(self, rate: int) -> Output:
        if self._output is not None:
            if rate == self._asked:
                return self._output
            self._drain()
            self._close_output()
        output = self._open_wanted(rate)
        self._install(output, rate)
        return output

    def _open_wanted(self, rate: int) -> Output:
        output, notice = self._opener.open(self._wanted, rate)
        if notice and notice != self._said:
            self.notices.append(notice)
        self._said = notice  # the same sentence once, not at every play
        return output

    def _install(self, output: Output, rate: int) -> None:
        mixer = Mixer(block_for(output.rate), output.rate, self._volume)
        self._block = np.zeros((mixer.block, 2), np.float32)
        self._mixer, self._output, self._asked = mixer, output, rate
        self._actual[rate] = output.rate
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
        self._mixer.level = 0.0

    def _change_device(self) -> None:
        self._actual.clear()
        if self._output is None:
            return
        rate, before = self._asked, self._output
        before.close()
        self._said = ""
        output = self._open_wanted(rate)
        current = self._mixer.current
        self._install(output, rate)
        if isinstance(current, Clip):
            current.convert(output.rate)
        if current is not None:
            self._mixer.start(current, RETRIGGER_FADE, 0.0)

    def _start(self, voice: Voice, fade_in: float, fade_out: float) -> None:
        output = self._open(voice.rate)
        if isinstance(voice, Clip):
            voice.convert(output.rate)
        elif isinstance(voice, LiveVoice):
            self._fill(output)
            self._live = voice
        self._mixer.start(voice, fade_in, fade_out)
        self._silent = 0.0
        self._starting = False

    def _swap(self, clip: Clip) -> None:
        current = self._mixer.current
        if isinstance(current, Clip) and current.rate == clip.rate and self._output is not None:
            clip.convert(self._output.rate)
            clip.follow(current)
            if clip.loop:
                clip.start %= max(1, len(clip.frames))
            self._mixer.start(clip, CROSSFADE, CROSSFADE)
            self._starting = False
        else:
            self._start(clip, 0.0, CROSSFADE)
