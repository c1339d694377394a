"""What is heard while a timeline of a sound model plays."""

from __future__ import annotations

from PySide6.QtCore import QObject

from igm_gui.engine.audio.timeline_stream import Heard
from igm_gui.gui.sound.hub import SoundHub, hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.player import Player
from igm_gui.info import GeneratorInfo
from igm_gui.session.state import SessionState


class TimelineSound(QObject):
    """Plays what a WAV export would write, and lets the playhead go by what is heard."""

    def __init__(self, studio: Studio, player: Player) -> None:
        super().__init__(player)
        self._studio = studio
        self._player = player
        player.playing_changed.connect(self._on_playing)
        player.sought.connect(self._on_sought)
        studio.changed.connect(self._on_changed)

    @property
    def _info(self) -> GeneratorInfo | None:
        info = self._studio.session.info
        return info if info is not None and info.media == "sound" else None

    @property
    def _hub(self) -> SoundHub:
        return hub_of(self._studio)

    def _on_playing(self, playing: bool) -> None:
        if self._info is None and playing:
            return
        if playing:
            self._begin(self._player.started_at)
        else:
            self._player.follow = None
            self._hub.stop(self)

    def _begin(self, seconds: float) -> None:
        state = self._studio.state
        self._hub.go_timeline(self, state.model, state.timeline, seconds)
        self._player.follow = self._heard

    def _heard(self) -> Heard | None:
        """None where another sound plays now, or none: the clock leads then."""
        stream = self._hub.engine.timeline if self._hub.is_playing(self) else None
        return stream.heard if stream is not None else None

    def _on_sought(self, seconds: float) -> None:
        stream = self._hub.engine.timeline
        if stream is not None and self._hub.is_playing(self):
            stream.seek(seconds)

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if not self._player.playing or not changed & {"timeline", "model", "info"}:
            return
        stream = self._hub.engine.timeline if self._hub.is_playing(self) else None
        if self._info is None or not state.timeline.keyframes:
            self._player.follow = None
            self._hub.stop(self)
        elif stream is None or stream.model != state.model:
            self._begin(self._studio.playhead or 0.0)
        else:
            stream.set_timeline(state.timeline)
