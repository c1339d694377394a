"""One sound output for the whole window: who plays, where the playhead is, how well it keeps up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from igm_gui.engine.audio.output import NO_DEVICE
from igm_gui.engine.audio.sound import SoundEngine, SoundStatus
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Notice, Studio
from igm_gui.latent.point import LatentPoint
from igm_gui.timeline import Timeline

FRAME_MS = 16
# The engine answers "not playing" for a moment while it opens a device.
SETTLE_FRAMES = 20
ONSET_SECONDS = 0.0005
STEP = 1e-3  # of full scale; a first sample below that is not heard as a click


def eased(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """``samples``, float32 (channels, n), for the ear: where they begin with a step, which would click, the
    first half millisecond rises from zero. What is shown and what is written stays as the model made it."""
    if samples.ndim != 2 or not samples.size or float(np.abs(samples[:, 0]).max()) < STEP:
        return samples
    count = min(max(round(rate * ONSET_SECONDS), 2), samples.shape[1])
    heard = samples.copy()
    heard[:, :count] *= np.sin(np.linspace(0, np.pi / 2, count, dtype=np.float32)) ** 2
    return heard


class SoundHub(QObject):
    """What the widgets know of sound. :func:`hub_of` gives the studio's one.

    ``owner`` is whoever started what plays now; a widget shows a playhead only when that is itself.
    While nothing plays, nothing is polled.
    """

    ticked = Signal(object)  # SoundStatus, once a frame while something plays
    changed = Signal()  # who plays, volume, device

    def __init__(self, studio: Studio, engine: SoundEngine | None = None) -> None:
        super().__init__(studio)
        self._studio = studio
        self.engine = engine or SoundEngine()
        self.owner: object = None
        self.status: SoundStatus = self.engine.status()
        self._settings = Settings()
        self._muted_volume = 0.0
        self._quiet_frames = 0
        self._unheard = False  # the device that was wanted could not be opened, or was lost
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._tick)
        self.engine.player.set_volume(_number(self._settings.text("sound/volume"), 0.8))
        device = self._settings.text("sound/device")
        if device:
            self.engine.set_device(device)
        latency = _number(self._settings.text("sound/latency"), 0.0)
        if latency:
            self.engine.set_latency(latency)
        studio.closing.connect(self.close)

    # -- playing

    def play(
        self, owner: object, samples: NDArray[Any], rate: int, loop: bool = False, start: float = 0.0
    ) -> None:
        """Play float32 ``(channels, n)`` at ``rate`` Hz for ``owner``; whoever played before stops. See
        :func:`eased` for the beginning."""
        self.engine.play(eased(np.asarray(samples, np.float32), rate), rate, loop, start)
        self._owned_by(owner)

    def swap(self, owner: object, samples: NDArray[Any], rate: int, loop: bool = False) -> None:
        """Crossfade to a newer rendering at the same place."""
        self.engine.swap(eased(np.asarray(samples, np.float32), rate), rate, loop)
        self._owned_by(owner)

    def go_live(self, owner: object, model: str, point: LatentPoint) -> None:
        """Stream ``model`` from ``point`` on."""
        self.engine.go_live(model, point)
        self._owned_by(owner)

    def go_timeline(self, owner: object, model: str, timeline: Timeline, start: float) -> None:
        """Play ``timeline`` from ``start`` seconds on."""
        self.engine.go_timeline(model, timeline, start)
        self._owned_by(owner)

    def stop(self, owner: object = None) -> None:
        """Fade out; with ``owner``, only where that one plays."""
        if self.owner is None or (owner is not None and owner is not self.owner):
            return
        self.engine.stop()
        self.owner = None
        self._quiet_frames = 0
        self.changed.emit()

    def is_playing(self, owner: object) -> bool:
        """Whether ``owner`` started what is heard now."""
        return self.owner is owner and owner is not None

    def _owned_by(self, owner: object) -> None:
        self._quiet_frames = 0
        if self.owner is not owner:
            self.owner = owner
            self.changed.emit()
        self._timer.start()

    # -- volume and device

    @property
    def volume(self) -> float:
        """0 to 1."""
        return self.engine.player.volume

    def set_volume(self, volume: float) -> None:
        """0 to 1; remembered."""
        self.engine.player.set_volume(volume)
        self._settings.put("sound/volume", f"{self.volume:.3f}")
        self.changed.emit()

    def toggle_mute(self) -> None:
        """Silence, and back to the volume before."""
        if self.volume > 0:
            self._muted_volume = self.volume
            self.set_volume(0.0)
        else:
            self.set_volume(self._muted_volume or 0.8)

    @property
    def matched(self) -> bool:
        """Whether sounds that are compared are heard equally loud: of two the louder one seems better."""
        return self._settings.flag("sound/matched")

    def set_matched(self, matched: bool) -> None:
        """Equally loud, or as the models made them; remembered. What plays changes to that."""
        self._settings.put("sound/matched", matched)
        self.changed.emit()

    @property
    def device(self) -> str:
        """The device that was chosen; empty for the system's default."""
        return self.engine.player.wanted_device

    def set_device(self, name: str) -> None:
        """Change to a device by name, empty for the default, :data:`NO_DEVICE` for none; remembered."""
        self._unheard = False
        self.engine.set_device(name)
        self._settings.put("sound/device", name)
        self._timer.start()
        self.changed.emit()

    @property
    def latency(self) -> float:
        """Seconds that the device is asked to hold."""
        return self.engine.player.latency

    def set_latency(self, seconds: float) -> None:
        """Short for playing, long where a machine is busy; remembered."""
        self.engine.set_latency(seconds)
        self._settings.put("sound/latency", f"{seconds:.3f}")
        self._timer.start()
        self.changed.emit()

    def device_text(self) -> str:
        """What plays or would play, for a button. After a play that nobody heard it stays so until one is."""
        player = self.status.player
        if not player.rate and (self._unheard or self.device == NO_DEVICE):
            return NO_DEVICE
        return player.device or self.device or "Default device"

    def _look_whether_heard(self, status: SoundStatus) -> None:
        if not status.player.rate:  # nothing is open
            return
        unheard = not status.player.real and self.device != NO_DEVICE
        if self._unheard and not unheard and status.player.playing:
            # The sentence that told of it is not true any more.
            self._studio.say(f"{status.player.device} plays again.", kind="good")
        self._unheard = unheard

    # -- health

    def _tick(self) -> None:
        status = self.status = self.engine.status()
        self._look_whether_heard(status)
        while self.engine.player.notices:
            self._studio.notice.emit(Notice(self.engine.player.notices.popleft(), kind="error"))
            self.changed.emit()
        while self.engine.player.news:
            self._studio.notice.emit(Notice(self.engine.player.news.popleft(), kind="good"))
            self.changed.emit()
        error = self.engine.take_error()
        if error is not None:
            self._studio.fail(error)
            self.stop()
        self.ticked.emit(status)
        busy = status.player.playing or status.live is not None or status.player.level > 1e-3
        self._quiet_frames = 0 if busy else self._quiet_frames + 1
        if self._quiet_frames == 2 and self.owner is not None and status.player.device:
            self._ended()
        if self._quiet_frames >= SETTLE_FRAMES:
            self._timer.stop()
            if self.owner is not None:
                self._ended()

    def _ended(self) -> None:
        self.owner = None
        self.changed.emit()

    def close(self) -> None:
        """Fade out and end the sound's threads."""
        self._timer.stop()
        self.engine.close()


def _number(text: str, fallback: float) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return fallback


def hub_of(studio: Studio) -> SoundHub:
    """The studio's sound output, made when first asked for."""
    hub = studio.findChild(SoundHub)
    return hub if isinstance(hub, SoundHub) else SoundHub(studio)
