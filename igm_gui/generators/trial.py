"""The child process in which a file not seen before is opened first, and what came of it as one line of JSON.

    python -P -m igm_gui.generators.trial FILE

It limits itself: addresses where the system knows such a limit (Linux), and everywhere the memory it really
uses, which a thread looks at and ends the process when it is too much for a file of that size.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from igm_gui.errors import IgmError
from igm_gui.generators import memory
from igm_gui.generators.roles import RolesNeeded

MARK = "igm-probe:"
FREE_BYTES = 1 << 30  # on top of what the libraries take
BYTES_PER_BYTE = 8
ADDRESS_BYTES = 3 << 30  # addresses are taken in larger pieces than memory is used
EVERY_SECONDS = 0.02
TOO_MUCH = {
    "message": "{name} asks for more memory than a file of its size can need.",
    "hint": "It is damaged, or made to do this. Copy or download it again; where you know that it is right, "
    "IGM_PROBE=off in the environment opens it without this limit.",
    "details": "",
}


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a model folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.iterdir() if p.is_file())


def limit(path: Path, free: int = FREE_BYTES) -> None:
    """From now on this process may take ``free`` bytes and eight times the file's size more."""
    more = free + BYTES_PER_BYTE * size_of(path)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        addresses = memory.addresses()
        if addresses:
            most = addresses + more + ADDRESS_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    base = memory.resident()
    if base:
        threading.Thread(target=_watch, args=(path.name, base + more), daemon=True).start()


def _watch(name: str, most: int) -> None:
    while memory.resident() <= most:
        time.sleep(EVERY_SECONDS)
    # The main thread may be deep in native code: it is not asked.
    os.write(1, (_answer_too_much(name) + "\n").encode())
    os._exit(3)


def _answer_too_much(name: str) -> str:
    return MARK + json.dumps({**TOO_MUCH, "message": TOO_MUCH["message"].format(name=name)})


def answer_of(error: IgmError) -> dict[str, Any]:
    """An error as JSON can hold it: its words, its kind, and what a question needs."""
    answer: dict[str, Any] = {
        "kind": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "details": error.details[-4000:],
    }
    if sha256 := getattr(error, "sha256", ""):
        answer["sha256"] = sha256
    if isinstance(error, RolesNeeded):
        answer |= error.plain()
    return answer


def main(path: Path) -> None:
    """Open one file and say what came of it."""
    import torch  # before the limits: what the libraries take is not the file's doing

    from igm_gui.generators.registry import load_here

    torch.set_num_threads(1)
    try:
        limit(path)
        load_here(path)
        print(MARK + "{}", flush=True)
    except IgmError as error:
        print(MARK + json.dumps(answer_of(error)), flush=True)
    except MemoryError:
        print(_answer_too_much(path.name), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
