"""SHA-256 of a file's content, remembered as long as the file is not touched.

A file counts as untouched while its path, size, modification time, change time and inode are the same. The
system sets the change time itself, so putting an old modification time on a new file does not bring back
the old hash. Programs, which are trusted by their hash, are hashed anew each time all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from igm_gui.errors import IgmError
from igm_gui.formats.files import sha256_of, write_atomic
from igm_gui.paths import cache_folder

MAX_HASHES = 2_000
SMALL = 1 << 18  # hashing so little is as quick as looking it up

Entry = tuple[tuple[int, int, int, int], str]
_lock = threading.Lock()


def _file() -> Path:
    return cache_folder() / "hashes.json"


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """(size, modification time, change time, inode), times in nanoseconds."""
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def _key(path: Path) -> str:
    """The path as JSON can hold it: names that are no UTF-8 escaped, so that two of them stay two."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _read() -> dict[str, Entry]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, Entry])
    except (OSError, msgspec.MsgspecError):
        return {}  # it can be made again


def known_sha256(path: Path) -> str | None:
    """The hash as remembered; None where it has to be computed."""
    try:
        path = path.resolve()
        stamp, sha256 = _read()[_key(path)]
        return sha256 if stamp == _stamp(path) else None
    except (KeyError, OSError):
        return None


def cached_sha256(path: Path, progress: Callable[[float], None] | None = None) -> str:
    """Hex SHA-256 of a file's bytes, from memory where it was not touched since; OSError as reading gives.

    ``progress`` gets a fraction from 0 to 1 while it is computed; an exception it raises ends that.
    """
    path = path.resolve()
    before = _stamp(path)
    if before[0] <= SMALL:
        return sha256_of(path, progress)
    known = known_sha256(path)
    if known is not None:
        return known
    made = sha256_of(path, progress)
    if _stamp(path) == before:  # not written to meanwhile
        _remember(_key(path), before, made)
    return made


def _remember(path: str, stamp: tuple[int, int, int, int], sha256: str) -> None:
    with _lock:
        known = _read()
        known.pop(path, None)
        known[path] = (stamp, sha256)
        newest = dict(list(known.items())[-MAX_HASHES:])
        try:
            write_atomic(_file(), msgspec.json.encode(newest))
        except (IgmError, OSError):
            return  # it is only slower the next time
