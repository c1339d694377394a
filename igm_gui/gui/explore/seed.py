"""A seed: a slider over the first million, typed up to 2**32 - 1, and a die for a new one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from igm_gui.gui.widgets.buttons import IconButton
from igm_gui.gui.widgets.slider import Track, ValueEdit
from igm_gui.latent.priors import MAX_SEED

SLIDER_SEEDS = 999_999  # what the die throws


class SeedRow(QWidget):
    """``Seed ──●── 2026``. A latent that was changed by hand has no seed: ``none``."""

    changed = Signal(object)  # int; a Qt int would overflow at 2**31
    released = Signal()
    dice = Signal()

    def __init__(self, title: str, tip: str, label_width: int = 74, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed: int | None = 0
        label = QLabel(title)
        label.setFixedWidth(label_width)
        self.track = Track(0, SLIDER_SEEDS, 0, 1)
        self.edit = ValueEdit()
        self.edit.setFixedWidth(72)
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
        self.set_seed(seed)
        self.changed.emit(seed)
        self.released.emit()
