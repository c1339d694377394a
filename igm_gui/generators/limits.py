"""What the child process that first opens a file may take (:mod:`igm_gui.generators.trial`).

It limits itself: addresses where the system knows such a limit (Linux), and everywhere time and the memory it
really uses, which a thread looks at. It ends the process when either is too much for a file of that size.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path

from igm_gui.generators import memory

MARK = "igm-probe:"
FREE_BYTES = 1 << 30  # on top of what the libraries take
BYTES_PER_BYTE = 8
ADDRESS_BYTES = 3 << 30  # addresses are taken in larger pieces than memory is used
EVERY_SECONDS = 0.02
PATIENCE = 6
SECONDS = 9.0
PROGRAM_SECONDS = 90.0  # more, for a program that the person has said yes to
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


class Allowance:
    """What this process may take from now on: ``free`` bytes and eight times the file's size, ``seconds`` and
    one for each four megabytes. Seconds of work count: what other programs take of a busy machine is not the
    file's doing, though six times as long is the end of it in any case."""

    def __init__(self, path: Path, free: int = FREE_BYTES, seconds: float = SECONDS) -> None:
        size = size_of(path)
        more = free + BYTES_PER_BYTE * size
        self.name = path.name
        self.seconds = seconds + size / BYTES_PER_SECOND
        self._most = memory.resident() + more
        self._start, self._worked = time.monotonic(), time.process_time()
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            addresses = memory.addresses()
            if addresses:
                most = addresses + more + ADDRESS_BYTES
                resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        threading.Thread(target=self._watch, daemon=True).start()

    def _late(self) -> bool:
        waited = time.monotonic() - self._start
        worked = time.process_time() - self._worked
        return min(waited, worked) > self.seconds or waited > PATIENCE * self.seconds

    def _watch(self) -> None:
        while memory.resident() <= self._most and not self._late():
            time.sleep(EVERY_SECONDS)
        late = f"was still not open after {self.seconds:.0f} seconds in a trial"
        # The main thread may be deep in native code: it is not asked.
        os.write(1, (too_much(self.name, MEMORY if memory.resident() > self._most else late) + "\n").encode())
        os._exit(3)


def too_much(name: str, what: str) -> str:
    return MARK + json.dumps({"message": f"{name} {what}.", "hint": HINT, "details": ""})
