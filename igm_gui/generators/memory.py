"""How much memory there is, and how much a model will need, before it is loaded."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.files import readable, write_atomic
from igm_gui.paths import data_folder

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

BYTES_EACH = 4  # weights are held in float32
BYTES_HALF = 2
FEATURES = 4  # times the largest layer's, while a picture is made
# A pickle's bytes are there, those of its tensors are remembered until its end, and the tensors themselves.
PICKLE_TIMES, PICKLE_TIMES_HALF = 3.0, 2.5


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


def resident() -> int:
    """Bytes of memory that this process uses now (macOS: used at most so far); 0 where that is unknown."""
    if sys.platform == "win32":
        return _windows_resident()
    try:
        if sys.platform == "darwin":
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError, IndexError):
        return 0


def addresses() -> int:
    """Bytes of addresses that this process has taken; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def _windows_resident() -> int:
    if sys.platform != "win32":
        return 0

    class Counters(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "pages", "peak_pages")),
        )

    counters = Counters(length=ctypes.sizeof(Counters))
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.length):
        return 0
    return int(counters.now)


class TooLarge(ModelError):
    """A model needs more memory than there is, but would fit with its weights in half precision.

    ``sha256`` is what :func:`allow_half` takes."""

    def __init__(self, message: str, hint: str = "", details: str = "", sha256: str = "") -> None:
        super().__init__(message, hint, details)
        self.sha256 = sha256

    def __reduce__(self) -> Any:
        return type(self), (self.message, self.hint, self.details, self.sha256)


def needed(path: Path, half: bool = False) -> int:
    """Bytes that the weights at ``path`` take while they are loaded; 0 where it can't be looked at.

    They are there twice for a moment: as they were read and in the network, in float32 or, with ``half``, in
    float16. Counted by the header of a safetensors file, otherwise estimated from the file's size.
    """
    from igm_gui.formats.checkpoint import read_header

    if path.is_dir():
        path = next((p for p in (path / "model.safetensors", path / "model.pt2") if p.exists()), path)
    try:
        size = path.stat().st_size if path.is_file() else 0
        if path.suffix.lower() == ".pkl":
            return int(size * (PICKLE_TIMES_HALF if half else PICKLE_TIMES))
        if path.suffix != ".safetensors":
            return size if half else 2 * size
        numbers = sum(math.prod(shape) for shape in read_header(path).values())
        return 2 * numbers * (BYTES_HALF if half else BYTES_EACH)
    except (OSError, ModelError):
        return 0  # opening it says what is wrong


def plan(path: Path, name: str, sha256: Callable[[], str], may_halve: bool) -> bool:
    """Whether the model at ``path`` is to be loaded in half precision because it does not fit otherwise.

    ``may_halve``: its family can. TooLarge where the person has not been asked; ModelError where it does not
    even fit then.
    """
    wanted, there = needed(path), available()
    if not there or wanted <= there:
        return False
    told = f"{name} needs about {_text(wanted)} of memory while it is opened; {_text(there)} are free."
    if may_halve and needed(path, half=True) <= there:
        if sha256() in _halved():
            return True
        raise TooLarge(
            told,
            f"With its weights in half precision it needs {_text(needed(path, half=True))}; pictures "
            "and sound then differ a little. The button, or igm half, opens it so. Or close other programs.",
            sha256=sha256(),
        )
    if not may_halve and needed(path, half=True) <= there:
        raise ModelError(
            told,
            "It computes in the precision that it was exported with. Close other programs, or export it in "
            "half precision (module.half()).",
            str(path),
        )
    raise ModelError(
        told, "Close other programs, or open a smaller model or one saved in half precision.", str(path)
    )


def require_picture(name: str, numbers: int) -> None:
    """ModelError where there is no room for one picture of a network whose largest features have so many
    ``numbers``: a layer's input, its output and what lies between them."""
    wanted, there = FEATURES * BYTES_EACH * numbers, available()
    if there and wanted > there:
        raise ModelError(
            f"{name} needs about {_text(wanted)} of memory for one picture; {_text(there)} are free.",
            "Close other programs, or open a network of smaller pictures.",
        )


def _half_file() -> Path:
    return data_folder() / "half.json"


def _halved() -> dict[str, str]:
    try:
        return msgspec.json.decode(_half_file().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


def allow_half(sha256: str, name: str = "") -> None:
    """Remember that this model may be opened in half precision whenever it does not fit otherwise.
    ExportError where the data folder can't be written."""
    write_atomic(
        _half_file(), msgspec.json.format(msgspec.json.encode({**_halved(), sha256: readable(name)}))
    )


def forbid_half(sha256: str) -> bool:
    """Take that back; False where it was not allowed. ExportError where the data folder can't be written."""
    known = _halved()
    if known.pop(sha256, None) is None:
        return False
    write_atomic(_half_file(), msgspec.json.format(msgspec.json.encode(known)))
    return True


def _text(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def held(generator: TorchGenerator) -> int:
    """Bytes that a loaded generator holds: its parameters, or its file where it counts none."""
    if generator.info.parameters:
        half = generator.info.precision.startswith("float16")
        return generator.info.parameters * (BYTES_HALF if half else BYTES_EACH)
    path = Path(generator.info.path)
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def budget() -> int:
    """Bytes that loaded models may hold together: a quarter of the memory."""
    return physical() // 4
