"""StyleGAN2, StyleGAN2-ADA and StyleGAN3 (T and R) from their official PyTorch pickles."""

from __future__ import annotations

from dataclasses import replace

import torch

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.formats.unpickle import Record
from igm_gui.generators.stylegan.build2 import synthesis2
from igm_gui.generators.stylegan.generator import StyleGAN, StyleNetwork, inputs_of, output_of
from igm_gui.generators.stylegan.records import HINT, mapping, node_from_record
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent.point import point_from_seed

__all__ = ["StyleGAN", "detect", "load"]


def detect(checkpoint: Checkpoint) -> bool:
    """Whether ``checkpoint`` is a pickle: the only networks that come as bare pickles are these."""
    return checkpoint.kind == "pickle"


def load(checkpoint: Checkpoint) -> StyleGAN:
    """Build the averaged generator (``G_ema``) of an official pickle. ModelError says why not."""
    content = checkpoint.pickled
    record = content if isinstance(content, Record) else None
    if isinstance(content, dict):
        record = next((content[key] for key in ("G_ema", "G") if isinstance(content.get(key), Record)), None)
    if record is None:
        raise ModelError(f"{checkpoint.path.name} is a pickle without a generator (G_ema).", HINT)
    root = node_from_record(record)
    parts = root.child("synthesis")
    if "input" in parts.children:
        kind = "StyleGAN3"
        synthesis: Synthesis3 | torch.nn.Module = Synthesis3(parts)
    else:
        kind = "StyleGAN2"
        synthesis = synthesis2(parts)
    network = StyleNetwork(mapping(root.child("mapping")), synthesis)  # type: ignore[arg-type]
    network.eval().requires_grad_(False)
    info = GeneratorInfo(
        name=checkpoint.name,
        title=checkpoint.name,
        family="stylegan",
        output=OutputSpec("image", 1, 1, 3),
        inputs=inputs_of(network),
        description=f"{kind}, opened as weights; none of the file's code was executed.",
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=_parameters(record),
        abilities=("map",),
        preview_seeds=tuple(range(16)),
    )
    generator = StyleGAN(info, network)
    with torch.inference_mode():
        # One forward pass tells the picture's size and proves that the layers fit together.
        picture = generator.forward(generator.prepare([point_from_seed(info, 0)]))
    if not bool(torch.isfinite(picture).all()):
        raise ModelError(f"{checkpoint.path.name} gives pictures that are not numbers.", HINT)
    generator.info = replace(info, output=output_of(picture))
    generator.tune()
    precision = generator.precision
    if precision != "float32":
        note = f"Runs in {precision}, {generator.psnr:.0f} dB PSNR against float32."
        generator.info = replace(generator.info, precision=precision, warnings=(note,))
    return generator


def _parameters(record: Record) -> int:
    total = 0
    for value in record.state.get("_parameters", {}).values():
        total += value.numel() if isinstance(value, torch.Tensor) else 0
    for child in record.state.get("_modules", {}).values():
        total += _parameters(child) if isinstance(child, Record) else 0
    return total
