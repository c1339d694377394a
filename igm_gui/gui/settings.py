"""What the window remembers between runs: an ini file in the person's configuration folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from igm_gui.paths import config_folder

MAX_RECENT = 12


class Settings:
    """Typed access to ``window.ini``. A damaged file counts as empty."""

    def __init__(self, path: Path | None = None) -> None:
        self._store = QSettings(str(path or config_folder() / "window.ini"), QSettings.Format.IniFormat)

    def text(self, key: str, default: str = "") -> str:
        value = self._store.value(key, default)
        return value if isinstance(value, str) else default

    def flag(self, key: str, default: bool = False) -> bool:
        return self.text(key, str(default).lower()) == "true"

    def chosen(self, key: str) -> bool | None:
        """A flag, or None where the person never set it."""
        text = self.text(key)
        return text == "true" if text else None

    def bytes(self, key: str) -> QByteArray | None:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def put(self, key: str, value: str | bool | QByteArray) -> None:
        self._store.setValue(key, str(value).lower() if isinstance(value, bool) else value)

    def names(self, key: str) -> list[str]:
        """A list of texts: recent models, recent projects."""
        value = self._store.value(key, [])
        if isinstance(value, str):
            return [value] if value else []
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def push(self, key: str, name: str) -> None:
        """Put ``name`` at the head of a list of recent things."""
        names = [name, *(other for other in self.names(key) if other != name)]
        self._store.setValue(key, names[:MAX_RECENT])

    def drop(self, key: str, name: str) -> None:
        """Take ``name`` off a list of recent things."""
        self._store.setValue(key, [other for other in self.names(key) if other != name])

    def save(self) -> None:
        self._store.sync()
