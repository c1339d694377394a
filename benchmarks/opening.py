"""How long a file takes to open the first time and every later time, medians, each in a new process.

The first opening hashes the file and tries it in a child process; later ones find both remembered.

    python benchmarks/opening.py FILE [--runs 3] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHILD = """
import sys, time
sys.path.insert(0, sys.argv[2])
import torch  # its import is the same both times and is no part of opening a file
from igm_gui.generators import registry
start = time.perf_counter()
registry.load(sys.argv[1])
print(time.perf_counter() - start)
"""


def seconds(file: Path, home: Path) -> float:
    """Opening ``file`` in a new process with ``home`` as the person's folder."""
    environment = {**os.environ, "IGM_HOME": str(home), "IGM_PROBE": "on"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), str(ROOT)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path, help="a model file; nothing in it is executed without a yes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    first, second = [], []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            first.append(seconds(options.file.resolve(), Path(folder)))
            second.append(seconds(options.file.resolve(), Path(folder)))
    found = {
        "file_bytes": options.file.stat().st_size,
        "runs": options.runs,
        "first_seconds": statistics.median(first),
        "second_seconds": statistics.median(second),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    found["times_as_fast"] = found["first_seconds"] / found["second_seconds"]
    print(f"first opening   {found['first_seconds']:.2f} s")
    print(f"second opening  {found['second_seconds']:.2f} s  ({found['times_as_fast']:.1f} times as fast)")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
