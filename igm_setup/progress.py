"""How far pip is, read from what it prints."""

from __future__ import annotations

import re
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

_COLLECTING = re.compile(
    r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9][\w.-]*)(?:==([\w.+!-]+))?"
)
_PROCESSING = re.compile(r"^Processing .*[/\\]([A-Za-z0-9_.]+)-([\w.+!]+)-[^/\\]+\.whl")
_DOWNLOADING = re.compile(r"^\s*(?:Downloading|Using cached) .*\(([\d.]+ [kMG]?B)\)")
_RAW = re.compile(r"^Progress (\d+) of (\d+)$")
_INSTALLING = re.compile(r"^Installing collected packages: (.*)$")
TICK_SECONDS = 0.5


class PipProgress:
    """Turns pip's lines into one: on a terminal it is redrawn, elsewhere each package gets a line.

    ``total`` is the number of pinned packages. While pip installs, which it does without a word, the
    packages that have arrived in ``venv`` are counted.
    """

    def __init__(self, total: int, venv: Path, out: TextIO | None = None, width: int = 100) -> None:
        self.total = total
        self._venv = venv
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._width = width
        self._seen: set[str] = set()
        self._package = ""
        self._size = ""
        self._shown = ""
        self._pending = ""
        self._last = 0.0
        self._stop = threading.Event()
        self._counter: threading.Thread | None = None

    def line(self, line: str) -> None:
        """One line of pip's output."""
        if match := _RAW.match(line):
            done, whole = int(match[1]), int(match[2])
            now = time.monotonic()
            if self._live and whole and (now - self._last > 0.1 or done == whole):
                self._last = now
                self._show(f"{self._head()} {self._size}: {100 * done // whole} %")
        elif match := _COLLECTING.match(line) or _PROCESSING.match(line):
            name = match[1].lower().replace("_", "-")
            if name not in self._seen:
                self._flush()
                self._seen.add(name)
                self._package = f"{match[1]} {match[2]}" if match[2] else match[1]
                self._size = ""
                if self._live:
                    self._show(self._head())
                else:
                    self._pending = self._head()  # its size may follow
        elif match := _DOWNLOADING.match(line):
            self._size = f"({match[1]})"
            self._pending = ""
            self._show(f"{self._head()} {self._size}")
        elif match := _INSTALLING.match(line):
            self._flush()
            count = len(match[1].split(","))
            self._show(f"Unpacking {count} packages …")
            if self._live:
                self._counter = threading.Thread(target=self._count, args=(count, self._there()), daemon=True)
                self._counter.start()

    def close(self) -> None:
        """pip has ended."""
        self._flush()
        self._stop.set()
        if self._counter is not None:
            self._counter.join()
            self._counter = None
        if self._live and self._shown:
            self._out.write("\n")
            self._out.flush()

    def _head(self) -> str:
        # A platform may need a package that the lock doesn't pin: the count never passes its end.
        return f"{len(self._seen)} of {max(self.total, len(self._seen))}: {self._package}"

    def _there(self) -> int:
        return sum(1 for _ in self._venv.glob("[Ll]ib*/**/site-packages/*.dist-info"))

    def _count(self, count: int, before: int) -> None:
        while not self._stop.wait(TICK_SECONDS):
            done = min(max(self._there() - before, 0), count)
            self._show(f"Unpacking {done} of {count} packages …")

    def _flush(self) -> None:
        if self._pending:
            self._show(self._pending)
            self._pending = ""

    def _show(self, text: str) -> None:
        text = text[: self._width]
        if text == self._shown:
            return
        if self._live:
            self._out.write("\r" + text.ljust(len(self._shown)))
        else:
            self._out.write(text + "\n")
        self._out.flush()
        self._shown = text
