"""One door to sound for the interface: clips, live streaming, devices, health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.live import LiveStatus, LiveStream, load_generator
from igm_gui.engine.audio.output import OutputDevice
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.status import PlayerStatus
from igm_gui.engine.audio.timeline_stream import TimelineStream
from igm_gui.errors import IgmError
from igm_gui.latent.point import LatentPoint
from igm_gui.timeline import Timeline


@dataclass(frozen=True)
class SoundStatus:
    """The player's status and, while a model streams, the stream's."""

    player: PlayerStatus
    live: LiveStatus | None = None


class SoundEngine:
    """Plays renderings and live models. The methods never block; one thread calls them.

    ``load`` opens a model for live sound; tests give their own.
    """

    def __init__(self, player: Player | None = None, load: Callable[[str], Any] = load_generator) -> None:
        self.player = player or Player()
        self._load = load
        self._live: LiveStream | None = None
        self._leaving: list[LiveStream] = []

    @property
    def live_model(self) -> str:
        """The model that streams now; empty where none does."""
        return self._live.model if self._live is not None else ""

    def play(self, samples: NDArray[np.float32], rate: int, loop: bool = False, start: float = 0.0) -> None:
        """Play a rendering, float32 ``(channels, n)`` in [-1, 1]; ends live streaming."""
        self._end_live()
        self.player.play(samples, rate, loop, start)

    def swap(self, samples: NDArray[np.float32], rate: int, loop: bool = False) -> None:
        """Crossfade to a newer rendering at the same place."""
        self._end_live()
        self.player.swap(samples, rate, loop)

    def stop(self) -> None:
        """Silence, after a short fade; ends live streaming."""
        self._end_live()
        self.player.stop()

    def go_live(self, model: str, point: LatentPoint) -> None:
        """Stream ``model`` from ``point`` on; what sounds goes on until the first blocks are ready."""
        live = self._live
        if live is not None and live.model == model and not isinstance(live, TimelineStream):
            live.set_point(point)
            return
        self._live = LiveStream(self.player, model, point, self._load, replaces=self._relieved())

    def go_timeline(self, model: str, timeline: Timeline, start: float) -> None:
        """Play ``timeline`` from ``start`` seconds on, as an export would write it."""
        self._live = TimelineStream(self.player, model, timeline, start, self._load, self._relieved())

    @property
    def timeline(self) -> TimelineStream | None:
        """The timeline that plays: to be edited, sought in, and asked what is heard."""
        return self._live if isinstance(self._live, TimelineStream) else None

    def _relieved(self) -> LiveStream | None:
        """What streams now; it sounds until the next one is ready."""
        if self._live is not None:
            self._leaving.append(self._live)
        return self._live

    def move(self, point: LatentPoint) -> None:
        """The live point is another one now."""
        if self._live is not None:
            self._live.set_point(point)

    def take_error(self) -> IgmError | None:
        """Why live streaming ended by itself, once; None where it did not."""
        error = self._live.status().error if self._live is not None else None
        if error is not None:
            self._end_live()
        return error

    def set_device(self, name: str) -> None:
        """Change to a device by name; empty for the default one."""
        self._afresh(lambda: self.player.set_device(name))

    def set_latency(self, seconds: float) -> None:
        """Ask the device to hold ``seconds``: see :meth:`Player.set_latency`."""
        self._afresh(lambda: self.player.set_latency(seconds))

    def _afresh(self, change: Callable[[], None]) -> None:
        """Change the output. It may run at another rate, or hold less: a stream starts afresh."""
        live = self._live
        heard = live.heard if isinstance(live, TimelineStream) else None
        place = heard.place if heard is not None else 0.0
        if live is not None:
            self._end_live()
            self.player.stop()
        change()
        if isinstance(live, TimelineStream):
            self.go_timeline(live.model, live.timeline, place)
        elif live is not None:
            self.go_live(live.model, live.point)

    @property
    def devices(self) -> tuple[OutputDevice, ...]:
        return self.player.devices

    def status(self) -> SoundStatus:
        """What is heard and how well it keeps up; waits for nothing."""
        self._leaving = [stream for stream in self._leaving if stream.alive]
        return SoundStatus(self.player.status(), self._live.status() if self._live is not None else None)

    def close(self) -> None:
        """Fade out and end all threads."""
        self._end_live()
        self.player.close()
        for stream in self._leaving:
            stream.join()
        self._leaving.clear()

    def _end_live(self) -> None:
        if self._live is not None:
            self._leaving.append(self._live)
            self._live = None
        for stream in self._leaving:
            stream.stop()
