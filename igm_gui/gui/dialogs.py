"""File dialogs that do not stop the window: the answer comes to a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from igm_gui.gui import theme
from igm_gui.gui.settings import Settings

Taken = Callable[[Path], object]


def file_name(text: str) -> str:
    """``text`` without what a file name can't hold."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "-", text).strip(". ")[:120] or "untitled"


def start_folder(settings: Settings, key: str) -> Path:
    """The folder used last for this purpose, or the person's pictures or home."""
    kept = settings.text(f"folders/{key}")
    if kept and Path(kept).is_dir():
        return Path(kept)
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return Path(pictures) if pictures and Path(pictures).is_dir() else Path.home()


def ask_save(
    parent: QWidget, settings: Settings, key: str, title: str, name: str, filters: str, taken: Taken
) -> QFileDialog:
    """Ask where to write; ``taken`` gets the path, with the filter's ending where none was typed."""
    dialog = QFileDialog(parent, title, str(start_folder(settings, key)), filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    ending = re.search(r"\*\.(\w+)", filters)
    if ending:
        dialog.setDefaultSuffix(ending.group(1))
    dialog.selectFile(file_name(name))
    return _open(dialog, settings, key, taken)


def ask_open(
    parent: QWidget, settings: Settings, key: str, title: str, filters: str, taken: Taken
) -> QFileDialog:
    """Ask for a file to open."""
    dialog = QFileDialog(parent, title, str(start_folder(settings, key)), filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _open(dialog, settings, key, taken)


def ask_folder(parent: QWidget, settings: Settings, key: str, title: str, taken: Taken) -> QFileDialog:
    """Ask for a folder."""
    dialog = QFileDialog(parent, title, str(start_folder(settings, key)))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, settings, key, taken)


def _open(dialog: QFileDialog, settings: Settings, key: str, taken: Taken) -> QFileDialog:
    theme.dress(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def chosen(name: str) -> None:
        path = Path(name)
        settings.put(f"folders/{key}", str(path.parent))
        taken(path)

    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog
