"""The real program in a real window: its own Xvfb, a slider dragged with real mouse events.

Needs ``Xvfb`` and ``xdotool`` (Debian: xvfb, xdotool); without them it fails, for a skipped smoke test
tells nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 is Linux's window system")

SCREEN = (1280, 800)
START_SECONDS = 120.0  # torch is imported meanwhile, on a machine that may be busy
LOOKS = 30  # 1.5 s
STRIP = (40, 226, 250)  # left end, middle line and right end of the latent strip in the window


PROGRAM = "from igm_gui.gui.app import main; raise SystemExit(main(['uniform-pixels']))"


def until(program: subprocess.Popen[bytes], what: Callable[[], object], seconds: float, why: str) -> None:
    """Look twenty times a second until ``what()`` is true; fail at once when the program ends."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, why
        try:
            status = program.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"the program ended with {status}")


class Desktop:
    """An X server of our own, with screenshots and a mouse."""

    def __init__(self, folder: Path) -> None:
        for tool in ("Xvfb", "xdotool"):
            assert shutil.which(tool), f"{tool} is missing; on Debian: apt-get install xvfb xdotool"
        self.folder = folder
        self.shot_file = folder / "Xvfb_screen0"
        size = ("-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24")
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-nolisten", "tcp", "-fbdir", str(folder), *size],
            pass_fds=(write,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = f":{pipe.readline().strip()}"
        assert self.display != ":", "Xvfb did not start"

    def environment(self, home: Path) -> dict[str, str]:
        env = {**os.environ, "DISPLAY": self.display, "IGM_HOME": str(home), "QT_QPA_PLATFORM": "xcb"}
        env.pop("WAYLAND_DISPLAY", None)
        return env

    def mouse(self, *words: object) -> None:
        env = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", *map(str, words)], env=env, check=True, timeout=30)

    def screen(self) -> NDArray[np.uint8]:
        """The screen's pixels, uint8 (height, width, 3): Xvfb's own memory, an XWD file."""
        raw = self.shot_file.read_bytes()
        head = np.frombuffer(raw[:100], ">u4")
        offset = int(head[0]) + int(head[19]) * 12
        width, height, stride = int(head[4]), int(head[5]), int(head[12])
        pixels = np.frombuffer(raw, np.uint8, stride * height, offset).reshape(height, stride // 4, 4)
        return pixels[:, :width, 2::-1].copy()

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(20)


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    made = Desktop(tmp_path)
    yield made
    made.close()


def middle(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of the screen where the picture is."""
    return screen[140:640, 420:860]


def at_rest(desktop: Desktop) -> Callable[[], bool]:
    """Whether the screen was the same at the last ``LOOKS`` calls."""
    seen: list[NDArray[np.uint8]] = []

    def still() -> bool:
        now = desktop.screen()[120:]  # without the cursor that blinks
        if seen and (now != seen[-1]).any():
            seen.clear()
        seen.append(now)
        return len(seen) > LOOKS

    return still


def bar(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The top of the canvas, where the palette opens."""
    return screen[56:100, 400:560]


@pytest.mark.timeout(400)
def test_a_real_drag_changes_the_picture(desktop: Desktop, igm_home: Path, tmp_path: Path) -> None:
    log = (tmp_path / "program.log").open("wb")
    (igm_home / "config").mkdir(parents=True, exist_ok=True)
    (igm_home / "config" / "window.ini").write_text("[hints]\nseen=true\n")
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from igm_gui.gui.app import main; raise SystemExit(main(['uniform-pixels']))",
        ],
        env=desktop.environment(igm_home),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        until(program, lambda: middle(desktop.screen()).std() > 20, START_SECONDS, "no picture appeared")
        before = desktop.screen()
        left, line, right = STRIP
        desktop.mouse("mousemove", left, line - 30, "mousedown", 1)
        for x in range(left, right, 10):
            desktop.mouse("mousemove", x, line - 30)
        desktop.mouse("mouseup", 1)

        until(
            program,
            lambda: (middle(desktop.screen()) != middle(before)).any(),
            30,
            "the drag did not change the picture",
        )
        strip = desktop.screen()[line - 40 : line + 40, left:right]
        assert (strip != before[line - 40 : line + 40, left:right]).any()
        # The keyboard reaches it too, and Ctrl+Q ends it in order.
        shown = desktop.screen()
        desktop.mouse("key", "r")
        until(
            program,
            lambda: (middle(desktop.screen()) != middle(shown)).any(),
            30,
            "R did not change the picture",
        )
        # Another theme, by the palette over the window: all of it is painted anew, hidden workspaces too.
        desktop.mouse("key", "4")
        until(program, at_rest(desktop), 60, "the grid did not come to rest")
        desktop.mouse("key", "1")
        desktop.mouse("key", "ctrl+k")
        until(program, lambda: (bar(desktop.screen()) != bar(shown)).any(), 30, "Ctrl+K showed nothing")
        desktop.mouse("type", "light appearance")
        # At rest, when nothing else would ask for painting.
        until(program, at_rest(desktop), 60, "the window did not come to rest")
        listed = bar(desktop.screen())
        desktop.mouse("key", "Return")
        until(
            program,
            lambda: np.median(bar(desktop.screen())) > 200,
            30,
            f"the theme did not change what is seen (it was {np.median(listed):.0f})",
        )
        desktop.mouse("key", "ctrl+q")
        assert program.wait(60) == 0
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGKILL)
            program.wait(20)
        log.close()
    assert b"Traceback" not in (tmp_path / "program.log").read_bytes()
