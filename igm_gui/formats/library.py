"""Finding models by name: the bundled ones, and any path."""

from __future__ import annotations

import contextlib
import difflib
from pathlib import Path

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats.card import Card, read_card
from igm_gui.paths import models_folder

DEFAULT_MODEL = "emoji-64"


def bundled() -> dict[str, Path]:
    """Bundled models by name, in alphabetical order. Reads no card and imports no torch."""
    folder = models_folder()
    if not folder.is_dir():
        return {}
    return {path.name: path for path in sorted(folder.iterdir()) if (path / "card.json").is_file()}


def cards() -> list[tuple[Path, Card]]:
    """The bundled models' folders and cards; a broken one is left out."""
    found = []
    for path in bundled().values():
        try:
            found.append((path, read_card(path)))
        except IgmError:
            continue
    return found


def find(model: str) -> Path:
    """The path of a bundled name or of a path given. ModelError names the closest bundled ones."""
    names = bundled()
    if model in names:
        return names[model]
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # the last: ~ of an unknown person
        path = Path(model).expanduser()
        if model and path.exists():
            return path.resolve()
    close = difflib.get_close_matches(model.lower()[:200], names, 1, 0.7)
    raise ModelError(
        f"There is no model called {model[:200]}.",
        (f"Did you mean {close[0]}? " if close else "")
        + f"Bundled models are {', '.join(names) or 'none'}; or give the path of a model.",
    )


def called(model: str) -> str:
    """The bundled name where ``model`` is the path of a bundled model's folder, else ``model`` as it is: one
    model is not to look like two."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        path = Path(model).expanduser().resolve()
        own = bundled().get(path.name)
        if own is not None and own.resolve() == path:
            return path.name
    return model
