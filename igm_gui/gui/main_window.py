"""The window: top bar, workspaces, status line, notices, and what is dropped on it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTime
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget
from shiboken6 import isValid

from igm_gui.formats import library
from igm_gui.formats.plain_folder import model_at
from igm_gui.generators.roles import RolesNeeded
from igm_gui.gui import placing, theme
from igm_gui.gui.asking import Asking
from igm_gui.gui.commands import Commands
from igm_gui.gui.drop_veil import DropVeil
from igm_gui.gui.drops import accept_copy, dropped_files, is_model, meant, promise
from igm_gui.gui.explore.drift import Drift
from igm_gui.gui.explore.styles import StylesPanel
from igm_gui.gui.find_place import can_find
from igm_gui.gui.first_hints import FirstHints
from igm_gui.gui.messages import Messages
from igm_gui.gui.models.carried import CarriedNote
from igm_gui.gui.models.information import ModelInformation
from igm_gui.gui.models.roles import RolesForm
from igm_gui.gui.palette import CommandPalette
from igm_gui.gui.project import ProjectKeeper, RecoveryBar
from igm_gui.gui.settings import Settings
from igm_gui.gui.status import StatusLine
from igm_gui.gui.studio import Studio
from igm_gui.gui.topbar import TopBar
from igm_gui.gui.workspaces import ENTRIES, WorkspaceStack
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState


class MainWindow(QMainWindow):
    """Everything on screen. Owns the commands, the project keeper and the workspaces, not the studio."""

    def __init__(self, studio: Studio, settings: Settings | None = None) -> None:
        super().__init__()
        self.studio = studio
        self.settings = settings or Settings()
        self.commands = Commands(self)
        self.keeper = ProjectKeeper(studio, self.settings, self)
        self.keeper.restored.connect(self._show_restored)
        self.keeper.opened.connect(self._stand_still)
        self.asking = Asking(self, studio, self.settings, self.keeper, self.open_path)
        self.palette_popup: CommandPalette | None = None
        self._good: SessionState | None = None  # the last state that gave a picture
        self._first = studio.state
        self._full = self._asks = False
        self._begun = False
        self._asked_for_file = False
        self._error_passes = False
        self._closing_now = False
        self._add_commands()
        self.top = TopBar(self.commands, self.settings)
        self.recovery = RecoveryBar(self.keeper)
        self.stack = WorkspaceStack(studio, self.commands)
        self.status = StatusLine(studio)
        self.hints = FirstHints(self, self.settings, self.stack, self.top, self.show_workspace)
        root = QWidget()
        root.setObjectName("root")
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.top, self.recovery):
            column.addWidget(widget)
        column.addWidget(self.stack, 1)
        messages = self.messages = Messages(studio, self, self.top, self.status)
        column.addWidget(messages.room)
        column.addWidget(self.status)
        self.setCentralWidget(root)
        self.information = ModelInformation(studio, self)
        CarriedNote(studio, self)
        self.information.turned.connect(self._refresh_escape)
        self._refresh_escape()
        self.roles: RolesForm | None = None
        self.veil = DropVeil(self)
        self.toast = messages.toast
        self.setAcceptDrops(True)
        # Of 1920x1080 at twice the size, 960x540 are left, and the desktop wants some of it.
        self.setMinimumSize(900, 480)
        placing.restore(self, self.settings.bytes("geometry"))
        self.top.project_chosen.connect(lambda path: self.keeper.open(Path(path)))
        self.top.theme_chosen.connect(self.set_theme)
        self.keeper.changed.connect(self._show_project)
        self.keeper.autosaved.connect(self._show_autosaved)
        studio.roles_asked.connect(self._ask_roles)
        studio.rendered.connect(self._on_rendered)
        studio.changed.connect(self._on_changed)
        self.show_workspace("explore")
        self._show_project()

    # -- commands

    def _add_commands(self) -> None:
        add = self.commands.add
        session = self.studio.session
        add("palette.open", "Search commands", self.open_palette, "Ctrl+K", "Window")
        for number, entry in enumerate(ENTRIES, 1):
            add(
                f"go.{entry.name}",
                f"Go to {entry.title}",
                partial(self.show_workspace, entry.name),
                str(number),
            )
        add("play", "Play or stop", self._toggle_play, "Space", "Play")
        add("edit.undo", "Undo", session.undo, "Ctrl+Z", enabled=lambda: session.can_undo)
        add("edit.redo", "Redo", session.redo, "Ctrl+Shift+Z", enabled=lambda: session.can_redo)
        add("project.new", "New project", self.keeper.new, "Ctrl+N")
        back = "Bring back the project before New or Open"
        add(
            "project.back", back, lambda: self.keeper.bring_back(), enabled=lambda: self.keeper.can_bring_back
        )
        add("project.open", "Open a model, a project or a result…", self.asking.open, "Ctrl+O")
        add("project.open_folder", "Open a model folder…", self.asking.open_folder, "Ctrl+Shift+O")
        add("project.save", "Save the project", self.asking.save, "Ctrl+S")
        add("project.save_as", "Save the project as…", self.asking.save_as, "Ctrl+Shift+S")
        add(
            "model.information",
            "Model information",
            lambda: self.information.toggle(),
            "Ctrl+I",
            enabled=lambda: session.info is not None,
        )
        add("export.open", "Export what is shown…", self._export, "Ctrl+Shift+E")
        add("view.full", "Full screen", self.toggle_full_screen, "F", "View")
        add(
            "view.leave_full",
            "Close Model information, or leave full screen",
            self._step_back,
            "Escape",
            "View",
            enabled=lambda: self._full or self._informs,
        )
        for choice in theme.CHOICES:
            title = "Appearance as the system" if choice == "system" else f"{choice.capitalize()} appearance"
            set_it = partial(self.set_theme, choice)
            add(f"theme.{choice}", title, set_it, "", "View", words="theme settings preferences colours mode")
        add("help.keys", "Every command and its key", self.open_palette, "F1", "Help")
        add("help.hints", "Show the hints again", lambda: self.hints.show(), "", "Help")
        add("window.quit", "Quit", self.close, "Ctrl+Q", "Window")

    def show_workspace(self, name: str) -> bool:
        """Change to a workspace by its name; False where it can't be shown."""
        if name != self.stack.current:
            self.toast.leave()
            # It was asked for where the person was. Elsewhere it would lie over other buttons.
            self.information.hide()
        shown = self.stack.show_workspace(name)
        if self.stack.current:
            self.top.tabs[self.stack.current].setChecked(True)
        if shown:
            self.settings.put("workspace", name)
        self.hints.hold(self._full)
        return shown

    def _toggle_play(self) -> None:
        toggle = getattr(self.stack.active(), "toggle_play", None)
        if toggle is not None:
            toggle()

    def _export(self) -> None:
        export = getattr(self.stack.active(), "open_export", None)
        if export is None:
            self.show_workspace("explore")
            export = getattr(self.stack.active(), "open_export", None)
        if export is not None:
            export()

    def open_palette(self) -> None:
        """The list of all commands."""
        self.palette_popup = CommandPalette(
            self.commands, self.studio.open_model, self, self.settings.names("recent_models")
        )
        self.palette_popup.popup()
        self.hints.done(2)

    def set_theme(self, choice: str) -> None:
        """``dark``, ``light`` or ``system``, kept for the next start."""
        app = QApplication.instance()
        wanted: theme.Choice = next((known for known in theme.CHOICES if known == choice), "dark")
        if isinstance(app, QApplication):
            theme.apply(app, wanted)
        self.settings.put("theme", wanted)

    # -- full screen

    def toggle_full_screen(self) -> None:
        """The workspace's output alone, and back."""
        self._set_full(not self._full)

    @property
    def _informs(self) -> bool:
        return not self.information.isHidden()

    def _step_back(self) -> None:
        if self._informs:
            self.information.hide()
        elif self._full:
            self._set_full(False)

    def _refresh_escape(self) -> None:
        self.commands.refresh("view.leave_full")

    def _set_full(self, full: bool) -> None:
        """The window's, not one workspace's: whichever is shown meanwhile or afterwards follows."""
        if full == self._full:
            return
        self._full = full
        self.information.hide()
        if full:
            self._asks = not self.recovery.isHidden()
        self.top.setVisible(not full)
        self.recovery.setVisible(self._asks and not full)
        self.status.setVisible(not full)
        theme.set_bare(full)
        self.messages.set_bare(full)
        self.stack.set_bare(full)
        self.hints.hold(self._full)
        self._refresh_escape()
        if full:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)
        else:
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)

    # -- files

    def open_path(self, path: Path | str) -> bool:
        """Open a model's file or folder, a bundled name, a project, or an exported result."""
        if isinstance(path, str) and path in library.bundled():
            return self.studio.open_model(path)
        explore = self.stack.widget_of("explore")
        self._stand_still()
        if isinstance(panel := getattr(explore, "styles", None), StylesPanel) and panel.takes(Path(path)):
            return panel.open_w(Path(path))
        return self.keeper.open_any(Path(path))

    def _stand_still(self) -> None:
        """What moves by itself would move away from what was asked for."""
        drift = getattr(self.stack.widget_of("explore"), "drift", None)
        if isinstance(drift, Drift):
            drift.stop()

    def _show_restored(self, kind: str) -> None:
        """The workspace that a result was made in."""
        self.show_workspace(kind if kind in ("timeline", "grid", "compare") else "explore")

    def _show_project(self) -> None:
        named = self.keeper.path is not None
        dot = " •" if self.keeper.unsaved else ""
        self.top.set_project(f"{self.keeper.name}{dot}" if named else "")
        self.setWindowTitle(f"{self.keeper.name}{dot} – IGM Studio" if named else "IGM Studio")

    def _show_autosaved(self) -> None:
        self.status.set_saved(f"autosaved {QTime.currentTime().toString('HH:mm:ss')}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Told directly: an event filter on the window would run Python at every one of its events.
        self.messages.place()
        self.hints.place()

    def _ask_roles(self, model: str, asked: RolesNeeded) -> None:
        """What the inputs of a program are, where its file does not tell."""
        form = self.roles
        if form is not None and isValid(form) and form.isVisible():
            if form.model == model:
                return
            form.close_form()
        self.roles = RolesForm(self.studio, model, asked, self)
        self.roles.place()
        self.roles.show()
        self.roles.raise_()
        self.roles.setFocus()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if files := dropped_files(event):
            accept_copy(event)
            finds = can_find(self.studio, meant(files))
            self.veil.lower_over(promise(files, finds, self.stack.current == "compare"))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.veil.hide()
        if files := dropped_files(event):
            accept_copy(event)
            file, active = meant(files), self.stack.active()
            beside = getattr(active, "add_model", None) if is_model(file) else None
            if beside is not None:
                beside(str(model_at(file)))
            else:
                self.open_path(file)

    # -- results

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot != "main":
            return
        state = self.studio.state
        if result.error is not None:
            # A failing run is over with the next picture; a model that could not be opened is not.
            self._error_passes = result.info is not None
            self._go_back(result)
        elif result.media is not None:
            if self._good is None or self._good.model != state.model:
                self.settings.push("recent_models", state.model)
                self.settings.put("model", state.model)
                if self._good is not None:  # another model opened: what failed before it is past
                    self.toast.leave()
            first, self._good = self._good is None, state
            if self._error_passes:
                self.toast.clear_error()
            # Who has gone to another workspace meanwhile is not fetched back.
            hints = self._begun and not self._asked_for_file and self.stack.current == "explore"
            if first and hints and self.hints.wanted:
                # What was done or recovered before the first picture came does not move away by itself.
                still = self.studio.session.can_undo or self.keeper.unsaved
                self.hints.show(still=still, undoable=False)

    def _go_back(self, result: RenderResult) -> None:
        """A model that could not be opened leaves the one before in its place."""
        good, model = self._good or self._first, result.request.model
        if result.info is not None or good.model in ("", model) or self.studio.state.model != model:
            return
        self.settings.drop("recent_models", model)
        self.studio.session.update(model=good.model, point=good.point, locks=good.locks, undoable=False)
        if result.error is not None:
            self.studio.fail(result.error, partial(self.studio.open_model, model), model)

    def _on_changed(self, _state: SessionState, changed: frozenset[str]) -> None:
        if "model" in changed:
            self.hints.done(0)  # the strip that it points at is another now
        if "saved" in changed:
            self.hints.done(1)

    # -- life

    def begin(self, for_file: bool = False) -> None:
        """What waits until the window is on screen: autosave, recovery, the first hints. Who asked
        ``for_file`` sees that file as it is: no hints, and nothing moves by itself."""
        self._begun, self._asked_for_file = True, for_file
        placing.fit(self)
        self.keeper.start_autosave()
        self.recovery.look()
        workspace = self.settings.text("workspace", "explore")
        if workspace != self.stack.current:
            self.show_workspace(workspace)

    def close_now(self) -> None:
        """Close without a question; unsaved work is offered again at the next start."""
        self._closing_now = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing_now and not self.asking.may_close():
            event.ignore()
            return
        if not self._full:
            self.settings.put("geometry", self.saveGeometry())
        self.settings.save()
        self.recovery.close_all()
        self.keeper.close(keep=self._closing_now and self.keeper.worth_asking)
        self.studio.close()
        super().closeEvent(event)
