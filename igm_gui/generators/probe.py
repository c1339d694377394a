"""A file not seen before is first opened in a child process with limits on memory and time.

What a native parser does with a damaged file (crash, eat all memory, never end) happens to the child then;
the person reads a sentence. A file that opened well once is remembered by its SHA-256 and opens directly.
The child (:mod:`igm_gui.generators.trial`) limits its own memory; its time is limited here.
"""

from __future__ import annotations

import contextlib
import hashlib
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
from igm_gui.formats.files import sha256_of, write_atomic
from igm_gui.formats.side_card import place
from igm_gui.formats.trust import TrustNeeded
from igm_gui.generators.limits import BYTES_PER_SECOND, MARK, PATIENCE, size_of
from igm_gui.generators.memory import TooLarge
from igm_gui.generators.roles import Argument, RolesNeeded
from igm_gui.paths import cache_folder, models_folder

SECONDS = 240.0  # the child keeps limits of its own: this is for one that can not
MAX_SEEN = 5_000


def needed(path: Path) -> bool:
    """Whether ``path`` is to be probed: not for bundled models, nor where IGM_PROBE is ``off``."""
    if os.environ.get("IGM_PROBE") == "off":
        return False
    return models_folder().resolve() not in path.resolve().parents


def identity(path: Path, sha256: str) -> str:
    """What a trial holds for: weights of this hash and, where there is one, the card that says how they are
    built. Harmless weights with another card beside them are another thing."""
    inside = path.is_file() and path.name in ("card.json", "model.safetensors", "model.pt2")
    card: Path | None = (path.parent if inside else path) / "card.json"
    if card is None or not card.is_file():
        card = place(path) if path.is_file() else None
    if card is None:
        return sha256
    return hashlib.sha256(f"{sha256} {sha256_of(card)}".encode()).hexdigest()


def _seen_file() -> Path:
    return cache_folder() / "seen-models.json"


def seen(identity: str) -> bool:
    """Whether what :func:`identity` stands for opened well before."""
    try:
        return identity in msgspec.json.decode(_seen_file().read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError):
        return False


def remember(identity: str) -> None:
    """Note that a file opened well. A folder that can't be written only means another probe later."""
    try:
        known = msgspec.json.decode(_seen_file().read_bytes(), type=list[str])
    except (OSError, msgspec.MsgspecError):
        known = []
    try:
        write_atomic(_seen_file(), json.dumps([*known, identity][-MAX_SEEN:]).encode())
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
    argv = command or [sys.executable, "-P", "-m", "igm_gui.generators.trial", str(path.absolute())]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    with contextlib.suppress(OSError):
        seconds += PATIENCE * size_of(path) / BYTES_PER_SECOND
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
        raise _error(answer)


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


def _error(answer: dict[str, Any]) -> ModelError:
    """The error that the child met. Only JSON comes from there, and only these kinds are made of it."""
    message, hint, details = (str(answer.get(key, "")) for key in ("message", "hint", "details"))
    sha256 = str(answer.get("sha256", ""))
    if answer.get("kind") == "TrustNeeded" and sha256:
        return TrustNeeded(message, hint, details, sha256)
    if answer.get("kind") == "TooLarge" and sha256:
        return TooLarge(message, hint, details, sha256)
    if answer.get("kind") == "RolesNeeded":
        try:
            arguments = msgspec.convert(answer.get("arguments"), list[Argument])
        except msgspec.ValidationError:
            return ModelError(message, hint, details)
        return RolesNeeded(message, hint, details, arguments, str(answer.get("family", "")))
    return ModelError(message, hint, details)
