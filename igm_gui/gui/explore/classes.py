"""The class of a class-conditional model: one by a click, or a mixture of several."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from igm_gui.gui.widgets.buttons import Button, flat_button
from igm_gui.gui.widgets.flow import FlowLayout
from igm_gui.gui.widgets.scrolling import Combo
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.slider import ValueSlider
from igm_gui.gui.widgets.tabbing import stops_in, tab_after
from igm_gui.info import InputSpec

MOST_CHIPS = 16
MOST_MIXED = 64


def with_weight(weights: NDArray[np.float32], index: int, weight: float) -> NDArray[np.float32]:
    """Weights of sum 1 where class ``index`` has ``weight`` (0 to 1) and the others keep their proportions.

    Where there are no others to keep, what is left is shared among all of them.
    """
    others = np.delete(np.asarray(weights, np.float64), index)
    total = others.sum()
    rest = others / total if total > 1e-6 else np.full(len(others), 1 / max(len(others), 1))
    weight = 1.0 if len(others) == 0 else min(max(weight, 0.0), 1.0)
    return np.insert(rest * (1 - weight), index, weight).astype(np.float32)


class ClassPicker(QWidget):
    """Chips (or a list where there are many classes), and a slider for each class under "Mix".

    A click takes one class; Ctrl-click adds it to an equal mixture or takes it out again.
    """

    changed = Signal(object)  # float32 weights, (classes,), sum 1
    released = Signal()
    opened = Signal(object)  # the sliders under "Mix", which want to be seen

    def __init__(self, spec: InputSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self._weights = np.zeros(len(spec.classes), np.float32)
        self.chips: list[Button] = []
        self.combo: Combo | None = None
        self.sliders: list[ValueSlider] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.head = SectionHead(spec.label_text if spec.title else "Class")
        column.addWidget(self.head)
        if len(spec.classes) <= MOST_CHIPS:
            column.addWidget(self._make_chips())
        else:
            self.combo = Combo()
            self.combo.addItems(list(spec.classes))
            self.combo.setToolTip(spec.description or "The class of what is shown")
            self.combo.setAccessibleName(spec.label_text)
            self.combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.combo.activated.connect(self.choose)
            column.addWidget(self.combo)
        self._mix = QWidget()
        self._mix.hide()
        column.addWidget(self._mix)
        if 2 <= len(spec.classes) <= MOST_MIXED:
            self.mix_button = flat_button("Mix", tip="Blend several classes with a slider for each")
            self.mix_button.setCheckable(True)
            self.mix_button.toggled.connect(self._show_mix)
            self.head.add(self.mix_button)

    @property
    def weights(self) -> NDArray[np.float32]:
        """What is shown, float32 (classes,)."""
        return self._weights

    def set_weights(self, weights: NDArray[np.float32]) -> None:
        """Show class weights, (classes,), silently."""
        if np.array_equal(weights, self._weights):
            return
        self._weights = weights
        for chip, weight in zip(self.chips, weights, strict=False):
            chip.setChecked(bool(weight > 1e-3))
        if self.combo is not None:
            self.combo.setCurrentIndex(int(weights.argmax()))
        for slider, weight in zip(self.sliders, weights, strict=False):
            slider.set_value(float(weight))
        present = int((weights > 1e-3).sum())
        self.head.set_remark(f"mixture of {present}" if present > 1 else "")

    def _make_chips(self) -> QWidget:
        box = QWidget()
        flow = FlowLayout(box)
        for index, name in enumerate(self.spec.classes):
            chip = Button(name, tip=f"{name}: class {index}\nCtrl-click mixes it in", role="chip")
            chip.setCheckable(True)
            chip.clicked.connect(lambda _=False, index=index: self._chip_clicked(index))
            flow.addWidget(chip)
            self.chips.append(chip)
        return box

    def _chip_clicked(self, index: int) -> None:
        mixing = QApplication.keyboardModifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        )
        if mixing:
            chosen = {i for i, weight in enumerate(self._weights) if weight > 1e-3} ^ {index}
        else:
            chosen = {index}
        self._take(chosen or {index})

    def choose(self, index: int) -> None:
        """Take one class alone."""
        self._take({index})

    def _take(self, chosen: set[int]) -> None:
        weights = np.zeros(len(self.spec.classes), np.float32)
        weights[list(chosen)] = 1.0 / len(chosen)
        for i, chip in enumerate(self.chips):
            chip.setChecked(i in chosen)  # Qt has toggled the clicked one already
        self.changed.emit(weights)
        self.released.emit()

    def _show_mix(self, shown: bool) -> None:
        if shown and not self.sliders:
            column = QVBoxLayout(self._mix)
            column.setContentsMargins(0, 2, 0, 0)
            column.setSpacing(2)
            for index, name in enumerate(self.spec.classes):
                slider = ValueSlider(name, 0.0, 1.0, 0.0, tip=f"Share of {name}")
                slider.set_value(float(self._weights[index]))
                slider.changed.connect(lambda value, index=index: self._weigh(index, value))
                slider.released.connect(self.released)
                column.addWidget(slider)
                self.sliders.append(slider)
            tab_after(self.combo or self.chips[-1], stops_in(self._mix))
        self._mix.setVisible(shown)
        if shown:
            QTimer.singleShot(0, self, lambda: self.opened.emit(self._mix))  # once it has its place

    def _weigh(self, index: int, weight: float) -> None:
        self.changed.emit(with_weight(self._weights, index, weight))
