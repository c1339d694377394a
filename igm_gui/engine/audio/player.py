"""What plays sound, as the interface calls it: renderings, live voices, volume, device."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.output import LEAST_LATENCY, MOST_LATENCY, OutputDevice
from igm_gui.engine.audio.playing import CROSSFADE, GRACE, RETRIGGER_FADE, STOP_FADE, PlayingThread
from igm_gui.engine.audio.status import Opening, PlayerStatus
from igm_gui.engine.audio.voices import Clip, LiveVoice

__all__ = ["GRACE", "Player"]


class Player(PlayingThread):
    """Plays clips and live voices through one output. The methods never block.

    The thread starts with the first sound and gives the device back after a while of silence, so that
    nothing runs at rest. ``notices`` collects sentences for the person (a lost device, none found), ``news``
    good ones (it is back).
    """

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

    def attach(self, voice: LiveVoice, fade_in: float = CROSSFADE) -> None:
        """Bring in a live voice over ``fade_in`` seconds; what sounds fades out under it."""

        def begin() -> None:
            if not voice.cancelled:
                self._start(voice, fade_in, CROSSFADE)

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
    def latency(self) -> float:
        """Seconds that the device is asked to hold: from 0.06, for an instrument, to 0.35."""
        return self._opener.latency

    def set_latency(self, seconds: float) -> None:
        """Ask the device to hold ``seconds``; what plays goes on after a short silence."""

        wanted = min(max(seconds, LEAST_LATENCY), MOST_LATENCY)
        self._opener.latency = wanted  # a stream that starts now goes by it already

        def change() -> None:
            self._opener.latency = wanted  # gaps at the old one may have made it longer meanwhile
            self._dry = 0
            self._change_device()

        self._do(change)

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
            level=self._level(self._clock() - output.latency),
            device=output.name,
            real=output.real,
            rate=output.rate,
            block=self._mixer.block,
            latency=output.latency + (live.ring.fill / output.rate if live is not None else 0.0),
            underruns=self._dry + (live.underruns if live is not None else 0),
        )

    def _level(self, moment: float) -> float:
        """What is heard is what was written a latency ago: the meter goes with the ear."""
        return next((level for time, level in reversed(tuple(self._levels)) if time <= moment), 0.0)

    @property
    def device_latency(self) -> float:
        """Seconds from what is handed to the device to the ear; 0 where none is open."""
        return self._latency

    def close(self, timeout: float = 3.0) -> None:
        """Fade out, let the device play what it holds, end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def _clip(self, samples: NDArray[np.float32], rate: int, loop: bool, start: float) -> Clip:
        clip = Clip(samples, rate, loop, start)
        # Converted here, where it may take time, when the device is known to run at another rate.
        output = self._output if self._mixer.sounding else None
        clip.convert(self._actual.get(rate, rate) if output is None else output.rate)
        return clip
