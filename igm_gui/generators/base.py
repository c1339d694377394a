"""What a generator is to the rest of the program.

A family builds a :class:`TorchGenerator`. Optional abilities are small protocols; the interface
looks for them by name in ``info.abilities`` and shows only what is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.errors import ModelError
from igm_gui.formats.card import card_info
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators import cuda, half
from igm_gui.generators.graphs import Graphs
from igm_gui.generators.threads import Threads, one_thread
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, Value, default_value
from igm_gui.latent.vector import Vector

Batch = dict[str, torch.Tensor]


class Network(Protocol):
    """A family's own callable: inputs by name -> tensor.

    Each latent arrives as float32 ``(N, *shape)``, a label as float32 weights ``(N, classes)``, a
    scalar as float32 ``(N,)``, a seed as int64 ``(N,)``. The answer is ``(N, C, H, W)`` within the
    output's ``low`` to ``high``, or sound ``(N, channels, samples)`` in [-1, 1].
    """

    def __call__(self, **inputs: torch.Tensor) -> torch.Tensor: ...


@runtime_checkable
class CanEncode(Protocol):
    """``encode``: the point whose rendering is closest to given media.

    ``media`` is uint8 ``(H, W, C)`` of any size, or float32 ``(channels, samples)`` at ``rate`` Hz.
    """

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint: ...


@runtime_checkable
class CanMap(Protocol):
    """``map``: z -> w, float32 ``(N, layers, w_dim)``, truncation applied."""

    def map(self, points: Sequence[LatentPoint]) -> torch.Tensor: ...


@runtime_checkable
class CanStream(Protocol):
    """``stream``: sound in blocks, with state, without clicks when the point moves."""

    def stream(self) -> SoundStream: ...


class SoundStream(Protocol):
    """One voice. ``block(point, samples)`` gives the next float32 ``(channels, samples)``."""

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]: ...


@runtime_checkable
class CanStep(Protocol):
    """``steps``: the picture as it forms, uint8 ``(H, W, C)`` from noise to done."""

    def steps(self, point: LatentPoint) -> Iterator[NDArray[np.uint8]]: ...


class TorchGenerator:
    """Points in, media out, over a torch network.

    ``prepare``, ``forward`` and ``finish`` are apart so that the forward pass alone can be timed.
    A family may override any of them; most only give a network. One thread renders, unless ``reentrant`` says
    that a call keeps nothing for the next: then exports make several batches at once.
    """

    reentrant = False

    # Whether a GPU may record the forward pass and replay it (graphs.py): no work of the CPU's in it.
    recordable = True

    # Whether loading may try how long a pass takes on one thread (threads.py): not where another library
    # shares the work among the cores, or where a pass is long.
    try_threads = True

    def __init__(self, info: GeneratorInfo, network: Any) -> None:
        self.info = info
        self.network = network
        self.device = torch.device("cpu")
        self.model_seconds = 0.0
        self.accelerator: cuda.Accelerator | None = None
        self.threads = Threads()

    def to(self, device: str) -> None:
        """Move the weights to a torch device such as ``cpu``, ``cuda`` or ``mps``."""
        self.device = torch.device(device)
        self.accelerator = cuda.accelerator(self.device)
        if isinstance(self.network, torch.nn.Module):
            self.network.to(self.device)

    def prepare(self, points: Sequence[LatentPoint]) -> Batch:
        """Points as tensors by input name (see :class:`Network`), on the generator's device.

        Amounts kept in a point as ``direction:<name>`` move their latent along that direction.
        """
        batch: Batch = {}
        for spec in self.info.inputs:
            rows = [self._value(point, spec) for point in points]
            if spec.kind in ("latent", "label"):
                array = np.stack([row.array for row in rows])  # type: ignore[union-attr]
                for direction in self.info.directions:
                    if direction.input == spec.name:
                        amounts = np.array(
                            [p.scalar(f"direction:{direction.name}") for p in points], np.float32
                        )
                        if amounts.any():
                            step = np.asarray(direction.vector, np.float32).reshape(spec.shape)
                            array = array + amounts.reshape(-1, *[1] * step.ndim) * step
                tensor = torch.from_numpy(np.ascontiguousarray(array))
            elif spec.kind == "seed":
                tensor = torch.tensor([int(row) for row in rows], dtype=torch.int64)  # type: ignore[arg-type]
            else:
                tensor = torch.tensor([float(row) for row in rows], dtype=torch.float32)  # type: ignore[arg-type]
            batch[spec.name] = tensor.to(self.device, non_blocking=True)
        for spec in self.info.edits:
            # Absent from the batch where no point has it; a NaN stands where only others have.
            given = [point.get(spec.name) for point in points]
            if any(isinstance(value, Vector) for value in given):
                none = np.full(spec.shape, np.nan, np.float32)
                array = np.stack([value.array if isinstance(value, Vector) else none for value in given])
                batch[spec.name] = torch.from_numpy(array).to(self.device, non_blocking=True)
        return batch

    @staticmethod
    def _value(point: LatentPoint, spec: InputSpec) -> Value:
        value = point.get(spec.name)
        return default_value(spec, point.seed or 0) if value is None else value

    def forward(self, batch: Batch) -> torch.Tensor:
        """The bare forward pass (see :class:`Network` for shapes and ranges)."""
        return self.network(**batch)

    def accelerated(self, batch: Batch, graphs: Graphs) -> torch.Tensor:
        """The forward pass on a GPU, replayed where that wins."""
        return graphs.run(self.forward, batch) if self.recordable else self.forward(batch)

    def convert(self, output: torch.Tensor) -> torch.Tensor:
        """Network output -> uint8 ``(N, H, W, C)`` or float32 ``(N, channels, samples)``, where it is."""
        spec = self.info.output
        if spec.media == "sound":
            return output.clamp(-1, 1).to(torch.float32)
        return to_pictures(output, spec)

    def finish(self, output: torch.Tensor) -> NDArray[np.uint8] | NDArray[np.float32]:
        """What :meth:`convert` gives, contiguous, in this computer's memory."""
        return np.ascontiguousarray(self.convert(output).cpu().numpy())

    def render(self, points: Sequence[LatentPoint]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Media for each point; ``model_seconds`` afterwards holds the forward pass's time."""
        if self.accelerator is not None:
            return self.accelerator.render(self, points)
        alone = len(points) == 1 and self.threads.alone_now()
        with torch.inference_mode():
            batch = self.prepare(points)
            with one_thread(alone):
                start = time.perf_counter()
                output = self.forward(batch)
                self.model_seconds = time.perf_counter() - start
            if len(points) == 1 and not alone:
                self.threads.took(self.model_seconds)
            return self.finish(output)


def to_pictures(output: torch.Tensor, spec: OutputSpec) -> torch.Tensor:
    """``(N, C, H, W)`` in ``spec.low`` to ``spec.high`` -> uint8 ``(N, H, W, C)``, rounded half up.

    For -1 to 1 this is ``127.5 x + 128`` cut to whole numbers, as the field's tools do. A value that is not
    a number is drawn as black, so that one bad pixel can't stop the program.
    """
    scale = 255.0 / (spec.high - spec.low)
    offset = 0.5 - spec.low * scale
    if output.device.type == "cuda" or output.is_contiguous(memory_format=torch.channels_last):
        rows = output.permute(0, 2, 3, 1).to(torch.float32)
        rows = torch.add(rows.new_tensor(offset), rows, alpha=scale)
        return rows.nan_to_num_(0.0, 255.0, 0.0).clamp_(0, 255).to(torch.uint8)
    count, channels, height, width = output.shape
    pictures = torch.empty((count, height, width, channels), dtype=torch.uint8, device=output.device)
    # Channel by channel: each stays in the processor's cache from the first step to the last, and a plane
    # written in strides is twice as fast as a permuted copy.
    for channel in range(channels):
        values = output[:, channel].to(torch.float32).mul(scale).add_(offset)
        pictures[..., channel] = values.nan_to_num_(0.0, 255.0, 0.0).clamp_(0, 255)
    return pictures


def info_from_card(
    checkpoint: Checkpoint, parameters: int = 0, abilities: tuple[str, ...] = ()
) -> GeneratorInfo:
    """The :class:`GeneratorInfo` that a folder's card describes. ModelError without a card."""
    if checkpoint.card is None:
        raise ModelError(
            f"{checkpoint.path.name} has no card.json.", "A model folder needs one: docs/model-card.md."
        )
    return card_info(checkpoint.card, checkpoint.path, checkpoint.sha256, parameters, abilities)


def load_weights(network: torch.nn.Module, checkpoint: Checkpoint) -> int:
    """Put the checkpoint's tensors in ``network``, ready for inference; returns the parameter count.

    ModelError names the first keys that are missing, not expected, or of another shape.
    """
    tensors = checkpoint.tensors
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in tensors]
    extra = [key for key in tensors if key not in wanted]
    shaped = [
        f"{key} {tuple(tensors[key].shape)}, needed {tuple(wanted[key].shape)}"
        for key in wanted
        if key in tensors and tensors[key].shape != wanted[key].shape
    ]
    if missing or extra or shaped:
        first = (
            (missing and f"{missing[0]} is missing")
            or (shaped and shaped[0])
            or f"{extra[0]} is not expected"
        )
        raise ModelError(
            f"The weights of {checkpoint.name} don't fit its card: {first}.",
            "The card's family and hyperparameters must be those the weights were trained with.",
            "\n".join(["missing: " + ", ".join(missing), "not expected: " + ", ".join(extra), *shaped]),
        )
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    if checkpoint.half:
        half.widen(network)
    return sum(parameter.numel() for parameter in network.parameters())
