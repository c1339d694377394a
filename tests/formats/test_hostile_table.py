"""Hostile files by the hundred: none executes code, hangs, takes a gigabyte beyond its own size, or ends the
program; each is refused with a sentence.

They are opened in two child processes of this test, as the program opens them, without the trial that would
protect it (``IGM_PROBE=off``); only what asks ONNX Runtime itself for too much goes through the trial.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hostile_table import CANARIES, Entry, table

CASES: dict[str, Entry] = table()
LIMIT_SECONDS = 10.0
LIMIT_BYTES = 1_000_000_000
PATIENCE = 120.0  # for a line of a child: what waits without working, on a machine that may be busy


class Child:
    """A process that opens files, and the lines it says."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ, "IGM_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder),
            "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        self.errors = (folder / "errors.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("hostile_child.py")), str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment,
            cwd=folder,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{name}\n" for name in names))
        self.process.stdin.close()
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def end(self) -> str:
        """Stop it; what it complained of."""
        self.process.kill()
        self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.seek(0)
        text = self.errors.read()[-2000:]
        self.errors.close()
        return text


def run(folder: Path, names: list[str], found: dict[str, dict[str, Any]]) -> None:
    """Run all ``names``; a child that ends or hangs is replaced by another for the rest."""
    left, number = list(names), 0
    while left:
        number += 1
        child = Child(folder / str(number), left)
        current = ""
        while left:
            try:
                line = child.lines.get(timeout=PATIENCE if current else 180.0)
            except queue.Empty:
                found[current or left[0]] = {"hung": True}
                break
            if line is None:
                break
            told = json.loads(line)
            if told.get("begin"):
                current = told["name"]
                continue
            found[told["name"]] = told
            left.remove(told["name"])
        errors = child.end()
        if left and not current:
            raise RuntimeError(f"The child never began: {errors}")
        if left:  # it ended, or was ended, in the middle
            name = current if current in left else left[0]
            found.setdefault(name, {"ended": errors or "without a word"})
            left.remove(name)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came of every case."""
    folder = tmp_path_factory.mktemp("hostile")
    found: dict[str, dict[str, Any]] = {}
    names = list(CASES)
    with ThreadPoolExecutor(2) as pool:
        for half in [pool.submit(run, folder / str(i), names[i::2], found) for i in range(2)]:
            half.result()
    return found


@pytest.mark.timeout(600)
def test_the_watch_sees_what_it_watches_for(tmp_path: Path) -> None:
    found: dict[str, dict[str, Any]] = {}
    run(tmp_path, list(CANARIES), found)
    assert found["canary/leaves the mark"]["ran"]
    assert "os.system" in found["canary/runs a program"]["events"][0]
    assert "for writing" in found["canary/writes elsewhere"]["events"][0]
    assert found["canary/takes memory"]["bytes"] > LIMIT_BYTES
    assert "ended" in found["canary/ends the program"]


def test_the_table_is_long() -> None:
    assert len(CASES) >= 300


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    outcome = outcomes[name]
    assert "ended" not in outcome, f"it ended the program: {outcome['ended']}"
    assert "hung" not in outcome, "it hung"
    assert "crash" not in outcome, outcome["crash"]
    assert not outcome["ran"], "it executed code"
    assert not outcome["events"], "it did things that opening a file does not do"
    assert outcome["seconds"] < LIMIT_SECONDS
    assert outcome["bytes"] < LIMIT_BYTES
    if not CASES[name].may_open:
        assert not outcome["opened"] or outcome["said"], "it opened"
    if outcome["said"]:
        assert len(outcome["said"]) > 15
        assert outcome["said"].endswith((".", ")"))
        assert "Traceback" not in outcome["said"]
