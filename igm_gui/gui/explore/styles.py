"""Styles: which layers follow a second style, and where they are moved in w. Shown where a model has w."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from igm_gui.engine.loop import Job
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import InputError
from igm_gui.gui.commands import Commands
from igm_gui.gui.dialogs import ask_open
from igm_gui.gui.explore.layer_bar import LayerBar
from igm_gui.gui.explore.seed import SeedRow
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.slider import ValueSlider
from igm_gui.info import StyleSpace
from igm_gui.latent import styles
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.session import actions
from igm_gui.session.state import SessionState

W_FILES = (".npz", ".npy")
NAMES_WIDTH = 84
REACH = 4.0  # standard deviations to each side
GROUP_TIPS = {
    "all": "Choose all layers",
    "coarse": "Choose the layers of pose and shape",
    "middle": "Choose the layers of features",
    "fine": "Choose the layers of colour and texture",
}


class StylesPanel(QWidget):
    """Choose layers, then mix a second style into them or draw where they go in w. Every change is one of the
    point: undone, kept, and on the timeline as any other."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._session = studio.session
        self._settings = Settings()
        self._space: StyleSpace | None = None
        self._chosen: frozenset[int] = frozenset()
        self._principal = True
        self._second: tuple[int, Vector] | None = None  # the seed thrown last, and what it gave
        self._edited: tuple[object, ...] = ()  # what is shown of a point
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.head = SectionHead("Styles", body=self._body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addWidget(self.head)
        outer.addWidget(self._body)
        self.groups = {name: self._chip(name) for name in styles.GROUPS}
        self._column.addLayout(self._row(*self.groups.values()))
        self.bar = LayerBar()
        self.bar.chosen.connect(self.choose)
        self._column.addWidget(self.bar)
        self.second = SeedRow("Second style", "The seed whose style the chosen layers follow", NAMES_WIDTH)
        self.second.changed.connect(self._set_second)
        self.second.released.connect(self._session.end_merge)
        self.second.dice.connect(self._roll)
        self.second.remarked.connect(studio.say)
        self._column.addWidget(self.second)
        self.amount = ValueSlider(
            "Mix",
            tip="How far the chosen layers follow the second style: 0 not at all, 1 alone",
            label_width=NAMES_WIDTH,
        )
        self.amount.changed.connect(self._mix)
        self.amount.released.connect(self._session.end_merge)
        self._column.addWidget(self.amount)
        self.strip: LatentStrip | None = None
        self._strip_place = QVBoxLayout()
        self._column.addLayout(self._strip_place)
        self.saved = Button("From saved ▾", tip="Take the second style from a saved point")
        self.saved.clicked.connect(self._offer_saved)
        self.basis = Button("All dimensions", tip="Single dimensions of w in place of principal directions")
        self.basis.clicked.connect(self._change_basis)
        self.hold = Button("Hold w", tip="Keep w as it is now: z, class and truncation then do nothing")
        self.hold.clicked.connect(self.hold_or_free)
        self.clear_button = Button("Clear", tip="No second style, nothing moved, w from z")
        self.clear_button.clicked.connect(self.clear)
        self._column.addLayout(self._row(self.saved, self.basis))
        self._column.addLayout(self._row(self.hold, self.clear_button))
        self._add_commands(commands)
        studio.changed.connect(self._on_changed)
        self._on_changed(studio.state, frozenset({"info", "point"}))

    @staticmethod
    def _row(*widgets: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(5)
        for widget in widgets:
            row.addWidget(widget, 1)
        return row

    def _chip(self, name: str) -> Button:
        chip = Button(name.capitalize(), tip=GROUP_TIPS[name], role="chip")
        chip.setCheckable(True)
        chip.clicked.connect(lambda: self._choose_group(name))
        return chip

    def _add_commands(self, commands: Commands) -> None:
        for name in styles.GROUPS:
            commands.add(
                f"styles.{name}",
                GROUP_TIPS[name],
                partial(self._choose_group, name),
                enabled=self._has_styles,
            )
        for name, title, run in (
            ("second", "A new second style", self._roll),
            ("hold", "Hold w, or let it follow z again", self.hold_or_free),
            ("open", "Open w from a file (.npz, .npy)…", self.ask_w),
            ("clear", "Clear all edits of styles", self.clear),
        ):
            commands.add(f"styles.{name}", title, run, enabled=self._has_styles)

    def _has_styles(self) -> bool:
        return self._space is not None

    # -- showing

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"info", "model"}:
            info = self._session.info
            if info is None:
                self.setEnabled(False)  # what is being opened may have styles as well: nothing moves yet
                return
            self.setEnabled(True)
            if info.styles != self._space or info.styles is None:
                self._build(info.styles)
        if changed & {"point", "saved", "info", "model"}:
            edits = self._edits(state.point)
            # Most changes of a point are of its z, many a second: there is nothing to show anew.
            if changed != {"point"} or edits != self._edited:
                self._show(state.point)
            self._edited = edits

    def _edits(self, point: LatentPoint) -> tuple[object, ...]:
        """What ``point`` holds of styles."""
        return tuple(point.get(spec.name) for spec in self._space.edits) if self._space is not None else ()

    def _build(self, space: StyleSpace | None) -> None:
        self._space = space
        self.setVisible(space is not None)
        self._second = None
        if space is None:
            return
        self.bar.set_layers(space.layers)
        self._chosen = frozenset(styles.group(space, "all"))
        for widget in (self.second, self.amount, self.saved):
            widget.setVisible(space.z > 0)
        self._principal = bool(space.principal)
        self.basis.setVisible(bool(space.principal))
        self._make_strip()

    def _make_strip(self) -> None:
        assert self._space is not None
        if self.strip is not None:
            self._strip_place.removeWidget(self.strip)
            self.strip.hide()
            self.strip.deleteLater()
        if self._principal:
            count, reach = len(self._space.principal), REACH
            names = tuple(f"direction {i}" for i in range(count))
        else:
            count, reach, names = self._space.size, REACH * self._space.spread, ()
        self.strip = LatentStrip("w", count, -reach, reach, names)
        self.strip.setAccessibleName(
            f"Places along {count} {'principal directions' if self._principal else 'dimensions'} of w"
        )
        what = "principal directions, in standard deviations" if self._principal else "dimensions"
        self.strip.setToolTip(
            f"Where the chosen layers are moved in w, along its {what}\n"
            "Drag across to draw · double-click for zero · wheel for fine steps (Shift: finer)"
        )
        self.strip.patience, self.strip.due = lambda: self._studio.patience, lambda: self._studio.due
        self.strip.drawn.connect(self._draw)
        self.strip.finished.connect(self._session.end_merge)
        self._strip_place.addWidget(self.strip)
        self.basis.setText("All dimensions" if self._principal else "Directions")
        self.basis.setToolTip(
            "Show single dimensions of w instead of principal directions"
            if self._principal
            else "Show principal directions of w (GANSpace) instead of single dimensions"
        )

    def _show(self, point: LatentPoint) -> None:
        space = self._space
        if space is None or self.strip is None:
            return
        amounts = styles.mix_amounts(space, point)
        moved = np.flatnonzero(styles.offsets(space, point).any(1)).tolist()
        self.bar.show_state(self._chosen, amounts.tolist(), moved)
        self.amount.set_value(float(amounts[sorted(self._chosen)].mean()))
        self.strip.set_values(styles.places(space, point, sorted(self._chosen), self._principal))
        held = point.get("w") is not None
        self.hold.setText("Free w" if held else "Hold w")
        self.hold.setToolTip(
            "Let w follow z, class and truncation again"
            if held
            else "Keep w as it is now: z, class and truncation then do nothing"
        )
        mix = point.get("mix")
        known = self._second is not None and mix == self._second[1]
        self.second.set_seed(self._second[0] if known and self._second is not None else None)
        for name, chip in self.groups.items():
            chip.setChecked(self._chosen == frozenset(styles.group(space, name)))
        remark = f"{len(self._chosen)} of {len(space.layers)} layers"
        self.head.set_remark(f"w held · {remark}" if held else remark)
        self.clear_button.setEnabled(any(point.get(spec.name) is not None for spec in space.edits))
        self.saved.setEnabled(bool(list(self._saved_latents())))

    # -- what the person does

    def choose(self, layers: frozenset[int]) -> None:
        """These layers are what mixing and drawing reach."""
        self._chosen = layers
        self._show(self._studio.state.point)

    def _choose_group(self, name: str) -> None:
        if self._space is not None and (layers := styles.group(self._space, name)):
            self.choose(frozenset(layers))

    def _update(self, point: LatentPoint, merge: str | None = None) -> None:
        self._session.update(point=point, merge=merge)

    def _mix(self, amount: float) -> None:
        if self._space is not None:
            point = self._studio.state.point
            if point.get("mix") is None:
                self._second = (0, styles.second_style(self._space, 0))
            self._update(styles.mixed(self._space, point, self._chosen, amount), "styles:mix")

    def _set_second(self, seed: int, merge: str | None = "styles:second") -> None:
        """Follow another seed; with nothing mixed yet, the chosen layers follow it wholly."""
        if self._space is None:
            return
        self._second = (int(seed), styles.second_style(self._space, int(seed)))
        self._use_second(self._second[1], merge)

    def _use_second(self, latent: Vector, merge: str | None = None) -> None:
        assert self._space is not None
        point = self._studio.state.point
        if styles.mix_amounts(self._space, point).any():
            self._update(point.with_value("mix", latent), merge)
        else:
            self._update(styles.mixed(self._space, point, self._chosen, 1.0, latent), merge)

    def _roll(self) -> None:
        self._session.end_merge()
        self._set_second(actions.new_seed(), None)

    def _saved_latents(self) -> Iterator[tuple[str, Vector]]:
        for saved in self._studio.state.saved:
            value = saved.point.get("z")
            if self._space is not None and isinstance(value, Vector) and value.shape == (self._space.z,):
                yield saved.name, value

    def _offer_saved(self) -> None:
        menu = QMenu(self)
        for name, latent in self._saved_latents():
            menu.addAction(name, partial(self._use_second, latent))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.saved.mapToGlobal(self.saved.rect().bottomLeft()))

    def _draw(self, steps: dict[int, float]) -> None:
        if self._space is not None:
            point = styles.moved(
                self._space, self._studio.state.point, sorted(self._chosen), steps, self._principal
            )
            self._update(point, "styles:draw")

    def _change_basis(self) -> None:
        self._principal = not self._principal
        self._make_strip()
        self._show(self._studio.state.point)

    def clear(self) -> None:
        """The point as its inputs alone make it (one step to undo)."""
        if self._space is not None:
            self._update(self._studio.state.point.without(*(spec.name for spec in self._space.edits)))

    def hold_or_free(self) -> None:
        """Keep the w that z gives now, or follow z again."""
        point = self._studio.state.point
        if point.get("w") is not None:
            self._update(point.without("w"))
            return
        model, device = self._studio.state.model, self._studio.state.device
        bare = point.without("mix", "mix_layers", "w_offset")
        found: list[Any] = []

        def work(renderer: Renderer) -> Iterator[float]:
            generator, _ = renderer.generator(model, device)
            found.append(generator.map([bare])[0].cpu().numpy())  # type: ignore[attr-defined]
            yield 1.0

        def done(job: Job) -> None:
            if job.error is None and found and self._studio.state.model == model:
                self._take_w(found[0])

        self._studio.run("Hold w", work, done)

    def ask_w(self) -> None:
        """Ask for a file with w, such as the official projector writes."""
        ask_open(self, self._settings, "w", "Open w", "w of a StyleGAN (*.npz *.npy)", self.open_w)

    def takes(self, path: Path) -> bool:
        """Whether a file that was dropped is for here: numbers, while the model has w."""
        return self._space is not None and path.suffix.lower() in W_FILES

    def open_w(self, path: Path) -> bool:
        """Go to the w in a file; False where there is none that fits."""
        try:
            self._take_w(styles.read_w(path))
        except InputError as error:
            self._studio.fail(error)
            return False
        return True

    def _take_w(self, array: Any) -> None:
        info = self._session.info
        if info is not None:
            self._update(styles.with_w(info, self._studio.state.point, array))
