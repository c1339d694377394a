"""Freed memory is kept: the next picture's activations cost no page faults."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A thread, as the render thread is one: glibc gives threads arenas of their own, which give memory back.
BLOCKS = """
import resource, sys, threading
from igm_gui.engine.allocator import keep_freed_memory

kept = keep_freed_memory() if sys.argv[1] == "keep" else True

import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

def picture():
    blocks = [libc.malloc(ctypes.c_size_t(size << 20)) for size in (1, 4, 16, 96, 4)]
    for block, size in zip(blocks, (1, 4, 16, 96, 4)):
        ctypes.memset(block, 1, size << 20)
    for block in blocks:
        libc.free(block)

def work():
    picture()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        picture()
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

faults = []
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(int(kept), *faults)
"""


def faults(mode: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS, mode], capture_output=True, text=True, check=True, timeout=60
    )
    kept, count = done.stdout.split()
    return int(kept), int(count)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_freed_memory_is_used_again() -> None:
    kept, count = faults("keep")
    if not kept:
        pytest.skip("another C library than glibc")
    ordinary = faults("ordinary")[1]
    # 121 MB four times over are 123,904 pages of 4 KB; larger pages make fewer faults.
    assert count < max(50, ordinary / 10)
