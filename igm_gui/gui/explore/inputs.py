"""What goes into the model: latent strips, directions, sampling, class. Built from its GeneratorInfo."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from igm_gui.gui.commands import Command, Commands
from igm_gui.gui.explore.classes import ClassPicker
from igm_gui.gui.explore.named import NamedDimensions, named_dimensions
from igm_gui.gui.explore.second_style import SecondStyle, coarse, divider
from igm_gui.gui.explore.seed import SeedRow
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button, IconButton
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.slider import ValueSlider
from igm_gui.gui.widgets.tabbing import stops_in, tab_after
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.latent.priors import clip_range
from igm_gui.latent.vector import Vector
from igm_gui.session import actions
from igm_gui.session.state import SessionState


class InputsPanel(QWidget):
    """One control for each input; built anew when another model's inputs are known."""

    seen = Signal(object)  # a widget that is wanted on screen
    drawn = Signal()  # the person draws on a strip

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._session = studio.session
        self._commands = commands
        self._built_for: tuple[Any, ...] = ()
        self.strips: dict[str, LatentStrip] = {}
        self.seconds: dict[str, SecondStyle] = {}
        self.named: dict[str, NamedDimensions] = {}
        self.scalars: dict[str, ValueSlider] = {}
        self.directions: dict[str, ValueSlider] = {}
        self.classes: dict[str, ClassPicker] = {}
        self.noise_seeds: dict[str, SeedRow] = {}
        self.seed: SeedRow | None = None
        self.spread: ValueSlider | None = None
        self._names_width = 74
        self._heads: dict[str, SectionHead] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._body: QWidget | None = None
        self._wandering = False
        self.last_seed = studio.state.point.seed or 0
        commands.add_source(self._momentary)
        studio.changed.connect(self._on_changed)
        self._on_changed(studio.state, frozenset({"info"}))

    # -- building

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"info", "model"}:
            self._build(self._session.info)
        if changed & {"point", "info", "model", "locks", "spread"}:
            self._show(state)

    def _build(self, info: GeneratorInfo | None) -> None:
        if info is None and self._body is not None:
            # The inputs of what is being opened are not known yet; the old ones wait, greyed.
            self._body.setEnabled(False)
            return
        wanted = (info.inputs, info.directions) if info else ()
        if wanted == self._built_for and self._body is not None:
            self._body.setEnabled(True)
            return
        self._built_for = wanted
        for table in (
            self.strips,
            self.seconds,
            self.named,
            self.scalars,
            self.directions,
            self.classes,
            self.noise_seeds,
            self._heads,
        ):
            table.clear()
        self.seed = self.spread = None
        if self._body is not None:
            self._column.removeWidget(self._body)
            self._body.hide()
            self._body.deleteLater()
        self._body = QWidget()
        self._column.addWidget(self._body, 1)
        if info is None:
            return
        self._names_width = self._label_width(info, self.font())
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        latents = info.of_kind("latent")
        for spec in latents:
            self._add_latent(column, spec, info)
        if latents:
            column.addWidget(self._buttons())
        for spec in latents:
            if names := named_dimensions(spec):
                self._add_named(column, spec, names)
        if info.directions:
            self._add_directions(column, info)
        for spec in info.of_kind("label"):
            picker = self.classes[spec.name] = ClassPicker(spec)
            picker.changed.connect(lambda weights, name=spec.name: self._set(name, Vector(weights)))
            picker.released.connect(self._session.end_merge)
            picker.opened.connect(self.seen)
            column.addWidget(picker)
        self._add_sampling(column, info)
        column.addStretch(1)
        tab_after(self, stops_in(self._body))

    def _add_latent(self, column: QVBoxLayout, spec: InputSpec, info: GeneratorInfo) -> None:
        low, high = clip_range(spec)
        strip = self.strips[spec.name] = LatentStrip(spec.name, spec.size, low, high, spec.dimensions)
        strip.setToolTip(
            "Drag across to draw · double-click for zero · wheel for fine steps (Shift: finer)\n"
            "Alt-click or L locks · arrows and Return from the keyboard · Ctrl+wheel zooms"
        )
        strip.patience = lambda: self._studio.patience
        strip.due = lambda: self._studio.due
        strip.drawn.connect(lambda values, name=spec.name: self._draw(name, values))
        strip.finished.connect(self._session.end_merge)
        strip.lock_asked.connect(lambda index, name=spec.name: self._lock(name, index))
        strip.locks_asked.connect(lambda indices, name=spec.name: self._set_locks(name, indices))
        head = self._heads[spec.name] = SectionHead(
            f"Latent {spec.name}" if spec is info.latent or not spec.title else spec.title
        )
        head.setToolTip(spec.description or f"{spec.size} dimensions, {spec.prior} prior")
        column.addWidget(head)
        place: QWidget = strip
        if (cut := divider(info, spec.name)) is not None:
            place = second = self.seconds[spec.name] = SecondStyle(strip, spec, round(cut.maximum))
            second.mix_asked.connect(lambda: self._mix_in(cut))
        column.addWidget(place, 100)  # the height that is left goes to the strips, as far as they take it

    def _buttons(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 3, 0, 2)
        row.setSpacing(5)
        for name, text in (("random", "Random"), ("mutate", "Mutate"), ("zero", "Zero")):
            button = Button(text, tip=self._commands.tip(f"explore.{name}"), role="tight")
            button.clicked.connect(lambda _=False, name=name: self._commands.run(f"explore.{name}"))
            row.addWidget(button, 1)
        for name, icon in (("undo", "undo-2"), ("redo", "redo-2")):
            small = IconButton(icon, self._commands.tip(f"edit.{name}"))
            small.clicked.connect(lambda _=False, name=name: self._commands.run(f"edit.{name}"))
            row.addWidget(small)
        return box

    @staticmethod
    def _label_width(info: GeneratorInfo, font: QFont) -> int:
        """Room for the longest name, within reason."""
        metrics = QFontMetrics(font)
        names = [spec.label_text for spec in info.inputs if spec.kind in ("scalar", "seed")]
        names += [direction.name for direction in info.directions]
        names += [name for spec in info.of_kind("latent") for name in named_dimensions(spec).values()]
        longest = max((metrics.horizontalAdvance(name) for name in names), default=0)
        return min(max(74, longest + 4), 110)

    def _section(self, column: QVBoxLayout, title: str, remark: str = "") -> QVBoxLayout:
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(3)
        self._heads[title] = SectionHead(title, remark, body)
        column.addWidget(self._heads[title])
        column.addWidget(body)
        return inner

    def _add_named(self, column: QVBoxLayout, spec: InputSpec, names: dict[int, str]) -> None:
        sliders = self.named[spec.name] = NamedDimensions(spec, names, self._names_width)
        sliders.drawn.connect(lambda values, name=spec.name: self._draw(name, values))
        sliders.finished.connect(self._session.end_merge)
        self._section(column, f"Named in {spec.name}").addWidget(sliders)

    def _add_directions(self, column: QVBoxLayout, info: GeneratorInfo) -> None:
        inner = self._section(column, "Directions")
        for direction in info.directions:
            name = f"direction:{direction.name}"
            slider = ValueSlider(
                direction.name,
                direction.minimum,
                direction.maximum,
                0.0,
                signed=True,
                tip=direction.description or f"Along {direction.name} in {direction.input}",
                label_width=self._names_width,
            )
            self._connect(slider, name)
            self.directions[name] = slider
            inner.addWidget(slider)

    def _add_sampling(self, column: QVBoxLayout, info: GeneratorInfo) -> None:
        inner = self._section(column, "Sampling")
        if info.latent is not None:
            self.seed = SeedRow(
                "Seed", "The latent that this number stands for, here and in other tools", self._names_width
            )
            self.seed.changed.connect(lambda seed: actions.set_seed(self._session, seed, merge="seed"))
            self.seed.released.connect(self._session.end_merge)
            self.seed.dice.connect(lambda: self._commands.run("explore.random"))
            self.seed.remarked.connect(self._studio.say)
            inner.addWidget(self.seed)
            self.spread = ValueSlider(
                "Spread",
                0.0,
                1.0,
                0.3,
                tip="How far Mutate, and the pictures under Variations, go from here",
                label_width=self._names_width,
            )
            self.spread.changed.connect(lambda value: self._session.update(spread=value, merge="spread"))
            self.spread.released.connect(self._session.end_merge)
        for spec in info.inputs:
            if spec.kind == "scalar":
                slider = ValueSlider(
                    spec.label_text,
                    spec.minimum,
                    spec.maximum,
                    spec.default,
                    spec.step,
                    spec.unit,
                    tip=spec.description or spec.label_text,
                    label_width=self._names_width,
                )
                self._connect(slider, spec.name)
                self.scalars[spec.name] = slider
                inner.addWidget(slider)
            elif spec.kind == "seed":
                row = SeedRow(
                    spec.label_text, spec.description or "Fixes the noise inside the model", self._names_width
                )
                row.changed.connect(lambda seed, name=spec.name: self._set(name, int(seed)))
                row.released.connect(self._session.end_merge)
                row.dice.connect(lambda name=spec.name: self._roll(name))
                row.remarked.connect(self._studio.say)
                self.noise_seeds[spec.name] = row
                inner.addWidget(row)
        if self.spread is not None:
            inner.addWidget(self.spread)

    def _connect(self, slider: ValueSlider, name: str) -> None:
        slider.changed.connect(lambda value: self._set(name, float(value)))
        slider.released.connect(self._session.end_merge)

    # -- showing

    def _show(self, state: SessionState) -> None:
        point = state.point
        for name, strip in self.strips.items():
            value = point.get(name)
            if isinstance(value, Vector) and value.size == strip.count:
                strip.set_values(value.array)
            held = frozenset(index for key, index in state.locks if key == name)
            strip.set_locked(held)
            if name in self.named:
                self.named[name].show_values(value, held)
            locked = f" · {len(held)} locked" if held else " · drag to draw"
            remark = f"{strip.count} dims{locked}"
            idle = False
            if (cut := divider(self._session.info, name)) is not None and name in self.seconds:
                count = coarse(cut, point)
                self.seconds[name].show_coarse(count)
                idle = not self.strips[name].isEnabledTo(self.seconds[name])
                remark = self.seconds[name].remark(count) + ("" if idle else locked)
            moves = self._wandering and not idle
            self._heads[name].set_remark("moves by itself · Space stops" if moves else remark)
        for name, slider in (*self.scalars.items(), *self.directions.items()):
            slider.set_value(point.scalar(name, slider.track.default))
        for name, picker in self.classes.items():
            value = point.get(name)
            if isinstance(value, Vector) and value.size == len(picker.spec.classes):
                picker.set_weights(value.array)
        for name, row in self.noise_seeds.items():
            row.set_seed(int(point.scalar(name)))
        if point.seed is not None:
            self.last_seed = point.seed
        if self.seed is not None:
            self.seed.set_seed(point.seed)
        if self.spread is not None:
            self.spread.set_value(state.spread)

    def set_wandering(self, wandering: bool) -> None:
        """Whether the latents move by themselves: the strips say so."""
        self._wandering = wandering
        self._show(self._studio.state)

    # -- what the palette offers

    def _momentary(self) -> Iterator[Command]:
        """Every input by its name, every class."""
        rows: list[ValueSlider | SeedRow] = [*self.directions.values(), *self.scalars.values()]
        rows += self.noise_seeds.values()
        rows += [slider for named in self.named.values() for slider in named.sliders.values()]
        for row in rows:
            yield Command("", f"Set {row.accessibleName()}…", partial(self._type_in, row), group="Input")
        for name, strip in self.strips.items():
            yield Command("", f"Draw latent {name}", partial(self._focus, strip), group="Input")
        for name, picker in self.classes.items():
            for index, word in enumerate(picker.spec.classes):
                yield Command("", word, partial(self._choose, name, index), group=picker.spec.label_text)

    def ask_seed(self) -> None:
        """Put the keys into the seed's field."""
        if self.seed is not None:
            self._type_in(self.seed)

    def _type_in(self, row: ValueSlider | SeedRow) -> None:
        self._focus(row.edit)
        row.edit.selectAll()

    def _focus(self, widget: QWidget) -> None:
        for head in self._heads.values():
            if head.holds(widget):
                head.set_folded(False)
        self.seen.emit(widget)
        widget.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _choose(self, name: str, index: int) -> None:
        self.classes[name].choose(index)

    # -- what the person does

    def _draw(self, name: str, values: dict[int, float]) -> None:
        self.drawn.emit()
        actions.set_dimensions(self._session, name, values, merge=f"draw:{name}")

    def _lock(self, name: str, index: int) -> None:
        actions.toggle_lock(self._session, name, index)

    def _set_locks(self, name: str, indices: frozenset[int]) -> None:
        others = frozenset(lock for lock in self._session.state.locks if lock[0] != name)
        self._session.update(locks=others | {(name, index) for index in indices})

    def _set(self, name: str, value: float | int | Vector) -> None:
        self._session.set_input(name, value, merge=f"input:{name}")

    def _mix_in(self, cut: InputSpec) -> None:
        """Leave the finer half of the layers to the second style (one step to undo)."""
        self._session.end_merge()
        self._set(cut.name, float(cut.maximum // 2))
        self._session.end_merge()

    def _roll(self, name: str) -> None:
        self._session.end_merge()
        self._set(name, actions.new_seed())
        self._session.end_merge()
