"""The sound in the middle of Explore: outline, spectrogram, keyboard, play, live."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.gui.commands import Commands
from igm_gui.gui.sound.axis import TimeAxis
from igm_gui.gui.sound.controls import DeviceButton, LevelMeter, VolumeControl
from igm_gui.gui.sound.health import Health, LoudnessMeter, explanation, figures
from igm_gui.gui.sound.hub import SoundHub, hub_of
from igm_gui.gui.sound.keyboard import PianoKeyboard
from igm_gui.gui.sound.spectrogram import SpectrogramView
from igm_gui.gui.sound.waveform import WaveformView
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.info import InputSpec
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState

PITCH = "pitch"
MUTE = "Ctrl+Shift+M"
FOOT_MARGINS = 50  # pixels beside and between the figures and the device


class SoundView(QWidget):
    """Shows and plays the newest sound of the main slot.

    Play plays the rendering. Live lets every change be heard at once: a model that streams is played
    without end from the current point; of any other, each new rendering takes over from the last.
    ``hub`` is the window's sound output unless another is given.
    """

    def __init__(
        self,
        studio: Studio,
        commands: Commands,
        parent: QWidget | None = None,
        hub: SoundHub | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._commands = commands
        self.hub = hub or hub_of(studio)
        self._samples: NDArray[np.float32] | None = None
        self._rate = 48_000
        self._audition = False  # a key was pressed: play its rendering when it comes
        self._live = False
        self._loop = False
        self._was_playing = False
        self.loudness = LoudnessMeter(self)
        self.loudness.changed.connect(lambda: self._show_health(self.hub.status))
        self._compact = False
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.axis = TimeAxis(self)  # what both show
        self.waveform = WaveformView(axis=self.axis)
        self.spectrogram = SpectrogramView(axis=self.axis)
        self.keyboard = PianoKeyboard()
        self.health = Health()
        self.readout = QLabel(self.spectrogram)  # what is under the pointer
        self.readout.setObjectName("overlay")
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 8, 20, 10)
        column.setSpacing(10)
        self.transport = self._make_transport()
        column.addWidget(self.transport)
        column.addWidget(self.waveform, 4)
        column.addWidget(self.spectrogram, 9)
        column.addWidget(self.keyboard)
        column.addLayout(self._make_foot())
        self._add_commands()
        self.waveform.seek_asked.connect(self.play_from)
        self.spectrogram.seek_asked.connect(self.play_from)
        self.waveform.hovered.connect(self._show_readout)
        self.waveform.painted.connect(studio.painted)
        self.spectrogram.hovered.connect(self._show_readout)
        self.keyboard.pressed.connect(self._press)
        self.keyboard.released.connect(self._release)
        self.hub.ticked.connect(self._on_tick)
        self.hub.changed.connect(self._show_playing)
        studio.rendered.connect(self._on_rendered)
        studio.changed.connect(self._on_changed)
        self._show_inputs()
        if studio.last is not None:
            self._on_rendered(studio.last)
        self._show_playing()
        self._show_health(self.hub.status)

    def _make_transport(self) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(6)
        self.play_button = Button("Play", "play")
        self.play_button.clicked.connect(lambda: self._commands.run("sound.play"))
        self.live_button = Button("Live", "radio")
        self.live_button.setCheckable(True)
        self.live_button.clicked.connect(lambda: self._commands.run("sound.live"))
        self.loop_button = Button("", "repeat", role="icon")
        self.loop_button.setAccessibleName("Loop")
        self.loop_button.setCheckable(True)
        self.loop_button.clicked.connect(lambda: self._commands.run("sound.loop"))
        for button in (self.play_button, self.live_button, self.loop_button):
            row.addWidget(button)
        self.volume = VolumeControl(self.hub, shortcut=MUTE)
        self.meter = LevelMeter(self.hub)
        row.addSpacing(4)
        row.addWidget(self.volume)
        row.addWidget(self.meter)
        row.addStretch(1)
        return bar

    def _make_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.health)
        row.addStretch(1)
        self.device_button = DeviceButton(self.hub)
        row.addWidget(self.device_button)
        return row

    def _add_commands(self) -> None:
        add = self._commands.add
        add("sound.play", "Play or stop the sound", self.toggle_play, group="Sound", enabled=self._ready)
        add(
            "sound.live",
            "Hear every change at once (live)",
            self.toggle_live,
            "L",
            "Sound",
            enabled=self._ready,
        )
        add("sound.loop", "Loop the sound", self.toggle_loop, "Shift+L", "Sound", enabled=self._ready)
        add("sound.mute", "Sound on or off", self.hub.toggle_mute, MUTE, "Sound")
        add(
            "sound.keys",
            "Play notes on the computer's keys",
            self._focus_keys,
            "N",
            "Sound",
            enabled=self._has_keys,
        )
        self.live_button.setToolTip(self._commands.tip("sound.live", "Live: hear every change at once"))
        self.loop_button.setToolTip(self._commands.tip("sound.loop", "Loop"))

    def _ready(self) -> bool:
        return self._shows_sound and self._samples is not None

    def _has_keys(self) -> bool:
        return self._shows_sound and not self.keyboard.isHidden()

    def _focus_keys(self) -> None:
        self.keyboard.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def _shows_sound(self) -> bool:
        info = self._studio.session.info
        return info is not None and info.media == "sound"

    # -- playing

    @property
    def live(self) -> bool:
        return self._live

    @property
    def loop(self) -> bool:
        return self._loop

    @property
    def _streams(self) -> bool:
        info = self._studio.session.info
        return info is not None and "stream" in info.abilities

    def toggle_play(self) -> None:
        """Play the rendering from its start, or stop what is heard. Stopping ends Live too."""
        if self.hub.is_playing(self):
            self.stop()
        else:
            self.play_from(0.0)

    def play_from(self, seconds: float) -> None:
        """Play the rendering from ``seconds`` on; Live streaming ends."""
        if self._samples is None:
            return
        if self._live and self._streams:
            self._set_live(False)
        self.hub.play(self, self._samples, self._rate, self.loop, seconds)

    def stop(self) -> None:
        """Silence; Live is off."""
        self._audition = False
        self._set_live(False)
        self.hub.stop(self)

    def toggle_live(self) -> None:
        """Live on or off. Off leaves a looped rendering playing, and ends a stream."""
        if self._live:
            streaming = bool(self.hub.engine.live_model)
            self._set_live(False)
            if streaming:
                self.hub.stop(self)
        elif self._samples is not None:
            self._set_live(True)
            self._begin_live()

    def _begin_live(self) -> None:
        state = self._studio.state
        if self._streams:
            self.hub.go_live(self, state.model, state.point)
        elif self._samples is not None and not self.hub.is_playing(self):
            self.hub.play(self, self._samples, self._rate, self.loop)

    def toggle_loop(self) -> None:
        """Loop or not, also of what plays now."""
        self._loop = not self._loop
        self.loop_button.setChecked(self._loop)
        self.hub.engine.player.set_loop(self._loop)

    def _set_live(self, live: bool) -> None:
        self._live = live
        self.live_button.setChecked(live)
        self.live_button.set_role("accent" if live else "")
        self._show_playing()

    # -- the session

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"model", "info"}:
            self._show_inputs()
            if "model" in changed:
                self._audition = False
            if not self._shows_sound and self.hub.is_playing(self):
                self.stop()
        pitch = state.point.get(PITCH)
        self.keyboard.set_note(float(pitch) if isinstance(pitch, (int, float)) else None)
        if self._live and self.hub.is_playing(self) and changed & {"point", "model", "info"}:
            if self.hub.engine.live_model == state.model:
                self.hub.engine.move(state.point)
            elif self._streams:
                self.hub.go_live(self, state.model, state.point)
        self._show_health(self.hub.status)

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot != "main" or result.media is None or result.info is None:
            return
        if result.info.media != "sound":
            return
        if self._studio.playhead is not None and not self.isVisible():
            return
        self._samples = np.asarray(result.media[0], np.float32)
        self._rate = result.info.output.sample_rate
        self.loudness.set_sound(self._samples, self._rate)
        self.waveform.set_sound(self._samples, self._rate)
        self.spectrogram.set_sound(self._samples, self._rate)
        if self._audition:
            self._audition = False
            self.hub.play(self, self._samples, self._rate, self.loop)
        elif self._live and self.isVisible():
            if not self._streams:
                # Also where the model before streams: this one takes over from it.
                self.hub.swap(self, self._samples, self._rate, self.loop)
            elif not self.hub.engine.live_model:
                self._begin_live()
        self._show_playing()

    def _pitch(self) -> InputSpec | None:
        info = self._studio.session.info
        spec = info.input(PITCH) if info is not None else None
        return spec if spec is not None and spec.kind == "scalar" else None

    def _show_inputs(self) -> None:
        spec = self._pitch()
        self.keyboard.setVisible(spec is not None)
        if spec is not None:
            self.keyboard.set_range(int(np.ceil(spec.minimum)), int(np.floor(spec.maximum)))
            pitch = self._studio.state.point.get(PITCH)
            self.keyboard.set_note(float(pitch) if isinstance(pitch, (int, float)) else None)
        tip = "a stream without end" if self._streams else "each new rendering takes over from the last"
        self.live_button.setToolTip(
            self._commands.tip("sound.live", f"Live: hear every change at once ({tip})")
        )

    def _press(self, note: int) -> None:
        """A key of the piano: the pitch changes and its note is heard."""
        session = self._studio.session
        if session.info is None or self._pitch() is None:
            return
        streaming = self._live and self._streams
        self._audition = not streaming
        if not session.set_input(PITCH, float(note), merge="piano") and self._audition:
            self._audition = False
            self.play_from(0.0)

    def _release(self, _note: int) -> None:
        self._studio.session.end_merge()

    # -- showing

    def _on_tick(self, status: SoundStatus) -> None:
        mine = self.hub.is_playing(self) and status.live is None and status.player.playing
        playhead = status.player.position if mine and status.player.length else None
        self.waveform.set_playhead(playhead)
        self.spectrogram.set_playhead(playhead)
        self._show_health(status)

    def _show_playing(self) -> None:
        playing = self.hub.is_playing(self)
        text = "Stop" if playing else "Play"
        if self.play_button.text() != ("" if self._compact else text):
            self.play_button.setText("" if self._compact else text)
        if self.play_button.accessibleName() != text:
            self.play_button.setAccessibleName(text)
            self.play_button.set_icon("square" if playing else "play")
        self.play_button.setToolTip(f"{text}  (Space)")
        self.play_button.setEnabled(self._samples is not None)
        self.live_button.setEnabled(self._samples is not None)
        ended, self._was_playing = self._was_playing and not playing, playing
        if ended:
            self.waveform.set_playhead(None)
            self.spectrogram.set_playhead(None)
            if self._live and (self._streams or self.hub.owner is not None):
                self._set_live(False)  # the stream failed, or somebody else plays now
        self._show_health(self.hub.status)

    def _show_readout(self, text: str | None) -> None:
        self.readout.setText(text or "")
        self.readout.adjustSize()
        self.readout.move(self.spectrogram.width() - self.readout.width() - 8, 8)
        self.readout.setVisible(bool(text))

    def _show_health(self, status: SoundStatus) -> None:
        info = self._studio.session.info
        if info is None or info.media != "sound":
            self.health.show_figures([], status, "")
            return
        mine = self.hub.is_playing(self)
        pitch = self._studio.state.point.get(PITCH) if self._pitch() is not None else None
        note = float(pitch) if isinstance(pitch, (int, float)) else None
        length = 0.0 if self._samples is None else self._samples.shape[-1] / self._rate
        parts = figures(info, status, mine, note, length, self.loudness.levels)
        room = self.width() - self.device_button.sizeHint().width() - FOOT_MARGINS
        self.health.show_figures(parts, status, explanation(info, status, mine), room)

    # -- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where it is narrow, what can be done without goes.
        self.meter.setVisible(self.width() > 620)
        self.volume.setVisible(self.width() > 420)
        self.volume.track.setVisible(self.width() > 560)
        if self._compact != (self.width() <= 560):
            self._compact = not self._compact
            self.live_button.setText("" if self._compact else "Live")
            self._show_playing()
        self._show_health(self.hub.status)

    def hideEvent(self, event: QHideEvent) -> None:
        # What can't be seen should not sound: another workspace, or a picture model, is shown.
        if not event.spontaneous() and self.hub.is_playing(self):
            self.stop()
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_playing()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.hub.is_playing(self):
            self.stop()
            return
        super().keyPressEvent(event)
