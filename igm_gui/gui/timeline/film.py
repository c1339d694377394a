"""How a film or a sound is written: shape, size, enlarging, background, quality, rounds, sample format."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup, QColor
from PySide6.QtWidgets import QColorDialog, QMenu, QWidget

from igm_gui.formats.animation import MOST_FPS, frame_step
from igm_gui.formats.framing import MAX_SIDE, Size
from igm_gui.gui import theme
from igm_gui.gui.settings import Settings
from igm_gui.info import GeneratorInfo
from igm_gui.session.recipes import Film
from igm_gui.timeline.timeline import Timeline

# Shorter side that is aimed at, in pixels; 0 is the model's own.
SIDES = (0, 256, 512, 1024, 2048)
# Frames of another shape than the picture's, and their shorter sides: what players and platforms call them.
SHAPES = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1), "4:5": (4, 5)}
SHAPE_NAMES = (
    ("", "As the picture"),
    ("16:9", "Wide (16:9)"),
    ("9:16", "Upright (9:16)"),
    ("1:1", "Square (1:1)"),
    ("4:5", "Portrait (4:5)"),
)
LINES = (480, 720, 1080, 1440, 2160)
COLOURS = (("#000000", "Black"), ("#ffffff", "White"), ("#808080", "Grey"))
# x264's constant rate factor: a step of 6 is about twice the bytes.
QUALITIES = ((26, "Small file"), (16, "High"), (6, "Highest"))
ROUNDS = (1, 2, 3, 5, 10)
FORMATS = (("PCM_16", "16 bits"), ("PCM_24", "24 bits"), ("FLOAT", "32 bits, floating"))
DEFAULTS = {"side": "512", "shape": "", "lines": "1080", "crf": "16", "rounds": "1", "samples": "PCM_16"}


def factor_for(info: GeneratorInfo, side: int) -> int:
    """The whole-number magnification that brings the shorter side to ``side`` pixels or more."""
    height, width = max(info.output.height, 1), max(info.output.width, 1)
    wanted = max(1, -(-side // min(height, width)))
    return max(1, min(wanted, MAX_SIDE // max(height, width)))


def size_text(info: GeneratorInfo, factor: int) -> str:
    """Width × height of the film, which has even sides."""
    width, height = (n * factor + n * factor % 2 for n in (info.output.width, info.output.height))
    return f"{width} × {height}"


def frame_of(shape: str, lines: int) -> Size | None:
    """Width and height of a frame of ``shape`` whose shorter side has ``lines`` pixels; None for the
    picture's own shape."""
    if not shape:
        return None
    wide, high = SHAPES[shape]
    width, height = (2 * round(lines * side / min(wide, high) / 2) for side in (wide, high))
    return width, height


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
    shape: str = ""
    lines: int = 1080
    background: str = COLOURS[0][0]
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
        background = settings.text("film/background", COLOURS[0][0])
        return cls(
            one_of("side", SIDES),
            one_of("shape", [shape for shape, _ in SHAPE_NAMES]),
            one_of("lines", LINES),
            background if re.fullmatch("#[0-9a-f]{6}", background) else COLOURS[0][0],
            one_of("crf", [crf for crf, _ in QUALITIES]),
            one_of("rounds", ROUNDS),
            smooth,
            one_of("samples", [name for name, _ in FORMATS]),
        )

    def rounds_of(self, timeline: Timeline) -> int:
        """How often it is gone through: a timeline that does not loop, once."""
        return self.rounds if timeline.loop else 1

    @property
    def frame(self) -> Size | None:
        """Width and height of the frame around the picture; None where it has the picture's shape."""
        return frame_of(self.shape, self.lines)

    def film(self, info: GeneratorInfo | None, timeline: Timeline, ending: str = ".mp4") -> Film:
        """The film that an export writes. What goes round by itself is written once."""
        frame = self.frame
        factor = None if info is None or frame is not None else factor_for(info, self.side)
        rounds = 1 if ending in MOST_FPS else self.rounds_of(timeline)
        return Film(factor, self.smooth, self.crf, rounds, frame, self.background)

    def text(self, info: GeneratorInfo | None, timeline: Timeline, ending: str = ".mp4") -> str:
        """Such as ``512 × 512 · 8 s at 30 fps · high quality``."""
        fps = timeline.fps
        rounds = self.rounds_of(timeline)
        if ending in MOST_FPS:
            rounds, fps = 1, fps / frame_step(ending, fps)
        length = time_text(timeline.length * rounds)
        if info is not None and info.media == "sound":
            depth = dict(FORMATS)[self.samples]
            return f"{time_text(timeline.length)} at {info.output.sample_rate / 1000:g} kHz · {depth}"
        parts = [f"{length} at {fps:.3g} fps", f"{dict(QUALITIES)[self.crf].lower()} quality"]
        if self.crf == QUALITIES[0][0]:
            parts[-1] = "small file"
        if ending == ".gif":
            parts[-1] = "256 colours"
        if info is not None:
            parts.insert(0, self._size_text(info))
        return " · ".join(parts)

    def _size_text(self, info: GeneratorInfo) -> str:
        """Such as ``1920 × 1080 on black, sharp pixels``."""
        enlarged = ", smooth" if self.smooth else ", sharp pixels"
        if self.frame is not None:
            colour = dict(COLOURS).get(self.background, self.background).lower()
            return f"{self.frame[0]} × {self.frame[1]} on {colour}{enlarged}"
        factor = factor_for(info, self.side)
        return size_text(info, factor) + ("" if factor == 1 else enlarged)


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
        self._choice(menu, "Shape", "shape", film.shape, SHAPE_NAMES)
        sizes: dict[int, tuple[int, str]] = {}
        if film.shape:
            frames = [(lines, frame_of(film.shape, lines)) for lines in LINES]
            names = [(lines, f"{frame[0]} × {frame[1]}") for lines, frame in frames if frame]
            self._choice(menu, "Size", "lines", film.lines, names)
            self._background(menu, film)
        elif info is not None:
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

    def _background(self, menu: QMenu, film: FilmChoice) -> None:
        """What lies around the picture."""
        choices = list(COLOURS)
        if film.background not in dict(COLOURS):
            choices.append((film.background, film.background))
        sub = self._choice(menu, "Background", "background", film.background, choices)
        sub.addSeparator()
        sub.addAction("Another colour…", lambda: self.ask_colour(menu.parentWidget(), film.background))

    def ask_colour(self, parent: QWidget | None, now: str) -> QColorDialog:
        """Let a colour for the background be chosen."""
        dialog = theme.dress(QColorDialog(QColor(now), parent))
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle("Background of films")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda colour: self._take("background", colour.name()))
        dialog.open()
        return dialog

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
