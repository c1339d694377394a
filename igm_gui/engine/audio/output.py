"""Where sound goes: a device through PortAudio, or nowhere at the right speed.

A Python callback starves behind the interpreter lock (60 underflows in 2 s beside a busy loop), so
an output is written to, blocking, from a thread of its own. One thread uses all of this module.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import DeviceError

LATENCY = 0.15  # seconds that the device is asked to hold
LEAST_LATENCY, MOST_LATENCY = 0.06, 0.35
NO_DEVICE = "No sound device"


@dataclass(frozen=True)
class OutputDevice:
    """A device that can play. ``name`` is what is shown and remembered, ``index`` PortAudio's."""

    name: str
    index: int
    rate: int
    channels: int
    default: bool = False


class Output(Protocol):
    """An open output. ``write`` takes float32 ``(n, 2)`` in [-1, 1], contiguous, and blocks until there
    is room; its answer is whether the device ran dry before. DeviceError where the device is gone."""

    name: str
    rate: int
    latency: float
    real: bool

    def write(self, frames: NDArray[np.float32]) -> bool: ...

    def queued(self) -> float:
        """Seconds that were written and are still to be heard, about."""
        ...

    def close(self) -> None: ...


class NullOutput:
    """Takes sound at the speed it would play, by absolute deadlines, and drops it."""

    real = False

    def __init__(
        self,
        rate: int,
        latency: float = LATENCY,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = NO_DEVICE
        self.rate = rate
        self.latency = latency
        self._clock = clock
        self._sleep = sleep
        self._end = clock()  # when all that was written would have been heard

    def write(self, frames: NDArray[np.float32]) -> bool:
        now = self._clock()
        dry = self._end < now
        self._end = max(self._end, now) + len(frames) / self.rate
        wait = self._end - self.latency - now
        if wait > 0:
            self._sleep(wait)
        return dry

    def queued(self) -> float:
        return max(0.0, self._end - self._clock())

    def close(self) -> None:
        """Nothing to give back."""


class PortAudioOutput:
    """A blocking PortAudio stream, two channels (or one, mixed down)."""

    real = True

    def __init__(self, device: OutputDevice, rate: int, latency: float = LATENCY) -> None:
        """DeviceError where the device can't be opened. A rate that it refuses becomes its own."""
        sd = _portaudio()
        channels = min(2, device.channels)
        stream: Any = None
        problem = ""
        for chosen in dict.fromkeys((rate, device.rate)):
            try:
                stream = sd.RawOutputStream(
                    samplerate=chosen,
                    channels=channels,
                    dtype="float32",
                    device=device.index,
                    latency=latency,
                )
                stream.start()
                break
            except (sd.PortAudioError, ValueError, OSError) as error:
                problem = _reason(error)
                if stream is not None:
                    stream.close(ignore_errors=True)
                    stream = None
        if stream is None:
            raise DeviceError(
                f"{device.name} can't play: {problem}.", "Choose another sound device, or connect it again."
            )
        self.name = device.name
        self.rate = int(stream.samplerate)
        self.latency = float(stream.latency)
        self._stream = stream
        self._error = sd.PortAudioError
        self._mono = np.zeros((0, 1), np.float32) if channels == 1 else None

    def write(self, frames: NDArray[np.float32]) -> bool:
        data = frames
        if self._mono is not None:
            if len(self._mono) != len(frames):
                self._mono = np.zeros((len(frames), 1), np.float32)
            np.mean(frames, axis=1, keepdims=True, out=self._mono)
            data = self._mono
        try:
            return bool(self._stream.write(data))
        except self._error as error:
            raise DeviceError(
                f"{self.name} stopped playing: {_reason(error)}.",
                "Connect it again or choose another sound device.",
            ) from error

    def queued(self) -> float:
        try:
            return max(0.0, self.latency - self._stream.write_available / self.rate)
        except self._error:
            return 0.0

    def close(self) -> None:
        """End the stream. What the device still holds may be lost: write silence first."""
        self._stream.close(ignore_errors=True)


def _portaudio() -> Any:
    """The sounddevice module. DeviceError where the system has no PortAudio library."""
    try:
        if sys.platform.startswith("linux"):
            _hush()
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "The PortAudio library is missing, so nothing can be heard.",
            "On Debian or Ubuntu: sudo apt install libportaudio2. Everything else works without it.",
            details=repr(error),
        ) from error
    return sounddevice


@functools.cache
def _hush() -> None:
    """ALSA and JACK write warnings to the terminal at every look for devices; what matters is raised."""
    import ctypes

    text, number = ctypes.c_char_p, ctypes.c_int
    quiet = ctypes.CFUNCTYPE(None, text)(lambda _said: None)
    for name, function, silent in (
        (
            "libasound.so.2",
            "snd_lib_error_set_handler",
            ctypes.CFUNCTYPE(None, text, number, text, number, text)(lambda *_said: None),
        ),
        ("libjack.so.0", "jack_set_error_function", quiet),
        ("libjack.so.0", "jack_set_info_function", quiet),
    ):
        with contextlib.suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(name), function)(silent)
            _kept.append(silent)  # as long as the library may call it


_kept: list[Any] = []


def _reason(error: BaseException) -> str:
    text = str(error.args[0]) if error.args else str(error)
    return text.replace("Error opening RawOutputStream: ", "").strip().rstrip(".") or type(error).__name__


def find_devices(again: bool = False) -> tuple[OutputDevice, ...]:
    """The devices that can play, the default one first; empty where there is none.

    PortAudio looks once, at its start; ``again`` restarts it, which ends every open stream. DeviceError
    without the library.
    """
    sd = _portaudio()
    if again:
        # The documented way to see a device that was connected later; there is no public name for it.
        sd._terminate()
        sd._initialize()
    default = sd.default.device[1]
    apis = [api["name"] for api in sd.query_hostapis()]
    found = [
        OutputDevice(
            _title(entry["name"], apis[entry["hostapi"]], len([a for a in apis if a]) > 1),
            index,
            int(entry["default_samplerate"]),
            int(entry["max_output_channels"]),
            index == default,
        )
        for index, entry in enumerate(sd.query_devices())
        if entry["max_output_channels"] > 0
    ]
    return tuple(sorted(found, key=lambda device: not device.default))


def _title(name: str, api: str, several: bool) -> str:
    """A device's name, with its driver where there are several (on Windows a device shows in each)."""
    return f"{name} ({api})" if several and api not in ("ALSA", "Core Audio") else str(name)


class Opener:
    """Opens the wanted device, or the default, or the null output, and says which in a sentence."""

    def __init__(self, latency: float = LATENCY) -> None:
        self.latency = latency
        self.devices: tuple[OutputDevice, ...] = ()
        self._looked = "sounddevice" in sys.modules  # PortAudio has looked before: what it saw may be old

    def look(self) -> str:
        """Look for devices (again); the answer is a sentence where there are none, else empty."""
        try:
            self.devices = find_devices(self._looked)
        except Exception as error:  # a driver's fault must not end the thread that plays
            self.devices = ()
            if isinstance(error, DeviceError):
                return str(error)
            return f"No sound device was found: {_reason(error)}."
        finally:
            self._looked = True
        return "" if self.devices else "No sound device was found. Connect one: what plays then is heard."

    def has(self, wanted: str) -> bool:
        """Whether the device, empty for the default, was there at the last look."""
        return self._choose(wanted) is not None

    def open(self, wanted: str, rate: int) -> tuple[Output, str]:
        """An output for sound at ``rate`` Hz and a sentence for the person (empty where all is well).

        ``wanted`` is a device's name, empty for the default, :data:`NO_DEVICE` for none. Never fails.
        """
        if wanted == NO_DEVICE:
            return NullOutput(rate, self.latency), ""
        notice = ""
        chosen = self._choose(wanted)
        if chosen is None:
            # Perhaps it was connected meanwhile.
            notice = self.look()
            chosen = self._choose(wanted)
            if chosen is None and self.devices:
                notice = f"{wanted} is not connected; {self.devices[0].name} plays instead."
                chosen = self.devices[0]
        if chosen is not None:
            try:
                return PortAudioOutput(chosen, rate, self.latency), notice
            except DeviceError as error:
                notice = str(error)
                self.devices = ()  # look again next time
        return NullOutput(rate, self.latency), notice

    def _choose(self, wanted: str) -> OutputDevice | None:
        for device in self.devices:
            if device.name == wanted or (not wanted and device.default):
                return device
        return None if wanted or not self.devices else self.devices[0]
