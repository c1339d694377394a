"""The longest gap of the event loop for each thing a person does: at the start, dialogs, workspaces, models,
themes, a large project, sizes of the window.

``python benchmarks/gaps.py [--json FILE]``. A gap is the time between two ticks of a 2 ms timer, so that
waiting for the interpreter counts too; *own* is the interface's own processor time in it. Promised: 50 ms.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if not os.environ.get("DISPLAY") and sys.platform.startswith("linux"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PROMISED_MS = 50.0
TICK_MS = 2
SETTLE_SECONDS = 0.7
START_SECONDS = 4.0
KEYFRAMES, POINTS = 50, 200


class Meter:
    """Ticks of the event loop, and what the longest stop between two was."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._ticks: list[tuple[float, float]] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)
        self.rows: list[dict[str, Any]] = []

    def _tick(self) -> None:
        self._ticks.append((time.perf_counter(), time.thread_time()))

    @staticmethod
    def turn(seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def note(self, what: str) -> None:
        """The longest gap since the last note belongs to ``what``."""
        pairs = [(1e3 * (b[0] - a[0]), 1e3 * (b[1] - a[1])) for a, b in itertools.pairwise(self._ticks)] or [
            (0.0, 0.0)
        ]
        gap, own = max(pairs)
        row = {"what": what, "gap_ms": round(gap, 1), "own_ms": round(own, 1)}
        self.rows.append(row)
        print(
            f"{what:42} {gap:7.1f} ms   own {own:6.1f} ms{'   <--' if gap > PROMISED_MS else ''}", flush=True
        )
        del self._ticks[:-1]

    def of(self, what: str, act: Callable[[], object], settle: float = SETTLE_SECONDS) -> None:
        """Do it, follow the loop for a while, note the longest gap."""
        self.turn(0.05)
        del self._ticks[:-1]
        act()
        self.turn(settle)
        self.note(what)


def tour(window: Any, meter: Meter, folder: Path) -> None:
    """All that is measured once the window is there."""
    from PySide6.QtWidgets import QApplication, QFileDialog

    from igm_gui.formats import library
    from igm_gui.gui.workspaces import ENTRIES
    from igm_gui.session import actions

    def close() -> None:
        popup = QApplication.activePopupWidget()
        while popup is not None:
            popup.close()
            popup = QApplication.activePopupWidget()
        for dialog in window.findChildren(QFileDialog):
            dialog.close()

    def tell(size: str = "") -> None:
        for entry in ENTRIES:
            meter.of(f"to {entry.title}{size}", lambda name=entry.name: window.show_workspace(name))  # type: ignore[misc]

    session = window.studio.session
    for entry in ENTRIES[1:]:
        meter.of(f"{entry.title}, the first time", lambda name=entry.name: window.show_workspace(name))  # type: ignore[misc]
    for entry in ENTRIES:
        window.show_workspace(entry.name)
        meter.turn(0.3)
        for look in ("light", "dark"):
            meter.of(f"{look} in {entry.title}", lambda look=look: window.set_theme(look))  # type: ignore[misc]
    window.show_workspace("explore")
    dialogs = (
        "palette.open",
        "explore.models",
        "model.information",
        "project.open",
        "project.open_folder",
        "project.save_as",
        "export.open",
        "view.full",
        "explore.mutate",
        "explore.random",
        "explore.keep",
        "edit.undo",
        "edit.redo",
    )
    for name in dialogs:
        if name in {command.name for command in window.commands.available()}:
            meter.of(name, lambda name=name: window.commands.run(name))  # type: ignore[misc]
            close()
            if name in ("model.information", "view.full"):
                meter.of(f"{name} again", lambda name=name: window.commands.run(name))  # type: ignore[misc]
    for entry in ENTRIES[1:]:
        window.show_workspace(entry.name)
        meter.turn(0.3)
        meter.of(f"export in {entry.title}", lambda: window.commands.run("export.open"))
        close()
    window.show_workspace("explore")
    for _ in range(POINTS):
        actions.randomize(session)
        actions.keep(session)
    for number in range(KEYFRAMES):
        actions.randomize(session)
        actions.add_keyframe(session, 0.5 * number)
    path = folder / "large.igm"
    meter.of(f"save {POINTS} points, {KEYFRAMES} keyframes", lambda: window.keeper.save(path), 2.0)
    meter.of("a new project", window.keeper.new, 2.0)
    for entry in ENTRIES:
        window.show_workspace(entry.name)
        meter.of(f"open that project in {entry.title}", lambda: window.open_path(path), 3.0)
        window.keeper.new()
        meter.turn(1.0)
    window.open_path(path)
    meter.turn(2.0)
    tell(", large project")
    window.keeper.new()
    window.show_workspace("explore")
    for model in library.bundled():
        meter.of(f"open {model}", lambda model=model: window.studio.open_model(model), 2.0)  # type: ignore[misc]
    for width, height in ((900, 560), (1280, 800), (1920, 1080)):
        for entry in ENTRIES:
            window.show_workspace(entry.name)
            meter.turn(0.3)
            meter.of(f"{width} x {height} in {entry.title}", lambda w=width, h=height: window.resize(w, h))  # type: ignore[misc]
            window.resize(1000, 700)


def measured(models: list[str]) -> list[dict[str, Any]]:
    """Start the real program, walk through it, end it."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from igm_gui.gui import app, main_window

    rows: list[dict[str, Any]] = []
    begin = main_window.MainWindow.begin

    def beginning(window: main_window.MainWindow, for_file: bool = False) -> None:
        meter = Meter()

        def go() -> None:
            try:
                meter.note("the first seconds: torch, the model, the rest")
                with tempfile.TemporaryDirectory() as folder:
                    tour(window, meter, Path(folder))
            except Exception:
                traceback.print_exc()
            rows.extend(meter.rows)
            window._closing_now = True
            QApplication.quit()

        QTimer.singleShot(round(1000 * START_SECONDS), go)
        begin(window, for_file)

    main_window.MainWindow.begin = beginning  # type: ignore[method-assign]
    app.main(models)
    return rows


def main() -> int:
    """Measure and print; 1 where a gap was over what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("model", nargs="*")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["IGM_HOME"] = home
        rows = measured(asked.model)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    over = [row for row in rows if row["gap_ms"] > PROMISED_MS]
    print(f"{len(rows)} actions, {len(over)} over {PROMISED_MS:.0f} ms")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
