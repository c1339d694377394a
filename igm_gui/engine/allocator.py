"""How the C library hands out large blocks of memory."""

from __future__ import annotations

import ctypes
import sys

# mallopt's parameters (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
LARGEST_KEPT = 32 << 20  # bytes; the most that glibc allows
KEPT = 256 << 20


def keep_freed_memory() -> bool:
    """Tell glibc to keep up to 256 MB of what was freed instead of handing it back to the kernel.

    A generator asks for the same large activations at every picture. Fresh from the kernel, each page of
    them faults once more and is zeroed, which costs a 512 x 512 network about a third of its time.
    To be called before threads start. False on other C libraries, where nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # such as musl
        return False
    # One arena for all threads: the render thread's own would give whole 64 MB heaps back all the same.
    settings = ((_MMAP_THRESHOLD, LARGEST_KEPT), (_TRIM_THRESHOLD, KEPT), (_ARENA_MAX, 1))
    taken = [mallopt(*setting) for setting in settings]  # each one, even after a refusal
    return all(taken)
