"""Any generator as ONNX, run by ONNX Runtime with the best provider present."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.formats.onnx_file import check_onnx
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.roles import HINT, Argument, arrange_output, guess_inputs, guess_output
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent.point import point_from_seed

__all__ = ["OnnxGenerator", "detect", "load"]

PROVIDERS = (
    "CUDAExecutionProvider",
    "CoreMLExecutionProvider",
    "DmlExecutionProvider",
    "CPUExecutionProvider",
)
TYPES: dict[str, tuple[str, Any]] = {
    "tensor(float)": ("float", np.float32),
    "tensor(float16)": ("float", np.float16),
    "tensor(double)": ("float", np.float64),
    "tensor(int64)": ("int", np.int64),
    "tensor(int32)": ("int", np.int32),
    "tensor(bool)": ("bool", np.bool_),
}


class OnnxGenerator(TorchGenerator):
    """An ONNX Runtime session behind the generator's interface.

    It stays on the provider it was opened with: ``to`` moves nothing. A graph whose batch is fixed to one
    renders its points one by one.
    """

    def __init__(self, info: GeneratorInfo, session: Any) -> None:
        super().__init__(info, None)
        self._session = session
        self._nodes = {node.name: node for node in session.get_inputs()}
        self._output = session.get_outputs()[0].name
        self._single = any(node.shape and node.shape[0] == 1 for node in self._nodes.values())

    def to(self, device: str) -> None:
        """Nothing to move: the provider was chosen when the file was opened."""

    def forward(self, batch: Batch) -> torch.Tensor:
        arrays = {name: tensor.numpy() for name, tensor in batch.items()}
        return torch.from_numpy(arrange_output(self.raw(arrays), self.info.output))

    def raw(self, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """The first output as the graph gives it, for inputs with a first axis of points."""
        count = len(next(iter(arrays.values())))
        if self._single and count > 1:
            rows = [self._run({k: v[i : i + 1] for k, v in arrays.items()}) for i in range(count)]
            return np.concatenate(rows)
        return self._run(arrays)

    def _run(self, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
        feeds = {}
        for name, node in self._nodes.items():
            value = arrays[name].astype(TYPES[node.type][1])
            # A knob arrives as (N,); the graph may want (), (N,) or (N, 1).
            if value.ndim == 1:
                value = (
                    value.reshape(()) if not node.shape else value.reshape(-1, *[1] * (len(node.shape) - 1))
                )
            feeds[name] = np.ascontiguousarray(value) if node.shape else value
        result: NDArray[Any] = self._session.run([self._output], feeds)[0]
        return result


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the file was read as ONNX."""
    return checkpoint.kind == "onnx"


def _session(path: Path) -> Any:
    check_onnx(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"{path.name} is an ONNX file, and ONNX Runtime is not installed.",
            "Install it in the program's environment: pip install onnxruntime.",
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    present = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(str(path), options, [p for p in PROVIDERS if p in present])
    except Exception as error:
        raise ModelError(
            f"{path.name} can't be run by ONNX Runtime.",
            "It is damaged, or uses operators that this version doesn't have. Export it again.",
            str(error),
        ) from error


def load(checkpoint: Checkpoint) -> OnnxGenerator:
    """Open the session, work out the inputs' roles, measure the output. ModelError says why not."""
    path, card = checkpoint.path, checkpoint.card
    session = _session(path)
    nodes = session.get_inputs()
    for node in nodes:
        if node.type not in TYPES:
            raise ModelError(f"The input {node.name} of {path.name} is a {node.type}.", HINT)
    if card is not None:
        inputs = card.inputs
        if {spec.name for spec in inputs} != {node.name for node in nodes}:
            wanted = ", ".join(node.name for node in nodes)
            raise ModelError(f"The card's inputs are not those of {path.name}, which are {wanted}.", HINT)
    else:
        inputs = guess_inputs(path.name, [_argument(node) for node in nodes])
    info = GeneratorInfo(
        name=checkpoint.name,
        title=(card.title if card else "") or checkpoint.name,
        family="onnx",
        output=card.output if card else OutputSpec("image", 1, 1),
        inputs=inputs,
        description=(card.description if card else "") or "An ONNX graph, run by ONNX Runtime.",
        path=str(path),
        sha256=checkpoint.sha256,
        licence=card.licence if card else "",
        preview_seeds=tuple(range(16)),
    )
    generator = OnnxGenerator(info, session)
    samples = _samples(generator)
    if card is None:
        output, note = guess_output(path.name, samples)
        generator.info = replace(info, output=output, warnings=(note,))
    return generator


def _argument(node: Any) -> Argument:
    shape = tuple(side if isinstance(side, int) else None for side in node.shape)
    return Argument(node.name, TYPES[node.type][0], shape)


def _samples(generator: OnnxGenerator) -> list[NDArray[Any]]:
    """What the graph gives for four seeds. ModelError where it does not run."""
    try:
        made = []
        for seed in range(4):
            batch = generator.prepare([point_from_seed(generator.info, seed)])
            made.append(generator.raw({name: tensor.numpy() for name, tensor in batch.items()}))
        return made
    except Exception as error:
        raise ModelError(
            f"{generator.info.name} does not run with the inputs found.", HINT, str(error)
        ) from error
