"""Small file habits used everywhere: atomic writing, content hashes."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from igm_gui.errors import ExportError

TAKES_NOTHING = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS)  # the folder is what is wrong
SURROGATES = re.compile("[\ud800-\udfff]")
OURS = ".igm-"  # in the name of what is not finished
MADE_UP = 8  # letters that tempfile makes up
STILL_SECONDS = 60.0
MAX_NAME_BYTES = 255  # of Linux, macOS and Windows alike


def explain_os_error(path: Path, error: OSError) -> ExportError:
    """A sentence for a failed write."""
    reason = error.strerror or str(error)
    name = path.name if len(path.name) <= 60 else f"{path.name[:57]}…"
    remedy = "Choose another folder, or free some space and try again."
    if error.errno in TAKES_NOTHING:
        remedy = "Choose a folder that can be written in, such as one of your own."
    if error.errno == errno.ENOENT:  # folders are made where they are missing: this one can't hold files
        reason = "no files can be made in that folder"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):  # a part of the path is a file
        reason = "a part of that path is a file, not a folder"
        remedy = "Choose another folder."
    return ExportError(
        f"{name} could not be written to {path.parent}: {reason}.",
        f"{remedy} Nothing that was there has changed.",
        details=repr(error),
    )


def check_name(path: Path) -> None:
    """OSError where no file can be called that: said before the work, not after an hour of it."""
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))


def readable(name: str) -> str:
    """``name`` as any file, message or list can hold it: what the file system keeps and UTF-8 can't
    (a name of an old disk or archive) becomes U+FFFD."""
    return SURROGATES.sub("\N{REPLACEMENT CHARACTER}", name)


@contextmanager
def plain_path(path: Path) -> Iterator[str]:
    """``path`` as libraries that want UTF-8 take it; where it is none, through a temporary link."""
    path = path.absolute()
    if readable(str(path)) == str(path):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="igm-") as folder:
        whole = readable(path.name) == path.name
        link = Path(folder, "folder" if whole else f"file{readable(path.suffix)}")
        link.symlink_to(path.parent if whole else path, target_is_directory=whole)
        yield str(link / path.name if whole else link)


@contextmanager
def claimed(temporary: Path) -> Iterator[None]:
    """Hold ``temporary``, a file or folder that :mod:`tempfile` named after ours, for as long as the block
    takes, and remove those beside it that differ only in what is made up: killed processes left them.

    One that is held, or has changed within the last minute, is somebody's. Without :mod:`fcntl` (Windows)
    none can be told from the others, and all stay.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    name, end = (temporary.name, "") if temporary.is_dir() else (temporary.stem, temporary.suffix)
    start = name[:-MADE_UP]
    like = re.compile(f"{re.escape(start)}[a-z0-9_]{{{MADE_UP}}}{re.escape(end)}")
    with suppress(OSError):
        for entry in os.scandir(temporary.parent):
            if entry.name != temporary.name and like.fullmatch(entry.name):
                _remove_left(Path(entry.path), fcntl)
    handle = -1
    with suppress(OSError):  # not every file system locks; it is written all the same
        handle = os.open(temporary, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def _remove_left(path: Path, fcntl: Any) -> None:
    with suppress(OSError):
        if time.time() - path.lstat().st_mtime < STILL_SECONDS or path.is_symlink():
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(handle)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well.

    It keeps ``path``'s ending, so that writers that look at the ending work. On any failure it is
    removed and what was at ``path`` stays. A link stays one: the file it leads to is replaced. What is no
    file, such as ``/dev/null``, is left alone. An OSError becomes an ExportError.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        check_name(path)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder has that name", str(path))
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "a device or a pipe has that name", str(path))
        if path.is_symlink():
            path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem[:40]}{OURS}", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes files for the owner alone; give what an ordinary open() would have given.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise explain_os_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: all of it or nothing. ExportError where that fails."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path, progress: Callable[[float], None] | None = None) -> str:
    """Hex SHA-256 of a file's bytes; ``progress`` gets a fraction from 0 to 1."""
    digest = hashlib.sha256()
    total = max(path.stat().st_size, 1)
    done = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            done += len(block)
            if progress:
                progress(done / total)
    return digest.hexdigest()
