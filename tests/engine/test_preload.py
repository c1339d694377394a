"""torch's libraries come into the process without anybody waiting for the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "RTLD_NOW"), reason="torch does it by itself on Windows")

BEATS = """
import sys, threading, time
sys.setswitchinterval(5e-4)
beats, over = [], threading.Event()

def beat():
    while not over.is_set():
        beats.append(time.perf_counter())
        time.sleep(0.001)

thread = threading.Thread(target=beat)
thread.start()
from igm_gui.engine.preload import preload_torch
begun = time.perf_counter()
mapped = preload_torch()
ended = time.perf_counter()
over.set()
thread.join()
assert "torch" not in sys.modules
print(mapped, sum(begun < b < ended for b in beats) / ((ended - begun) * 1000))
import torch
assert torch.ones(3).sum() == 3
assert preload_torch() == 0
"""


def run(code: str, *path: Path) -> list[str]:
    root = Path(__file__).parents[2]
    search = os.pathsep.join(str(p) for p in (*path, root))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": search},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_other_threads_go_on_meanwhile() -> None:
    mapped, beats_a_millisecond = run(BEATS)
    assert int(mapped) >= 2
    # Held, the interpreter would let no beat through but the first.
    assert float(beats_a_millisecond) > 0.1


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF no library"])
def test_a_torch_without_its_libraries_is_left_to_itself(tmp_path: Path, content: bytes | None) -> None:
    lib = tmp_path / "torch" / "lib"
    lib.mkdir(parents=True)
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('imported')")
    if content is not None:
        for suffix in (".so", ".dylib"):
            (lib / f"libtorch_global_deps{suffix}").write_bytes(content)
    assert run("from igm_gui.engine.preload import preload_torch; print(preload_torch())", tmp_path) == ["0"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_they_are_there_before_the_first_render_imports_torch() -> None:
    code = """
import sys
found = []

def hook(event, args):
    if event == "import" and args[0] == "torch" and not found:
        found.append("libtorch_cpu" in open("/proc/self/maps").read())

sys.addaudithook(hook)
from igm_gui.engine.renderer import Renderer
Renderer().generator("uniform-pixels")
print(found[0])
"""
    assert run(code) == ["True"]
