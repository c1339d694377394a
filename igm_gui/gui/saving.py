"""From a workspace to igm_gui.export: where a result goes, and work that imports late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from igm_gui.engine.loop import Work
from igm_gui.engine.renderer import Renderer
from igm_gui.gui import dialogs
from igm_gui.gui.dialogs import Taken
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Notice, Studio


def export_work(make: Callable[[Any], Work]) -> Work:
    """The work that ``make(igm_gui.export)`` answers. The writers of films and pictures are imported on
    the render thread, so that the window never waits for them."""

    def work(renderer: Renderer) -> Iterator[float]:
        from igm_gui import export

        yield from make(export)(renderer)

    return work


def ask_file(parent: QWidget, title: str, name: str, kinds: str, taken: Taken) -> QFileDialog:
    """Ask for a file to write; ``kinds`` such as ``"Video (*.mp4)"``."""
    return dialogs.ask_save(parent, Settings(), "export", title, name, kinds, taken)


def ask_folder(parent: QWidget, title: str, name: str, taken: Taken) -> QFileDialog:
    """Ask for a folder; ``taken`` gets a new one called ``name`` inside it, with a number where that is
    taken, so that nothing which is there already is mixed with the result."""

    def inside(folder: Path) -> None:
        path, number = folder / dialogs.file_name(name), 2
        while path.exists():
            path, number = folder / f"{dialogs.file_name(name)}-{number}", number + 1
        taken(path)

    return dialogs.ask_folder(parent, Settings(), "export-folder", title, inside)


def tell_written(studio: Studio, path: Path) -> None:
    """Say what was written, and offer to open it, or to show where it is."""

    def opening(what: Path) -> Callable[[], object]:
        return lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(what)))

    name = path.name if len(path.name) <= 60 else f"{path.name[:57]}…"
    folder = path.is_dir()
    studio.notice.emit(
        Notice(
            f"Written: {name}",
            f"In {path.parent}",
            kind="good",
            retry=opening(path if folder else path.parent),
            action="Show in folder",
            open=None if folder else opening(path),
        )
    )
