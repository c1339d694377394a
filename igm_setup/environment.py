"""The folder ``.venv``: made, filled from the lock files, repaired when an earlier run was cut off."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from igm_setup import system
from igm_setup.progress import PipProgress
from igm_setup.start import ROOT as _ROOT
from igm_setup.start import SetupError, stamp, venv_python

ROOT = Path(_ROOT)
PYTHON = Path(venv_python())
VENV = ROOT / ".venv"
_LOCK = ROOT / ".venv.lock"
# There while packages are being installed: found at the start, it means that some may be half there.
_INSTALLING = "igm-installing"

_OFFLINE = (
    "NewConnectionError",
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
    "Network is unreachable",
    "Connection refused",
    "Connection reset",
    "IncompleteRead",
    "Retrying (Retry",
)


def build(tests: bool) -> None:
    """Make ``.venv`` hold what the lock files say. SetupError says what to do where that fails."""
    with _alone():
        try:
            _make_venv()
            _install(tests)
            _add_command_line()
        except OSError as error:
            raise SetupError(
                f"The set-up can't write {error.filename or VENV}: {error.strerror}.\n"
                "Put the program in a folder you may write to, or free some space, and start it again."
            ) from error


@contextmanager
def _alone() -> Iterator[None]:
    """One set-up at a time; the system frees the lock however this process ends."""
    try:
        file = _LOCK.open("a+b")
    except OSError as error:
        raise SetupError(
            f"The set-up can't write to {ROOT}: {error.strerror}.\n"
            "Put the program in a folder you may write to."
        ) from error
    with file:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SetupError("Another set-up is running in this folder. Wait until it is done.") from error
        yield


def _works(python: Path) -> bool:
    """Whether the environment's Python starts, is new enough, and has pip."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(python), "-c", check], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _make_venv() -> None:
    half_made = (VENV / _INSTALLING).exists()
    if VENV.exists() and not half_made and _works(PYTHON):
        return
    if VENV.exists():
        print("An earlier set-up did not finish; starting over with what is already downloaded.")
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        system.install_venv_module()
    print(f"Making {VENV} with Python {sys.version.split()[0]} …")
    # Not the Python of an environment that may be the one just removed.
    base = getattr(sys, "_base_executable", None) or sys.executable
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0 or not _works(PYTHON):
        raise SetupError(
            "Python could not make a virtual environment:\n"
            + (made.stdout + made.stderr).strip()[-1500:]
            + f"\n{system.venv_hint()}"
        )


def _install(tests: bool) -> None:
    lock = ROOT / ("requirements-dev.lock" if tests else "requirements.lock")
    for old in (stamp(False), stamp(True)):
        Path(old).unlink(missing_ok=True)
    marker = VENV / _INSTALLING
    progress = PipProgress(count_pins(lock), VENV)
    command = [
        *[str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"],
        *["--retries", "2", *_raw_progress(), "-r", str(lock)],
    ]
    print(f"Installing {progress.total} packages; the largest is PyTorch. This happens once.")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    log = VENV / "setup.log"
    with (
        log.open("w", encoding="utf-8") as record,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        ) as pip,
    ):
        assert pip.stdout is not None
        try:
            for line in pip.stdout:
                record.write(line)
                if "Installing collected packages" in line:
                    marker.touch()
                progress.line(line.rstrip())
        except BaseException:
            pip.terminate()
            raise
        finally:
            progress.close()
    if pip.returncode != 0:
        raise SetupError(_explain(log))
    marker.unlink(missing_ok=True)


def _raw_progress() -> list[str]:
    """pip 24.1 and newer can print how much of a file it has."""
    probe = "import pip; print(*pip.__version__.split('.')[:2])"
    said = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True).stdout.split()
    new = len(said) == 2 and all(part.isdigit() for part in said) and (int(said[0]), int(said[1])) >= (24, 1)
    return ["--progress-bar", "raw"] if new else ["--progress-bar", "off"]


def count_pins(lock: Path) -> int:
    """How many packages a lock file names, with the files it includes."""
    total = 0
    for line in lock.read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            total += count_pins(lock.parent / line[3:].strip())
        elif line:
            total += 1
    return total


def _explain(log: Path) -> str:
    """What pip's failure means, in a sentence and what to do."""
    text = log.read_text(encoding="utf-8", errors="replace")
    errors = [line for line in text.splitlines() if line.startswith("ERROR")]
    detail = errors[-1][:400] if errors else text.strip()[-400:]
    if "No space left on device" in text or "Errno 28" in text:
        why = "The disk is full. The set-up needs about 2 GB; free some space and start it again."
    elif any(sign in text for sign in _OFFLINE):
        why = (
            "The packages could not be fetched: there is no connection, or it broke off.\n"
            "Start the same command again when there is one; finished downloads are kept."
        )
    elif "No matching distribution" in text or "not a supported wheel" in text:
        why = (
            "A package has no build for this system or this Python "
            f"({sys.platform}, Python {sys.version.split()[0]}).\n"
            "Supported are 64-bit Linux, Windows and Apple Silicon Macs with Python 3.11 to 3.13."
        )
    else:
        why = "pip could not install the packages. Start the same command again, or look at its messages."
    return f"The set-up did not finish. {why}\npip said: {detail}\nAll of it: {log}"


def _add_command_line() -> None:
    """Make ``igm_gui`` importable in the environment and put the command ``igm`` beside its Python."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    said = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=False)
    packages = Path(said.stdout.strip())
    (packages / "igm-studio.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    folder = PYTHON.parent
    if os.name == "nt":
        (folder / "igm.cmd").write_text('@"%~dp0python.exe" -P -m igm_gui %*\n', encoding="utf-8")
        return
    command = folder / "igm"
    command.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -P -m igm_gui "$@"\n', encoding="utf-8")
    command.chmod(0o755)
