"""Adding up what sounds: fades, crossfades, volume and level, block by block, allocating nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine.audio.voices import Voice

MOST_VOICES = 8


class _Slot:
    """A voice and its fade: ``gain`` goes to ``target`` by ``step`` a frame. ``heard`` once it was mixed."""

    __slots__ = ("gain", "heard", "step", "target", "voice")

    def __init__(self, voice: Voice, fade_in: int) -> None:
        self.voice = voice
        self.gain = 0.0 if fade_in else 1.0
        self.target = 1.0
        self.step = 1.0 / fade_in if fade_in else 0.0
        self.heard = False

    def fade_out(self, frames: int) -> None:
        self.target = 0.0
        self.step = self.gain / max(1, frames)


class Mixer:
    """Voices in, one stereo block out.

    ``volume`` (0 to 1) is reached within a block. ``level`` is the peak of what was played, falling by
    24 dB a second. All buffers are made here, for blocks of ``block`` frames.
    """

    def __init__(self, block: int, rate: int, volume: float = 1.0) -> None:
        self.block = block
        self.rate = rate
        self.volume = volume
        self.level = 0.0
        self._volume = volume
        self._slots: list[_Slot] = []
        self._scratch = np.zeros((block, 2), np.float32)
        # As wide as a block: numpy makes a buffer of its own where it has to broadcast.
        self._gain = np.zeros((block, 2), np.float32)
        self._shape = np.zeros((block, 2), np.float32)
        self._count = np.repeat(np.arange(1, block + 1, dtype=np.float32)[:, None], 2, axis=1)
        self._fall = 10 ** (-24 / 20 * block / rate)

    @property
    def current(self) -> Voice | None:
        """The voice that was started last and is not fading out."""
        return next((slot.voice for slot in reversed(self._slots) if slot.target > 0), None)

    @property
    def sounding(self) -> bool:
        return bool(self._slots)

    def start(self, voice: Voice, fade_in: float, fade_out: float) -> None:
        """Bring ``voice`` in over ``fade_in`` seconds while all others leave over ``fade_out``."""
        self.stop(fade_out)
        del self._slots[: -(MOST_VOICES - 1)]
        self._slots.append(_Slot(voice, int(fade_in * self.rate)))

    def stop(self, fade_out: float) -> None:
        """Fade everything out over ``fade_out`` seconds."""
        # What was started and taken back between two blocks is never heard. Left here, several such in each
        # block would push out older voices in the middle of their fades, which clicks.
        self._slots = [slot for slot in self._slots if slot.heard]
        for slot in self._slots:
            if slot.target > 0:
                slot.fade_out(int(fade_out * self.rate))

    def mix(self, out: NDArray[np.float32]) -> None:
        """Fill ``out (block, 2)`` with the next frames in [-1, 1]."""
        out.fill(0.0)
        gone = False
        for slot in self._slots:
            slot.heard = True
            count = slot.voice.read_into(self._scratch)
            part = self._scratch[:count]
            if slot.gain != slot.target:
                self._ramp(slot, count)
                np.multiply(part, self._shape[:count], out=part)
            np.add(out[:count], part, out=out[:count])
            gone = gone or slot.voice.over or (slot.target == 0.0 and slot.gain == 0.0)
        if gone:
            self._slots = [
                slot
                for slot in self._slots
                if not (slot.voice.over or (slot.target == 0.0 and slot.gain == 0.0))
            ]
        self._apply_volume(out)
        np.clip(out, -1.0, 1.0, out=out)
        np.abs(out, out=self._scratch)
        self.level = max(float(self._scratch.max()), self.level * self._fall)

    def _ramp(self, slot: _Slot, count: int) -> None:
        # A linear gain g shaped as 3g² - 2g³: two opposite fades add up to one, and no corner is heard.
        step = slot.step if slot.target > slot.gain else -slot.step
        gain = self._gain[:count]
        np.multiply(self._count[:count], step, out=gain)
        np.add(gain, slot.gain, out=gain)
        np.clip(gain, 0.0, 1.0, out=gain)
        shape = self._shape[:count]
        np.multiply(gain, -2.0, out=shape)
        np.add(shape, 3.0, out=shape)
        np.multiply(shape, gain, out=shape)
        np.multiply(shape, gain, out=shape)
        reached = slot.gain + step * count
        # A late live voice gives no frames, but its fade must end all the same.
        if count == 0:
            reached = slot.gain + step * self.block
        slot.gain = min(max(reached, 0.0), 1.0)
        if slot.step == 0.0 or abs(slot.gain - slot.target) < 1e-6:
            slot.gain = slot.target

    def _apply_volume(self, out: NDArray[np.float32]) -> None:
        before, after = self._volume, min(max(self.volume, 0.0), 1.0)
        self._volume = after
        if before == after == 1.0:
            return
        np.multiply(self._count, (after - before) / self.block, out=self._gain)
        np.add(self._gain, before, out=self._gain)
        np.multiply(out, self._gain, out=out)
