"""What lists call files: by their names, and by their folders too where names alone are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

LONGEST = 48  # letters of a folder; its end tells more than its beginning


def told_apart(paths: Sequence[str]) -> list[str]:
    """A name for each path; ``shirt.igm – ~/work`` where another one is called so too. A bundled model has no
    folder."""
    names = [Path(path).name for path in paths]
    often = Counter(names)
    return [
        f"{name} – {_folder(path)}" if often[name] > 1 and Path(path).is_absolute() else name
        for name, path in zip(names, paths, strict=True)
    ]


def _folder(path: str) -> str:
    folder = Path(path).parent
    if folder.is_relative_to(Path.home()):
        text = str(Path("~", folder.relative_to(Path.home())))
    else:
        text = str(folder)
    return text if len(text) <= LONGEST else f"…{text[-LONGEST + 1 :]}"


def in_menu(name: str) -> str:
    """``name`` as the text of a menu's entry, where a single & would underline what follows."""
    return name.replace("&", "&&")
