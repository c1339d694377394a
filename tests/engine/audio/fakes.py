"""A sound device that a test moves along block by block, and streams that a test can follow."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.output import NO_DEVICE, OutputDevice
from igm_gui.errors import DeviceError
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed

RATE = 48_000
WAIT = 10.0


class FakeOutput:
    """Takes as many blocks as the test has let through; keeps them all. Its time is what it played."""

    real = True

    def __init__(self, name: str, rate: int, latency: float = 0.1) -> None:
        self.name = name
        self.rate = rate
        self.latency = latency
        self.blocks: list[NDArray[np.float32]] = []
        self.closed = False
        self.broken = False
        self.free = False  # takes everything at once
        self.held = 0.0  # what queued() answers
        self._permits = 0
        self._lock = threading.Condition()

    def write(self, frames: NDArray[np.float32]) -> bool:
        with self._lock:
            self._lock.wait_for(lambda: self._permits > 0 or self.broken or self.free, WAIT)
            if self.broken:
                raise DeviceError(f"{self.name} stopped playing: unplugged.", "Connect it again.")
            self._permits -= 1
            self.blocks.append(frames.copy())
            self._lock.notify_all()
        return False

    def advance(self, blocks: int = 1) -> None:
        """Let ``blocks`` more through and wait until they were written."""
        with self._lock:
            wanted = len(self.blocks) + blocks
            self._permits = blocks
            self._lock.notify_all()
            assert self._lock.wait_for(lambda: len(self.blocks) >= wanted, WAIT), "the player wrote nothing"

    def queued(self) -> float:
        return self.held

    def let_go(self) -> None:
        """Take everything from now on."""
        with self._lock:
            self.free = True
            self._lock.notify_all()

    def unplug(self) -> None:
        with self._lock:
            self.broken = True
            self._lock.notify_all()

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._lock.notify_all()

    def wait_closed(self) -> None:
        """Until the player gave it back."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.closed, WAIT), "it was not closed"

    @property
    def sound(self) -> NDArray[np.float32]:
        """All that was written, float32 (n, 2)."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros((0, 2), np.float32)


class FakeOpener:
    """Opens :class:`FakeOutput`; ``rates`` maps a refused rate to the device's own."""

    def __init__(self, rates: dict[int, int] | None = None) -> None:
        self.devices = (OutputDevice("speakers", 0, RATE, 2, True), OutputDevice("headphones", 1, RATE, 2))
        self.outputs: list[FakeOutput] = []
        self.looked = 0
        self.latency = 0.1
        self.free = False
        self.there = True
        self._rates = rates or {}
        self._opened = threading.Condition()

    def look(self) -> str:
        self.looked += 1
        return ""

    def refuse(self, rates: dict[int, int]) -> None:
        """From now on: rate asked -> rate opened."""
        self._rates = rates

    def has(self, wanted: str) -> bool:
        return self.there and wanted in ("", *(device.name for device in self.devices))

    def open(self, wanted: str, rate: int) -> tuple[FakeOutput, str]:
        with self._opened:
            output = FakeOutput(wanted or "speakers", self._rates.get(rate, rate))
            output.free = self.free or wanted == NO_DEVICE
            output.real = wanted != NO_DEVICE
            self.outputs.append(output)
            self._opened.notify_all()
        return output, ""

    def wait_for_output(self, number: int = 0) -> FakeOutput:
        """The output that was opened ``number``-th, once it is there."""
        with self._opened:
            assert self._opened.wait_for(lambda: len(self.outputs) > number, WAIT), "nothing was opened"
            return self.outputs[number]


def tone(
    hertz: float = 440.0, seconds: float = 1.0, rate: int = RATE, amplitude: float = 0.5
) -> NDArray[np.float32]:
    """A sine, float32 (1, n)."""
    time = np.arange(int(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * time))[None].astype(np.float32)


def sine_info(rate: int = RATE) -> GeneratorInfo:
    """A streaming generator with a pitch in Hz as its one number."""
    return GeneratorInfo(
        "sine",
        "fake",
        OutputSpec("sound", sample_rate=rate, samples=rate),
        (InputSpec("hertz", "scalar", minimum=20, maximum=20_000, default=440.0),),
        abilities=("stream",),
    )


class SineGenerator:
    """A sine whose phase goes on when the frequency changes; ``fail`` is raised by the next block."""

    def __init__(self, rate: int = RATE) -> None:
        self.info = sine_info(rate)
        self.fail: Exception | None = None
        self.before_block: Callable[[], None] = lambda: None
        self.seen: list[float] = []
        self.made = threading.Event()

    def point(self, hertz: float = 440.0) -> LatentPoint:
        return point_from_seed(self.info).with_value("hertz", hertz)

    def stream(self) -> SineStream:
        return SineStream(self)


class SineStream:
    def __init__(self, generator: SineGenerator) -> None:
        self._generator = generator
        self._phase = 0.0

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]:
        self._generator.before_block()
        if self._generator.fail is not None:
            raise self._generator.fail
        hertz = point.scalar("hertz")
        self._generator.seen.append(hertz)
        step = 2 * np.pi * hertz / self._generator.info.output.sample_rate
        phases = self._phase + step * np.arange(samples)
        self._phase = float((self._phase + step * samples) % (2 * np.pi))
        self._generator.made.set()
        return (0.5 * np.sin(phases))[None].astype(np.float32)
