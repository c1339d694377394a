"""Asking where a result goes. The folder of the last time is offered again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

_last: Path | None = None


def _folder() -> Path:
    if _last is not None and _last.is_dir():
        return _last
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return Path(place) if place and Path(place).is_dir() else Path.home()


def ask_file(parent: QWidget, title: str, name: str, kinds: str) -> Path | None:
    """A file to write, by the system's own dialog, which asks before one is replaced; None where the
    person gave up. ``kinds`` such as ``"MP4 video (*.mp4)"``; its ending is added where it is missing."""
    global _last
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(_folder() / name), kinds)
    if not chosen:
        return None
    path = Path(chosen)
    ending = Path(name).suffix
    if path.suffix.lower() != ending:
        path = path.with_name(path.name + ending)
    _last = path.parent
    return path


def ask_folder(parent: QWidget, title: str, name: str) -> Path | None:
    """A folder to write files into: ``name`` inside the one that is chosen, or with a number where
    that is taken; None where the person gave up."""
    global _last
    chosen = QFileDialog.getExistingDirectory(parent, title, str(_folder()))
    if not chosen:
        return None
    _last = Path(chosen)
    path, number = _last / name, 2
    while path.exists():
        path, number = _last / f"{name}-{number}", number + 1
    return path
