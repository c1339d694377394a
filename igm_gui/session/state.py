"""Everything a project is, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from igm_gui.latent.interpolate import Interpolation
from igm_gui.latent.point import LatentPoint
from igm_gui.timeline.timeline import Timeline

GridMode = Literal["seeds", "plane", "classes"]


@dataclass(frozen=True)
class SavedPoint:
    """A point worth keeping, with the model it was found in."""

    id: str
    name: str
    model: str
    point: LatentPoint


@dataclass(frozen=True)
class GridSpec:
    """A grid of pictures.

    ``seeds``: seed, seed + 1, ... row by row. ``plane``: between four ``corners`` (top left, top
    right, bottom left, bottom right; empty ones are drawn from seeds). ``classes``: one row for each
    class, one column for each seed (``rows`` is then the number of classes).
    ``gap`` is in pixels of the written picture, ``scale`` a whole-number magnification; 0 is one that
    suits the model (:func:`igm_gui.session.grid.grid_scale`).
    """

    mode: GridMode = "seeds"
    rows: int = 6
    columns: int = 8
    seed: int = 0
    corners: tuple[LatentPoint | None, ...] = (None, None, None, None)
    interpolation: Interpolation = "slerp"
    gap: int = 2
    scale: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.rows <= 256 and 1 <= self.columns <= 256):
            raise ValueError(f"a grid has 1 to 256 rows and columns, not {self.rows} × {self.columns}")
        if len(self.corners) != 4:
            raise ValueError("a grid has four corners")
        if not (0 <= self.gap <= 256 and 0 <= self.scale <= 64):
            raise ValueError("a grid's gap is 0 to 256 and its scale 0 to 64")


@dataclass(frozen=True)
class SessionState:
    """What the model is asked, and what was kept.

    ``locks`` holds (input, flat dimension) pairs that random, mutate, seed and zero leave alone.
    ``compare`` names the models standing beside ``model``; ``compare_seed`` is the first seed of the
    sample rows. ``device`` is ``auto``, ``cpu``, ``cuda`` or ``mps``. ``spread`` is mutate's step.
    """

    model: str = ""
    point: LatentPoint = field(default_factory=LatentPoint)
    locks: frozenset[tuple[str, int]] = frozenset()
    saved: tuple[SavedPoint, ...] = ()
    timeline: Timeline = field(default_factory=Timeline)
    compare: tuple[str, ...] = ()
    compare_seed: int = 0
    grid: GridSpec = field(default_factory=lambda: GridSpec(gap=8, scale=0))
    device: str = "auto"
    spread: float = 0.3
