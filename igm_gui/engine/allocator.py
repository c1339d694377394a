"""How the C library hands out large blocks of memory."""

from __future__ import annotations

import ctypes
import os
import sys

# mallopt's parameters (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
LARGEST_KEPT = 256 << 20  # bytes of one block: the activations of 64 channels at 1024 x 1024
LARGEST_ALLOWED = 32 << 20  # the most that glibc took before 2.35
KEPT = 1 << 30


def kept_bytes() -> int:
    """How much freed memory is kept: 1 GB, or an eighth of the machine's memory where that is less."""
    return min(KEPT, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8)


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory (:func:`kept_bytes`) instead of handing it back to the kernel.

    A generator asks for the same large activations at every picture. Fresh from the kernel, each page of
    them faults once more and is zeroed, which costs networks of 512 x 512 and more a third to a half of their
    time. To be called before threads start. False on other C libraries, where nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # such as musl
        return False
    largest = mallopt(_MMAP_THRESHOLD, LARGEST_KEPT) or mallopt(_MMAP_THRESHOLD, LARGEST_ALLOWED)
    trim = mallopt(_TRIM_THRESHOLD, kept_bytes())
    # One arena for all threads: the render thread's own would give whole 64 MB heaps back all the same.
    return all((largest, trim, mallopt(_ARENA_MAX, 1)))
