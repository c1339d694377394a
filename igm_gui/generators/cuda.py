"""A GPU's own ways: recorded networks, pictures made into bytes there, waiting by events.

:class:`Cuda` is the thin part that only a GPU can run. :class:`Accelerator` is how a generator renders there;
the rest, and what decides, is in :mod:`graphs` and :mod:`readback`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.generators.graphs import Device, Graphs
from igm_gui.generators.readback import Host, Readback

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator
    from igm_gui.latent.point import LatentPoint

WARM_UPS = 3  # libraries choose their kernels and take their memory in the first runs


class Mark(Protocol):
    """A moment in the device's order of work."""

    def elapsed_time(self, end: Any) -> float:
        """Milliseconds from this to ``end``; both must have passed."""
        ...

    def synchronize(self) -> None:
        """Wait for this moment."""
        ...


class Gpu(Device, Host, Protocol):
    """Everything asked of a device."""

    def mark(self) -> Mark:
        """This moment in the device's order of work."""
        ...


class Cuda:
    """One CUDA device (or AMD's, which torch calls so too)."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def record(self, run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        current, side = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                run()
        current.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        try:
            # Live sound may use the device from a thread of its own meanwhile; only this one must behave.
            with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
                output = run()
        finally:
            torch.cuda.set_stream(current)  # torch itself stays on the other one where recording failed
        return graph.replay, output

    def seconds(self, run: Callable[[], object]) -> float:
        start = self.mark()
        run()
        end = self.mark()
        end.synchronize()
        return start.elapsed_time(end) / 1000

    def pinned(self, count: int) -> Tensor:
        return torch.empty(count, dtype=torch.uint8, pin_memory=True)

    def send(self, source: Tensor, target: Tensor) -> Callable[[], None]:
        target.copy_(source, non_blocking=True)
        # Waiting for an event lets go of the interpreter, and returns before later work is done.
        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self._device))
        return event.synchronize

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event


class Accelerator:
    """Renders a generator whose weights are on a GPU."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self.graphs = Graphs(gpu)
        self._readback = Readback(gpu)

    def clear(self) -> None:
        """The weights, their precision or their device changed."""
        self.graphs.clear()
        self._readback.clear()

    def render(self, generator: TorchGenerator, points: Sequence[LatentPoint]) -> NDArray[Any]:
        """Media of ``points`` as ``generator.render`` gives them; sets ``model_seconds``."""
        with torch.inference_mode():
            batch = generator.prepare(points)
            start = self._gpu.mark()
            try:
                output = generator.accelerated(batch, self.graphs)
            except torch.OutOfMemoryError:
                if not self.graphs.give_up("the device's memory is full"):
                    raise
                output = generator.accelerated(batch, self.graphs)
            end = self._gpu.mark()
            if output.device != generator.device:  # a program's own way back
                end.synchronize()
                media = generator.finish(output)
            else:
                media = self._readback.take(generator.convert(output))
            # The copy was asked for after the end, and it has arrived.
            generator.model_seconds = start.elapsed_time(end) / 1000
            return media


def accelerator(device: torch.device) -> Accelerator | None:
    """How to render on ``device``; None where there is no other way than on the CPU."""
    return Accelerator(Cuda(device)) if device.type == "cuda" else None
