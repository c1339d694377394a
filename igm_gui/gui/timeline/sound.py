"""What is heard while a timeline of a sound model plays."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject

from igm_gui.gui.sound.hub import SoundHub, hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.player import Player
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.requests import RenderResult
from igm_gui.timeline import fitted


class TimelineSound(QObject):
    """Streams the moving point where the model can stream; otherwise plays one rendering after the
    other, each from the point at its start, as the WAV export does."""

    def __init__(self, studio: Studio, player: Player) -> None:
        super().__init__(player)
        self._studio = studio
        self._player = player
        self._turn = -1  # number of the rendering that was played last
        player.playing_changed.connect(self._on_playing)
        studio.playhead_changed.connect(self._on_playhead)

    @property
    def _info(self) -> GeneratorInfo | None:
        info = self._studio.session.info
        return info if info is not None and info.media == "sound" else None

    @property
    def _hub(self) -> SoundHub:
        return hub_of(self._studio)

    def _point(self, info: GeneratorInfo) -> LatentPoint:
        state = self._studio.state
        return conform(fitted(state.timeline, info).sample(self._studio.playhead or 0.0) or state.point, info)

    def _on_playing(self, playing: bool) -> None:
        info = self._info
        if info is None:
            return
        if not playing:
            self._hub.stop(self)
        elif "stream" in info.abilities:
            self._hub.go_live(self, self._studio.state.model, self._point(info))
        else:
            self._turn = -1

    def _on_playhead(self, seconds: float) -> None:
        info = self._info
        if info is None or not self._player.playing:
            return
        if "stream" in info.abilities:
            if self._hub.is_playing(self):
                self._hub.engine.move(self._point(info))
            return
        length = info.output.samples / info.output.sample_rate
        turn = math.floor(seconds / length) if length > 0 else 0
        if turn != self._turn:
            self._turn = turn
            model, point = self._studio.state.model, self._point(info)
            self._studio.thumbnail("timeline-sound", model, (point,), 0, self._play)

    def _play(self, result: RenderResult) -> None:
        if self._player.playing and result.media is not None and result.info is not None:
            self._hub.play(self, result.media[0], result.info.output.sample_rate)
