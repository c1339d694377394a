"""What a grid shows: mode, rows and columns, seed, corners, class and truncation, gap and scale."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from igm_gui.errors import InputError
from igm_gui.gui.explore.seed import SeedRow
from igm_gui.gui.grid.corners import Corners
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import Button, SectionHead, ValueSlider
from igm_gui.gui.widgets.scrolling import Combo, Spin
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.point import one_hot
from igm_gui.latent.vector import Vector
from igm_gui.session import actions
from igm_gui.session.grid import grid_scale
from igm_gui.session.state import GridSpec, SessionState

MODES = (
    ("seeds", "Seeds", "Seed after seed, row by row"),
    ("plane", "Plane", "Between four points, one in each corner"),
    ("classes", "Class × seed", "A row for each class, a column for each seed"),
)
WAYS = (("Spherical (slerp)", "slerp"), ("Straight (lerp)", "lerp"))
LABEL = 78
ROWS_TIP = "How many rows, 1 to 256"


def shown_scale(info: GeneratorInfo | None, grid: GridSpec) -> int:
    """What a sheet is enlarged by when it is written; 1 or the grid's own where that can't be known."""
    try:
        return grid_scale(info, grid) if info is not None else max(grid.scale, 1)
    except InputError:  # a grid that this model can't have; the text under Files says why
        return max(grid.scale, 1)


class Controls(QWidget):
    """Reads and changes ``state.grid``, and the current point's class and truncation, which it holds."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._session = studio.session
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(SectionHead("Grid"))
        self.modes: dict[str, Button] = {}
        row = QHBoxLayout()
        row.setSpacing(4)
        group = QButtonGroup(self)
        for name, title, tip in MODES:
            chip = Button(title, tip=tip, role="chip")
            chip.setCheckable(True)
            chip.clicked.connect(partial(self._set_mode, name))
            group.addButton(chip)
            row.addWidget(chip)
            self.modes[name] = chip
        row.addStretch(1)
        column.addLayout(row)
        self.rows = self._spin("Rows", 1, 256, "How many rows", column)
        self.columns = self._spin("Columns", 1, 256, "How many columns", column)
        self.rows.valueChanged.connect(partial(self._set, "rows"))
        self.columns.valueChanged.connect(partial(self._set, "columns"))
        self.seed = SeedRow("First seed", "The first cell's seed; the others count on from it")
        self.seed.changed.connect(partial(self._set, "seed"))
        self.seed.released.connect(self._session.end_merge)
        self.seed.dice.connect(self.new_seed)
        self.seed.remarked.connect(studio.say)
        column.addWidget(self.seed)
        self._plane_head = SectionHead("Corners", "click, or drop a point")
        self.corners = Corners(studio)
        self.way = Combo()
        for title, value in WAYS:
            self.way.addItem(title, value)
        self.way.setToolTip("How latents go from corner to corner")
        self.way.setAccessibleName("Interpolation")
        self.way.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.way.activated.connect(
            lambda i: actions.set_grid(self._session, interpolation=self.way.itemData(i))
        )
        self._plane: tuple[QWidget, ...] = (self._plane_head, self.corners, self.way)
        for widget in self._plane:
            column.addWidget(widget)
        self._held_head = SectionHead("From the current point")
        self.classes = Combo()
        self.classes.setToolTip("The class of every cell")
        self.classes.setAccessibleName("Class")
        self.classes.setPlaceholderText("a mixture")
        self.classes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.classes.activated.connect(self._take_class)
        self.truncation = ValueSlider("Truncation", 0.0, 1.0, 1.0, tip="Truncation psi of every cell")
        self.truncation.changed.connect(
            lambda value: self._session.set_input("truncation", float(value), merge="truncation")
        )
        self.truncation.released.connect(self._session.end_merge)
        column.addWidget(self._held_head)
        column.addWidget(self.classes)
        column.addWidget(self.truncation)
        self._sheet_head = SectionHead("Sheet")
        column.addWidget(self._sheet_head)
        self.gap = self._spin("Gap", 0, 256, "Pixels between the pictures of the file", column, " px")
        self.gap.valueChanged.connect(partial(self._set, "gap"))
        self.scale = self._spin("Scale", 1, 64, "How many times larger each picture is written", column, " ×")
        self.scale.valueChanged.connect(partial(self._set, "scale"))
        self.suits = Button("Automatic", role="chip")
        self.suits.setToolTip(
            "Small pictures are enlarged, whole pixels by whole pixels, to about 256 pixels each;\n"
            "the sheet's longer side stays within 4096"
        )
        self.suits.setCheckable(True)
        self.suits.clicked.connect(self._set_automatic)
        self.scale.property("row").insertWidget(2, self.suits)

    def _spin(self, title: str, low: int, high: int, tip: str, column: QVBoxLayout, unit: str = "") -> Spin:
        spin = Spin()
        spin.setRange(low, high)
        spin.setSuffix(unit)
        spin.setKeyboardTracking(False)
        spin.setToolTip(f"{tip}, {low} to {high}")
        spin.setAccessibleName(title)
        spin.setMinimumWidth(84)
        row = QHBoxLayout()
        label = QLabel(title)
        label.setFixedWidth(LABEL)
        label.setBuddy(spin)
        row.addWidget(label)
        row.addWidget(spin)
        row.addStretch(1)
        column.addLayout(row)
        spin.setProperty("label", label)
        spin.setProperty("row", row)
        return spin

    # -- from the person

    def _set(self, name: str, value: int) -> None:
        actions.set_grid(self._session, f"grid {name}", **{name: value})

    def _set_mode(self, mode: str, _checked: bool = True) -> None:
        actions.set_grid(self._session, mode=mode)
        self.refresh(self._studio.state)

    def _set_automatic(self, automatic: bool) -> None:
        """By the model's size, or the number that is shown now."""
        self._set("scale", 0 if automatic else self.scale.value())

    def new_seed(self) -> None:
        """Other pictures."""
        actions.set_grid(self._session, seed=actions.new_seed())

    def _take_class(self, index: int) -> None:
        spec = self._label()
        if spec is not None and 0 <= index < len(spec.classes):
            self._session.set_input(spec.name, one_hot(len(spec.classes), index))

    # -- to the person

    def _label(self) -> InputSpec | None:
        info = self._session.info
        return next(iter(info.of_kind("label")), None) if info is not None else None

    def refresh(self, state: SessionState) -> None:
        """Show the state."""
        grid, info, label = state.grid, self._session.info, self._label()
        sound = info is not None and info.media == "sound"
        rows = grid.rows
        if grid.mode == "classes" and label is not None:
            rows = min(len(label.classes), self.rows.maximum())
        scale = shown_scale(info, grid)
        spins = {self.rows: rows, self.columns: grid.columns, self.gap: grid.gap, self.scale: scale}
        for spin, number in spins.items():
            blocker = QSignalBlocker(spin)
            spin.setValue(number)
            del blocker
        for name, chip in self.modes.items():
            chip.setChecked(name == grid.mode)
        self.modes["classes"].setEnabled(info is None or label is not None or grid.mode == "classes")
        by_class = grid.mode == "classes"
        self.rows.setEnabled(not by_class)
        self.rows.setToolTip("One row for each class" if by_class else ROWS_TIP)
        self.seed.set_seed(grid.seed)
        plane = grid.mode == "plane"
        for widget in self._plane:
            widget.setVisible(plane)
        self.way.setCurrentIndex(max(self.way.findData(grid.interpolation), 0))
        self.suits.setChecked(not grid.scale)
        self.suits.setVisible(not sound)
        for spin in (self.gap, self.scale):
            spin.setVisible(not sound)
            spin.property("label").setVisible(not sound)
        self._sheet_head.setVisible(not sound)
        psi = info.input("truncation") if info is not None else None
        self.truncation.setVisible(psi is not None)
        if psi is not None:
            self.truncation.set_range(psi.minimum, psi.maximum, psi.default)
            self.truncation.set_value(state.point.scalar("truncation", psi.default))
        with_class = label is not None and grid.mode != "classes"
        self.classes.setVisible(with_class)
        self._held_head.setVisible(with_class or psi is not None)
        if label is not None:
            if [self.classes.itemText(i) for i in range(self.classes.count())] != list(label.classes):
                self.classes.clear()
                self.classes.addItems(list(label.classes))
            value = state.point.get(label.name)
            weights = value.array if isinstance(value, Vector) else np.zeros(1, np.float32)
            mixed = int((weights > 1e-3).sum()) > 1
            self.classes.setCurrentIndex(-1 if mixed else int(np.argmax(weights)))
        if plane:
            self.corners.refresh()
