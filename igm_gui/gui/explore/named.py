"""The dimensions of a latent that have a name of their own, as sliders: brightness, sustain, noisiness."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from igm_gui.gui.widgets.slider import ValueSlider
from igm_gui.info import InputSpec
from igm_gui.latent.priors import clip_range
from igm_gui.latent.vector import Vector

MOST = 8


def named_dimensions(spec: InputSpec) -> dict[int, str]:
    """Flat index and name of the first few dimensions whose name says more than a number does: of
    ``("brightness", "timbre 2")`` the first."""
    named = {i: name for i, name in enumerate(spec.dimensions[: spec.size]) if not re.search(r"\d", name)}
    return dict(list(named.items())[:MOST])


class NamedDimensions(QWidget):
    """A slider for each; they show and change the same numbers as the strip's bars."""

    drawn = Signal(object)  # dict of flat index -> value
    finished = Signal()

    def __init__(self, spec: InputSpec, names: dict[int, str], label_width: int) -> None:
        super().__init__()
        self.sliders: dict[int, ValueSlider] = {}
        low, high = clip_range(spec)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        for index, name in names.items():
            tip = f"{name}: the bar {index} of the strip, counted from 0"
            slider = ValueSlider(name, low, high, signed=True, tip=tip, label_width=label_width)
            slider.changed.connect(lambda value, index=index: self.drawn.emit({index: float(value)}))
            slider.released.connect(self.finished)
            self.sliders[index] = slider
            column.addWidget(slider)

    def show_values(self, value: object, locked: frozenset[int]) -> None:
        """Show a point's latent; a locked dimension rests."""
        if not isinstance(value, Vector):
            return
        flat = value.array.reshape(-1)
        for index, slider in self.sliders.items():
            if index < flat.size:
                slider.set_value(float(flat[index]))
            slider.setEnabled(index not in locked)
