"""How a film or a sound is written: size, enlarging, quality, rounds, sample format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from igm_gui.gui.settings import Settings
from igm_gui.info import GeneratorInfo
from igm_gui.session.recipes import Film
from igm_gui.timeline.timeline import Timeline

MAX_SIDE = 8192  # H.264
# Shorter side that is aimed at, in pixels; 0 is the model's own.
SIDES = (0, 256, 512, 1024, 2048)
# x264's constant rate factor: a step of 6 is about twice the bytes.
QUALITIES = ((26, "Small file"), (16, "High"), (6, "Highest"))
ROUNDS = (1, 2, 3, 5, 10)
FORMATS = (("PCM_16", "16 bits"), ("PCM_24", "24 bits"), ("FLOAT", "32 bits, floating"))
DEFAULTS = {"side": "512", "crf": "16", "rounds": "1", "samples": "PCM_16"}


def factor_for(info: GeneratorInfo, side: int) -> int:
    """The whole-number magnification that brings the shorter side to ``side`` pixels or more."""
    height, width = max(info.output.height, 1), max(info.output.width, 1)
    wanted = max(1, -(-side // min(height, width)))
    return max(1, min(wanted, MAX_SIDE // max(height, width)))


def size_text(info: GeneratorInfo, factor: int) -> str:
    """Width × height of the film, which has even sides."""
    width, height = (n * factor + n * factor % 2 for n in (info.output.width, info.output.height))
    return f"{width} × {height}"


def time_text(seconds: float) -> str:
    """Such as ``8 s`` or ``2:30 min``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


@dataclass(frozen=True)
class FilmChoice:
    """What was chosen; kept between runs."""

    side: int = 512
    crf: int = 16
    rounds: int = 1
    smooth: bool = False
    samples: str = "PCM_16"

    @classmethod
    def chosen(cls, settings: Settings) -> FilmChoice:
        """The person's choices. Enlarging is as on screen, where nothing else was chosen."""

        def one_of(key: str, allowed: Sequence[Any]) -> Any:
            text = settings.text(f"film/{key}", DEFAULTS[key])
            return next((value for value in allowed if str(value) == text), allowed[0])

        smooth = settings.chosen("film/smooth")
        if smooth is None:
            smooth = bool(settings.chosen("explore/smooth"))
        return cls(
            one_of("side", SIDES),
            one_of("crf", [crf for crf, _ in QUALITIES]),
            one_of("rounds", ROUNDS),
            smooth,
            one_of("samples", [name for name, _ in FORMATS]),
        )

    def rounds_of(self, timeline: Timeline) -> int:
        """How often it is gone through: a timeline that does not loop, once."""
        return self.rounds if timeline.loop else 1

    def film(self, info: GeneratorInfo | None, timeline: Timeline) -> Film:
        """The film that an export writes."""
        factor = None if info is None else factor_for(info, self.side)
        return Film(factor, self.smooth, self.crf, self.rounds_of(timeline))

    def text(self, info: GeneratorInfo | None, timeline: Timeline) -> str:
        """Such as ``512 × 512 · 8 s at 30 fps · high quality``."""
        rounds = self.rounds_of(timeline)
        length = time_text(timeline.length * rounds)
        if info is not None and info.media == "sound":
            depth = dict(FORMATS)[self.samples]
            return f"{time_text(timeline.length)} at {info.output.sample_rate / 1000:g} kHz · {depth}"
        parts = [f"{length} at {timeline.fps:g} fps", f"{dict(QUALITIES)[self.crf].lower()} quality"]
        if self.crf == QUALITIES[0][0]:
            parts[-1] = "small file"
        if info is not None:
            factor = factor_for(info, self.side)
            enlarged = "" if factor == 1 else ", smooth" if self.smooth else ", sharp pixels"
            parts.insert(0, size_text(info, factor) + enlarged)
        return " · ".join(parts)


class FilmMenu:
    """The choices as sub-menus; each is kept at once, and ``changed`` is called."""

    def __init__(self, settings: Settings, changed: Callable[[], object]) -> None:
        self._settings, self._changed = settings, changed

    def fill(self, menu: QMenu, info: GeneratorInfo | None, timeline: Timeline) -> None:
        """Add the sub-menus that concern this model."""
        film = FilmChoice.chosen(self._settings)
        if info is not None and info.media == "sound":
            self._choice(menu, "Sample format", "samples", film.samples, FORMATS)
            return
        sizes: dict[int, tuple[int, str]] = {}
        if info is not None:
            for side in SIDES:
                factor = factor_for(info, side)
                name = size_text(info, factor) + (" (the model's own)" if factor == 1 else f" ({factor} ×)")
                sizes.setdefault(factor, (side, name))
                if side == film.side:
                    # Two sides may come to the same size: the one that was chosen stands for both.
                    sizes[factor] = (side, name)
            self._choice(menu, "Size", "side", film.side, tuple(sizes.values()))
        ways = ((False, "Sharp pixels"), (True, "Smooth"))
        self._choice(menu, "Enlarge with", "smooth", film.smooth, ways)
        self._choice(menu, "Quality", "crf", film.crf, QUALITIES)
        names = [(n, "Once" if n == 1 else f"{n} times") for n in ROUNDS]
        self._choice(menu, "Go round", "rounds", film.rounds, names).setEnabled(timeline.loop)

    def _choice(
        self, menu: QMenu, title: str, key: str, now: object, choices: Sequence[tuple[Any, str]]
    ) -> QMenu:
        sub = menu.addMenu(title)
        group = QActionGroup(sub)
        for value, name in choices:
            action = sub.addAction(name, lambda value=value: self._take(key, value))
            action.setCheckable(True)
            action.setChecked(value == now)
            group.addAction(action)
        return sub

    def _take(self, key: str, value: object) -> None:
        self._settings.put(f"film/{key}", value if isinstance(value, bool) else str(value))
        self._changed()
