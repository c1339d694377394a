"""Results from the GPU into this computer's memory, without waiting for more than the copy.

Pictures become bytes on the device: a quarter of the floats to carry. They go through page-locked memory,
which the device writes to by itself, in two buffers by turns: while one piece arrives, the one before is
copied out. What is handed on is ordinary memory of its own, so that it may be kept as long as anyone likes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PIECE = 4 << 20  # bytes; a picture of 1024x1024 pixels is one piece
BUFFERS = 2


class Host(Protocol):
    """What is asked of the driver. :mod:`igm_gui.generators.cuda` has the real one."""

    def pinned(self, count: int) -> Tensor:
        """``count`` bytes of page-locked memory, uint8 (count,). RuntimeError where there are none."""
        ...

    def send(self, source: Tensor, target: Tensor) -> Callable[[], None]:
        """Start to copy ``source`` (on the device) to ``target`` (pinned), after all work asked for so far.
        What is returned waits until it has arrived, and for nothing later."""
        ...


class Readback:
    """Two page-locked buffers, made when first needed and as large as the largest piece so far."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._buffers: list[Tensor] = []
        self._pageable = False

    def clear(self) -> None:
        """Give the buffers back."""
        self._buffers = []

    def take(self, made: Tensor) -> NDArray[Any]:
        """``made`` (N, ...), any dtype that numpy has, as an array of its own."""
        made = made.contiguous()
        out = np.empty(tuple(made.shape), torch.empty(0, dtype=made.dtype).numpy().dtype)
        source, target = made.view(-1).view(torch.uint8), out.reshape(-1).view(np.uint8)
        if not source.numel():
            return out
        if not self._ready(min(source.numel(), PIECE)):
            target[:] = source.cpu().numpy()
            return out
        copied: Callable[[], None] | None = None
        for number, start in enumerate(range(0, source.numel(), PIECE)):
            piece = source[start : start + PIECE]
            buffer = self._buffers[number % BUFFERS][: piece.numel()]
            arrived = self._host.send(piece, buffer)
            if copied is not None:
                copied()
            copied = partial(_copy_out, arrived, buffer, target[start : start + PIECE])
        assert copied is not None
        copied()
        return out

    def _ready(self, count: int) -> bool:
        """Whether there are buffers of ``count`` bytes. Where the system locks no more memory, there are none
        from then on."""
        if self._pageable:
            return False
        if not self._buffers or self._buffers[0].numel() < count:
            self._buffers = []  # the old ones go first
            try:
                self._buffers = [self._host.pinned(count) for _ in range(BUFFERS)]
            except (RuntimeError, MemoryError):
                self._buffers = []
                self._pageable = True
        return not self._pageable


def _copy_out(arrived: Callable[[], None], buffer: Tensor, target: NDArray[np.uint8]) -> None:
    arrived()
    target[:] = buffer.numpy()
