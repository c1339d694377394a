"""A seed: a slider over the first million, typed up to 2**32 - 1, and a die for a new one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from igm_gui.gui.widgets.buttons import IconButton
from igm_gui.gui.widgets.slider import Track, ValueEdit
from igm_gui.latent.priors import MAX_SEED

SLIDER_SEEDS = 999_999  # what the die throws
EDIT_WIDTH = 92  # all ten digits of the greatest seed
WHAT_SEEDS_ARE = f"Seeds are whole numbers from 0 to {MAX_SEED}."


class SeedRow(QWidget):
    """``Seed ──●── 2026``. A latent that was changed by hand has no seed: ``none``."""

    changed = Signal(object)  # int; a Qt int would overflow at 2**31
    released = Signal()
    dice = Signal()
    remarked = Signal(str, str)  # a sentence and what became of the seed, where what was typed is none

    def __init__(self, title: str, tip: str, label_width: int = 74, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed: int | None = 0
        label = QLabel(title)
        label.setFixedWidth(label_width)
        self.track = Track(0, SLIDER_SEEDS, 0, 1)
        self.edit = ValueEdit()
        self.edit.setFixedWidth(EDIT_WIDTH)
        self.die = IconButton("dices", f"A new {title.lower()}", role="flat")
        self.die.setFixedWidth(24)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(label)
        row.addWidget(self.track, 1)
        row.addWidget(self.edit)
        row.addWidget(self.die)
        self.setToolTip(f"{tip}\nDrag, wheel, arrows, or type a number up to {MAX_SEED}.")
        self.setAccessibleName(title)
        self.track.setAccessibleName(title)
        self.edit.setAccessibleName(f"{title}, typed")
        self.track.changed.connect(self._dragged)
        self.track.released.connect(self.released)
        self.track.edit_asked.connect(self.edit.setFocus)
        self.edit.entered.connect(self._typed)
        self.edit.refused.connect(self._refused)
        self.die.clicked.connect(self.dice)
        self.edit.show_text("0")

    @property
    def seed(self) -> int | None:
        """What is shown."""
        return self._seed

    def set_seed(self, seed: int | None) -> None:
        """Show ``seed`` silently; None shows that there is none."""
        if seed == self._seed:
            return
        self._seed = seed
        if seed is not None:
            self.track.set_value(float(seed))
        self.edit.show_text("none" if seed is None else str(seed))

    def _dragged(self, value: float) -> None:
        self._seed = round(value)
        self.edit.show_text(str(self._seed))
        self.changed.emit(self._seed)

    def _typed(self, value: float) -> None:
        seed = min(max(round(value), 0), MAX_SEED)
        if seed != value:
            self.remarked.emit(WHAT_SEEDS_ARE, f"The nearest one was taken: {seed}.")
        self.set_seed(seed)
        self.changed.emit(seed)
        self.released.emit()

    def _refused(self, _typed: str) -> None:
        stays = "There is still none." if self._seed is None else f"It stays {self._seed}."
        self.remarked.emit(WHAT_SEEDS_ARE, stays)
