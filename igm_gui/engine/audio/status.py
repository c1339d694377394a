"""What the player tells of itself, as plain data."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from igm_gui.engine.audio.voices import Clip


def block_for(rate: int) -> int:
    """Frames of a block: about ten milliseconds."""
    return 512 if rate >= 32_000 else 256


@dataclass(frozen=True)
class PlayerStatus:
    """What the interface shows, read at any time without waiting for the thread that plays.

    ``position`` and ``length`` are those of the clip heard now, in seconds; ``level`` a peak from 0 to 1;
    ``latency`` from the mixer to the ear; ``real`` False where there is no device.
    """

    playing: bool = False
    position: float = 0.0
    length: float = 0.0
    level: float = 0.0
    device: str = ""
    real: bool = True
    rate: int = 0
    block: int = 0
    latency: float = 0.0
    underruns: int = 0


class Opening:
    """An output being opened for ``rate``; ``actual`` is the device's rate once ``done`` is set."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.actual = rate
        self.done = threading.Event()


@dataclass(frozen=True)
class Mark:
    """How far a clip was read at a moment: enough to say what is heard now."""

    clip: Clip
    frames: int
    time: float
