"""A program read from the very bytes that were said yes to, and what it declares of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.formats.trust import Content
from igm_gui.generators.roles import HINT, Argument

KINDS = {"torchscript": "TorchScript", "export": "torch.export"}


@dataclass(frozen=True)
class Opened:
    """``typed`` says whether shapes and types of ``arguments`` are known (torch.export) or only their names
    (TorchScript). ``rows`` is how many points it takes at a time; 0 is any number."""

    program: Any
    arguments: tuple[Argument, ...]
    rows: int
    typed: bool

    @property
    def parameters(self) -> int:
        """How many numbers its weights hold."""
        return sum(parameter.numel() for parameter in self.program.parameters())


def open_program(checkpoint: Checkpoint, content: Content) -> Opened:
    """Run what the archive contains: only after the person's yes. ModelError where it can't be read."""
    try:
        return _script(content) if checkpoint.kind == "torchscript" else _export(checkpoint, content)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{checkpoint.path.name} can't be opened as {KINDS[checkpoint.kind]}.",
            "It is damaged, or was saved by another version of torch. Save it again with this one.",
            str(error),
        ) from error


def _script(content: Content) -> Opened:
    program = torch.jit.load(content.stream(), map_location="cpu").eval()
    floats = [p.dtype for p in program.parameters() if p.is_floating_point()]
    # float32 latents would be refused by a network saved in half or double precision.
    dtype = str(floats[0] if floats else torch.float32).removeprefix("torch.")
    arguments = []
    for declared in program.forward.schema.arguments[1:]:
        if declared.has_default_value():
            continue
        kind = {"int": "int", "bool": "bool"}.get(str(declared.type), "float")
        plain = str(declared.type) in ("int", "bool", "float")
        arguments.append(Argument(declared.name, kind, () if plain else (None,), dtype, plain))
    return Opened(program, tuple(arguments), 1 if any(a.plain for a in arguments) else 0, False)


def _export(checkpoint: Checkpoint, content: Content) -> Opened:
    exported = torch.export.load(content.stream())
    wanted = set(exported.graph_signature.user_inputs)
    arguments = []
    for node in exported.graph.nodes:
        if node.op != "placeholder" or node.name not in wanted:
            continue
        value = node.meta["val"]
        if not isinstance(value, Tensor):
            raise ModelError(f"The input {node.name} of {checkpoint.path.name} is no tensor.", HINT)
        kind = "float" if value.is_floating_point() else "bool" if value.dtype == torch.bool else "int"
        shape = tuple(side if isinstance(side, int) else None for side in value.shape)
        arguments.append(Argument(node.name, kind, shape, str(value.dtype).removeprefix("torch.")))
    fixed = [a.shape[0] for a in arguments if a.batched and a.shape and a.shape[0]]
    rows = 1 if any(not a.batched for a in arguments) else fixed[0] if fixed else 0
    return Opened(exported.module(), tuple(arguments), rows or 0, True)
