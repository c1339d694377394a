"""A person's own PyTorch module as a model folder: ``model.pt2`` (torch.export) and ``card.json``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.card import Card, write_card
from igm_gui.formats.files import atomic_path, sha256_of
from igm_gui.generators.roles import guess_output
from igm_gui.info import InputSpec, OutputSpec

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
    ``step`` 1), a seed int64 ``(N,)``. It returns pictures ``(N, C, H, W)`` or sound ``(N, samples)`` or
    ``(N, channels, samples)``. ``output`` is measured where it is not given (a sound's rate can't be).
    What is written is a program; as it was made here, it opens without being asked about.

    ModelError where the module can't be traced, ExportError where the folder can't be written.
    """
    folder = Path(folder).expanduser().resolve()
    module = module.eval()
    examples = tuple(_example(spec) for spec in inputs)
    with torch.inference_mode():
        try:
            given = module(*(tensor.clone() for tensor in examples))
        except Exception as error:
            raise ModelError(
                f"The module does not run with these inputs: {error}.",
                "Latents and labels arrive as float32 (N, size), scalars as (N,), int64 with step 1.",
            ) from error
    if not isinstance(given, Tensor):
        raise ModelError(
            f"The module returns a {type(given).__name__}, not a tensor.", "Return the picture alone."
        )
    output = output or guess_output(name or folder.name, [given.float().cpu().numpy()])[0]
    card = Card(
        name=name or folder.name,
        family="program",
        output=output,
        inputs=tuple(inputs),
        title=title,
        description=description,
        licence=licence,
        preview_seeds=tuple(range(16)),
    )
    exported = _export(module, examples)
    with atomic_path(folder / PROGRAM) as temporary, tempfile.TemporaryDirectory() as work:
        # torch.export insists on its own ending, which the temporary path may not have.
        made = Path(work) / PROGRAM
        torch.export.save(exported, made)
        temporary.write_bytes(made.read_bytes())
    write_card(folder, card)
    trust.trust(sha256_of(folder / PROGRAM), card.name)
    return folder


def _example(spec: InputSpec) -> Tensor:
    if spec.kind == "latent":
        return torch.zeros(2, *spec.shape)
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
