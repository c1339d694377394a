"""Generators that come as programs: TorchScript and torch.export archives, after the person's yes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats import trust
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators import codes
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.outputs import arrange_output, pick, resolve_output
from igm_gui.generators.program.opened import KINDS, Opened, open_program
from igm_gui.generators.program.script_inputs import choices, ways
from igm_gui.generators.roles import HINT, Argument, RolesNeeded, bounded, guess_inputs, require_bound, varied
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed

__all__ = ["ProgramGenerator", "detect", "load"]


class ProgramGenerator(TorchGenerator):
    """A loaded program behind the generator's interface; its inputs go in by position.

    A program with a fixed batch renders that many points at a time, one that takes plain numbers one by one.
    """

    recordable = False  # its result is arranged on the CPU

    def __init__(self, info: GeneratorInfo, opened: Opened) -> None:
        super().__init__(info, opened.program)
        self._arguments = opened.arguments
        self._rows = opened.rows
        self._typed = opened.typed
        self.output = 0  # which of the program's outputs is shown

    def forward(self, batch: Batch) -> Tensor:
        return torch.from_numpy(arrange_output(self.raw(batch).float().cpu().numpy(), self.info.output))

    def raw(self, batch: Batch) -> Tensor:
        """The chosen output as the program gives it."""
        return self.outputs(batch)[self.output]

    def outputs(self, batch: Batch) -> list[Tensor]:
        """All outputs as the program gives them, whether it returns one, a tuple, a list or a dict."""
        count = len(next(iter(batch.values())))
        rows = self._rows or count
        if rows == count:
            return self._run(batch)
        parts = []
        for start in range(0, count, rows):
            part = {name: tensor[start : start + rows] for name, tensor in batch.items()}
            there = len(next(iter(part.values())))
            if there < rows:  # a fixed batch is filled with repetitions, whose results are left out
                more = torch.arange(rows) % there
                part = {name: tensor[more.to(tensor.device)] for name, tensor in part.items()}
            made = self._run(part)
            parts.append([tensor[:there] if rows > 1 and tensor.ndim else tensor for tensor in made])
        if rows > 1:
            return [torch.cat([torch.atleast_1d(t) for t in tensors]) for tensors in zip(*parts, strict=True)]
        # What has no axis of points ((C, H, W), (T,), a single number) gets one.
        return [
            torch.cat(tensors) if tensors[0].shape[:1] == (1,) else torch.stack(tensors)
            for tensors in zip(*parts, strict=True)
        ]

    def _run(self, batch: Batch) -> list[Tensor]:
        arguments = [
            self._fit(spec, batch[spec.name], argument)
            for spec, argument in zip(self.info.inputs, self._arguments, strict=True)
        ]
        return _tensors(self.network(*arguments), self.info.name)

    def _fit(self, spec: InputSpec, value: Tensor, argument: Argument) -> Any:
        """A value as the program wants it: its rank, its type, a class's number instead of weights."""
        if argument.plain:
            number = value.reshape(-1)[0].item()
            return {"bool": bool, "int": int}.get(argument.kind, float)(number)
        if codes.is_codes(spec):
            value = codes.chosen(spec, value)
        elif argument.kind != "float" and spec.kind == "label":
            value = value.argmax(dim=1)
        if self._typed:
            if value.ndim == 1:
                ones = [1] * (len(argument.shape) - 1)
                value = value.reshape(-1, *ones) if argument.shape else value[:1].reshape(())
            elif not argument.batched:
                value = value[0]
            return value.to(getattr(torch, argument.dtype))
        if spec.kind == "scalar" and spec.step == 1.0:
            return value.bool() if argument.kind == "bool" else value.long()
        whole = spec.kind in ("label", "seed") or codes.is_codes(spec)
        return value if whole else value.to(getattr(torch, argument.dtype))


def _tensors(given: Any, name: str) -> list[Tensor]:
    """The floating tensors that a program returned."""
    values = (
        given.values() if isinstance(given, dict) else given if isinstance(given, tuple | list) else [given]
    )
    found = [value for value in values if isinstance(value, Tensor)]
    if not found:
        raise ModelError(f"{name} gives a {type(given).__name__}, not a tensor.", HINT)
    return found


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the archive holds a program."""
    return checkpoint.kind in KINDS


def load(checkpoint: Checkpoint) -> ProgramGenerator:
    """Open the program, find its inputs' roles, measure its output. TrustNeeded before the person's
    yes; RolesNeeded where the inputs have to be asked; ModelError where it can't be used."""
    path, card = checkpoint.path, checkpoint.card
    content = trust.content(path, KINDS[checkpoint.kind])
    opened = open_program(checkpoint, content)
    info = GeneratorInfo(
        name=checkpoint.name,
        title=(card.title if card else "") or checkpoint.name,
        family="program",
        output=card.output if card else OutputSpec("image", 1, 1),
        inputs=(),
        description=(card.description if card else "") or f"A program in {KINDS[checkpoint.kind]}.",
        path=str(path),
        sha256=content.sha256,
        parameters=opened.parameters,
        licence=card.licence if card else "",
        preview_seeds=tuple(range(16)),
    )
    if not opened.arguments:
        raise ModelError(f"{path.name} takes no inputs, so there is nothing to explore.", HINT)
    notes: tuple[str, ...] = ()
    tried: Any
    if card is not None:
        if len(card.inputs) != len(opened.arguments):
            names = ", ".join(argument.name for argument in opened.arguments)
            raise ModelError(
                f"The card has {len(card.inputs)} inputs and {path.name} takes "
                f"{len(opened.arguments)}: {names}.",
                HINT,
            )
        tried = ((card.inputs, arguments) for arguments in ways(opened, card.inputs))
    elif opened.typed:
        inputs, notes = guess_inputs(path.name, opened.arguments)
        tried = iter([(inputs, opened.arguments)])
    else:
        tried = choices(opened)
    failure = ""
    for inputs, arguments in tried:
        generator = ProgramGenerator(replace(info, inputs=inputs), replace(opened, arguments=arguments))
        try:
            works = lambda *trial: _works(generator, *trial)  # noqa: B023, E731
            if card is None:
                generator.info = replace(info, inputs=bounded(inputs, works))
                require_bound(path.name, generator.info.inputs, arguments)
            else:
                wholes = [argument.kind == "int" for argument in arguments]
                generator.info = replace(info, inputs=codes.read(inputs, wholes, works))
            samples = _samples(generator)
        except RolesNeeded:
            raise
        except Exception as error:  # the program's own error: the next guess may fit
            failure = failure or str(error)
            continue
        output, note = resolve_output(path.name, samples, card.output if card else None)
        warnings = (*notes, note) if note else notes
        generator.info = replace(generator.info, output=output, warnings=warnings)
        return generator
    if card is not None:
        raise ModelError(f"{path.name} does not run with the inputs of its card.", HINT, failure)
    raise RolesNeeded(
        f"{path.name} does not run with any inputs that could be guessed.", HINT, failure, opened.arguments
    )


def _works(generator: ProgramGenerator, inputs: tuple[InputSpec, ...], name: str, number: int) -> bool:
    """Whether the program runs with ``number`` as its input ``name``."""
    generator.info = replace(generator.info, inputs=inputs)
    try:
        with torch.inference_mode():
            generator.outputs(_batch(generator, 0, {name: float(number)}))
    except IgmError:
        raise
    except Exception:  # the program's own refusal: a row that its table does not have
        return False
    return True


def _batch(generator: ProgramGenerator, seed: int, values: dict[str, float]) -> Batch:
    point = point_from_seed(generator.info, seed)
    for name, value in values.items():
        point = point.with_value(name, codes.value(generator.info.input(name), value))
    return generator.prepare([point])


def _samples(generator: ProgramGenerator) -> list[NDArray[Any]]:
    """What the program gives for four seeds; chooses the output that is shown."""
    made: list[NDArray[Any]] = []
    with torch.inference_mode():
        for seed in range(4):
            outputs = generator.outputs(_batch(generator, seed, varied(generator.info.inputs, seed)))
            if not seed:
                generator.output = pick([tuple(tensor.shape) for tensor in outputs])
            made.append(np.asarray(outputs[generator.output].float().cpu()))
    return made
