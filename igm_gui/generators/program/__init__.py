"""Generators that come as programs: TorchScript and torch.export archives, after the person's yes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.roles import HINT, Argument, arrange_output, guess_inputs, guess_output
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed

__all__ = ["ProgramGenerator", "detect", "load"]

KINDS = {"torchscript": "TorchScript", "export": "torch.export"}
MAX_TRIES = 64


class ProgramGenerator(TorchGenerator):
    """A loaded program behind the generator's interface; its inputs go in by position.

    ``single`` renders points one by one, for a program whose batch is fixed to one.
    """

    def __init__(
        self, info: GeneratorInfo, program: Any, single: bool = False, widths: tuple[int, ...] = ()
    ) -> None:
        super().__init__(info, program)
        self._single = single
        self._widths = widths  # the rank that each input wants

    def forward(self, batch: Batch) -> Tensor:
        return torch.from_numpy(arrange_output(self.raw(batch).float().cpu().numpy(), self.info.output))

    def raw(self, batch: Batch) -> Tensor:
        """The first output as the program gives it."""
        count = len(next(iter(batch.values())))
        if self._single and count > 1:
            return torch.cat([self._run({k: v[i : i + 1] for k, v in batch.items()}) for i in range(count)])
        return self._run(batch)

    def _run(self, batch: Batch) -> Tensor:
        arguments = []
        for spec, rank in itertools.zip_longest(self.info.inputs, self._widths):
            value = batch[spec.name]
            if rank is not None and value.ndim == 1:
                value = value.reshape(()) if rank == 0 else value.reshape(-1, *[1] * (rank - 1))
            if spec.kind == "scalar" and spec.step == 1.0:
                value = value.long()
            arguments.append(value)
        given = self.network(*arguments)
        given = given[0] if isinstance(given, tuple | list) else given
        if not isinstance(given, Tensor):
            raise ModelError(f"{self.info.name} gives a {type(given).__name__}, not a tensor.", HINT)
        return given


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the archive holds a program."""
    return checkpoint.kind in KINDS


def load(checkpoint: Checkpoint) -> ProgramGenerator:
    """Open the program, find its inputs' roles, measure its output. TrustNeeded before the person's
    yes; ModelError where it can't be used."""
    trust.require(checkpoint.path, checkpoint.sha256, KINDS[checkpoint.kind])
    path, card = checkpoint.path, checkpoint.card
    opened = _open_script(checkpoint) if checkpoint.kind == "torchscript" else _open_export(checkpoint)
    program, arguments, single = opened
    info = GeneratorInfo(
        name=checkpoint.name,
        title=(card.title if card else "") or checkpoint.name,
        family="program",
        output=card.output if card else OutputSpec("image", 1, 1),
        inputs=(),
        description=(card.description if card else "") or f"A program in {KINDS[checkpoint.kind]}.",
        path=str(path),
        sha256=checkpoint.sha256,
        parameters=_parameters(program),
        licence=card.licence if card else "",
        preview_seeds=tuple(range(16)),
    )
    ranks = tuple(len(a.shape) for a in arguments) if arguments and checkpoint.kind == "export" else ()
    choices: Iterator[tuple[InputSpec, ...]]
    if card is not None:
        choices = iter([card.inputs])
    elif checkpoint.kind == "export":
        choices = iter([guess_inputs(path.name, arguments)])
    else:
        choices = _script_choices(path.name, program, [a.name for a in arguments])
    failure = ""
    for inputs in itertools.islice(choices, MAX_TRIES):
        generator = ProgramGenerator(replace(info, inputs=inputs), program, single, ranks)
        try:
            samples = _samples(generator)
        except Exception as error:  # the program's own error: the next guess may fit
            failure = failure or str(error)
            continue
        if card is None:
            output, note = guess_output(path.name, samples)
            generator.info = replace(generator.info, output=output, warnings=(note,))
        return generator
    raise ModelError(f"{path.name} does not run with any inputs that could be guessed.", HINT, failure)


def _samples(generator: ProgramGenerator) -> list[np.ndarray[Any, Any]]:
    with torch.inference_mode():
        made = []
        for seed in range(4):
            batch = generator.prepare([point_from_seed(generator.info, seed)])
            made.append(generator.raw(batch).float().numpy())
        return made


def _open_script(checkpoint: Checkpoint) -> tuple[Any, list[Argument], bool]:
    try:
        program = torch.jit.load(str(checkpoint.path), map_location="cpu").eval()
        names = [a.name for a in program.forward.schema.arguments[1:] if not a.has_default_value()]
    except Exception as error:
        raise ModelError(
            f"{checkpoint.path.name} can't be opened as TorchScript.",
            "Save it again with this torch's version.",
            str(error),
        ) from error
    return program, [Argument(name, "float", (None,)) for name in names], False


def _open_export(checkpoint: Checkpoint) -> tuple[Any, list[Argument], bool]:
    try:
        exported = torch.export.load(str(checkpoint.path))
        wanted = set(exported.graph_signature.user_inputs)
        values = [n.meta["val"] for n in exported.graph.nodes if n.op == "placeholder" and n.name in wanted]
        names = [n.name for n in exported.graph.nodes if n.op == "placeholder" and n.name in wanted]
        program = exported.module()
    except Exception as error:
        raise ModelError(
            f"{checkpoint.path.name} can't be opened as a torch.export archive.",
            "Save it again with this torch's version.",
            str(error),
        ) from error
    arguments = []
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, Tensor):
            raise ModelError(f"The input {name} of {checkpoint.path.name} is no tensor.", HINT)
        kind = "float" if value.is_floating_point() else "bool" if value.dtype == torch.bool else "int"
        shape = tuple(side if isinstance(side, int) else None for side in value.shape)
        arguments.append(Argument(name, kind, shape))
    return program, arguments, any(a.shape[:1] == (1,) for a in arguments)


def _script_choices(file: str, program: Any, names: list[str]) -> Iterator[tuple[InputSpec, ...]]:
    """Input shapes to try for a TorchScript: it declares names only, so the weights' shapes are the clue."""
    if not names:
        raise ModelError(f"{file} takes no inputs, so there is nothing to explore.", HINT)
    into: dict[int, None] = {}  # what layers take: the latent's size, a one-hot label's
    rows: dict[int, None] = {}  # an embedding's rows: how many classes
    for tensor in itertools.chain(program.parameters(), program.buffers()):
        if tensor.ndim == 2:
            into[tensor.shape[1]] = None
            rows[tensor.shape[0]] = None
        elif tensor.ndim == 4:
            into[tensor.shape[0]] = None
    for size in list(into)[:6]:
        top = float(max(next(iter(rows), 10) - 1, 1))
        roles = [
            {"kind": "scalar", "title": "Class", "maximum": top, "step": 1.0},
            *({"kind": "label", "title": "Class", "classes": _classes(n)} for n in into if n != size),
            {"kind": "scalar", "minimum": -1.0, "maximum": 1.0},
        ]
        for shape in ((size,), (size, 1, 1)):
            first = InputSpec(names[0], "latent", shape=shape)
            for role in roles if len(names) > 1 else [{}]:
                yield (first, *(InputSpec(name, **role) for name in names[1:]))  # type: ignore[arg-type]


def _classes(count: int) -> tuple[str, ...]:
    return tuple(f"class {i}" for i in range(min(count, 1000)))


def _parameters(program: Any) -> int:
    return sum(parameter.numel() for parameter in program.parameters())
