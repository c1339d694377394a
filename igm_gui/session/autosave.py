"""What a killed process would lose, kept on disk; and what earlier processes left there.

Each window writes a project file of its own in the data folder, beside a lock file that it holds for as
long as it lives. The system frees that lock however the process ends, so an autosave without a holder is
one to recover, and two windows never take each other's. No Qt: one worker thread per window.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from igm_gui.errors import IgmError
from igm_gui.paths import data_folder
from igm_gui.session.project import SUFFIX, Project, read_project, save_project
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState

SECONDS = 4.0
# Looking is no work to lose.
_NOT_WORTH_SAVING = frozenset({"info", "history"})
Writer = Callable[[Path, SessionState, Mapping[str, Any]], None]


def autosave_folder() -> Path:
    """Where autosaves lie; made on first use."""
    folder = data_folder() / "autosave"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -- locks


def _lock(path: Path) -> IO[bytes] | None:
    """The file at ``path``, opened and locked for this process; None where another holds it."""
    try:
        file = path.open("a+b")
    except OSError:
        return None
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Held by a living process, or a file system without locks: then it is left alone, too.
        file.close()
        return None
    return file


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _remove_all(lock_path: Path) -> None:
    """An autosave's file, its lock, and what a process killed while writing left of it."""
    _remove(lock_path.with_suffix(SUFFIX))
    for piece in lock_path.parent.glob(f".{lock_path.stem}-*"):
        _remove(piece)
    _remove(lock_path)


# -- writing


class Autosave:
    """Writes the session's state every few seconds of change, on a thread of its own.

    A change is on disk at most ``seconds`` after it was made, plus the time a write takes; however many
    there are, one write covers them all, and nothing runs while nothing changes. ``failed`` is called on
    the worker thread with the first error of a row (a full disk); the next change is tried again.
    ``clock`` counts seconds and ``write`` writes: given by tests.
    """

    def __init__(
        self,
        session: Session,
        seconds: float = SECONDS,
        failed: Callable[[IgmError], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        write: Writer | None = None,
    ) -> None:
        self._session = session
        self._seconds = seconds
        self._failed = failed
        self._clock = clock
        self._write = write or self._save
        self._origin: Path | None = None
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self.path = autosave_folder() / (name + SUFFIX)
        self._lock_path = self.path.with_suffix(".lock")
        self._lock_file = _lock(self._lock_path)
        self._state: SessionState | None = None  # what is not on disk yet
        self._since = 0.0
        self._hurry = False
        self._writing = False
        self._stopping = False
        self._wake = threading.Condition()
        self._stop_listening = session.listen(self._on_session)
        self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
        self._thread.start()

    def set_origin(self, path: Path | None) -> None:
        """The project file the window is on: a recovered autosave knows where it belongs."""
        self._origin = path

    def poke(self) -> None:
        """Look at the clock again; only a clock that jumps needs it."""
        with self._wake:
            self._wake.notify_all()

    def flush(self, timeout: float = 10.0) -> bool:
        """Write what waits, now; False where that took longer than ``timeout`` seconds."""
        with self._wake:
            self._hurry = True
            self._wake.notify_all()
            return self._wake.wait_for(lambda: self._state is None and not self._writing, timeout)

    def clear(self) -> None:
        """The person saved the project: there is nothing to recover until the next change."""
        with self._wake:
            self._state = None
            self._wake.wait_for(lambda: not self._writing, 10.0)
            self._state = None
            _remove(self.path)

    def close(self, keep: bool = False) -> None:
        """End the thread. The autosave goes, unless ``keep``: then it is offered at the next start."""
        self._stop_listening()
        if keep:
            self.flush()
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(10.0)
        if not keep:
            _remove(self.path)
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None
        if not self.path.exists():
            _remove_all(self._lock_path)

    def _on_session(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed <= _NOT_WORTH_SAVING:
            return
        with self._wake:
            if self._state is None:
                self._since = self._clock()
            self._state = state
            self._wake.notify_all()

    def _save(self, path: Path, state: SessionState, extras: Mapping[str, Any]) -> None:
        save_project(path, state, extras, dict(self._session.infos))

    def _next(self) -> SessionState | None:
        """Wait until a state is due and take it; None to end."""
        with self._wake:
            while not self._stopping:
                if self._state is None:
                    self._wake.wait()
                    continue
                left = self._since + self._seconds - self._clock()
                if left > 0 and not self._hurry:
                    self._wake.wait(left)
                    continue
                state, self._state = self._state, None
                self._writing = True
                return state
        return None

    def _run(self) -> None:
        failing = False
        while (state := self._next()) is not None:
            try:
                self._write(self.path, state, {"origin": str(self._origin) if self._origin else ""})
                failing = False
            except IgmError as error:
                if not failing and self._failed is not None:
                    self._failed(error)
                failing = True
            finally:
                with self._wake:
                    self._writing = False
                    self._hurry = self._hurry and self._state is not None
                    self._wake.notify_all()


# -- recovering


@dataclass
class Recoverable:
    """What a process left when it was killed. Nobody else is offered it until it is let go.

    ``modified`` is in seconds since the epoch, ``origin`` the project file it came from, if there was one;
    ``points`` and ``keyframes`` are how many saved points and keyframes are in it.
    """

    path: Path
    modified: float
    origin: Path | None = None
    model: str = ""
    points: int = 0
    keyframes: int = 0
    _held: IO[bytes] | None = field(default=None, repr=False, compare=False)

    def load(self) -> Project:
        """Its content, as far as it can be read. ProjectError where nothing can."""
        return read_project(self.path)

    def discard(self) -> None:
        """Remove it: it was recovered and saved, or the person does not want it."""
        _remove(self.path)  # before the lock is free: another window must not find it
        self.release()
        _remove_all(self.path.with_suffix(".lock"))

    def release(self) -> None:
        """Leave it where it is, to be offered again."""
        if self._held is not None:
            self._held.close()
            self._held = None


def recoverable() -> list[Recoverable]:
    """Autosaves whose process has ended, newest first. Each is held by the caller from here on:
    ``discard()`` or ``release()`` it."""
    found = []
    for lock_path in sorted(autosave_folder().glob("*.lock")):
        held = _lock(lock_path)
        if held is None:
            continue
        path = lock_path.with_suffix(SUFFIX)
        try:
            modified = path.stat().st_mtime
            project = read_project(path)
        except FileNotFoundError:
            # Its process ended with nothing to recover, or another window has just dealt with it.
            held.close()
            _remove_all(lock_path)
            continue
        except (OSError, IgmError):
            held.close()  # nothing in it can be read; it is kept for a person to look at
            continue
        origin = project.extras.get("origin")
        found.append(
            Recoverable(
                path,
                modified,
                Path(origin) if isinstance(origin, str) and origin else None,
                project.state.model,
                len(project.state.saved),
                len(project.state.timeline.keyframes),
                held,
            )
        )
    return sorted(found, key=lambda item: item.modified, reverse=True)
