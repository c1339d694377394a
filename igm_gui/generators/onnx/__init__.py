"""Any generator as ONNX, run by ONNX Runtime with the best provider present."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.formats.files import plain_path
from igm_gui.formats.onnx_contents import read_graph
from igm_gui.formats.onnx_file import check_onnx
from igm_gui.generators import codes
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.outputs import arrange_output, pick, resolve_output
from igm_gui.generators.roles import HINT, Argument, RolesNeeded, bounded, guess_inputs, require_bound, varied
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
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
    "tensor(int16)": ("int", np.int16),
    "tensor(int8)": ("int", np.int8),
    "tensor(uint64)": ("int", np.uint64),
    "tensor(uint32)": ("int", np.uint32),
    "tensor(uint16)": ("int", np.uint16),
    "tensor(uint8)": ("int", np.uint8),
    "tensor(bool)": ("bool", np.bool_),
}


class OnnxGenerator(TorchGenerator):
    """An ONNX Runtime session behind the generator's interface.

    It stays on the provider it was opened with: ``to`` moves nothing. A graph whose batch is fixed renders
    that many points at a time.
    """

    try_threads = False  # ONNX Runtime has its own

    def __init__(self, info: GeneratorInfo, session: Any, arguments: tuple[Argument, ...]) -> None:
        super().__init__(info, None)
        self._session = session
        self._arguments = arguments
        self.output = 0  # which of the graph's outputs is shown
        fixed = [a.shape[0] for a in arguments if a.batched and a.shape and a.shape[0]]
        # Points at a time; 0 is any number. Without any axis of points it is one.
        self._rows = fixed[0] if fixed else 0 if any(a.batched and a.shape for a in arguments) else 1

    def to(self, device: str) -> None:
        """Nothing to move: the provider was chosen when the file was opened."""

    def forward(self, batch: Batch) -> torch.Tensor:
        arrays = {name: tensor.numpy() for name, tensor in batch.items()}
        return torch.from_numpy(arrange_output(self.raw(arrays), self.info.output))

    def raw(self, arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """The chosen output as the graph gives it, for inputs with a first axis of points."""
        return self.outputs(arrays)[self.output]

    def outputs(self, arrays: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """All outputs as the graph gives them."""
        count = len(next(iter(arrays.values())))
        rows = self._rows or count
        if rows == count:
            return self._run(arrays)
        parts = []
        for start in range(0, count, rows):
            part = {name: array[start : start + rows] for name, array in arrays.items()}
            there = len(next(iter(part.values())))
            if there < rows:  # a fixed batch is filled with repetitions, whose results are left out
                part = {name: np.resize(array, (rows, *array.shape[1:])) for name, array in part.items()}
            made = self._run(part)
            parts.append([array[:there] if rows > 1 and array.ndim > 1 else array for array in made])
        if any(array.ndim and array.shape[0] != 1 and rows == 1 for array in parts[0]):
            # Outputs without an axis of points: (C, H, W) or (T,).
            return [np.stack(arrays) for arrays in zip(*parts, strict=True)]
        return [np.concatenate([np.atleast_1d(a) for a in arrays]) for arrays in zip(*parts, strict=True)]

    def _run(self, arrays: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        specs = {spec.name: spec for spec in self.info.inputs}
        feeds = {}
        for argument in self._arguments:
            value = arrays[argument.name]
            spec = specs.get(argument.name)
            if spec is not None and codes.is_codes(spec):
                value = codes.chosen(spec, torch.from_numpy(value)).numpy()
            elif argument.kind != "float" and spec is not None and spec.kind == "label":
                value = value.argmax(axis=1)  # a class's number
            value = value.astype(argument.dtype)
            if value.ndim == 1:
                # A knob arrives as (N,); the graph may want (), (N,) or (N, 1).
                ones = [1] * (len(argument.shape) - 1)
                value = value.reshape(-1, *ones) if argument.shape else value[:1].reshape(())
            elif not argument.batched:
                value = value[0]
            feeds[argument.name] = np.ascontiguousarray(value) if value.ndim else value
        result: list[NDArray[Any]] = self._session.run(None, feeds)
        return [np.asarray(array) for array in result]


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
        with plain_path(path) as name:
            return onnxruntime.InferenceSession(name, options, [p for p in PROVIDERS if p in present])
    except Exception as error:
        raise ModelError(
            f"{path.name} can't be run by ONNX Runtime.",
            "It is damaged, or uses operators that this version doesn't have. Export it again.",
            str(error),
        ) from error


def load(checkpoint: Checkpoint) -> OnnxGenerator:
    """Open the session, work out the inputs' roles, measure the output. ModelError says why not,
    RolesNeeded what has to be asked."""
    path, card = checkpoint.path, checkpoint.card
    session = _session(path)
    arguments = tuple(_argument(path, node) for node in session.get_inputs())
    if not arguments:
        raise ModelError(f"{path.name} takes no inputs, so there is nothing to explore.", HINT)
    notes: tuple[str, ...] = ()
    if card is not None:
        inputs = card.inputs
        if {spec.name for spec in inputs} != {argument.name for argument in arguments}:
            wanted = ", ".join(argument.name for argument in arguments)
            raise ModelError(f"The card's inputs are not those of {path.name}, which are {wanted}.", HINT)
    else:
        inputs, notes = guess_inputs(path.name, arguments, "onnx")
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
    generator = OnnxGenerator(info, session, arguments)
    works = lambda *trial: _works(generator, *trial)  # noqa: E731
    if card is None:
        generator.info = replace(info, inputs=bounded(inputs, works))
        require_bound(path.name, generator.info.inputs, arguments, "onnx")
    else:
        kinds = {argument.name: argument.kind for argument in arguments}
        wholes = [kinds[spec.name] == "int" for spec in inputs]
        generator.info = replace(info, inputs=codes.read(inputs, wholes, works))
    try:
        samples = _samples(generator)
    except RolesNeeded as error:
        if card is None:
            raise
        raise ModelError(
            f"{path.name} does not run with the inputs of its card.", HINT, error.details
        ) from error
    weights = [layer for layer in read_graph(path).layers if "float" in layer.dtype]
    generator.info = replace(
        generator.info,
        parameters=sum(layer.size for layer in weights),
        precision=", ".join(dict.fromkeys(layer.dtype for layer in weights)) or "float32",
    )
    names = [node.name for node in session.get_outputs()]
    if len(names) > 1:
        shown = names[generator.output]
        notes = (*notes, f"Of its {len(names)} outputs ({', '.join(names)}), {shown} is shown.")
    output, note = resolve_output(path.name, samples, card.output if card else None)
    warnings = (*notes, note) if note else notes
    generator.info = replace(generator.info, output=output, warnings=warnings)
    return generator


def _argument(path: Path, node: Any) -> Argument:
    if node.type not in TYPES:
        raise ModelError(f"The input {node.name} of {path.name} is a {node.type}.", HINT)
    kind, dtype = TYPES[node.type]
    shape = tuple(side if isinstance(side, int) and side > 0 else None for side in node.shape)
    return Argument(node.name, kind, shape, np.dtype(dtype).name)


def _arrays(generator: OnnxGenerator, seed: int, values: dict[str, float]) -> dict[str, NDArray[Any]]:
    point = point_from_seed(generator.info, seed)
    for name, value in values.items():
        point = point.with_value(name, codes.value(generator.info.input(name), value))
    return {name: tensor.numpy() for name, tensor in generator.prepare([point]).items()}


def _works(generator: OnnxGenerator, inputs: tuple[InputSpec, ...], name: str, number: int) -> bool:
    """Whether the graph runs with ``number`` as its input ``name``."""
    generator.info = replace(generator.info, inputs=inputs)
    try:
        generator.outputs(_arrays(generator, 0, {name: float(number)}))
    except IgmError:
        raise
    except Exception:  # the graph's own refusal: a row that its table does not have
        return False
    return True


def _samples(generator: OnnxGenerator) -> list[NDArray[Any]]:
    """What the graph gives for four seeds; chooses the output that is shown. RolesNeeded where it does
    not run with the inputs found."""
    made = []
    try:
        for seed in range(4):
            values = varied(generator.info.inputs, seed)
            outputs = generator.outputs(_arrays(generator, seed, values))
            if not seed:
                generator.output = pick([array.shape for array in outputs])
            made.append(outputs[generator.output])
    except Exception as error:
        raise RolesNeeded(
            f"{generator.info.name} does not run with the inputs found.",
            HINT,
            str(error),
            generator._arguments,
            "onnx",
        ) from error
    return made
