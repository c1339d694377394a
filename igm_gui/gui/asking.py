"""What the window asks about files: which to open, where to save, and whether changes may go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from igm_gui.gui import closing
from igm_gui.gui.dialogs import ask_folder, ask_open, ask_save
from igm_gui.gui.project import ProjectKeeper
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio

OPENABLE = (
    "Models, projects, exported results (*);;Projects (*.igm);;"
    "Pictures, sounds, films (*.png *.wav *.mp4 *.webp *.gif)"
)


class Asking:
    """Dialogs over ``window``; what is chosen goes to ``open_path`` or to the keeper of the project."""

    def __init__(
        self,
        window: QWidget,
        studio: Studio,
        settings: Settings,
        keeper: ProjectKeeper,
        open_path: Callable[[Path], object],
    ) -> None:
        self._window, self._studio, self._settings = window, studio, settings
        self._keeper, self._open_path = keeper, open_path
        keeper.may_leave = self.may_leave

    def open(self) -> None:
        """A file to open: a model, a project or a result."""
        title = "Open a model, a project or a result"
        ask_open(self._window, self._settings, "open", title, OPENABLE, self._open_path)

    def open_folder(self) -> None:
        """A model's folder to open."""
        ask_folder(self._window, self._settings, "open", "Open a model folder", self._open_path)

    def save(self) -> None:
        """Save the project where it is, or ask where."""
        keeper = self._keeper
        if keeper.path is None:
            self.save_as()
        else:
            keeper.save(keeper.path)

    def save_as(self) -> None:
        """Ask where the project is to be saved."""
        keeper = self._keeper
        name, kind = f"{keeper.name}.igm", "Project (*.igm)"
        ask_save(self._window, self._settings, "project", "Save the project", name, kind, keeper.save)

    def may_close(self) -> bool:
        """Ask about work that runs and changes that are not saved; whether the window may close."""
        if not closing.may_give_up(self._window, self._studio.jobs):
            return False
        return not self._keeper.worth_asking or self.may_leave()

    def may_leave(self) -> bool:
        """Ask about changes that are not saved; whether they may go."""
        wanted = closing.what_of_changes(self._window, self._keeper.name)
        if wanted == "save":
            self.save()
            return not self._keeper.unsaved  # a file dialog is open otherwise
        return wanted == "discard"
