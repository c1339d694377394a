"""The child process in which a file not seen before is opened first, and what came of it as one line of JSON.

    python -P -m igm_gui.generators.trial FILE

It limits itself: addresses where the system knows such a limit (Linux), and everywhere time and the memory it
really uses, which a thread looks at. It ends the process when either is too much for a file of that size.
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
SECONDS = 9.0
BYTES_PER_SECOND = 4_000_000  # so much longer may a larger file take
MEMORY = "asks for more memory than a file of its size can need"
HINT = (
    "It is damaged, or made to do this. Copy or download it again; where you know that it is right, "
    "IGM_PROBE=off in the environment opens it without this limit."
)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a model folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.iterdir() if p.is_file())


def limit(path: Path, free: int = FREE_BYTES, seconds: float = SECONDS) -> None:
    """From now on this process may take ``free`` bytes and eight times the file's size more, and ``seconds``
    and one for each four megabytes."""
    size = size_of(path)
    more = free + BYTES_PER_BYTE * size
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        addresses = memory.addresses()
        if addresses:
            most = addresses + more + ADDRESS_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds += size / BYTES_PER_SECOND
    arguments = (path.name, memory.resident() + more, seconds)
    threading.Thread(target=_watch, args=arguments, daemon=True).start()


def _watch(name: str, most: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while memory.resident() <= most and time.monotonic() < end:
        time.sleep(EVERY_SECONDS)
    what = (
        MEMORY if memory.resident() > most else f"was still not open after {seconds:.0f} seconds in a trial"
    )
    # The main thread may be deep in native code: it is not asked.
    os.write(1, (_answer_too_much(name, what) + "\n").encode())
    os._exit(3)


def _answer_too_much(name: str, what: str) -> str:
    return MARK + json.dumps({"message": f"{name} {what}.", "hint": HINT, "details": ""})


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
        print(_answer_too_much(path.name, MEMORY), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
