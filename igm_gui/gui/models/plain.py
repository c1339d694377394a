"""What is corrected of a plain generator (a stack of layers read from bare weights)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QWidget

from igm_gui.formats.card import Card
from igm_gui.gui.widgets.scrolling import Combo, DoubleSpin, Spin
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec

# As igm_gui.generators.dcgan has them; that module imports torch, which the window's thread must not.
HIDDEN = ("relu", "leaky_relu", "tanh", "elu", "selu", "gelu", "silu")
LAST = ("tanh", "sigmoid", "none")
NORMS = ("instance", "layer", "group")
JOINS = ("after", "before", "multiply")
PRIORS = ("normal", "uniform", "sphere")
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
GUESS = re.compile(r"hidden activation (\w+), last (\w+)")
JOINED = re.compile(r"class is taken to be (joined after|joined before|multiplied)")
SLOPE = 0.2


def choice(choices: tuple[str, ...], value: str, name: str, tip: str) -> Combo:
    """A combo box with a name and a tool tip."""
    box = Combo()
    box.addItems(list(choices))
    box.setCurrentText(value)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


class PlainRows(QObject):
    """Rows of the form, and what they say. ``range_known`` follows the last activation: low, high."""

    range_known = Signal(float, float)

    def __init__(self, info: GeneratorInfo, card: Card | None, form: QFormLayout) -> None:
        super().__init__(form.parentWidget())
        self._info = info
        told = " ".join(info.warnings)
        settings = dict(card.hyperparameters) if card else {}
        guess = GUESS.search(told)
        hidden, last = guess.groups() if guess else ("relu", "tanh")
        self.hidden = choice(
            HIDDEN,
            str(settings.get("hidden", hidden)),
            "Hidden activation",
            "What follows every layer but the last",
        )
        self.slope = DoubleSpin()
        self.slope.setRange(0.0, 1.0)
        self.slope.setSingleStep(0.05)
        slope = settings.get("slope", SLOPE)
        self.slope.setValue(float(slope) if isinstance(slope, int | float) else SLOPE)
        self.slope.setAccessibleName("Slope of leaky_relu")
        self.slope.setToolTip("How steep leaky_relu is below zero; 0.2 and 0.01 are common")
        self.last = choice(
            LAST, str(settings.get("last", last)), "Last activation", "What the picture's values come out of"
        )
        form.addRow("Hidden activation", self._line(self.hidden, self.slope))
        form.addRow("Last activation", self.last)
        self.norm = self.join = None
        if "instance normalisation" in told or "norm" in settings:
            value = str(settings.get("norm", "instance"))
            self.norm = choice(NORMS, value, "Normalisation", "Which one measures each picture anew")
            form.addRow("Normalisation", self.norm)
        joined = JOINED.search(told)
        if joined or "join" in settings or info.of_kind("label"):
            words = {"joined after": "after", "joined before": "before", "multiplied": "multiply"}
            guessed = words[joined[1]] if joined else "after"
            value = str(settings.get("join", guessed))
            self.join = choice(JOINS, value, "Class", "Where the class goes: after z, before z, or times z")
            form.addRow("Class joins z", self.join)
        self.width, self.height = (self._side(n) for n in (info.output.width, info.output.height))
        self.width.setAccessibleName("Width of the picture")
        self.height.setAccessibleName("Height of the picture")
        form.addRow("Width, height", self._line(self.width, self.height))
        latent = info.latent
        self.prior = choice(
            PRIORS,
            latent.prior if latent else "normal",
            "Prior of z",
            "How z is drawn: N(0, 1), U(−1, 1), or a sphere",
        )
        form.addRow("Prior of z", self.prior)
        self.hidden.currentTextChanged.connect(self._show)
        self.last.currentTextChanged.connect(self._on_last)
        self._show(self.hidden.currentText())

    @staticmethod
    def _side(value: int) -> Spin:
        box = Spin()
        box.setRange(1, 4096)
        box.setValue(value)
        box.setSuffix(" px")
        box.setToolTip("Kernels leave open how far layers enlarge; rows of numbers, how they are arranged")
        return box

    @staticmethod
    def _line(*boxes: QWidget) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for box in boxes:
            line.addWidget(box, 1)
        return row

    def _show(self, hidden: str) -> None:
        self.slope.setVisible(hidden == "leaky_relu")

    def _on_last(self, last: str) -> None:
        if last in RANGES:
            self.range_known.emit(*RANGES[last])

    def settings(self) -> dict[str, Any]:
        """Hyperparameters for the card."""
        made: dict[str, Any] = {"hidden": self.hidden.currentText(), "last": self.last.currentText()}
        if self.hidden.currentText() == "leaky_relu":
            made["slope"] = round(self.slope.value(), 4)
        if self.norm is not None:
            made["norm"] = self.norm.currentText()
        if self.join is not None:
            made["join"] = self.join.currentText()
        return made

    def output(self, output: OutputSpec) -> OutputSpec:
        """The output with the size that is wanted."""
        return replace(output, width=self.width.value(), height=self.height.value())

    def inputs(self) -> tuple[InputSpec, ...]:
        """The inputs with z's prior."""
        prior: Any = self.prior.currentText()
        return tuple(replace(s, prior=prior) if s.kind == "latent" else s for s in self._info.inputs)
