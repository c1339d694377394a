"""How well the sound keeps up: a line of figures, and what they mean where the pointer rests on them."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QThreadPool, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QFontMetrics
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from igm_gui.engine.audio.analysis import decibels, loudness, note_name
from igm_gui.engine.audio.sound import SoundStatus
from igm_gui.info import GeneratorInfo

SHOW_SECONDS = 0.25  # figures that change faster than this can't be read
ALARM_SECONDS = 3.0  # how long a new underrun stays red
MEASURE_MS = 250  # how long after a new sound its loudness is measured
PADDING = 20  # pixels around the text
SHORTEST_DELAY = 0.01  # of a model's own, in seconds; less is not heard


@dataclass(frozen=True)
class Figure:
    """A few words of the line; where there is no room the least ``worth`` goes first."""

    text: str
    worth: int


def figures(
    info: GeneratorInfo,
    status: SoundStatus,
    mine: bool,
    pitch: float | None,
    seconds: float,
    levels: tuple[float, float] | None = None,
) -> list[Figure]:
    """Such as ``A4``, ``24 kHz``, ``block 512``, ``0 underruns``, ``latency 31 ms``.

    ``mine`` says that what is heard now is what the line stands under; ``seconds`` is the rendering's
    length, 0 where there is none; ``levels`` its loudness in LUFS and its peak in dB.
    """
    parts = [] if pitch is None else [Figure(note_name(pitch), 5)]
    parts.append(Figure(f"{info.output.sample_rate / 1000:g} kHz", 3))
    player, live = status.player, status.live
    if not (mine and player.rate):
        if seconds:
            parts.append(Figure(f"{seconds:.2f} s", 4))
        if levels is not None:
            loud, peak = (f"{level:.1f}".replace("-", "−") for level in levels)
            parts += [Figure(f"{loud} LUFS", 2), Figure(f"peak {peak} dB", 1)]
        return parts
    if not player.real:
        parts.append(Figure("no sound device", 9))
    parts.append(Figure(f"block {player.block}", 1))
    if live is not None and not live.ready:
        parts.append(Figure("getting ready", 8))
    elif live is not None:
        parts.append(Figure(f"{live.real_time_factor:.2f} × real time", 4))
        parts.append(Figure(f"ring {live.fill * 1000:.0f} ms", 2))
    parts.append(Figure(f"{player.underruns} underrun{'' if player.underruns == 1 else 's'}", 7))
    late = f"latency {player.latency * 1000:.0f}"
    if live is not None and info.delay >= SHORTEST_DELAY:
        late += f" + {info.delay * 1000:.0f}"
    parts.append(Figure(f"{late} ms", 6))
    return parts


def fitted(parts: list[Figure], metrics: QFontMetrics, room: float) -> str:
    """As many of ``parts`` as have room in ``room`` pixels, in their order."""
    kept = list(parts)
    while kept:
        text = " · ".join(part.text for part in kept)
        if metrics.horizontalAdvance(text) <= room or len(kept) == 1:
            return text
        kept.remove(min(kept, key=lambda part: part.worth))
    return ""


def explanation(info: GeneratorInfo, status: SoundStatus, mine: bool) -> str:
    """The same in sentences, for the tool tip."""
    player, live = status.player, status.live
    if not (mine and player.rate):
        return (
            "LUFS: loudness of the rendering as heard (ITU-R BS.1770); peak: its highest sample, in dB below "
            "full scale.\nWhile it plays: how well the sound keeps up"
        )
    lines = [
        f"{player.device} at {player.rate / 1000:g} kHz"
        if player.real
        else "There is no sound device: the sound goes on unheard",
        f"Blocks of {player.block} samples, {1000 * player.block / player.rate:.1f} ms each",
    ]
    if live is not None:
        lines += [
            f"Real-time factor {live.real_time_factor:.2f}, worst {live.worst_factor:.2f}: the time that "
            "sound takes to make over the time it lasts; below 1 it keeps up",
            f"Ring: {live.fill * 1000:.0f} ms are ready, {live.lead * 1000:.0f} ms are aimed at",
        ]
    lines.append(f"Underruns: {player.underruns} times the device had to wait for sound")
    lines.append(f"Latency: {player.latency * 1000:.0f} ms until a change reaches the device")
    if live is not None and info.delay >= SHORTEST_DELAY:
        lines.append(f"and {info.delay * 1000:.0f} ms more inside the model, measured when it was opened")
    return "\n".join(lines)


class LoudnessMeter(QObject):
    """Measures a sound beside the interface's thread, once it has been the newest for a moment."""

    changed = Signal()
    _done = Signal(object, float, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.levels: tuple[float, float] | None = None  # LUFS and peak in dB of the newest sound, once known
        self._sound: tuple[NDArray[Any], int] | None = None
        self._rest = QTimer(self, singleShot=True, interval=MEASURE_MS)
        self._rest.timeout.connect(self._measure)
        self._done.connect(self._on_done)

    def set_sound(self, samples: NDArray[Any], rate: int) -> None:
        """Another sound, float32 ``(channels, n)``; ``changed`` says when it is measured."""
        self._sound, self.levels = (samples, rate), None
        if not self._rest.isActive():
            self._rest.start()

    def _measure(self) -> None:
        assert self._sound is not None
        samples, rate = self._sound
        done = self._done

        def work() -> None:
            peak = float(np.abs(np.nan_to_num(samples)).max(initial=0.0))
            with contextlib.suppress(RuntimeError):  # deleted meanwhile
                done.emit(samples, loudness(samples, rate), decibels(peak))

        QThreadPool.globalInstance().start(work)

    def _on_done(self, samples: object, loud: float, peak: float) -> None:
        if self._sound is not None and samples is self._sound[0]:
            self.levels = (loud, peak)
            self.changed.emit()
        elif not self._rest.isActive():
            self._rest.start()  # a newer one came meanwhile


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

    def show_figures(self, parts: list[Figure], status: SoundStatus, tip: str, room: float = 1e6) -> None:
        """Show what of ``parts`` fits into ``room`` pixels: at once where something began, ended or broke
        off, else a few times a second."""
        now = time.monotonic()
        underruns = status.player.underruns
        if underruns > self._underruns:
            self._alarm = now + ALARM_SECONDS
        self._underruns = underruns
        ready = status.live is not None and status.live.ready
        what = (len(parts), parts[:2], underruns, ready, status.player.real, room)
        if what == self._shown and now - self._shown_at < SHOW_SECONDS:
            return
        self._shown, self._shown_at = what, now
        text = fitted(parts, self.fontMetrics(), room - PADDING)
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
