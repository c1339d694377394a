"""Everything the program promises about speed, measured on this machine: see benchmarks/README.md.

python benchmarks/run.py [--quick] [--json FILE] [latency] [export] [startup]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

# Before Qt is imported: its own home, and no display where there is none.
_HOME = tempfile.TemporaryDirectory(prefix="igm-bench-home-")
os.environ["IGM_HOME"] = _HOME.name
os.environ["IGM_PROBE"] = "off"  # a child process would not know the stand-in's family
if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))

PARTS = ("startup", "latency", "export")
SMALL = "fashion-gan"


def latency(quick: bool) -> list[dict[str, Any]]:
    """The window with a 28 × 28 model and the 512 × 512 stand-ins."""
    from igm_gui.engine.preload import preload_torch

    preload_torch()  # as the program does, before torch is imported
    import stand_in
    import window
    from PySide6.QtWidgets import QApplication

    from igm_gui.engine.allocator import keep_freed_memory
    from igm_gui.gui import theme
    from igm_gui.gui.app import SWITCH_SECONDS

    sys.setswitchinterval(SWITCH_SECONDS)  # as the program does
    keep_freed_memory()
    app = QApplication.instance() or QApplication(["benchmarks"])
    assert isinstance(app, QApplication)
    theme.load_fonts(app)
    theme.apply(app, "dark")
    with tempfile.TemporaryDirectory() as folder:
        models = [SMALL, *(stand_in.install(Path(folder), name) for name in stand_in.NAMES)]
        runs, rounds, seconds = (40, 2, 1.0) if quick else (200, 5, 2.0)
        return [window.measured(model, runs, rounds, seconds) for model in models]


def export(quick: bool) -> list[dict[str, Any]]:
    """Sheets and single files against the bare batched forward pass."""
    from igm_gui.engine.preload import preload_torch

    preload_torch()
    import stand_in

    from igm_gui.cli.measure import export_throughput
    from igm_gui.engine.allocator import keep_freed_memory
    from igm_gui.engine.renderer import Renderer
    from igm_gui.formats import library

    keep_freed_memory()  # as the window and the command line do
    with tempfile.TemporaryDirectory() as folder:
        models = [name for name in (SMALL, "emoji-64") if name in library.bundled()]
        models += [stand_in.install(Path(folder), name) for name in stand_in.NAMES]
        renderer = Renderer()
        return [
            {
                "model": Path(model).name,
                **export_throughput(
                    renderer, model, rounds=2 if quick else 5, plain=stand_in.as_loaded(model)
                ),
            }
            for model in models
        ]


def startup(quick: bool) -> dict[str, Any]:
    """The program's start."""
    import startup as part

    return part.measured(2 if quick else 5)


def show(report: dict[str, Any]) -> None:
    """The report for a person, each figure with what is promised."""
    if "startup" in report:
        start = report["startup"]
        print(
            f"window on screen            {start['window_seconds']:.2f} s, of them "
            f"{start['window_cpu_seconds']:.2f} s of computing   (promised: 1 s)"
        )
        print(
            f"first picture               {start['first_picture_seconds']:.2f} s   "
            f"{start['picture_beyond_torch_seconds']:.2f} s beyond importing torch (promised: 1.5 s)"
        )
    for entry in report.get("latency", ()):
        beyond, drag = entry["latency"]["beyond_forward"], entry["dragging"]
        print(f"\n{entry['model']}, {entry['output']}")
        print(
            f"  event to pixels, beyond the forward pass   {beyond['median_ms']:.2f} ms, "
            f"95 %: {beyond['p95_ms']:.2f} ms   (promised: 3 and 8 ms)"
        )
        computing = entry["latency"]["beyond_forward_computing"]["median_ms"]
        print(f"  of them computing                          {computing:.2f} ms")
        print(
            f"  the forward pass                           {entry['latency']['forward']['median_ms']:.2f} ms"
        )
        print(
            f"  dragging: longest gap of the event loop    {drag['loop_gaps']['max_ms']:.1f} ms   "
            "(promised: 50 ms)"
        )
        print(
            f"  dragging: finished pictures                {drag['finished_per_second']:.1f} a second, "
            f"{drag['ratio']:.2f} of what {drag['forwards_per_second']:.0f} forward passes and "
            f"{drag['moves_per_second']:.0f} moves allow   (promised: 0.9)"
        )
        if "plain_ratio" in drag:
            print(
                f"                                             {drag['plain_ratio']:.2f} of what "
                f"{drag['plain_forwards_per_second']:.0f} passes of the network as PyTorch loads it allow"
            )
        rest = entry["at_rest"]["cpu_percent"]
        print(f"  CPU at rest                                {rest:.2f} %   (promised: 0)")
    for entry in report.get("export", ()):
        print(
            f"\n{entry['model']}: export {entry['export_per_second']:.1f} a second, "
            f"{entry['ratio']:.2f} of the bare batched forward pass   (promised: 0.85)"
            + (
                f", {entry['plain_ratio']:.2f} of the network's as PyTorch loads it"
                if "plain_ratio" in entry
                else ""
            )
        )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer runs: a look, not a figure to quote")
    parser.add_argument("--json", metavar="FILE", help="write the figures here; - is stdout")
    options = parser.parse_args()
    wanted = options.parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    report: dict[str, Any] = {
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            "python": platform.python_version(),
        }
    }
    for part in PARTS:
        if part in wanted:
            report[part] = globals()[part](options.quick)
    if options.json == "-":
        print(json.dumps(report, indent=2))
        return 0
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
