"""Explore: inputs on the left, the result in the middle, places to go on the right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from igm_gui.gui.commands import Command, Commands
from igm_gui.gui.explore.canvas import Canvas
from igm_gui.gui.explore.drift import Drift
from igm_gui.gui.explore.find import FindPlace
from igm_gui.gui.explore.inputs import InputsPanel
from igm_gui.gui.explore.model_card import ModelCard
from igm_gui.gui.explore.panels import SidePanel, own_widths
from igm_gui.gui.explore.plane import LatentPlane
from igm_gui.gui.explore.styles import StylesPanel
from igm_gui.gui.explore.variations import Variations
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.point_strip import PointStrip
from igm_gui.latent.priors import MAX_SEED
from igm_gui.session import actions

SAVED_SIDES = (64, 128)  # pixels: the saved points grow with the window


class ExploreWorkspace(QWidget):
    """The first workspace."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._commands = commands
        self._settings = Settings()
        self._bare = False
        self._add_commands()
        self.model_card = ModelCard(studio, commands, self._settings)
        self.inputs = InputsPanel(studio, commands)
        self.styles = StylesPanel(studio, commands)
        self.finder = FindPlace(studio, commands)
        self.canvas = Canvas(studio, commands, self._settings)
        self.canvas.setAccessibleName("Output")
        self.canvas.setAccessibleDescription("What the model makes of the point")
        self.points = PointStrip(studio)
        self.points.setObjectName("strip")
        self.variations = Variations(studio, commands)
        self.plane = LatentPlane(studio, commands)
        self.drift = Drift(studio, self)
        self.drift.running_changed.connect(self._on_wandering)
        self.left = SidePanel("panelLeft", self.model_card, self._with_find(), grows=True)
        self.right = SidePanel("panelRight", self.plane, self.variations)
        self.inputs.seen.connect(lambda widget: self.left.ensureWidgetVisible(widget, 0, 40))
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.points)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for part in (self.left, middle, self.right):
            self.splitter.addWidget(part)
        self.splitter.setStretchFactor(1, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.splitter)
        self._own_widths = True  # until the person pulls an edge
        self._restore()
        self.splitter.splitterMoved.connect(lambda *_: self._remember())
        for place in (1, 2):
            handle = self.splitter.handle(place)
            handle.setToolTip("Drag to resize, double-click for the panels' own widths")
            handle.installEventFilter(self)

    def _with_find(self) -> QWidget:
        """The inputs, which take the height that is left, over the styles and the place where a file is
        looked for."""
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.inputs, 1)
        column.addWidget(self.styles)
        column.addWidget(self.finder)
        return both

    def _add_commands(self) -> None:
        session = self._studio.session
        add = self._commands.add

        def ready() -> bool:
            return session.info is not None

        add("explore.random", "Random point", lambda: actions.randomize(session), "R", enabled=ready)
        add("explore.mutate", "Mutate: a neighbour", lambda: actions.mutate(session), "M", enabled=ready)
        add(
            "explore.zero", "Zero: the middle of the prior", lambda: actions.zero(session), "Z", enabled=ready
        )
        add("explore.models", "Choose a model", lambda: self.model_card.show_browser(), "O")
        add("explore.seed", "Type a seed…", lambda: self.inputs.ask_seed(), "S", enabled=ready)
        add("explore.next_seed", "The next seed", lambda: self._step_seed(1), ".", enabled=ready)
        add("explore.last_seed", "The seed before", lambda: self._step_seed(-1), ",", enabled=ready)
        add("explore.variations", "Other variations", lambda: self.variations.reroll(), "V", enabled=ready)
        add("explore.left", "Show or hide the left panel", lambda: self._fold(self.left, "left"), "[", "View")
        add(
            "explore.right",
            "Show or hide the right panel",
            lambda: self._fold(self.right, "right"),
            "]",
            "View",
        )
        add(
            "explore.defaults",
            "All sampling values to their defaults",
            self._defaults,
            "Shift+Z",
            enabled=ready,
        )
        self._commands.add_source(self._saved_points)
        add("explore.widths", "Panels at their own widths", self.reset_widths, "", "View")
        add(
            "explore.wander",
            "Wander: let the point move by itself, or stop it",
            lambda: self.drift.toggle(),
            enabled=self.can_wander,
        )
        add("explore.unlock", "Unlock all dimensions", lambda: session.update(locks=frozenset()))

    def can_wander(self) -> bool:
        """Pictures follow at once; for sounds Space plays."""
        info = self._studio.session.info
        return info is not None and info.latent is not None and info.media == "image"

    def _on_wandering(self, running: bool) -> None:
        self.canvas.show_wandering(running)
        self.inputs.set_wandering(running)
        self.plane.set_waiting(running)

    def _saved_points(self) -> Iterator[Command]:
        for saved in self._studio.state.saved:
            yield Command(
                "", saved.name, partial(actions.recall, self._studio.session, saved.id), group="Go to"
            )

    def _step_seed(self, step: int) -> None:
        """From where the hand left the seeds, the last one that was used counts."""
        seed = self._studio.state.point.seed
        if seed is None:
            seed = self.inputs.last_seed
        actions.set_seed(self._studio.session, (seed + step) % (MAX_SEED + 1), merge="seed step")

    def _defaults(self) -> None:
        info = self._studio.session.info
        if info is None:
            return
        point = self._studio.state.point
        for spec in info.of_kind("scalar"):
            point = point.with_value(spec.name, float(spec.default))
        for direction in info.directions:
            point = point.with_value(f"direction:{direction.name}", 0.0)
        self._studio.session.update(point=point)

    # -- what the window calls

    def activate(self) -> None:
        """Shown: the current point rather than the timeline's."""
        self._studio.set_playhead(None)
        (self.canvas.picture if self.canvas.picture.isVisibleTo(self) else self.canvas).setFocus()

    def deactivate(self) -> None:
        """Left: nothing moves by itself."""
        self.drift.stop()
        stop = getattr(self.canvas.sound_view, "deactivate", None)
        if stop is not None:
            stop()

    def toggle_play(self) -> None:
        """Space: the sound, or for pictures a gentle wandering."""
        info = self._studio.session.info
        play = getattr(self.canvas.sound_view, "toggle_play", None)
        if info is not None and info.media == "sound" and play is not None:
            play()
        else:
            self.drift.toggle()

    def open_export(self) -> None:
        self.canvas.ask_save()

    def set_bare(self, bare: bool) -> None:
        """Full screen: the picture alone, or all the panels again."""
        self._bare = bare
        self.left.setHidden(bare or self._settings.flag("explore/left_hidden"))
        self.right.setHidden(bare or self._settings.flag("explore/right_hidden"))
        self.points.setHidden(bare)
        self.canvas.set_bare(bare)

    # -- panels

    def _fold(self, panel: QWidget, name: str) -> None:
        hidden = not self._settings.flag(f"explore/{name}_hidden")
        self._settings.put(f"explore/{name}_hidden", hidden)
        panel.setHidden(self._bare or hidden)  # where the picture stands alone it is seen afterwards

    def _remember(self) -> None:
        self._own_widths = False
        self._settings.put("explore/splitter", self.splitter.saveState())

    def reset_widths(self) -> None:
        """Give the panels the widths that suit the window, now and when it changes."""
        self._own_widths = True
        self._settings.put("explore/splitter", QByteArray())
        self._lay_out()

    def _restore(self) -> None:
        kept = self._settings.bytes("explore/splitter")
        if kept:
            self._own_widths = not self.splitter.restoreState(kept)
            self.splitter.setHandleWidth(1)
        self.left.setHidden(self._settings.flag("explore/left_hidden"))
        self.right.setHidden(self._settings.flag("explore/right_hidden"))

    def _lay_out(self) -> None:
        if self._own_widths:
            left, right = own_widths(self.width(), self.height())
            self.splitter.setSizes([left, max(self.width() - left - right, 1), right])
        # In steps, so that a window that is being resized does not render them at every pixel.
        side = round(self.height() * 0.085) // 8 * 8
        self.points.set_side(min(max(side, SAVED_SIDES[0]), SAVED_SIDES[1]))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset_widths()
            return True
        return super().eventFilter(watched, event)
