"""What the open model is made of, from its GeneratorInfo and card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from igm_gui.gui.widgets.buttons import Button
from igm_gui.info import GeneratorInfo, InputSpec


def input_text(spec: InputSpec) -> str:
    """Such as ``64 numbers, normal prior`` or ``0 to 1, default 0.7``."""
    if spec.kind == "latent":
        shape = " × ".join(str(side) for side in spec.shape)
        return f"{shape} numbers, {spec.prior} prior"
    if spec.kind == "label":
        names = ", ".join(spec.classes[:8]) + (", …" if len(spec.classes) > 8 else "")
        return f"{len(spec.classes)} classes: {names}"
    if spec.kind == "seed":
        return "a seed"
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.minimum:g} to {spec.maximum:g}{unit}, default {spec.default:g}"


def facts(info: GeneratorInfo) -> Iterator[tuple[str, str]]:
    """(name, text) of everything known, in the order a person asks."""
    card: dict[str, Any] = dict(info.card)
    yield "Family", info.family
    yield "Gives", info.output.text
    for spec in info.inputs:
        yield spec.label_text, input_text(spec)
    if info.directions:
        yield "Directions", ", ".join(d.name for d in info.directions)
    if info.parameters:
        yield "Parameters", f"{info.parameters:,}"
    yield "Precision", info.precision
    if info.abilities:
        yield "Can also", ", ".join(info.abilities)
    distance = card.get("distance") or {}
    if info.distance:
        paper = distance.get("paper", "") if isinstance(distance, dict) else ""
        yield "Made small", f"{info.distance}{f' ({paper})' if paper else ''}"
    data = card.get("data") or {}
    if isinstance(data, dict) and data.get("name"):
        licence = f", {data['licence']}" if data.get("licence") else ""
        yield "Trained on", f"{data['name']}{licence}"
        if data.get("attribution"):
            yield "Attribution", str(data["attribution"])
    training = card.get("training") or {}
    if isinstance(training, dict) and training.get("command"):
        yield "Trained by", str(training["command"])
    for fault in card.get("faults") or ():
        yield "Known fault", str(fault)
    for warning in info.warnings:
        yield "Note", warning
    if info.licence:
        yield "Licence", info.licence
    if info.path:
        yield "File", info.path
    if info.sha256:
        yield "SHA-256", info.sha256


class AboutModel(QFrame):
    """A popover with :func:`facts`; every text can be selected, all of it copied."""

    def __init__(self, info: GeneratorInfo, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("popover")
        self._rows = list(facts(info))
        title = QLabel(info.title or info.name)
        title.setProperty("role", "big")
        about = QLabel(info.description)
        about.setWordWrap(True)
        about.setVisible(bool(info.description))
        body = QWidget()
        body.setObjectName("panelBody")
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for row, (name, text) in enumerate(self._rows):
            head = QLabel(name)
            head.setProperty("role", "quiet")
            value = QLabel(text)
            value.setWordWrap(True)
            value.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            if name in ("SHA-256", "File"):
                # Long words without a space would make the popover as wide as they are.
                value.setText("\u200b".join(text[i : i + 8] for i in range(0, len(text), 8)))
            grid.addWidget(head, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
        grid.setRowStretch(len(self._rows), 1)
        area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.copy = Button("Copy all", "copy", "Copy everything as text")
        self.copy.clicked.connect(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 8, 10)
        column.addWidget(title)
        column.addWidget(about)
        column.addWidget(area, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.copy)
        column.addLayout(foot)

    def popup(self, where: QPoint, height: int) -> None:
        """Show at a global place, no higher than ``height``."""
        self.setFixedSize(460, min(height, 120 + 26 * len(self._rows) + 90))
        self.move(where)
        self.show()
        self.copy.setFocus()

    def text(self) -> str:
        """Every fact on a line."""
        return "\n".join(f"{name}: {text}" for name, text in self._rows)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())
