"""What all compared models get, and which samples stand under them: the bar over the columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.explore.seed import SeedRow
from igm_gui.gui.jobbar import JobBar
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import Button, IconButton, ValueSlider
from igm_gui.gui.widgets.compact import CompactRow
from igm_gui.gui.widgets.scrolling import Combo, Spin
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.point import one_hot
from igm_gui.latent.vector import Vector
from igm_gui.session import actions

WIDEST_CLASS = 116  # pixels


class CompareBar(QWidget):
    """Seed, class and truncation of the current point; the samples' seeds and classes; add, open, export."""

    kind_changed = Signal()  # whether the samples are of this class or of every class

    @property
    def every_class(self) -> bool:
        """Whether the samples take the classes in turn."""
        return self.kind.currentIndex() == 1

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._session = studio, studio.session
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(6)
        self.seed = SeedRow("Seed", "The point that all models get", label_width=32)
        self.seed.setMaximumWidth(300)
        self.seed.changed.connect(lambda seed: actions.set_seed(self._session, seed, merge="seed"))
        self.seed.released.connect(self._session.end_merge)
        self.seed.dice.connect(lambda: commands.run("compare.random"))
        self.seed.remarked.connect(studio.say)
        self.mutate = Button("Mutate", "shuffle", commands.tip("compare.mutate"))
        self.mutate.clicked.connect(lambda: commands.run("compare.mutate"))
        self.classes = Combo()
        # As wide as the longest name: the names come after the first show.
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.classes.setToolTip("The class that all models get, where they have it")
        self.classes.setAccessibleName("Class")
        self.classes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.classes.activated.connect(self._take_class)
        self.truncation = ValueSlider("Truncation", 0.0, 1.0, 1.0, tip="Truncation psi", label_width=64)
        self.truncation.setMaximumWidth(230)
        self.truncation.edit.setFixedWidth(44)
        self.truncation.changed.connect(
            lambda value: self._session.set_input("truncation", float(value), merge="truncation")
        )
        self.truncation.released.connect(self._session.end_merge)
        samples = QLabel("Samples from seed")
        samples.setProperty("role", "quiet")
        self.first = Spin()
        self.first.setRange(0, 2**31 - 1)
        self.first.setMinimumWidth(64)
        self.first.setMaximumWidth(105)
        self.first.setKeyboardTracking(False)
        self.first.setToolTip("First seed of the sample rows; every model gets the same seeds")
        self.first.setAccessibleName("First seed of the samples")
        self.first.valueChanged.connect(lambda seed: self._session.update(compare_seed=seed, merge="rows"))
        self.new = IconButton("dices", commands.tip("compare.seeds"))
        self.new.clicked.connect(lambda: commands.run("compare.seeds"))
        self.kind = Combo()
        self.kind.setMinimumWidth(118)
        self.kind.addItems(["this class", "every class"])
        self.kind.setToolTip("Samples of the class above, or of all classes in turn")
        self.kind.setAccessibleName("Classes of the samples")
        self.kind.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.kind.currentIndexChanged.connect(lambda _: self.kind_changed.emit())
        self.add = Button("Add model", "plus", commands.tip("compare.add"))
        self.open = Button("Open file…", "folder-open", commands.tip("compare.open"))
        self.open.clicked.connect(lambda: commands.run("compare.open"))
        row.addWidget(self.seed, 2)
        row.addWidget(self.mutate)
        row.addWidget(self.classes)
        row.addWidget(self.truncation, 1)
        row.addStretch(1)
        self.export = Button("Export", "download", commands.tip("compare.export"))
        self.jobs = JobBar(self._studio)
        self.jobs.busy_changed.connect(lambda busy: self.export.setVisible(not busy))
        last: tuple[QWidget, ...] = (
            samples, self.first, self.new, self.kind, self.export, self.jobs, self.add, self.open
        )  # fmt: skip
        for widget in last:
            row.addWidget(widget)

        CompactRow(self, (self.open, self.mutate, self.add, self.export), (samples, self.truncation.label))

    def _label_spec(self) -> InputSpec | None:
        info = self._session.info
        return next(iter(info.of_kind("label")), None) if info is not None else None

    def _take_class(self, index: int) -> None:
        spec = self._label_spec()
        if spec is not None and 0 <= index < len(spec.classes):
            self._session.set_input(spec.name, one_hot(len(spec.classes), index))

    def show_state(self, infos: Sequence[GeneratorInfo]) -> None:
        """Show the session's point; ``infos`` are those of the models in the line-up."""
        state, spec = self._studio.state, self._label_spec()
        info = self._session.info
        self.seed.set_seed(state.point.seed)
        self.seed.setEnabled(info is not None and info.latent is not None)
        self.mutate.setEnabled(self.seed.isEnabled())
        blockers = [QSignalBlocker(w) for w in (self.classes, self.first)]
        self.classes.setVisible(spec is not None)
        if spec is not None:
            if [self.classes.itemText(i) for i in range(self.classes.count())] != list(spec.classes):
                self.classes.clear()
                self.classes.addItems(list(spec.classes))
                # The longest name whole; only names like sentences are cut in a narrow window.
                self.classes.setMinimumWidth(min(self.classes.sizeHint().width(), WIDEST_CLASS))
            value = state.point.get(spec.name)
            weights = value.array if isinstance(value, Vector) else np.zeros(1, np.float32)
            mixed = int((weights > 1e-3).sum()) > 1
            self.classes.setPlaceholderText("a mixture")
            self.classes.setCurrentIndex(-1 if mixed else int(np.argmax(weights)))
        self.kind.setVisible(any(i.of_kind("label") for i in infos))
        psi = info.input("truncation") if info is not None else None
        self.truncation.setVisible(psi is not None)
        if psi is not None:
            self.truncation.set_range(psi.minimum, psi.maximum, psi.default)
            self.truncation.set_value(state.point.scalar("truncation", psi.default))
        self.first.setValue(min(state.compare_seed, self.first.maximum()))
        del blockers
