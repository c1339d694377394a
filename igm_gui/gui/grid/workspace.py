"""The Grid workspace: what to show on the left, the sheet in the middle, files below the controls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from igm_gui.engine.loop import Job, Work
from igm_gui.errors import IgmError
from igm_gui.gui.commands import Commands
from igm_gui.gui.grid.controls import Controls
from igm_gui.gui.grid.corners import NAMES
from igm_gui.gui.grid.sheet import Sheet
from igm_gui.gui.jobbar import JobBar
from igm_gui.gui.saving import ask_file, ask_folder, export_work, tell_written
from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import Button, PointStrip, SectionHead, accent_button
from igm_gui.gui.widgets.scrolling import ScrollColumn
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from igm_gui.session.grid import grid_scale, grid_shape
from igm_gui.session.state import GridSpec, SessionState

PANEL = 290


def sheet_size(info: GeneratorInfo, grid: GridSpec) -> tuple[int, int]:
    """(width, height) of the written sheet in pixels. InputError where the grid does not fit the model."""
    rows, columns = grid_shape(info, grid)
    scale = grid_scale(info, grid)
    width, height = info.output.width * scale, info.output.height * scale
    return columns * width + (columns - 1) * grid.gap, rows * height + (rows - 1) * grid.gap


class GridWorkspace(QWidget):
    """Sheets of many pictures (or sounds): look, pick one, write all."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._commands = studio, commands
        self._active = self._bare = False
        self.sheet = Sheet(studio)
        self.controls = Controls(studio)
        self._add_commands()
        self.place = QLabel(self.sheet)
        self.place.setObjectName("overlay")
        self.size_text = QLabel()
        self.size_text.setProperty("role", "quiet")
        self.size_text.setWordWrap(True)
        self.save = accent_button("Export PNG…", "download", commands.tip("grid.export"))
        self.save.clicked.connect(lambda: commands.run("grid.export"))
        self.singles = Button("Export single files…", "image", commands.tip("grid.singles"))
        self.singles.clicked.connect(lambda: commands.run("grid.singles"))
        self.jobs = JobBar(studio)
        self.jobs.busy_changed.connect(self._on_busy)
        body = QWidget()
        body.setObjectName("panelBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(12, 4, 12, 12)
        column.setSpacing(7)
        column.addWidget(self.controls)
        column.addWidget(SectionHead("Files"))
        for widget in (self.size_text, self.save, self.singles, self.jobs):
            column.addWidget(widget)
        column.addStretch(1)
        panel = self.panel = ScrollColumn()
        panel.setObjectName("panelLeft")
        panel.setWidget(body)
        panel.setWidgetResizable(True)
        panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        panel.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        panel.setFixedWidth(PANEL)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(panel)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.sheet, 1)
        # Something to drag to the corners from.
        self.points = PointStrip(studio, 56, recall=False)
        self.points.setObjectName("strip")
        self.points.picked.connect(self._corner_menu)
        middle.addWidget(self.points)
        row.addLayout(middle, 1)
        self.sheet.picked.connect(self.go_to)
        self.sheet.menu_asked.connect(self._menu)
        self.sheet.hovered.connect(lambda _: self._put_place())
        self.sheet.progressed.connect(lambda *_: self._put_place())
        studio.changed.connect(self._on_changed)
        self._done = (0, 0)
        self._heard = -1  # the cell whose sound was asked for last
        self.sheet.progressed.connect(self._on_progress)

    # -- the window's side

    def activate(self) -> None:
        """Show the sheet; render what is missing."""
        self._active = True
        self._studio.set_playhead(None)
        self._refresh()

    def deactivate(self) -> None:
        """Render nothing more."""
        self._active = False
        self.sheet.stop()
        if self._is_sound:
            hub_of(self._studio).stop(self)
        self.controls.corners.stop()

    def toggle_play(self) -> None:
        """Space: the sound of the cell that is pointed at, or silence."""
        info = self._studio.session.info
        if info is None or info.media != "sound":
            return
        hub, point = hub_of(self._studio), self.point_of(self.sheet.cell)
        if hub.is_playing(self) and (point is None or self.sheet.cell == self._heard):
            hub.stop(self)
        elif point is None:
            self._studio.say("No cell is chosen.", "Point at one, or walk there with the arrows.")
        else:
            # Pointed at another cell: that one is heard, with no second stroke to end the first.
            self._heard = self.sheet.cell
            self._studio.thumbnail("grid-sound", self._studio.state.model, (point,), 0, self._play)

    def _play(self, result: RenderResult) -> None:
        if result.media is not None and result.info is not None and self._active:
            hub_of(self._studio).play(self, result.media[0], result.info.output.sample_rate)

    def open_export(self) -> None:
        self._commands.run("grid.singles" if self._is_sound else "grid.export")

    def set_bare(self, bare: bool) -> None:
        """The sheet alone, or everything."""
        self._bare = bare
        self.panel.setVisible(not bare)
        self._show_points()
        self._put_place()

    def _show_points(self) -> None:
        self.points.setVisible(not self._bare and self._studio.state.grid.mode == "plane")

    # -- showing

    @property
    def _is_sound(self) -> bool:
        info = self._studio.session.info
        return info is not None and info.media == "sound"

    def _on_changed(self, _state: SessionState, changed: frozenset[str]) -> None:
        if self._active and changed & {"grid", "model", "info", "point", "device"}:
            self._refresh()

    def _refresh(self) -> None:
        self.controls.refresh(self._studio.state)
        self._show_points()
        self.sheet.refresh()
        self._show_size()
        self._put_place()

    def _show_size(self) -> None:
        info, grid = self._studio.session.info, self._studio.state.grid
        sound = self._is_sound
        self.save.setVisible(not sound and self.jobs.job is None)
        self.singles.setText("Export WAV files…" if sound else "Export single files…")
        self.singles.setAccessibleName(self.singles.text())
        if info is None:
            self.size_text.setText("")
            return
        try:
            rows, columns = grid_shape(info, grid)
            width, height = sheet_size(info, grid)
        except IgmError as error:
            self.size_text.setText(error.message)
            self._enable(False)
            return
        kind = "sounds" if sound else "pictures"
        text = f"{rows} × {columns} = {rows * columns:,} {kind}".replace(",", "\N{THIN SPACE}")
        if not sound:
            text += f"\nThe sheet is {width} × {height} pixels."
        self.size_text.setText(text)
        self._enable(True)

    def _enable(self, on: bool) -> None:
        self.save.setEnabled(on)
        self.singles.setEnabled(on)

    def _on_progress(self, done: int, count: int) -> None:
        self._done = (done, count)
        self._put_place()

    def _put_place(self) -> None:
        done, count = self._done
        text = self.cell_text(self.sheet.cell) if self.sheet.cell >= 0 else ""
        if text and self._is_sound:
            text += " · Space plays it"
        if not text and done < count:
            text = f"rendering {done} / {count}"
        self.sheet.setAccessibleDescription(text)
        self.place.setText(text)
        self.place.setVisible(bool(text) and not self._bare)
        self.place.adjustSize()
        self.place.move(12, self.sheet.height() - self.place.height() - 10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._put_place()

    def cell_text(self, index: int) -> str:
        """What a cell is: ``row 2, column 3 · seed 10 · coat``, or its place in the plane."""
        if index < 0 or self.sheet.columns == 0:
            return ""
        row, column = divmod(index, self.sheet.columns)
        parts = [f"row {row + 1}, column {column + 1}"]
        point = self.point_of(index)
        if self._studio.state.grid.mode == "plane":
            u, v = column / max(self.sheet.columns - 1, 1), row / max(self.sheet.rows - 1, 1)
            parts.append(f"u = {u:.2f}, v = {v:.2f}")
        elif point is not None and point.seed is not None:
            parts.append(f"seed {point.seed}")
        info = self._studio.session.info
        for spec in info.of_kind("label") if info is not None else ():
            value = point.get(spec.name) if point is not None else None
            if isinstance(value, Vector) and value.size == len(spec.classes):
                mixed = int((value.array > 1e-3).sum()) > 1
                parts.append("a mixture" if mixed else spec.classes[int(np.argmax(value.array))])
        return " · ".join(parts)

    def point_of(self, index: int) -> LatentPoint | None:
        """The point of a cell."""
        cells = self.sheet.point
        return cells(index) if cells is not None and 0 <= index < self.sheet.count else None

    # -- actions

    def _add_commands(self) -> None:
        add = self._commands.add
        ready = self._free
        add("grid.new", "Other seeds for the grid", self.controls.new_seed, "R")
        add("grid.go", "Explore this cell", lambda: self.go_to(self.sheet.cell))
        add("grid.keep", "Keep this cell's point", lambda: self.keep(self.sheet.cell), "K")
        add(
            "grid.keyframe",
            "Add this cell to the end of the timeline",
            lambda: self.add_keyframe(self.sheet.cell),
            "Shift+K",
        )
        add(
            "grid.export",
            "Export the sheet as PNG…",
            self._ask_sheet,
            "Ctrl+E",
            "Export",
            enabled=lambda: ready() and not self._is_sound,
        )
        add(
            "grid.singles",
            "Export the cells as single files…",
            self._ask_singles,
            group="Export",
            enabled=ready,
        )

    def _free(self) -> bool:
        return self._studio.session.info is not None and self.jobs.job is None

    def go_to(self, index: int) -> None:
        """Make a cell's point the current one (one step to undo) and show it in Explore."""
        point = self.point_of(index)
        if point is not None:
            actions.go_to(self._studio.session, point)
            self._commands.run("go.explore")

    def keep(self, index: int) -> None:
        """Save a cell's point; the current point stays as it is."""
        point = self.point_of(index)
        if point is None:
            self._studio.say("No cell is chosen.", "Point at one, or walk there with the arrows.")
            return
        saved = actions.keep(self._studio.session, point=point)
        self._studio.say(f"Kept as {saved.name}.", kind="good")

    def add_keyframe(self, index: int) -> None:
        """Put a cell's point at the end of the timeline."""
        point = self.point_of(index)
        if point is not None:
            seconds = actions.append_keyframe(self._studio.session, point)
            count = len(self._studio.state.timeline.keyframes)
            self._studio.say(f"Keyframe {count} at {seconds:g} s.", "Play them in Timeline (2).", "good")

    def _menu(self, where: QPoint, index: int) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Explore it", lambda: self.go_to(index))
        if self._is_sound:
            menu.addAction("Play it (Space)", self.toggle_play)
        menu.addAction("Keep it", lambda: self.keep(index))
        menu.addAction("Add to the end of the timeline", lambda: self.add_keyframe(index))
        corner = menu.addMenu("Make it a corner of the plane")
        point = self.point_of(index)
        for number, name in enumerate(NAMES):
            corner.addAction(name, partial(self.controls.corners.use, number, point))
        menu.popup(where)

    def _corner_menu(self, id: str) -> None:
        """A saved point was clicked: which corner is it for?"""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number, name in enumerate(NAMES):
            menu.addAction(f"{name} corner", partial(self.controls.corners.use_saved, number, id))
        menu.popup(QCursor.pos())

    # -- files

    def _stem(self) -> str:
        info = self._studio.session.info
        return f"{info.name if info else 'model'}-{self._studio.state.grid.mode}"

    def _ask_sheet(self) -> None:
        ask_file(self, "Export the sheet", f"{self._stem()}.png", "Picture (*.png)", self.export_sheet)

    def _ask_singles(self) -> None:
        ask_folder(self, "Where the single files go", self._stem(), self.export_singles)

    def export_sheet(self, path: Path) -> Job:
        """Write the whole sheet at full size."""
        s = self._studio.state
        return self._run(path, lambda e: e.save_sheet(path, s.model, s.grid, s.point, s.device))

    def export_singles(self, folder: Path) -> Job:
        """Write each cell as a file of its own."""
        s = self._studio.state
        return self._run(folder, lambda e: e.save_singles(folder, s.model, s.grid, s.point, s.device))

    def _run(self, path: Path, make: Callable[[Any], Work]) -> Job:
        def done(job: Job) -> None:
            if job.error is None:
                tell_written(self._studio, path)

        return self.jobs.watch(self._studio.run(f"Export {path.name}", export_work(make), done))

    def _on_busy(self, busy: bool) -> None:
        self.save.setVisible(not busy and not self._is_sound)
        self.singles.setVisible(not busy)
