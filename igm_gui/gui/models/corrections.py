"""A small form for what was guessed of a model: activations, value range, sample rate, the inputs' roles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QWidget

from igm_gui.errors import IgmError
from igm_gui.formats.card import Card
from igm_gui.formats.side_card import read_side_card
from igm_gui.gui.models.plain import PRIORS, PlainRows, choice
from igm_gui.gui.widgets.buttons import Button, accent_button
from igm_gui.gui.widgets.scrolling import DoubleSpin
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.info import GeneratorInfo, InputSpec

FAMILIES = ("dcgan", "onnx", "program", "nntilde")


def correctable(info: GeneratorInfo | None) -> bool:
    """Whether a model is a single file of which something had to be guessed."""
    if info is None or info.family not in FAMILIES or not info.path:
        return False
    path = Path(info.path)
    return path.is_file() and not (path.parent / "card.json").is_file()


def _number(value: float, low: float = -1e6, high: float = 1e6, decimals: int = 3) -> DoubleSpin:
    box = DoubleSpin()
    box.setRange(low, high)
    box.setDecimals(decimals)
    box.setValue(value)
    return box


class InputRow:
    """One input: what it is, and what goes with that."""

    def __init__(self, spec: InputSpec, form: QFormLayout) -> None:
        self.spec = spec
        many = spec.kind in ("latent", "label")
        flat = spec.kind == "label" or len(spec.shape) == 1
        kinds = (("latent", "label") if flat else ("latent",)) if many else ("scalar", "seed")
        self.kind = choice(kinds, spec.kind, f"{spec.name} is a", "What this input is")
        self.prior = choice(PRIORS, spec.prior, f"Prior of {spec.name}", "How its numbers are drawn")
        self.numbers = [_number(value) for value in (spec.minimum, spec.maximum, spec.default)]
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.kind)
        line.addWidget(self.prior)
        for box, name in zip(self.numbers, ("minimum", "maximum", "default"), strict=True):
            box.setToolTip(name.capitalize())
            box.setAccessibleName(f"{spec.name}, {name}")
            line.addWidget(box, 1)
        line.addStretch(0)
        form.addRow(spec.name, row)
        self.kind.currentTextChanged.connect(self._show)
        self._show(spec.kind)

    def _show(self, kind: str) -> None:
        self.prior.setVisible(kind == "latent")
        for box in self.numbers:
            box.setVisible(kind == "scalar")

    def value(self) -> InputSpec:
        """The input as the person says it is."""
        kind: Any = self.kind.currentText()
        prior: Any = self.prior.currentText()
        low, high, default = (box.value() for box in self.numbers)
        if kind == self.spec.kind == "label":
            return self.spec
        if kind == "label":
            classes = tuple(f"class {number}" for number in range(self.spec.size))
            return InputSpec(self.spec.name, "label", title="Class", classes=classes)
        if kind == "latent":
            shape = self.spec.shape or (self.spec.size,)
            return replace(self.spec, kind="latent", classes=(), shape=shape, prior=prior)
        if kind == "seed":
            return InputSpec(self.spec.name, "seed", title=self.spec.title)
        return replace(self.spec, kind="scalar", minimum=low, maximum=high, default=default)


class Corrections(QWidget):
    """Built for one model; ``applied`` brings the card to write, ``reverted`` asks for it to go."""

    applied = Signal(object)  # Card
    reverted = Signal()

    def __init__(self, info: GeneratorInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info = info
        self.card = self._own_card()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(7)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        about = QLabel(
            "Your card for this file is in use."
            if self.card
            else "The file does not say these things, so they were guessed. What you set is kept in a card "
            "beside the file, or in your data folder where that can't be written."
        )
        about.setWordWrap(True)
        form.addRow(about)
        self.plain = PlainRows(info, self.card, form) if info.family == "dcgan" else None
        output = info.output
        self.low = self.high = self.rate = None
        if output.media == "image":
            self.low, self.high = _number(output.low), _number(output.high)
            form.addRow("Value of black", self.low)
            form.addRow("Value of white", self.high)
            if self.plain is not None:
                self.plain.range_known.connect(self._set_range)
        else:
            self.rate = _number(output.sample_rate, 1000, 384_000, 0)
            self.rate.setSuffix(" Hz")
            form.addRow("Sample rate", self.rate)
        self.inputs: list[InputRow] = []
        if info.family not in ("dcgan", "nntilde"):
            form.addRow(SectionHead("Inputs"))
            self.inputs = [InputRow(spec, form) for spec in info.inputs]
        self.apply = accent_button("Apply", "check", "Write the card and read the model again")
        self.revert = Button("Revert", "rotate-ccw", "Remove the card: back to what is guessed")
        self.revert.setEnabled(self.card is not None)
        self.apply.clicked.connect(lambda: self.applied.emit(self.wanted()))
        self.revert.clicked.connect(self.reverted)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.revert)
        buttons.addWidget(self.apply)
        form.addRow(buttons)

    def _set_range(self, low: float, high: float) -> None:
        if self.low is not None and self.high is not None:
            self.low.setValue(low)
            self.high.setValue(high)

    def _own_card(self) -> Card | None:
        try:
            return read_side_card(Path(self._info.path))
        except IgmError:
            return None

    def wanted(self) -> Card:
        """The card that the form describes."""
        info, output = self._info, self._info.output
        if self.low is not None and self.high is not None:
            output = replace(output, low=self.low.value(), high=self.high.value())
        if self.rate is not None:
            output = replace(output, sample_rate=round(self.rate.value()))
        settings: dict[str, Any] = dict(self.card.hyperparameters) if self.card else {}
        inputs = tuple(row.value() for row in self.inputs) or info.inputs
        if self.plain is not None:
            settings |= self.plain.settings()
            output, inputs = self.plain.output(output), self.plain.inputs()
        return Card(
            name=info.name,
            family=info.family,
            title=self.card.title if self.card else "",
            description=self.card.description if self.card else "",
            licence=info.licence,
            output=output,
            inputs=inputs,
            hyperparameters=settings,
        )
