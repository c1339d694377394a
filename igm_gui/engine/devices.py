"""Which device renders: CUDA, Apple's MPS or the CPU."""

from __future__ import annotations

from igm_gui.errors import DeviceError

CHOICES = ("auto", "cpu", "cuda", "mps")


def available() -> tuple[str, ...]:
    """The devices this machine has, best first; always ends with ``cpu``. Imports torch."""
    import torch

    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def resolve(choice: str) -> str:
    """The device that ``choice`` means here. DeviceError where it is not on this machine."""
    devices = available()
    if choice == "auto":
        return devices[0]
    if choice not in devices:
        raise DeviceError(
            f"This machine has no {choice} device that torch can use.",
            f"Available here: {', '.join(devices)}. Choose auto to take the best.",
        )
    return choice


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a failure means that the GPU ran out of memory."""
    import torch

    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
