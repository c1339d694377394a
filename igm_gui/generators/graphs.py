"""Networks recorded once and replayed: CUDA graphs, where they win.

On a GPU a small network is bound by the time that Python and the driver need to start its many kernels. A
graph starts them all at once. It works on fixed addresses: inputs are copied into its own, and the result is
read from its own. A network that waits for the device, or asks the CPU for something, can't be recorded.

What can be told without a GPU is tested without one: the device is behind :class:`Device`.
"""

from __future__ import annotations

import statistics
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from igm_gui.errors import IgmError

Batch = dict[str, Tensor]
Network = Callable[[Batch], Tensor]

KEPT = 4  # recordings: each holds a network's activations
LEAST_GAIN = 1.1  # below, the plain way stays: it needs no memory of its own
ROUNDS = 3
TOLERANCE = 0.02  # of the largest value; kernels chosen while recording may sum in another order


class Device(Protocol):
    """What is asked of a GPU. :mod:`igm_gui.generators.cuda` has the real one."""

    def record(self, run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Warm ``run`` up, record it: (what replays it, the tensor that each replay writes). RuntimeError
        where it can't be recorded; the device is usable afterwards."""
        ...

    def seconds(self, run: Callable[[], object]) -> float:
        """How long ``run`` takes, its work on the device included."""
        ...


@dataclass
class _Recording:
    inputs: Batch
    replay: Callable[[], None] | None = None  # None until a second request of the same shapes
    output: Tensor | None = None


class Graphs:
    """Recordings of one network, one for each set of shapes; ``failure`` says why there are none.

    The first request of a set of shapes is run plainly. At the second, the network is recorded with the
    inputs of the first, replayed with those of the second and held against the plain run: the recording is
    used if it gives the same and is faster by a tenth. What fails is not tried again until :meth:`clear`.
    """

    def __init__(self, device: Device, kept: int = KEPT) -> None:
        self._device = device
        self._kept = kept
        self._recordings: OrderedDict[Hashable, _Recording] = OrderedDict()
        self._plain: set[Hashable] = set()  # no gain was measured
        self.failure = ""

    def clear(self) -> None:
        """Forget everything: the weights, their precision or their device changed."""
        self._recordings.clear()
        self._plain.clear()
        self.failure = ""

    def give_up(self, why: str) -> bool:
        """Record nothing from now on, and give back what recordings hold; False where they hold nothing."""
        held = any(recording.replay is not None for recording in self._recordings.values())
        self._recordings.clear()
        self.failure = why
        return held

    def run(self, network: Network, batch: Batch, plainly: Callable[[], Tensor] | None = None) -> Tensor:
        """``network(batch)``, replayed where that wins. The result is overwritten by the next run.

        ``plainly`` is used in place of ``network`` where nothing is replayed: it may know shorter ways.
        An error of the network's own is raised as it is.
        """
        plainly = plainly or (lambda: network(batch))
        key = tuple((name, tuple(t.shape), t.dtype) for name, t in sorted(batch.items()))
        if self.failure or key in self._plain:
            return plainly()
        recording = self._recordings.get(key)
        if recording is None:
            self._recordings[key] = _Recording({name: t.clone() for name, t in batch.items()})
            while len(self._recordings) > self._kept:
                self._recordings.popitem(last=False)
            return plainly()
        self._recordings.move_to_end(key)
        if recording.replay is not None:
            return self._replay(recording, batch)
        output = plainly()
        self._try(key, recording, network, batch)
        return output

    def _replay(self, recording: _Recording, batch: Batch) -> Tensor:
        for name, tensor in batch.items():
            recording.inputs[name].copy_(tensor, non_blocking=True)
        assert recording.replay is not None
        assert recording.output is not None
        recording.replay()
        return recording.output

    def _try(self, key: Hashable, recording: _Recording, network: Network, batch: Batch) -> None:
        """Record, and keep it if it is right and faster."""
        wanted = network(batch).clone()
        try:
            recording.replay, recording.output = self._device.record(lambda: network(recording.inputs))
            seen = self._replay(recording, batch)
            if seen.shape != wanted.shape or not _close(seen, wanted):
                raise RuntimeError("a replay gave something else than the network")
            gain = self._time(lambda: network(batch)) / self._time(lambda: self._replay(recording, batch))
        except IgmError:
            raise
        except (RuntimeError, NotImplementedError, MemoryError) as error:
            # Also where the GPU's memory is full: the plain way needs less.
            self.give_up(str(error).splitlines()[0] if str(error) else type(error).__name__)
            return
        if gain < LEAST_GAIN:
            del self._recordings[key]
            self._plain.add(key)

    def _time(self, run: Callable[[], object]) -> float:
        return statistics.median(self._device.seconds(run) for _ in range(ROUNDS))


def _close(seen: Tensor, wanted: Tensor) -> bool:
    """Whether both are the same but for rounding; NaN is like NaN."""
    largest = wanted.nan_to_num(0.0, 0.0, 0.0).abs().max() if wanted.numel() else wanted.new_zeros(())
    return torch.allclose(
        seen.float(), wanted.float(), rtol=0.0, atol=max(TOLERANCE * float(largest), 1e-6), equal_nan=True
    )
