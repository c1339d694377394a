"""One rendering on show: a picture, or the outline of a sound that a click plays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from igm_gui.engine.audio.analysis import at_loudness
from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.sound.waveform import WaveformView
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import PictureView
from igm_gui.requests import RenderResult

MATCHED_LUFS = -23.0  # EBU R 128


class MediaView(QStackedWidget):
    """Shows a rendering as what it is; keeps the last good one where a result has none."""

    painted = Signal()  # a new rendering is on screen

    def __init__(self, studio: Studio, parent: QWidget | None = None, margin: int = 28) -> None:
        super().__init__(parent)
        self._studio = studio
        self.picture = PictureView(self, margin=margin)
        self.picture.painted.connect(self.painted)
        self.addWidget(self.picture)
        self.waveform: WaveformView | None = None  # made with the first sound
        self.sound: NDArray[np.float32] | None = None  # (channels, samples), of what is shown
        self.rate = 0
        self.compares = False  # whether its sounds are held against others: see SoundHub.matched
        self._was_matched = False

    @property
    def empty(self) -> bool:
        """Whether nothing is shown yet."""
        return self.sound is None and self.picture.picture is None

    def show_result(self, result: RenderResult, index: int = 0) -> bool:
        """Show one rendering; False where the result has none."""
        if result.media is None or result.info is None or index >= len(result.media):
            return False
        if result.info.media == "image":
            self.sound = None
            self.picture.set_picture(result.media[index])
            self.setCurrentWidget(self.picture)
        else:
            self.sound = np.asarray(result.media[index], np.float32)
            self.rate = result.info.output.sample_rate
            self._wave().set_sound(self.sound, self.rate)
            self.setCurrentWidget(self._wave())
        return True

    def clear(self) -> None:
        """Show nothing."""
        self.sound = None
        self.picture.set_picture(None)
        self.setCurrentWidget(self.picture)

    # -- sound

    @property
    def playing(self) -> bool:
        """Whether this view's sound is heard."""
        return self.waveform is not None and hub_of(self._studio).is_playing(self)

    def play(self, start: float = 0.0) -> None:
        """Play what is shown, where it is a sound, from ``start`` seconds on."""
        if self.sound is not None:
            hub_of(self._studio).play(self, self._for_the_ear(self.sound), self.rate, start=start)

    def hear(self) -> None:
        """Play what is shown; where another view's sound is heard, take over from it at the same place, so
        that the ear compares the two."""
        hub = hub_of(self._studio)
        if self.sound is not None and isinstance(hub.owner, MediaView) and hub.owner is not self:
            hub.swap(self, self._for_the_ear(self.sound), self.rate)
        else:
            self.play()

    def _for_the_ear(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        self._was_matched = self.compares and hub_of(self._studio).matched
        return at_loudness(sound, self.rate, MATCHED_LUFS) if self._was_matched else sound

    def stop(self) -> None:
        """End this view's sound."""
        if self.waveform is not None:
            hub_of(self._studio).stop(self)

    def _wave(self) -> WaveformView:
        if self.waveform is None:
            self.waveform = WaveformView(shaded=True)
            self.waveform.seek_asked.connect(self.play)
            self.waveform.painted.connect(self.painted)
            self.addWidget(self.waveform)
            hub = hub_of(self._studio)
            hub.ticked.connect(self._on_tick)
            hub.changed.connect(self._on_hub)
        return self.waveform

    def _on_tick(self, status: SoundStatus) -> None:
        if self.waveform is not None and self.playing:
            self.waveform.set_playhead(status.player.position)

    def _on_hub(self) -> None:
        if self.waveform is not None and not self.playing:
            self.waveform.set_playhead(None)
        elif self.playing and self.compares and self.sound is not None:
            hub = hub_of(self._studio)
            if hub.matched != self._was_matched:
                hub.swap(self, self._for_the_ear(self.sound), self.rate)
