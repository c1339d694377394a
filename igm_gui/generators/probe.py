"""A file not seen before is first opened in a child process with limits on memory and time.

What a native parser does with a damaged file (crash, eat all memory, never end) happens to the child then;
the person reads a sentence. A file that opened well once is remembered by its SHA-256 and opens directly.
Linux and macOS limit the child's memory; Windows has no such limit for a plain process, there only the time
is limited.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from igm_gui.errors import Cancelled, IgmError, ModelError
from igm_gui.formats.files import write_atomic
from igm_gui.formats.trust import TrustNeeded
from igm_gui.paths import cache_folder, models_folder

SECONDS = 120.0
BASE_BYTES = 8 << 30  # torch alone maps several GB of addresses
BYTES_PER_BYTE = 8
MAX_SEEN = 5_000
MARK = "igm-probe:"


def needed(path: Path) -> bool:
    """Whether ``path`` is to be probed: not for bundled models, nor where IGM_PROBE is ``off``."""
    if os.environ.get("IGM_PROBE") == "off":
        return False
    return models_folder().resolve() not in path.resolve().parents


def _seen_file() -> Path:
    return cache_folder() / "seen-models.json"


def seen(sha256: str) -> bool:
    """Whether a file of this content opened well before."""
    try:
        return sha256 in msgspec.json.decode(_seen_file().read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError):
        return False


def remember(sha256: str) -> None:
    """Note that a file opened well. A folder that can't be written only means another probe later."""
    try:
        known = msgspec.json.decode(_seen_file().read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError):
        known = []
    try:
        write_atomic(_seen_file(), json.dumps([*known, sha256][-MAX_SEEN:]).encode())
    except (IgmError, OSError):
        return


def probe(
    path: Path,
    seconds: float = SECONDS,
    command: list[str] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Open ``path`` in a child. Raises what opening it raised there, or ModelError where the child
    crashed, ran out of memory or took longer than ``seconds``; Cancelled soon after ``stop`` is set.
    ``command`` replaces the child in tests."""
    # -P: without it the current folder would be searched for modules first, and a person may well stand in
    # the folder of a download that holds a "numpy.py" beside its weights.
    argv = command or [sys.executable, "-P", "-m", "igm_gui.generators.probe", str(path.absolute())]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except OSError:
        return  # no second process can be started here; opening it directly is what remains
    with child:
        try:
            stdout, stderr = _wait(child, seconds, stop)
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"{path.name} was still not open after {seconds:.0f} seconds in a trial, which was ended.",
                "It is damaged, or made to do this. Copy or download it again.",
            ) from error
        finally:
            child.kill()
    answer = _answer(stdout)
    if answer is None:
        lines = stderr.decode("utf-8", "replace").strip().splitlines()
        raise ModelError(
            f"{path.name} ended the process that tried to open it (status {child.returncode}).",
            "It is damaged, or made to do this. Nothing that is open was touched.",
            "\n".join(lines[-20:]),
        )
    if "message" in answer:
        kind = TrustNeeded if answer.get("sha256") else ModelError
        arguments = [str(answer[key]) for key in ("message", "hint", "details")]
        raise kind(*arguments, *([str(answer["sha256"])] if answer.get("sha256") else []))


def _wait(
    child: subprocess.Popen[bytes], seconds: float, stop: threading.Event | None
) -> tuple[bytes, bytes]:
    """What the child wrote until it ended. TimeoutExpired or Cancelled where it did not."""
    end = time.monotonic() + seconds
    while True:
        try:
            return child.communicate(timeout=min(0.1, seconds) if stop is not None else seconds)
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                raise Cancelled() from None
            if time.monotonic() >= end:
                raise


def _answer(output: bytes) -> dict[str, Any] | None:
    """The child's last word: an empty dict where all went well, None where it said nothing."""
    for line in reversed(output.decode("utf-8", "replace").splitlines()):
        if line.startswith(MARK):
            try:
                found = json.loads(line[len(MARK) :])
            except ValueError:
                return None
            return found if isinstance(found, dict) else None
    return None


def _limit(path: Path) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    size = (
        path.stat().st_size
        if path.is_file()
        else sum(p.stat().st_size for p in path.iterdir() if p.is_file())
    )
    limit = BASE_BYTES + BYTES_PER_BYTE * size
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return


def main(path: str) -> None:
    """The child: open one file and say what came of it."""
    from igm_gui.generators.registry import load_here

    answer: dict[str, str] = {}
    try:
        _limit(Path(path))
        load_here(Path(path))
    except IgmError as error:
        answer = {"message": error.message, "hint": error.hint, "details": error.details[-4000:]}
        answer["sha256"] = getattr(error, "sha256", "")
    except MemoryError:
        answer = {
            "message": f"{Path(path).name} asks for more memory than a file of its size can need.",
            "hint": "It is damaged, or made to do this.",
            "details": "",
        }
    print(MARK + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
