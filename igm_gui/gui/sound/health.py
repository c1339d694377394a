"""How well the sound keeps up: a line of figures, and what they mean where the pointer rests on them."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from igm_gui.engine.audio.analysis import note_name
from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.info import GeneratorInfo

SHOW_SECONDS = 0.25  # figures that change faster than this can't be read
ALARM_SECONDS = 3.0  # how long a new underrun stays red
ALL_WIDTH, MOST_WIDTH = 720, 560  # pixels of the view
SHORTEST_DELAY = 0.01  # of a model's own, in seconds; less is not heard


def figures(
    info: GeneratorInfo, status: SoundStatus, mine: bool, pitch: float | None, seconds: float, width: int
) -> list[str]:
    """Such as ``A4``, ``24 kHz``, ``block 512``, ``0 underruns``, ``latency 31 ms``.

    ``mine`` says that what is heard now is what the line stands under; ``seconds`` is the rendering's
    length, 0 where there is none; in a ``width`` of few pixels what can be done without is left out.
    """
    parts = [] if pitch is None else [note_name(pitch)]
    parts.append(f"{info.output.sample_rate / 1000:g} kHz")
    player, live = status.player, status.live
    if not (mine and player.rate):
        return [*parts, f"{seconds:.2f} s"] if seconds else parts
    if not player.real:
        parts.append("no sound device")
    if width > ALL_WIDTH:
        parts.append(f"block {player.block}")
    if live is not None and not live.ready:
        parts.append("getting ready")
    elif live is not None:
        parts.append(f"{live.real_time_factor:.2f} × real time")
        if width > MOST_WIDTH:
            parts.append(f"ring {live.fill * 1000:.0f} ms")
    parts.append(f"{player.underruns} underrun{'' if player.underruns == 1 else 's'}")
    if width > MOST_WIDTH:
        late = f"latency {player.latency * 1000:.0f}"
        if live is not None and info.delay >= SHORTEST_DELAY:
            late += f" + {info.delay * 1000:.0f}"
        parts.append(f"{late} ms")
    return parts


def explanation(info: GeneratorInfo, status: SoundStatus, mine: bool) -> str:
    """The same in sentences, for the tool tip."""
    player, live = status.player, status.live
    if not (mine and player.rate):
        return "How well the sound keeps up, while it plays"
    lines = [
        f"{player.device} at {player.rate / 1000:g} kHz"
        if player.real
        else "There is no sound device: the sound goes on unheard",
        f"Blocks of {player.block} samples, {1000 * player.block / player.rate:.1f} ms each",
    ]
    if live is not None:
        lines += [
            f"Real-time factor {live.real_time_factor:.2f}, worst {live.worst_factor:.2f}: the time a block "
            "takes to make over the time it lasts; below 1 it keeps up",
            f"Ring: {live.fill * 1000:.0f} ms are ready, {live.lead * 1000:.0f} ms are aimed at",
        ]
    lines.append(f"Underruns: {player.underruns} times the device had to wait for sound")
    lines.append(f"Latency: {player.latency * 1000:.0f} ms until a change reaches the device")
    if live is not None and info.delay >= SHORTEST_DELAY:
        lines.append(f"and {info.delay * 1000:.0f} ms more inside the model, measured when it was opened")
    return "\n".join(lines)


class Health(QLabel):
    """The line of figures; red for a while where the sound broke off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("overlay")
        self.setAccessibleName("Sound health")
        self.setMinimumWidth(80)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._shown: tuple[object, ...] = ()
        self._shown_at = 0.0
        self._underruns = 0
        self._alarm = 0.0
        self._tip = ""

    def show_figures(self, parts: list[str], status: SoundStatus, tip: str) -> None:
        """Show ``parts``: at once where something began, ended or broke off, else a few times a second."""
        now = time.monotonic()
        underruns = status.player.underruns
        if underruns > self._underruns:
            self._alarm = now + ALARM_SECONDS
        self._underruns = underruns
        ready = status.live is not None and status.live.ready
        what = (len(parts), parts[:2], underruns, ready, status.player.real)
        if what == self._shown and now - self._shown_at < SHOW_SECONDS:
            return
        self._shown, self._shown_at = what, now
        text = " · ".join(parts)
        if text != self.text():
            self.setText(text)
        self._set_role("bad" if now < self._alarm and status.player.playing else "")
        self._tip = tip
        if self.underMouse() and QToolTip.isVisible():
            self.setToolTip(tip)

    def _set_role(self, role: str) -> None:
        if (self.property("role") or "") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            self.setToolTip(self._tip)
        return super().event(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setToolTip(self._tip)
        super().enterEvent(event)
