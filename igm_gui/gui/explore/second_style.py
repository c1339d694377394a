"""The second latent of style mixing: which layers follow it, and a note over its strip while none does."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.widgets.buttons import Button
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.point import LatentPoint

FINE, COARSE = "fine", "coarse_layers"
TEXT = 240  # pixels: lines of about one length, however wide the panel is


def divider(info: GeneratorInfo | None, name: str) -> InputSpec | None:
    """The input that says how many layers the latent ``name`` gets; None where it is no second style."""
    found = info.input(COARSE) if info is not None and name == FINE else None
    return found if found is not None and found.kind == "scalar" and found.maximum >= 1 else None


def coarse(spec: InputSpec, point: LatentPoint) -> int:
    """How many layers follow z, of ``spec.maximum``."""
    return round(point.scalar(spec.name, spec.default))


class SecondStyle(QWidget):
    """A strip that is greyed, under a sentence and a way out, while no layer follows its latent."""

    mix_asked = Signal()

    def __init__(self, strip: LatentStrip, spec: InputSpec, layers: int) -> None:
        super().__init__()
        self.strip = strip
        self._layers = layers
        self.note = QWidget()
        says = spec.description.rstrip(".") or "A second latent, for the finer layers"
        self.text = QLabel(f"{says}.\nAll {layers} layers follow z now: no effect yet.")
        self.text.setWordWrap(True)
        self.text.setFixedWidth(TEXT)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.mix = Button("Let it shape the finer half", tip=f"Leave {layers - layers // 2} layers to it")
        self.mix.setProperty("role", "tight")
        self.mix.clicked.connect(self.mix_asked)
        lines = QVBoxLayout(self.note)
        lines.setContentsMargins(6, 1, 6, 3)
        lines.setSpacing(3)
        lines.addWidget(self.text, 0, Qt.AlignmentFlag.AlignHCenter)
        lines.addWidget(self.mix, 0, Qt.AlignmentFlag.AlignHCenter)
        both = QGridLayout(self)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(strip, 0, 0)
        both.addWidget(self.note, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(strip.sizePolicy())
        self.setMaximumHeight(strip.maximumHeight())
        self.note.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.note.raise_()

    def show_coarse(self, count: int) -> None:
        """So many layers follow z: nothing moves when that changes but what is shown here."""
        idle = count >= self._layers
        self.note.setVisible(idle)
        self.strip.setEnabled(not idle)

    def remark(self, count: int) -> str:
        """Which layers follow this latent, for the head."""
        if count >= self._layers:
            return "no effect now"
        return (
            f"layers {count + 1} to {self._layers}" if count + 1 < self._layers else f"layer {self._layers}"
        )
