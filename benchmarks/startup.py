"""From the start of the process to a window on screen, and to the first picture.

Run by run.py; each measurement is a process of its own: ``python benchmarks/startup.py SPAWNED_AT``.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

PATIENCE_SECONDS = 120


def probe(spawned: float) -> None:
    """In the child: start the real program, note two moments, print them, end."""
    from igm_gui.gui import app, main_window

    seconds: dict[str, float] = {}
    begin = main_window.MainWindow.begin

    def noting(window: main_window.MainWindow, for_file: bool = False) -> None:
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication

        # The program calls this once its window was exposed and painted.
        seconds.setdefault("window", time.time() - spawned)
        seconds.setdefault("window_cpu", time.process_time())

        def painted() -> None:
            if "picture" not in seconds:
                seconds["picture"] = time.time() - spawned
                QTimer.singleShot(0, QApplication.quit)

        explore: Any = window.stack.widget_of("explore")
        explore.canvas.picture.painted.connect(painted)
        begin(window, for_file)

    main_window.MainWindow.begin = noting  # type: ignore[method-assign]
    app.main([])
    print(json.dumps(seconds))


def _torch_seconds() -> float:
    code = "import time; t = time.perf_counter(); import torch; print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    return float(done.stdout)


def measured(runs: int) -> dict[str, Any]:
    """Medians over ``runs`` starts, each next to an import of torch alone."""
    windows, processor, pictures, torches = [], [], [], []
    for number in range(runs + 1):
        torches.append(_torch_seconds())
        done = subprocess.run(
            [sys.executable, __file__, repr(time.time())],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"the program did not start: {done.stderr.strip()[-400:]}")
        seconds = json.loads(done.stdout.splitlines()[-1])
        if number:  # the first start fills the disk's cache
            windows.append(seconds["window"])
            processor.append(seconds["window_cpu"])
            pictures.append(seconds["picture"])
        else:
            torches.clear()
    return {
        "window_seconds": round(statistics.median(windows), 3),
        "window_cpu_seconds": round(statistics.median(processor), 3),
        "first_picture_seconds": round(statistics.median(pictures), 3),
        "torch_import_seconds": round(statistics.median(torches), 3),
        "picture_beyond_torch_seconds": round(
            statistics.median(p - t for p, t in zip(pictures, torches, strict=True)), 3
        ),
        "runs": runs,
    }


if __name__ == "__main__":
    probe(float(sys.argv[1]))
