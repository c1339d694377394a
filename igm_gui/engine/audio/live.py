"""Live sound: a streaming generator pulled in blocks, a little ahead of what is heard.

It runs on a thread of its own, on a generator of its own. A generator is not thread-safe, and the
render thread's may be busy with a picture or an export for longer than the ring lasts; a second
instance costs its weights once more and keeps both free. It runs on the CPU with one torch thread: a
second gained a quarter in the median, and 350 ms at the 95th percentile.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.playing import CROSSFADE
from igm_gui.engine.audio.resample import Resampler
from igm_gui.engine.audio.ring import RingBuffer
from igm_gui.engine.audio.status import block_for
from igm_gui.engine.audio.voices import LiveVoice, stereo
from igm_gui.errors import IgmError, ModelError
from igm_gui.latent.point import LatentPoint, conform

if TYPE_CHECKING:
    from igm_gui.generators.base import SoundStream, TorchGenerator

LEAD = 0.05  # seconds made ahead of the device's own buffer
SHORT = 0.1  # seconds; a device that holds less is for playing, and half the lead is made
MOST_LEAD = 0.4
WARM_UP_BLOCKS = 4
WINDOW = 0.05  # seconds of sound that the real-time factor is taken over
HARD = 0.3  # real-time factor from which longer blocks are made
MOST_BLOCKS = 4
SETTLED = 24  # blocks until the factor is trusted


@dataclass(frozen=True)
class LiveStatus:
    """``real_time_factor`` is the time that sound takes to make over the time it lasts (below 1 keeps up);
    ``lead`` how far ahead is aimed at and ``fill`` what is there, in seconds."""

    ready: bool = False
    real_time_factor: float = 0.0
    worst_factor: float = 0.0
    lead: float = LEAD
    fill: float = 0.0
    error: IgmError | None = None


def load_generator(model: str) -> TorchGenerator:
    """A generator for the live thread alone, on the CPU. Imports torch."""
    from igm_gui.generators import registry

    return registry.load(model)


def one_torch_thread() -> None:
    """Let torch use one thread for the calling thread's work, and leave all others as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    # The call also sets what threads yet to come start with: another thread puts that back.
    restore = threading.Thread(target=torch.set_num_threads, args=(before,))
    restore.start()
    restore.join()


class LiveStream:
    """Makes ``model``'s sound at the newest point and attaches it to ``player`` once some is ready."""

    def __init__(
        self,
        player: Player,
        model: str,
        point: LatentPoint,
        load: Callable[[str], Any] = load_generator,
        replaces: LiveStream | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.model = model
        self._player = player
        self._point = point  # the mailbox: only the newest counts
        self._load = load
        self._replaces = replaces  # sounds until this one is ready
        self._clock = clock
        self._stopping = False
        self._voice: LiveVoice | None = None
        self._actual = 1
        self._lead = LEAD if player.latency >= SHORT else LEAD / 2
        self._factor = 0.0
        self._worst = 0.0
        self._taken = self._lasts = 0.0
        self._error: IgmError | None = None
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live sound", daemon=True)
        self._thread.start()

    def set_point(self, point: LatentPoint) -> None:
        """Where the sound goes next; never blocks."""
        self._point = point

    @property
    def point(self) -> LatentPoint:
        return self._point

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Make no more. What is ready may still be faded out."""
        self._stopping = True
        if self._voice is not None:
            self._voice.cancelled = True
            self._voice.taken.set()

    def join(self, timeout: float = 5.0) -> None:
        """Wait for the thread to end after :meth:`stop`."""
        self._thread.join(timeout)

    def status(self) -> LiveStatus:
        voice = self._voice
        fill = voice.ring.fill / self._actual if voice is not None else 0.0
        return LiveStatus(self.ready.is_set(), self._factor, self._worst, self._lead, fill, self._error)

    def _run(self) -> None:
        try:
            generator = self._load(self.model)
            one_torch_thread()
            self._make(generator)
        except IgmError as error:
            self._error = error
        except Exception as error:
            self._error = ModelError(
                f"{self.model} failed while playing live: {error}.",
                "Change an input, or play the rendering instead.",
                traceback.format_exc(),
            )
        finally:
            self._relieve()
            if self._voice is not None:
                self._voice.ended = True
                self._voice.made.set()

    def _make(self, generator: Any) -> None:
        info = generator.info
        rate = info.output.sample_rate
        base = block = self._prepare(generator)
        opening = self._player.open_for(rate)
        while not opening.done.wait(0.2):
            if self._stopping:
                return
        actual = opening.actual
        convert = Resampler(rate, actual) if actual != rate else None
        voice = LiveVoice(rate, RingBuffer(actual + 4 * block), int(self._lead * actual), actual)
        self._actual = actual
        self._voice = voice
        voice.cancelled = self._stopping
        self._aim(actual, block / rate)
        seen = made = 0
        while not self._stopping:
            if voice.ring.fill >= voice.lead:
                self._show_ready(voice)
                voice.taken.wait(0.1)
                voice.taken.clear()
                continue
            started = self._clock()
            sound = self._next(block)
            if sound is None:
                self._show_ready(voice)
                return
            frames = stereo(sound)
            self._measure(self._clock() - started, len(frames) / rate)
            self._note(voice.ring.written)
            voice.ring.write(convert.process(frames) if convert is not None else frames)
            voice.made.set()
            made += 1
            if self._grows and self._factor > HARD and made > SETTLED and block < base * MOST_BLOCKS:
                # Each operation costs the same wait for the interpreter: fewer, longer blocks.
                block, made = block * 2, 0
                self._aim(actual, block / rate)
            if voice.underruns > seen:
                seen = voice.underruns
                self._lead = min(self._lead * 1.5, MOST_LEAD)
                self._aim(actual, block / rate)

    def _show_ready(self, voice: LiveVoice) -> None:
        """Enough is there: let it be heard, and what sounded before leave."""
        if not self.ready.is_set():
            self._player.attach(voice, self._fade_in)
            self.ready.set()
            self._relieve()

    # -- what a stream of another kind does its own way

    _grows = True  # whether blocks may get longer where each costs much
    _fade_in = CROSSFADE  # seconds; a stream may begin in mid-swing

    def _prepare(self, generator: Any) -> int:
        """Get ready to make sound; the answer is how many frames a block has at first."""
        self._info = generator.info
        block = block_for(self._info.output.sample_rate)
        warm: SoundStream = generator.stream()
        fitted = conform(self._point, self._info)
        for _ in range(WARM_UP_BLOCKS):
            warm.block(fitted, block)
        self._stream: SoundStream = generator.stream()
        self._reached: tuple[LatentPoint, LatentPoint] | None = None
        return block

    def _next(self, block: int) -> NDArray[np.float32] | None:
        """The next float32 ``(channels, block)``, or None at the end."""
        point = self._point
        if self._reached is None or self._reached[0] is not point:
            self._reached = point, conform(point, self._info)
        return self._stream.block(self._reached[1], block)

    def _note(self, frame: int) -> None:
        """The block made last begins at this frame of the ring."""

    def _aim(self, actual: int, block: float) -> None:
        """More than a block ahead: the device holds enough for the rest."""
        self._lead = max(self._lead, 1.25 * block)
        if self._voice is not None:
            self._voice.lead = int(self._lead * actual)

    def _relieve(self) -> None:
        if self._replaces is not None:
            self._replaces.stop()
            self._replaces = None

    def _measure(self, taken: float, lasts: float) -> None:
        """A decoder of long steps makes several blocks at once and the next ones for nothing: what counts is
        the time over :data:`WINDOW` seconds of sound."""
        self._taken += taken
        self._lasts += lasts
        if self._lasts < WINDOW:
            return
        factor, weight = self._taken / self._lasts, 1 - 0.96 ** (self._lasts / 0.0107)
        self._taken = self._lasts = 0.0
        self._factor = factor if self._factor == 0.0 else self._factor + weight * (factor - self._factor)
        self._worst = max(self._worst * 0.98, factor)
