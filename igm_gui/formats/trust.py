"""Programs (TorchScript, torch.export) open only after the person has said yes to that very file.

The yes is remembered by the file's SHA-256 in the person's data folder, so that the same file is not asked
about twice and another file with the same name is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.files import write_atomic
from igm_gui.paths import data_folder


class TrustNeeded(ModelError):
    """A file is a program and nobody has said yes to it. ``sha256`` is what :func:`trust` takes."""

    def __init__(self, message: str, hint: str = "", details: str = "", sha256: str = "") -> None:
        super().__init__(message, hint, details)
        self.sha256 = sha256

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.hint, self.details, self.sha256)


def _list() -> Path:
    return data_folder() / "trusted.json"


def trusted() -> dict[str, str]:
    """SHA-256 -> name of the files that were said yes to."""
    try:
        return msgspec.json.decode(_list().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def trust(sha256: str, name: str = "") -> None:
    """Remember a yes. ExportError where the data folder can't be written."""
    write_atomic(_list(), msgspec.json.format(msgspec.json.encode({**trusted(), sha256: name})))


def require(path: Path, sha256: str, what: str) -> None:
    """Raise :class:`TrustNeeded` unless the file was said yes to."""
    if sha256 in trusted():
        return
    raise TrustNeeded(
        f"{path.name} is a program ({what}), not only weights: opening it runs what it contains.",
        "Open it only if you trust where it is from. A yes (the button, or igm trust) holds for this file.",
        f"SHA-256 {sha256}",
        sha256,
    )
