"""A person's own PyTorch module as a model folder: ``model.pt2`` (torch.export) and ``card.json``."""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.card import Card, card_json, parse_card, write_card
from igm_gui.formats.files import write_atomic
from igm_gui.generators import codes
from igm_gui.generators.outputs import guess_output
from igm_gui.generators.roles import varied
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent.priors import draw

PROGRAM = "model.pt2"


def export_generator(
    module: nn.Module,
    folder: str | Path,
    *,
    inputs: Sequence[InputSpec],
    output: OutputSpec | None = None,
    name: str = "",
    title: str = "",
    description: str = "",
    licence: str = "",
) -> Path:
    """Write ``module`` as a model folder that the program opens; answers the folder.

    ``module(*inputs)`` is called with one tensor for each of ``inputs``, in their order: a latent float32
    ``(N, *shape)``, a label float32 weights ``(N, classes)``, a scalar float32 ``(N,)`` (int64 with
    ``step`` 1), a seed int64 ``(N,)``. A latent with ``step`` 1 arrives as codes, int64 ``(N, *shape)``
    from 0 to its ``maximum``, as a VQ-VAE's decoder takes them. It returns pictures ``(N, C, H, W)`` or sound
    ``(N, samples)`` or ``(N, channels, samples)``. ``output`` is measured where it is not given (a sound's
    rate can't be).
    What is written is a program; as it was made here, it opens without being asked about.

    ModelError where the module can't be traced, ExportError where the folder can't be written.
    """
    folder = Path(folder).expanduser().resolve()
    specs = tuple(inputs)
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"A {type(module).__name__} is no torch.nn.Module.",
            "Put a function or state dict into a module whose forward makes the picture.",
        )
    module = _own_copy(module)
    given = [_run(module, specs, seed) for seed in range(4)]
    name = name or folder.name
    card = Card(
        name=name,
        family="program",
        output=output or guess_output(name, given)[0],
        inputs=specs,
        title=title,
        description=description,
        licence=licence,
        preview_seeds=tuple(range(16)),
    )
    parse_card(card_json(card).encode(), f"of {name}")  # what is wrong with it is said before the long part
    exported = _export(module, tuple(_example(spec) for spec in specs))
    with tempfile.TemporaryDirectory() as work:
        # torch.export insists on its own ending, which a temporary path beside the target may not have.
        made = Path(work) / PROGRAM
        torch.export.save(exported, made)
        data = made.read_bytes()
    write_atomic(folder / PROGRAM, data)
    write_card(folder, card)
    trust.trust(hashlib.sha256(data).hexdigest(), card.name)
    return folder


def _own_copy(module: nn.Module) -> nn.Module:
    """The module on the CPU and ready for inference, without changing the person's own."""
    try:
        copied = copy.deepcopy(module)
    except Exception:  # a module may hold what can't be copied
        copied = module
    return copied.cpu().eval()


def _run(module: nn.Module, specs: tuple[InputSpec, ...], seed: int) -> NDArray[Any]:
    """What the module gives for two points of a seed, float32."""
    knobs = varied(specs, seed)
    arguments = []
    for spec in specs:
        tensor = _example(spec)
        if spec.kind == "latent":
            rows = [draw(spec, 2 * seed + row).reshape(spec.shape) for row in range(2)]
            tensor = torch.from_numpy(np.stack(rows))
            if codes.is_codes(spec):
                tensor = codes.chosen(spec, tensor)
        elif spec.name in knobs:
            tensor = torch.full_like(tensor, knobs[spec.name])
        arguments.append(tensor)
    try:
        with torch.inference_mode():
            given = module(*arguments)
    except Exception as error:
        raise ModelError(
            f"The module does not run with these inputs: {error}.",
            "Latents and labels arrive as float32 (N, size), scalars as (N,), int64 with step 1.",
        ) from error
    if not isinstance(given, Tensor):
        raise ModelError(
            f"The module returns a {type(given).__name__}, not a tensor.", "Return the picture alone."
        )
    made: NDArray[Any] = given.float().cpu().numpy()
    return made


def _example(spec: InputSpec) -> Tensor:
    if spec.kind == "latent":
        return torch.zeros(2, *spec.shape, dtype=torch.int64 if codes.is_codes(spec) else torch.float32)
    if spec.kind == "label":
        return torch.full((2, len(spec.classes)), 1.0 / len(spec.classes))
    if spec.kind == "seed" or spec.step == 1.0:
        return torch.full((2,), int(spec.default), dtype=torch.int64)
    return torch.full((2,), float(spec.default))


def _export(module: nn.Module, examples: tuple[Tensor, ...]) -> Any:
    """The module with a free number of points, or with one point where it can't have that."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    try:
        return torch.export.export(module, examples, dynamic_shapes=tuple({0: batch} for _ in examples))
    except Exception:  # a module may fix its batch; one point at a time is then what it can do
        single = tuple(tensor[:1] for tensor in examples)
    try:
        return torch.export.export(module, single)
    except Exception as error:
        raise ModelError(
            "The module can't be exported: torch.export refuses it.",
            "Avoid Python control flow that depends on values, and library calls that torch can't trace.",
            str(error),
        ) from error
