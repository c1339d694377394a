"""The Compare workspace: one point, several models, side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QScrollArea, QVBoxLayout, QWidget

from igm_gui.engine.loop import Job, Work
from igm_gui.formats import library
from igm_gui.gui.commands import Commands
from igm_gui.gui.compare.choose import ModelChooser
from igm_gui.gui.compare.column import Column
from igm_gui.gui.compare.lineup import MAX_MODELS, sample_points
from igm_gui.gui.compare.toolbar import CompareBar
from igm_gui.gui.saving import ask_file, ask_folder, export_work, tell_written
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import Button, accent_button
from igm_gui.gui.widgets.tabbing import stops_in, tab_after
from igm_gui.info import GeneratorInfo
from igm_gui.requests import Priority, RenderRequest, RenderResult
from igm_gui.session import actions
from igm_gui.session.grid import drawn
from igm_gui.session.state import SessionState

SLOT = "compare:"
BASELINE = "uniform-pixels"


class CompareWorkspace(QWidget):
    """The current model and ``state.compare``. Only what is seen is rendered, and only while active."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._commands = studio, commands
        self._session = studio.session
        self._active = False
        self._chooser = ModelChooser(self, studio, self.add_model)
        self.columns: list[Column] = []
        self._bare = False
        self._add_commands()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self.bar = CompareBar(studio, commands)
        self.bar.add.clicked.connect(lambda: self.ask_model(self.bar.add))
        self.bar.export.clicked.connect(self.open_export)
        self.bar.kind_changed.connect(self._show)
        whole.addWidget(self.bar)
        body = QWidget()
        body.setObjectName("canvas")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._row = QHBoxLayout(body)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(1)
        self._hint = QLabel(
            "Add a second model: both then get the same point,\nand you see what each makes of it."
        )
        # Not wrapped: with one such label in it Qt would make the row as high as all like to be, not as there
        # is room, and the samples would lie below the window.
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setProperty("role", "quiet")
        self._hint_add = accent_button("Add a model", "plus", commands.tip("compare.add"))
        self._hint_add.clicked.connect(lambda: self.ask_model(self._hint_add))
        self._empty = QWidget()
        column = QVBoxLayout(self._empty)
        column.addStretch(1)
        column.addWidget(self._hint)
        column.addWidget(self._hint_add, 0, Qt.AlignmentFlag.AlignHCenter)
        self._hint_base = Button("Add uniform pixels", "plus", commands.tip("compare.baseline"))
        self._hint_base.clicked.connect(lambda: commands.run("compare.baseline"))
        column.addWidget(self._hint_base, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._row.addWidget(self._empty, 1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole.addWidget(scroll, 1)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)

    def _add_commands(self) -> None:
        add, session = self._commands.add, self._session
        add("compare.random", "Random point for all models", lambda: actions.randomize(session), "R")
        add("compare.mutate", "Mutate: a neighbour, for all models", lambda: actions.mutate(session), "M")
        add("compare.keep", "Keep this point", lambda: actions.keep(session), "K")
        add(
            "compare.next_sound",
            "Hear the next model from here (A/B)",
            self.next_sound,
            "B",
            enabled=lambda: any(column.view.sound is not None for column in self.columns),
        )
        add("compare.seeds", "New seeds for the samples", self._new_seeds, "S")
        add("compare.add", "Add a model to compare…", lambda: self.ask_model(self.bar.add), "A")
        add("compare.baseline", "Add the baseline: every pixel at random", lambda: self.add_model(BASELINE))
        add(
            "compare.export",
            "Export the samples of all models…",
            self.open_export,
            "Ctrl+E",
            "Export",
        )
        add(
            "compare.export_picture",
            "Export one picture of all models (PNG)…",
            self._ask_picture,
            group="Export",
            enabled=lambda: self._may_export() and self._pictures,
        )
        add(
            "compare.export_folder",
            "Export a folder with the samples of each model…",
            self._ask_folder,
            group="Export",
            enabled=self._may_export,
        )
        add("compare.open", "Open a model file to compare…", self._chooser.ask_file)

    # -- the window's side

    def activate(self) -> None:
        """Show the line-up and render it."""
        self._active = True
        self._studio.set_playhead(None)
        self._show()
        self._render()
        last = self._studio.last
        if last is not None:
            self._on_rendered(last)

    def deactivate(self) -> None:
        """Render nothing more."""
        self._active = False
        self._studio.loop.withdraw(SLOT)
        for column in self.columns:
            column.stop()

    def toggle_play(self) -> None:
        """Space: the first sound, or an end to the one that is heard."""
        sounding = next((c for c in self.columns if c.view.playing), None)
        found = sounding or next((c for c in self.columns if c.view.sound is not None), None)
        if found is not None:
            found.play.click()

    def next_sound(self) -> None:
        """A/B: the next model's sound takes over at the same place; the first one begins where none is
        heard."""
        sounds = [column for column in self.columns if column.view.sound is not None]
        playing = next((n for n, column in enumerate(sounds) if column.view.playing), None)
        if playing is None:
            self.toggle_play()
        elif len(sounds) > 1:
            sounds[(playing + 1) % len(sounds)].play.click()

    def set_bare(self, bare: bool) -> None:
        """The models alone, or everything."""
        self._bare = bare
        self.bar.setVisible(not bare)
        self._show_empty()

    def _show_empty(self) -> None:
        self._empty.setVisible(len(self.models) < 2 and not self._bare)

    def _may_export(self) -> bool:
        return self.bar.jobs.job is None and bool(self._studio.state.point.values)

    @property
    def _pictures(self) -> bool:
        return any(info.media == "image" for info in self._infos())

    def open_export(self) -> None:
        """Say what can be written of the samples that are shown; the choice asks where."""
        if self._may_export():
            menu = self.export_menu()
            menu.aboutToHide.connect(menu.deleteLater)
            corner = self.bar.export.rect().bottomRight()
            menu.popup(self.bar.export.mapToGlobal(corner) - QPoint(menu.sizeHint().width(), -2))

    def export_menu(self) -> QMenu:
        """What may be written, each with what will be there."""
        menu = QMenu(self)
        if self._pictures:
            menu.addAction("One picture of all models (PNG)…", self._ask_picture)
        menu.addAction(f"A folder: {self._written}…", self._ask_folder)
        return menu

    @property
    def _written(self) -> str:
        """What an exported folder holds."""
        parts = []
        if self._pictures:
            parts.append("a sheet of samples (PNG) for each model")
        if any(info.media == "sound" for info in self._infos()):
            parts.append("each sample as a WAV file")
        if sum(info.media == "image" for info in self._infos()) > 1:
            parts.append("all in one picture")
        return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1] if parts else "the samples"

    def _ask_picture(self) -> None:
        names = "-".join(info.name for info in self._infos())
        title = "Export one picture of all models"
        ask_file(self, title, f"{names}.png", "Picture (*.png)", self.export_picture)

    def _ask_folder(self) -> None:
        title = f"Where shall the new folder “samples” be? In it: {self._written}"
        ask_folder(self, title, "samples", self.export_samples)

    def export_picture(self, path: Path) -> Job:
        """Write the samples of all models as one picture, with progress and a way to cancel."""
        return self._export(path, "save_comparison")

    def export_samples(self, folder: Path) -> Job:
        """Write a sheet of samples for each model into ``folder``, with progress and a way to cancel."""
        return self._export(folder, "save_samples")

    def _export(self, path: Path, make: str) -> Job:
        state, models, every = self._studio.state, self.models, self.bar.every_class

        def make_work(export: Any) -> Work:
            asked = export.Samples(models, state.compare_seed, state.point, state.device, every_class=every)
            return getattr(export, make)(path, asked)

        def done(job: Job) -> None:
            if job.error is None:
                tell_written(self._studio, path)

        return self.bar.jobs.watch(self._studio.run(f"Export {path.name}", export_work(make_work), done))

    # -- the line-up

    @property
    def models(self) -> tuple[str, ...]:
        """The models from left to right, the current one first."""
        return tuple(dict.fromkeys((self._studio.state.model, *self._studio.state.compare)))[:MAX_MODELS]

    def add_model(self, model: str, place: int = -1) -> None:
        """Put a bundled name or a path beside the others, or in the place of the one at ``place``. A file not
        seen before is tried first, in the background."""
        model = library.called(model)
        put, again = partial(self._put, place=place), partial(self.add_model, place=place)
        if model in self.models or not self._studio.opener.open(model, put, again):
            self._put(model, place)

    def _put(self, model: str, place: int) -> None:
        models = list(self.models)
        if model in models:
            self._studio.say(f"{model} is shown already.")
            return
        if 0 <= place < len(models):
            models[place] = model
        elif len(models) >= MAX_MODELS:
            self._studio.say(f"Up to {MAX_MODELS} models stand side by side.", "Remove one first.")
            return
        else:
            models.append(model)
        self._take(models)

    def act(self, what: str, place: int) -> None:
        """Remove, move or replace the model at ``place``, or make it the current one."""
        models = list(self.models)
        if not 0 <= place < len(models):
            return
        if what == "replace":
            self.ask_model(self.columns[place].menu_button, place)
            return
        model = models.pop(place)
        if what == "left":
            models.insert(max(place - 1, 0), model)
        elif what == "right":
            models.insert(place + 1, model)
        elif what == "current":
            models.insert(0, model)
        if models:
            self._take(models)

    def _take(self, models: list[str]) -> None:
        if models[0] != self._studio.state.model:
            # What its card says is known before the first result, so the point fits at once.
            info = self._studio.card_of(models[0])
            if info is not None:
                self._session.infos.setdefault(models[0], info)
        actions.set_lineup(self._session, models)

    def ask_model(self, button: QWidget, place: int = -1) -> None:
        """Choose one of the bundled and recent models under ``button``: added, or in the ``place`` of one."""
        self._chooser.ask_model(button, self.models, place)

    # -- from the person

    def _new_seeds(self) -> None:
        self._session.update(compare_seed=actions.new_seed())

    def _pick(self, place: int, number: int) -> None:
        """Take every model to a sample: its seed, and its class where the current model has that class."""
        info, theirs = self._session.info, self._studio.card_of(self.models[place])
        if info is None or theirs is None:
            return
        state = self._studio.state
        seed = state.compare_seed + number
        point = drawn(info, state.point, seed)
        sample = sample_points(theirs, state.point, state.compare_seed, self.bar.every_class)(number)
        for label in theirs.of_kind("label"):
            ours, value = info.input(label.name), sample.get(label.name)
            if ours is not None and ours.classes == label.classes and value is not None:
                point = point.with_value(label.name, value)
        actions.go_to(self._session, point)

    def _retry(self, place: int) -> None:
        if place == 0:
            self._studio.refresh(force=True)
        elif place < len(self.models):
            self._studio.loop.submit(self._request(place), force=True)

    def _time_again(self, place: int) -> None:
        """Ask a model for the same result once more, when nothing else waits: one time is no measure."""
        if self._active and place < len(self.models):
            self._studio.loop.submit(replace(self._request(place), priority=Priority.THUMBNAIL), force=True)

    def _share_room(self) -> None:
        """Each model shows as many samples as the narrowest has room for: equal numbers, equal seeds."""
        if self.columns:
            most = min(column.samples.room for column in self.columns)
            for column in self.columns:
                column.samples.set_columns(most)

    # -- showing

    @property
    def _sounds(self) -> bool:
        return self._session.info is not None and self._session.info.media == "sound"

    def _infos(self) -> list[GeneratorInfo]:
        return [info for m in self.models if (info := self._studio.card_of(m)) is not None]

    def _on_changed(self, _state: SessionState, changed: frozenset[str]) -> None:
        if not self._active:
            return
        if changed & {"model", "compare", "point", "device", "info", "compare_seed", "history"}:
            self._show()
        if changed & {"model", "compare", "point", "device"}:
            self._render()

    def _show(self) -> None:
        models = self.models if self._studio.state.model else ()
        while len(self.columns) > len(models):
            column = self.columns.pop()
            column.stop()
            self._row.removeWidget(column)
            column.deleteLater()
        while len(self.columns) < len(models):
            column = Column(self._studio, len(self.columns))
            column.acted.connect(self.act)
            column.picked.connect(self._pick)
            column.retry.connect(self._retry)
            column.untimed.connect(self._time_again)
            column.samples.room_changed.connect(self._share_room)
            self._row.insertWidget(len(self.columns), column, 1)
            tab_after(self._empty, stops_in(column))
            self.columns.append(column)
        every = self.bar.every_class
        for place, (column, model) in enumerate(zip(self.columns, models, strict=True)):
            column.show_model(model, every, place == len(models) - 1)
        self._share_room()
        self._show_empty()
        self._hint_base.setVisible(BASELINE not in models and not self._sounds)
        self.bar.add.setEnabled(len(models) < MAX_MODELS)
        self.bar.show_state(self._infos())

    # -- rendering

    def _request(self, place: int) -> RenderRequest:
        state = self._studio.state
        points = (state.point,) if state.point.values else ()
        return RenderRequest(self.models[place], points, f"{SLOT}{place}", device=state.device, conform=True)

    def _render(self) -> None:
        # The current model's own result is the main one, which the studio asks for.
        count = len(self.models)
        for place in range(1, MAX_MODELS):
            if place < count:
                self._studio.loop.submit(self._request(place))
            else:
                self._studio.loop.withdraw(f"{SLOT}{place}")

    def _on_rendered(self, result: RenderResult) -> None:
        if not self._active:
            return
        slot = result.request.slot
        place = 0 if slot == "main" else int(slot.removeprefix(SLOT)) if slot.startswith(SLOT) else -1
        if 0 <= place < len(self.columns) and self.columns[place].model == result.request.model:
            self.columns[place].show_result(result)
