"""The workspaces: their names, and building each when it is first shown.

A workspace is a QWidget class ``XWorkspace(studio, commands, parent=None)`` in
``igm_gui.gui.<name>.workspace``. Where it has them, the window calls ``activate()`` when it is shown,
``deactivate()`` when it is left, ``toggle_play()`` for Space, ``open_export()`` for Export… and
``set_bare(bare)`` when F shows every workspace's output alone, or everything again. One that is built
meanwhile is told too.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTextEdit,
    QWidget,
)

from igm_gui.errors import IgmError
from igm_gui.gui import theme
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


# What the workspaces need beside Qt, and takes longest to import.
LIBRARIES = ("igm_gui.engine.audio.player", "igm_gui.export.film", "igm_gui.export.sound")
PACKAGES = ("sound", "timeline", "compare", "grid")
SLICE_MS = 15  # between two imports: what the person does goes first


def _is_field(widget: QWidget | None) -> bool:
    """Whether letters and digits are typed into it, rather than being commands."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QAbstractSpinBox | QPlainTextEdit | QTextEdit)


def _import_libraries() -> None:
    theme.read_icons()
    for name in LIBRARIES:
        with contextlib.suppress(Exception):  # showing the workspace will say why
            importlib.import_module(name)


def _modules() -> Iterator[str]:
    """The modules of the other workspaces, one at a time."""
    for package in PACKAGES:
        name = f"igm_gui.gui.{package}"
        with contextlib.suppress(Exception):
            found = importlib.import_module(name)
            yield from (f"{name}.{module.name}" for module in pkgutil.iter_modules(found.__path__))


class WorkspaceStack(QStackedWidget):
    """Holds the workspaces that were shown so far; imports and builds the others on demand."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._commands = commands
        self._built: dict[str, QWidget] = {}
        self.current = ""
        self._bare = False
        studio.rendered.connect(self._prefetch)

    def _prefetch(self, _result: object) -> None:
        """Import the other workspaces once the first picture is there, so that a tab opens at once.

        Libraries on a thread. Modules that define Qt classes here, one in each idle slice: PySide makes such
        a class from several threads at its peril.
        """
        self._studio.rendered.disconnect(self._prefetch)
        self._libraries = threading.Thread(target=_import_libraries, name="prefetch", daemon=True)
        self._libraries.start()
        self._left = _modules()
        self._idle = QTimer(self, interval=SLICE_MS)
        self._idle.timeout.connect(self._import_next)
        self._idle.start()

    def _import_next(self) -> None:
        if self._libraries.is_alive():
            return
        module = next((name for name in self._left if name not in sys.modules), None)
        if module is None:
            self._idle.stop()
            return
        with contextlib.suppress(Exception):
            importlib.import_module(module)

    def widget_of(self, name: str) -> QWidget | None:
        """The workspace ``name`` if it was built already."""
        return self._built.get(name)

    def active(self) -> QWidget | None:
        """The workspace that is shown."""
        return self._built.get(self.current)

    def set_bare(self, bare: bool) -> None:
        """Show the output of every workspace alone, of those that come too; or everything again."""
        self._bare = bare
        active, at = self.active(), self.window().focusWidget()
        if bare and active is not None and at is not None and active.isAncestorOf(at):
            active.setFocus()  # from what is hidden Qt would give the keys to the next button, and mark it
        for widget in self._built.values():
            self._lay_bare(widget)
        if bare and at is not None and at.isVisible():
            at.setFocus()

    def _lay_bare(self, widget: QWidget) -> None:
        if hasattr(widget, "set_bare"):
            widget.set_bare(self._bare)

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
            if self._bare:
                self._lay_bare(widget)
            theme.dress(widget)  # in its place: a dressed one is dressed anew when it is put somewhere
        before = self.active()
        self.current = name
        if before is not None and hasattr(before, "deactivate"):
            before.deactivate()
        field = before.focusWidget() if before is not None else None
        if field is not None and _is_field(field):
            field.clearFocus()  # Qt would give it the keys again when its workspace comes back
        self._commands.set_scope(name)
        self.setCurrentWidget(widget)
        if hasattr(widget, "activate"):
            widget.activate()
        self._keep_keys(widget)
        return True

    def _keep_keys(self, widget: QWidget) -> None:
        """Nobody has clicked into a field of a workspace that has just come: its keys are commands."""
        at = self.window().focusWidget()
        if at is None or (_is_field(at) and widget.isAncestorOf(at)):
            widget.setFocus()
