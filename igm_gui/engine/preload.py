"""torch's libraries, mapped into the process before torch is imported, without holding the interpreter."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

# As torch itself opens them: its dependencies for everyone, the rest for whoever links with it.
GLOBAL = "libtorch_global_deps"
LOCAL = ("libtorch_cpu",)
CUDA = "libtorch_cuda"


def preload_torch() -> int:
    """Map torch's largest libraries; how many were. Never raises.

    ``import torch`` does it too, but holds the interpreter for the 0.15 s and more (seconds from a cold disk)
    that the dynamic linker takes, and the window stands still. The linker called as a foreign function
    lets other threads go on, and finds its work done afterwards. On Windows torch does so by itself.
    Nothing is done where torch is missing, loaded already, or has its libraries elsewhere.
    """
    if "torch" in sys.modules or not hasattr(os, "RTLD_NOW"):
        return 0
    try:
        spec = importlib.util.find_spec("torch")
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        # Not ctypes.CDLL(name): that one keeps the interpreter while it opens.
        opener = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError, ImportError, ValueError):
        return 0
    opener.restype = ctypes.c_void_p
    opener.argtypes = [ctypes.c_char_p, ctypes.c_int]
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    names = [GLOBAL, *LOCAL]
    if not os.environ.get("LD_LIBRARY_PATH"):  # with it, torch looks after CUDA's libraries first
        names.append(CUDA)
    mapped = 0
    for place in places[:1]:
        for name in names:
            path = Path(place) / "lib" / (name + suffix)
            if not path.is_file():
                continue
            flags = os.RTLD_NOW | (os.RTLD_GLOBAL if name == GLOBAL else os.RTLD_LOCAL)
            if not opener(os.fsencode(path), flags):
                break  # torch has ways of its own to find what is missing
            mapped += 1
    return mapped
