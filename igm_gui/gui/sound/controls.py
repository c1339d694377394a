"""Small parts of the sound view: volume, level, devices."""

from __future__ import annotations

import threading

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from igm_gui.engine.audio.analysis import decibels
from igm_gui.engine.audio.output import LATENCY, LEAST_LATENCY, NO_DEVICE
from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.gui import theme
from igm_gui.gui.sound.hub import SoundHub
from igm_gui.gui.widgets.buttons import Button, IconButton
from igm_gui.gui.widgets.slider import Track

FLOOR_DB = -54.0
# What the device holds: seconds, name, what for.
LATENCIES = (
    (LEAST_LATENCY, "Short", "For playing: a change is heard soonest. A busy machine may break off"),
    (LATENCY, "Normal", "Without gaps on an ordinary machine"),
    (0.30, "Long", "For a model that keeps up only just, or a busy machine"),
)


class VolumeControl(QWidget):
    """Mute button and volume slider of the hub. ``shortcut`` mutes too, and is told in the tool tip."""

    def __init__(self, hub: SoundHub, parent: QWidget | None = None, shortcut: str = "") -> None:
        super().__init__(parent)
        self._hub = hub
        self._shortcut = f"  ({shortcut})" if shortcut else ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.mute = IconButton("volume-2", "Mute", role="flat")
        self.mute.clicked.connect(hub.toggle_mute)
        self.track = Track(0.0, 1.0, 0.8)
        self.track.setFixedWidth(64)
        self.track.setAccessibleName("Volume")
        self.track.changed.connect(hub.set_volume)
        row.addWidget(self.mute)
        row.addWidget(self.track, 1)
        hub.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.track.set_value(self._hub.volume)
        silent = self._hub.volume == 0
        self.mute.set_icon("volume-x" if silent else "volume-2")
        self.mute.setToolTip(("Sound on again" if silent else "Mute") + self._shortcut)
        level = "" if silent else f" · {decibels(self._hub.volume):.1f} dB".replace("-", "−")
        self.track.setToolTip(f"Volume {self._hub.volume:.0%}{level}")


class LevelMeter(QWidget):
    """Peak level from -54 dB to full scale; the last 3 dB are red."""

    def __init__(self, hub: SoundHub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(52, 8)
        self.setAccessibleName("Level")
        self.setToolTip("Level: peak, -54 to 0 dB")
        hub.ticked.connect(self._on_tick)
        hub.changed.connect(lambda: self._on_tick(hub.status))

    def sizeHint(self) -> QSize:
        return QSize(52, 8)

    @property
    def level(self) -> float:
        """The peak shown, 0 to 1."""
        return self._level

    def _on_tick(self, status: SoundStatus) -> None:
        level = status.player.level if status.player.playing else 0.0
        if abs(level - self._level) > 1e-3:
            self._level = level
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("raised"))
        body = QRectF(self.rect())
        painter.drawRoundedRect(body, 3, 3)
        if self._level <= 0:
            return
        part = 1 - max(decibels(self._level), FLOOR_DB) / FLOOR_DB
        hot = 1 - 3 / -FLOOR_DB
        painter.setClipRect(QRectF(0, 0, body.width() * min(part, hot), body.height()))
        painter.setBrush(theme.colour("good"))
        painter.drawRoundedRect(body, 3, 3)
        if part > hot:
            painter.setClipRect(QRectF(body.width() * hot, 0, body.width() * (part - hot), body.height()))
            painter.setBrush(theme.colour("bad"))
            painter.drawRoundedRect(body, 3, 3)


class DeviceButton(Button):
    """The output device, and a menu to choose another."""

    def __init__(self, hub: SoundHub, parent: QWidget | None = None) -> None:
        super().__init__("", "speaker", "Where the sound goes, and how soon it is heard", "flat", parent)
        self._hub = hub
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._open)
        self._looked: threading.Event | None = None
        self._look = QTimer(self)
        self._look.setInterval(30)
        self._look.timeout.connect(self._look_done)
        self.setMenu(self._menu)
        self.setMaximumWidth(170)
        hub.changed.connect(self._show)
        hub.ticked.connect(lambda _status: self._show())
        self._show()

    def _show(self) -> None:
        name = self._hub.device_text()
        text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 120)
        if text != self.text():
            self.setText(text)
            self.setToolTip(f"The sound goes to: {name}. Click to choose where, and how soon it is heard")
            self.setAccessibleName(f"Sound device: {name}")

    def _open(self) -> None:
        """Show the devices known, and look for others meanwhile."""
        self._fill()
        self._looked = self._hub.engine.player.look_for_devices()
        self._look.start()

    def _look_done(self) -> None:
        if self._looked is None or self._looked.is_set():
            self._look.stop()
            self._fill()

    def _fill(self) -> None:
        menu, hub = self._menu, self._hub
        menu.clear()
        group = QActionGroup(menu)
        entries = [("", "System default")]
        entries += [(device.name, device.name) for device in hub.engine.devices]
        entries.append((NO_DEVICE, "No sound"))
        if hub.device not in [name for name, _ in entries]:
            entries.append((hub.device, f"{hub.device} (not connected)"))
        for name, title in entries:
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(name == hub.device)
            action.triggered.connect(lambda _checked=False, name=name: hub.set_device(name))
            group.addAction(action)
        menu.addSection("Latency")
        lengths = QActionGroup(menu)
        nearest = min(LATENCIES, key=lambda entry: abs(entry[0] - hub.latency))
        for seconds, title, tip in LATENCIES:
            action = menu.addAction(f"{title}, {seconds * 1000:.0f} ms")
            action.setToolTip(tip)
            action.setCheckable(True)
            action.setChecked(seconds == nearest[0])
            action.triggered.connect(lambda _checked=False, seconds=seconds: hub.set_latency(seconds))
            lengths.addAction(action)
        if not hub.engine.devices:
            menu.addSeparator()
            searching = self._looked is not None and not self._looked.is_set()
            text = "Looking for sound devices…" if searching else "No sound device was found."
            menu.addAction(text).setEnabled(False)
