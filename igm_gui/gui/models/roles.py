"""The question about a program whose inputs can't be known from its file: a small form, asked once.

The answer is the card beside the file; with it the program opens from then on without asking.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from igm_gui.errors import IgmError
from igm_gui.formats.card import Card
from igm_gui.formats.side_card import remove_side_card, write_side_card
from igm_gui.generators.roles import FREE_SIDE, SEED, Argument, RolesNeeded, classes
from igm_gui.gui import theme
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.widgets.buttons import Button, accent_button
from igm_gui.gui.widgets.scrolling import Combo
from igm_gui.info import InputKind, InputSpec, Media, OutputSpec
from igm_gui.requests import RenderResult

WIDTH = 520
KINDS: tuple[tuple[str, InputKind], ...] = (
    ("Latent", "latent"),
    ("Class", "label"),
    ("Number", "scalar"),
    ("Seed", "seed"),
)
OUTPUTS: tuple[tuple[str, Media, float, float], ...] = (
    ("Picture, values −1 to 1", "image", -1.0, 1.0),
    ("Picture, values 0 to 1", "image", 0.0, 1.0),
    ("Picture, values 0 to 255", "image", 0.0, 255.0),
    ("Sound", "sound", -1.0, 1.0),
)
ASKED = {
    "latent": ("Its size: 64, or 4 × 32 × 32", "{name}: size of one point"),
    "label": ("How many classes", "{name}: number of classes"),
    "scalar": ("From, to, at first: 0, 1, 0.5", "{name}: minimum, maximum and default"),
    "seed": ("", "{name}: nothing to say"),
}


def numbers(text: str) -> list[float]:
    """The numbers of ``4 × 32 × 32``, ``(4, 32, 32)`` or ``0, 1, 0.5``; ValueError where there is else."""
    words = re.split(r"[\s,;×x*()\[\]]+", text.replace("−", "-").strip())
    return [float(word) for word in words if word]


class ArgumentRow:
    """One input as the file declares it, and what the person says it is."""

    def __init__(self, argument: Argument, grid: QGridLayout, row: int) -> None:
        self.argument = argument
        label = QLabel(argument.text)
        label.setToolTip("As the file declares it")
        self.kind = Combo()
        self.kind.addItems([title for title, _ in KINDS])
        self.kind.setAccessibleName(f"{argument.name} is a")
        self.kind.setToolTip(
            "Latent: what sliders and seeds move. Class: one of several. Number: a knob. Seed: its noise."
        )
        self.value = QLineEdit()
        self.prior = Combo()
        self.prior.addItems(["normal", "uniform", "sphere"])
        self.prior.setAccessibleName(f"Prior of {argument.name}")
        self.prior.setToolTip("How its numbers are drawn: N(0, 1), U(−1, 1), or on a sphere")
        grid.addWidget(label, row, 0)
        grid.addWidget(self.kind, row, 1)
        grid.addWidget(self.value, row, 2)
        grid.addWidget(self.prior, row, 3)
        self.kind.currentIndexChanged.connect(self._show)
        self.kind.setCurrentIndex(self._first_guess())
        self._show()

    def _first_guess(self) -> int:
        single = all((side or 1) == 1 for side in self.argument.inner)
        if self.argument.kind == "float":
            return 2 if single and self.argument.inner else 0
        if not single:
            return 0  # several whole numbers are no class: attributes, or tokens
        return 3 if SEED.search(self.argument.name) else 1

    def _show(self) -> None:
        kind = KINDS[self.kind.currentIndex()][1]
        hint, name = ASKED[kind]
        self.value.setVisible(kind != "seed")
        self.value.setPlaceholderText(hint)
        self.value.setToolTip(hint)
        self.value.setAccessibleName(name.format(name=self.argument.name))
        self.prior.setVisible(kind == "latent")
        inner = self.argument.inner
        sides = [side or (FREE_SIDE if len(inner) == 3 and place else 0) for place, side in enumerate(inner)]
        known = " × ".join(str(side) for side in sides) if inner and all(sides) else ""
        self.value.setText({"latent": known, "label": "10", "scalar": "0, 1, 0"}.get(kind, ""))

    def spec(self) -> InputSpec:
        """The answer; IgmError where it can't be read."""
        name, kind = self.argument.name, KINDS[self.kind.currentIndex()][1]
        hint = ASKED[kind][0]
        try:
            given = numbers(self.value.text())
            if kind == "latent":
                shape = tuple(int(side) for side in given)
                if not shape or min(shape) < 1:
                    raise ValueError
                prior = self.prior.currentText()
                return InputSpec(name, "latent", shape=shape, prior=prior)  # type: ignore[arg-type]
            if kind == "label":
                (count,) = given
                if not 1 <= count <= 100_000:
                    raise ValueError
                return InputSpec(name, "label", title="Class", classes=classes(int(count)))
            if kind == "seed":
                return InputSpec(name, "seed")
            low, high, default = given
            step = 0.0 if self.argument.kind == "float" else 1.0
            return InputSpec(name, "scalar", minimum=low, maximum=high, default=default, step=step)
        except (ValueError, OverflowError):
            raise IgmError(f"{name}: “{self.value.text()}” can't be used.", f"{hint}.") from None


class RolesForm(QFrame):
    """In the middle of the window, stopping nothing. Open writes the card and opens the model; what the
    program then says of it stands in the form, and the card is taken back."""

    def __init__(self, studio: Studio, model: str, asked: RolesNeeded, window: QWidget) -> None:
        super().__init__(window)
        theme.dress(self)
        self.setObjectName("popover")
        self.model = model
        self._studio = studio
        self._family = asked.family
        self._waiting = False
        # The model that stays live; not known yet where the state is just changing back to it.
        self._live = studio.state.model if studio.state.model != model else ""
        title = QLabel(f"What does {Path(model).name} take?")
        title.setProperty("role", "big")
        title.setWordWrap(True)
        self.message = QLabel(asked.message)
        self.message.setWordWrap(True)
        self.message.setToolTip(asked.details)
        about = QLabel("Say what its inputs are. The answer is kept in a card; you are not asked again.")
        about.setWordWrap(True)
        about.setProperty("role", "quiet")
        grid = QGridLayout()
        grid.setColumnStretch(2, 1)
        grid.setHorizontalSpacing(6)
        self.rows = [ArgumentRow(argument, grid, row) for row, argument in enumerate(asked.arguments)]
        self.output = Combo()
        self.output.addItems([text for text, *_ in OUTPUTS])
        self.output.setAccessibleName("It gives")
        self.output.setToolTip("What its output is, and the values that are black and white")
        self.rate = QLineEdit("44100")
        self.rate.setAccessibleName("Sample rate in Hz")
        self.rate.setToolTip("Sample rate in Hz")
        self.rate.hide()
        self.output.currentIndexChanged.connect(
            lambda index: self.rate.setVisible(OUTPUTS[index][1] == "sound")
        )
        gives = QHBoxLayout()
        gives.addWidget(QLabel("It gives"))
        gives.addWidget(self.output)
        gives.addWidget(self.rate)
        gives.addStretch(1)
        self.leave = Button("Leave it", tip="Do not open the file  (Esc)")
        self.open = accent_button("Open", "check", "Keep the answer and open the file")
        self.leave.clicked.connect(self.close_form)
        self.open.clicked.connect(self.apply)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.leave)
        foot.addWidget(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 12)
        column.setSpacing(9)
        for widget in (title, self.message, about):
            column.addWidget(widget)
        column.addLayout(grid)
        column.addLayout(gives)
        column.addLayout(foot)
        self.setAccessibleName(title.text())
        studio.rendered.connect(self._on_rendered)
        studio.notice.connect(self._on_notice)
        studio.roles_asked.connect(self._on_asked)

    def card(self) -> Card:
        """The answer as a card; IgmError where a field can't be read."""
        _, media, low, high = OUTPUTS[self.output.currentIndex()]
        rate = 0
        if media == "sound":
            try:
                (given,) = numbers(self.rate.text())
                rate = int(given)
            except (ValueError, OverflowError):
                raise IgmError("The sample rate can't be read.", "A number in Hz, such as 44100.") from None
        output = OutputSpec(media, low=low, high=high, sample_rate=rate)
        inputs = tuple(row.spec() for row in self.rows)
        return Card(name=Path(self.model).stem, family=self._family, output=output, inputs=inputs)

    def apply(self) -> None:
        """Write the card and open the file with it."""
        try:
            write_side_card(Path(self.model), self.card())
        except IgmError as error:
            self._say(error)
            return
        self._waiting = True
        self.message.setText("Trying it…")
        self._studio.open_model(self.model)

    def _say(self, error: IgmError | Notice) -> None:
        text = error.message if isinstance(error, IgmError) else error.text
        self.message.setText(f"{text} {error.hint}".strip())
        self.message.setToolTip(error.details)
        self.place()

    def _on_notice(self, notice: Notice) -> None:
        if self._waiting and notice.kind == "error":
            self._waiting = False
            with suppress(IgmError):  # the next answer overwrites it
                remove_side_card(Path(self.model))
            self._say(notice)

    def _on_asked(self, model: str, again: RolesNeeded) -> None:
        if model == self.model:
            self._on_notice(Notice(again.message, again.hint, again.details, "error"))

    def _on_rendered(self, result: RenderResult) -> None:
        if result.media is None or result.request.slot != "main":
            return
        shown = result.request.model
        self._live = self._live or ("" if shown == self.model else shown)
        if shown != self._live:  # this one, or another that was opened meanwhile
            self.close_form()

    def close_form(self) -> None:
        """Go away for good."""
        self.hide()
        self._waiting = False
        self._studio.rendered.disconnect(self._on_rendered)
        self._studio.notice.disconnect(self._on_notice)
        self._studio.roles_asked.disconnect(self._on_asked)
        self.deleteLater()

    def place(self) -> None:
        """In the upper middle of the window."""
        window = self.parentWidget()
        if window is not None:
            self.setFixedWidth(min(WIDTH, window.width() - 40))
            self.adjustSize()
            self.move((window.width() - self.width()) // 2, min(120, window.height() // 8))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_form()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
        else:
            super().keyPressEvent(event)
