"""Which models of the person's own were seen where, by content hash.

A result's recipe names its model by name and hash, never by path: a path would tell whoever gets the
picture how this machine's folders are called. This list, kept in the data folder, brings the path back.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from igm_gui.errors import IgmError
from igm_gui.formats.files import write_atomic
from igm_gui.formats.hashes import cached_sha256
from igm_gui.paths import data_folder

MAX_KNOWN = 500


def weights_file(path: Path) -> Path:
    """The file that a model's hash is of: its weights, or its card where it has none."""
    if path.is_dir():
        weights = (path / "model.safetensors", path / "model.pt2")
        return next((file for file in weights if file.exists()), path / "card.json")
    return path


def content_hash(path: Path) -> str:
    """Hex SHA-256 of a model's weights; of its card where it has none (as ``Checkpoint.sha256``)."""
    return cached_sha256(weights_file(path))


def _file() -> Path:
    """Where the list lies."""
    return data_folder() / "known-models.json"


def _read() -> dict[str, str]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return {}  # a list that can be made again: a damaged one starts anew


def remember(sha256: str, path: str) -> None:
    """Note that the model of this hash lies at ``path``. A full disk is no reason to fail here."""
    known = _read()
    if not sha256 or known.get(sha256) == path:
        return
    known.pop(sha256, None)
    known[sha256] = path
    newest = dict(list(known.items())[-MAX_KNOWN:])
    try:
        write_atomic(_file(), json.dumps(newest, indent=0).encode())
    except (IgmError, OSError):
        return


def path_of(sha256: str) -> Path | None:
    """Where the model of this hash lies, checked against its content now; None where it is gone."""
    path = _read().get(sha256)
    return Path(path) if path is not None and matches(Path(path), sha256) else None


def matches(path: Path, sha256: str) -> bool:
    """Whether the model at ``path`` has this hash; False where it can't be read."""
    try:
        return content_hash(path) == sha256
    except OSError:
        return False
