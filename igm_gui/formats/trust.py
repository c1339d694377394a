"""Programs (TorchScript, torch.export) open only after the person has said yes to that very file.

The yes is remembered by the file's SHA-256 in the person's data folder, so that the same file is not asked
about twice and another file with the same name is. What was hashed is what runs: the bytes are read once.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.files import readable, write_atomic
from igm_gui.paths import data_folder


class TrustNeeded(ModelError):
    """A file is a program and nobody has said yes to it. ``sha256`` is what :func:`trust` takes."""

    def __init__(self, message: str, hint: str = "", details: str = "", sha256: str = "") -> None:
        super().__init__(message, hint, details)
        self.sha256 = sha256

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.hint, self.details, self.sha256)


@dataclass(frozen=True)
class Content:
    """The bytes of a program that was said yes to, and their hash."""

    sha256: str
    data: bytes = field(repr=False)

    def stream(self) -> io.BytesIO:
        """The bytes as a file, which nobody else can write to."""
        return io.BytesIO(self.data)


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
    write_atomic(_list(), msgspec.json.format(msgspec.json.encode({**trusted(), sha256: readable(name)})))


def distrust(sha256: str) -> bool:
    """Take a yes back; False where there was none. ExportError where the data folder can't be written."""
    known = trusted()
    if known.pop(sha256, None) is None:
        return False
    write_atomic(_list(), msgspec.json.format(msgspec.json.encode(known)))
    return True


def require(path: Path, sha256: str, what: str) -> None:
    """Raise :class:`TrustNeeded` unless the file was said yes to."""
    if sha256 in trusted():
        return
    name = visible(path.name)
    raise TrustNeeded(
        f"{name} is a program ({what}), not only weights: opening it runs what it contains.",
        "Open it only if you trust where it is from. A yes (the button, or igm trust) holds for this file.",
        f"{path}\nSHA-256 {sha256}",
        sha256,
    )


def content(path: Path, what: str) -> Content:
    """The bytes of a program, all at once, after the person's yes to them. TrustNeeded before it.

    The file is not opened again afterwards: a path could point to something else by then. ModelError where
    it can't be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path.name} can't be read: {error.strerror}.", "Check that it may be read."
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    require(path, sha256, what)
    return Content(sha256, data)


def visible(name: str) -> str:
    """A file's name without characters that hide or turn round what is read (controls, right-to-left)."""
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _HIDDEN else c for c in name)


_HIDDEN = ("Cc", "Cf", "Co", "Cn", "Zl", "Zp")
