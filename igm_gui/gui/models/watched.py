"""Folders of the person's own that are looked through for models, off the interface's thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from igm_gui.errors import IgmError
from igm_gui.formats.card import card_info, read_card
from igm_gui.formats.known_models import weights_file
from igm_gui.formats.plain_folder import MODEL_ENDINGS
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.info import GeneratorInfo

KEY = "watched_folders"
MAX_FOUND = 500
MAX_LOOKED_AT = 20_000
DEPTH = 3


@dataclass(frozen=True)
class FoundModel:
    """A model seen in a folder; ``info`` is there where it has a card."""

    path: Path
    bytes: int
    info: GeneratorInfo | None = None


def size_of(path: Path) -> int:
    """Bytes of a model's weights; 0 where they can't be looked at."""
    try:
        return weights_file(path).stat().st_size
    except OSError:
        return 0


def size_text(count: int) -> str:
    """Such as ``4.2 MB``; empty for nothing."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes" if count else ""


def models_in(folder: Path, stop: threading.Event | None = None) -> Iterator[FoundModel]:
    """Model folders and files in ``folder`` and three levels down, by name.

    Links to folders are not followed. Nothing is opened but cards. What can't be read is passed over.
    """
    waiting = [(folder, 0)]
    looked = found = 0
    while waiting and found < MAX_FOUND:
        here, depth = waiting.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for path in entries:
            looked += 1
            if looked > MAX_LOOKED_AT or found >= MAX_FOUND or (stop is not None and stop.is_set()):
                return
            try:
                if path.is_dir():
                    if (path / "card.json").is_file():
                        found += 1
                        yield FoundModel(path, size_of(path), card_info(read_card(path), path))
                    elif depth < DEPTH and not path.is_symlink() and not path.name.startswith("."):
                        waiting.append((path, depth + 1))
                elif path.suffix.lower() in MODEL_ENDINGS and path.is_file() and path.stat().st_size:
                    found += 1
                    yield FoundModel(path, path.stat().st_size)
            except (OSError, IgmError):
                continue


class WatchedFolders(QObject):
    """The list of folders, kept in the settings, and the models found in them."""

    scanned = Signal()
    _found = Signal(int, object)

    def __init__(self, studio: Studio, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0
        self.models: tuple[FoundModel, ...] = ()
        self._found.connect(self._on_found)
        studio.closing.connect(self.stop)

    @property
    def folders(self) -> list[str]:
        """The watched folders, newest first."""
        return self._settings.names(KEY)

    def add(self, folder: Path) -> None:
        """Watch ``folder`` from now on, and look through it."""
        self._settings.push(KEY, str(folder.resolve()))
        self.scan()

    def remove(self, folder: str) -> None:
        """Watch ``folder`` no more."""
        self._settings.drop(KEY, folder)
        self.models = tuple(m for m in self.models if Path(folder) not in m.path.parents)
        self.scan()

    def scan(self) -> None:
        """Look through all folders again; ``scanned`` tells when ``models`` is new."""
        self.stop()
        self._stop = threading.Event()
        self._number += 1
        arguments = (self._number, self.folders, self._stop)
        self._thread = threading.Thread(target=self._run, args=arguments, name="watched", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End a scan that runs."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None

    def _run(self, number: int, folders: list[str], stop: threading.Event) -> None:
        found = {model.path: model for folder in folders for model in models_in(Path(folder), stop)}
        if not stop.is_set():
            self._found.emit(number, tuple(found.values()))

    def _on_found(self, number: int, models: tuple[FoundModel, ...]) -> None:
        if number == self._number:
            self.models = models
            self.scanned.emit()
