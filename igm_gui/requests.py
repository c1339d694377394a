"""What is asked of the engine and what comes back, as plain data that can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import IgmError
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint


class Priority(IntEnum):
    """Which request goes first: the lower the sooner."""

    INTERACTIVE = 0
    THUMBNAIL = 1
    BATCH = 2


@dataclass(frozen=True)
class RenderRequest:
    """One or more points of one model, to be rendered in one go.

    ``slot`` names who asks ("main", "compare:1", "grid", "thumb:<id>"): a newer request of a slot
    replaces the one still waiting there. ``model`` is a bundled name or a path. An empty ``points``
    asks only for the model to be loaded. ``width`` > 0 asks for pictures scaled down
    (antialiased) so that neither side is longer: thumbnails. ``conform`` makes points fit
    the model instead of failing (a timeline kept across models).
    """

    model: str
    points: tuple[LatentPoint, ...] = ()
    slot: str = "main"
    priority: Priority = Priority.INTERACTIVE
    device: str = "auto"
    width: int = 0
    conform: bool = False
    tag: Any = None


@dataclass(frozen=True)
class RenderResult:
    """The answer to ``request``: media and how long it took, or an error.

    ``media`` is uint8 ``(N, H, W, C)`` for pictures (C of 1, 3 or 4), float32
    ``(N, channels, samples)`` in [-1, 1] for sound, None when nothing was asked for or it failed.
    Times are in seconds: ``model_seconds`` the forward pass alone, ``render_seconds`` with
    everything around it on the render thread.
    """

    request: RenderRequest
    info: GeneratorInfo | None = None
    media: NDArray[np.uint8] | NDArray[np.float32] | None = field(default=None, compare=False)
    model_seconds: float = 0.0
    render_seconds: float = 0.0
    device: str = ""
    notice: str = ""
    error: IgmError | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        return self.error is None
