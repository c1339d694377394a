"""How much memory there is, and how much a model will need, before it is loaded."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from igm_gui.errors import ModelError

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

BYTES_EACH = 4  # weights are held in float32


def physical() -> int:
    """Bytes of memory in this computer; 0 where the system does not say."""
    if sys.platform == "win32":
        return _windows()[0]
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def available() -> int:
    """Bytes that can be had without pushing others out, swap included; all of it where that is unknown."""
    if sys.platform == "win32":
        return _windows()[1]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        table = {key: int(rest.split()[0]) * 1024 for key, _, rest in (line.partition(":") for line in lines)}
        return table["MemAvailable"] + table.get("SwapFree", 0)
    except (OSError, ValueError, KeyError, IndexError):
        return physical()


def _windows() -> tuple[int, int]:
    """(physical, available) bytes from GlobalMemoryStatusEx."""
    if sys.platform != "win32":
        return 0, 0

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "page", "page_free", "virtual", "left")),
            ("extended", ctypes.c_uint64),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0, 0
    return status.total, status.page_free


def needed(path: Path) -> int:
    """Bytes that the weights at ``path`` take while they are loaded: as they are stored and as float32.

    From the header of a safetensors file, otherwise from the file's size; 0 where it can't be looked at.
    """
    from igm_gui.formats.checkpoint import read_header

    if path.is_dir():
        path = next((p for p in (path / "model.safetensors", path / "model.pt2") if p.exists()), path)
    try:
        size = path.stat().st_size if path.is_file() else 0
        if path.suffix != ".safetensors":
            return 2 * size
        numbers = 0
        for shape in read_header(path).values():
            count = 1
            for side in shape:
                count *= side
            numbers += count
        return size + BYTES_EACH * numbers
    except (OSError, ModelError):
        return 0  # opening it says what is wrong


def check(path: Path, name: str) -> None:
    """ModelError where loading ``path`` needs more memory than there is."""
    wanted, there = needed(path), available()
    if there and wanted > there:
        raise ModelError(
            f"{name} needs about {_gigabytes(wanted)} of memory while it is opened; "
            f"{_gigabytes(there)} are free.",
            "Close other programs, or open a smaller model or one saved in half precision.",
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def held(generator: TorchGenerator) -> int:
    """Bytes that a loaded generator holds: its parameters, or its file where it counts none."""
    if generator.info.parameters:
        return generator.info.parameters * BYTES_EACH
    path = Path(generator.info.path)
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def budget() -> int:
    """Bytes that loaded models may hold together: a quarter of the memory."""
    return physical() // 4
