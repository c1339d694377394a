"""pip's words turned into progress."""

from __future__ import annotations

import io
from pathlib import Path

from igm_setup.progress import PipProgress

PIP = """\
Looking in links: /somewhere
Collecting numpy==2.4.6 (from -r requirements.lock (line 7))
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.6 MB)
Progress 0 of 16600000
Progress 8300000 of 16600000
Processing /opt/files/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl (from -r requirements.lock (line 27))
Collecting QtPy==2.4.3
  Using cached QtPy-2.4.3-py3-none-any.whl.metadata (12 kB)
Collecting numpy>=1.26 (from soundfile)
Requirement already satisfied: cffi==2.1.1 in ./site-packages (2.1.1)
Installing collected packages: numpy, torch, QtPy
Successfully installed QtPy-2.4.3 numpy-2.4.6 torch-2.13.0+cpu
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def feed(progress: PipProgress) -> None:
    for line in PIP.splitlines():
        progress.line(line)
    progress.close()


def test_a_log_gets_one_line_for_each_package(tmp_path: Path) -> None:
    out = io.StringIO()
    feed(PipProgress(4, tmp_path, out))
    assert out.getvalue().splitlines() == [
        "1 of 4: numpy 2.4.6 (16.6 MB)",
        "2 of 4: torch 2.13.0+cpu",
        "3 of 4: QtPy 2.4.3 (12 kB)",
        "4 of 4: cffi 2.1.1",
        "Unpacking 3 packages …",
    ]


def test_a_terminal_line_is_redrawn(tmp_path: Path) -> None:
    out = Terminal()
    feed(PipProgress(4, tmp_path, out))
    shown = [text.rstrip() for text in out.getvalue().split("\r")]
    assert "1 of 4: numpy 2.4.6 (16.6 MB): 0 %" in shown
    assert "4 of 4: cffi 2.1.1" in shown
    assert out.getvalue().endswith("\n")


def test_more_packages_than_were_pinned(tmp_path: Path) -> None:
    out = io.StringIO()
    progress = PipProgress(1, tmp_path, out)
    for name in ("torch==2.13.0", "extra-for-this-system==1.0"):
        progress.line(f"Collecting {name}")
    progress.close()
    assert out.getvalue().splitlines()[-1] == "2 of 2: extra-for-this-system 1.0"
