"""The workspaces: their names, and building each when it is first shown.

A workspace is a QWidget class ``XWorkspace(studio, commands, parent=None)`` in
``igm_gui.gui.<name>.workspace``. Where it has them, the window calls ``activate()`` when it is shown,
``deactivate()`` when it is left, ``toggle_play()`` for Space, ``open_export()`` for Export… and
``set_bare(bare)`` when F shows its output alone, or all of it again.
"""

from __future__ import annotations

import importlib
import threading
import traceback
from dataclasses import dataclass

from PySide6.QtWidgets import QStackedWidget, QWidget

from igm_gui.errors import IgmError
from igm_gui.gui.commands import Commands
from igm_gui.gui.studio import Studio


@dataclass(frozen=True)
class Entry:
    """One tab of the top bar."""

    name: str
    title: str
    module: str
    class_name: str
    tip: str


ENTRIES = (
    Entry(
        "explore",
        "Explore",
        "igm_gui.gui.explore.workspace",
        "ExploreWorkspace",
        "Move through what the model knows",
    ),
    Entry(
        "timeline",
        "Timeline",
        "igm_gui.gui.timeline.workspace",
        "TimelineWorkspace",
        "Keyframes, play, and write videos",
    ),
    Entry(
        "compare",
        "Compare",
        "igm_gui.gui.compare.workspace",
        "CompareWorkspace",
        "Several models side by side",
    ),
    Entry("grid", "Grid", "igm_gui.gui.grid.workspace", "GridWorkspace", "Sheets of pictures, to a file"),
)


def _import_all() -> None:
    for entry in ENTRIES:
        try:
            importlib.import_module(entry.module)
        except Exception:
            continue  # showing it will say why


class WorkspaceStack(QStackedWidget):
    """Holds the workspaces that were shown so far; imports and builds the others on demand."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._commands = commands
        self._built: dict[str, QWidget] = {}
        self.current = ""
        studio.rendered.connect(self._prefetch)

    def _prefetch(self, _result: object) -> None:
        """Import the other workspaces once the first picture is there, so that a tab opens at once."""
        self._studio.rendered.disconnect(self._prefetch)
        threading.Thread(target=_import_all, name="prefetch", daemon=True).start()

    def widget_of(self, name: str) -> QWidget | None:
        """The workspace ``name`` if it was built already."""
        return self._built.get(name)

    def active(self) -> QWidget | None:
        """The workspace that is shown."""
        return self._built.get(self.current)

    def show_workspace(self, name: str) -> bool:
        """Show a workspace; False where it can't be built (the person is told)."""
        if name == self.current:
            return True
        entry = next((entry for entry in ENTRIES if entry.name == name), None)
        if entry is None:
            return False
        widget = self._built.get(name)
        if widget is None:
            try:
                with self._commands.building(name):
                    module = importlib.import_module(entry.module)
                    widget = getattr(module, entry.class_name)(self._studio, self._commands)
            except Exception as error:
                self._studio.fail(
                    IgmError(
                        f"{entry.title} could not be opened: {error}.",
                        "The other workspaces go on.",
                        traceback.format_exc(),
                    )
                )
                return False
            assert widget is not None
            self._built[name] = widget
            self.addWidget(widget)
        before = self.active()
        self.current = name
        if before is not None and hasattr(before, "deactivate"):
            before.deactivate()
        self._commands.set_scope(name)
        self.setCurrentWidget(widget)
        if hasattr(widget, "activate"):
            widget.activate()
        return True
