"""Films: how fast they are written, whether the window answers meanwhile, and whether playing keeps time.

    python benchmarks/films.py [MODEL] [--json FILE]

Run it on a machine that does nothing else. The real window is driven (offscreen where there is no display)
on a timeline of eight seconds at 30 frames a second. The longest gap is the longest time between two turns of
the event loop (promised: 50 ms). Behind is how far the playhead is from where the clock says it should be
once the timeline went round: a frame at most, however many pictures were left out on the way.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.window import Bench, turn
from igm_gui.gui.app import SWITCH_SECONDS
from igm_gui.gui.settings import Settings
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.session import actions

TURN_MS = 2
PATIENCE_SECONDS = 300.0


class Gaps:
    """Times between turns of the event loop, in ms."""

    def __init__(self) -> None:
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=TURN_MS)
        self._timer.timeout.connect(self._tick)
        self._last = 0.0
        self.longest = 0.0

    def __enter__(self) -> Gaps:
        self._last, self.longest = time.perf_counter(), 0.0
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, 1000 * (now - self._last))
        self._last = now


def until(done: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Run the event loop until ``done`` or for ``seconds``."""
    loop = QEventLoop()
    end = time.monotonic() + seconds
    look = QTimer(interval=20)
    look.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > end else None)
    look.start()
    loop.exec()


def written(timeline: TimelineWorkspace, frames: int, folder: Path, side: int) -> dict[str, Any]:
    """One export at ``side`` pixels."""
    Settings().put("film/side", str(side))
    with Gaps() as gaps:
        start = time.perf_counter()
        job = timeline.export_film(folder / f"{side}.mp4")
        until(lambda: job.done)
        seconds = time.perf_counter() - start
    if job.error is not None:
        raise SystemExit(f"{job.error.message} {job.error.hint}")
    return {"frames_per_second": round(frames / seconds, 1), "longest_gap_ms": round(gaps.longest, 1)}


def played(bench: Bench, timeline: TimelineWorkspace, fps: float) -> dict[str, Any]:
    """A round and a bit at ``fps``."""
    actions.set_timeline(bench.studio.session, fps=fps)
    turn(1.0)
    painted: list[float] = []
    count = timeline.view.picture.painted.connect(lambda: painted.append(time.perf_counter()))
    timeline.player.seek(0.0)
    length = bench.studio.state.timeline.length
    with Gaps() as gaps:
        start = time.perf_counter()
        timeline.player.play()
        until(lambda: time.perf_counter() - start > 1.15 * length)
        passed, at = time.perf_counter() - start, bench.studio.playhead or 0.0
    timeline.player.pause()
    timeline.view.picture.painted.disconnect(count)
    behind = (passed - at + length / 2) % length - length / 2
    return {
        "painted_share": round(len(painted) / (fps * passed), 3),
        "behind_ms": round(1000 * behind, 1),
        "frame_ms": round(1000 / fps, 1),
        "longest_gap_ms": round(gaps.longest, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", nargs="?", default="emoji-64")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IGM_HOME"] = str(Path(folder) / "home")  # the person's own settings stay as they are
        app = QApplication.instance() or QApplication(["films"])
        bench = Bench(options.model)
        bench.window.show_workspace("timeline")
        timeline = bench.window.stack.widget_of("timeline")
        assert isinstance(timeline, TimelineWorkspace)
        actions.fill_timeline(bench.studio.session)
        turn(2.0)
        frames = bench.studio.state.timeline.frames
        figures: dict[str, Any] = {"model": options.model, "load": round(os.getloadavg()[0], 2)}
        for side in (512, 1024):
            figures[f"export_{side}"] = written(timeline, frames, Path(folder), side)
        for fps in (30.0, 60.0):
            figures[f"play_{fps:.0f}"] = played(bench, timeline, fps)
        bench.window.close_now()  # nobody is asked whether the timeline is to be saved
        bench.close()
        del app
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
