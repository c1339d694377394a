"""StyleGAN2, StyleGAN2-ADA, StyleGAN3 (T and R) and StyleGAN-XL from their official PyTorch pickles."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.formats.unpickle import Record
from igm_gui.generators.memory import require_picture
from igm_gui.generators.stylegan.build2 import synthesis2
from igm_gui.generators.stylegan.generator import StyleGAN, StyleNetwork, inputs_of, output_of
from igm_gui.generators.stylegan.layouts import (
    from_official_flat,
    from_rosinality,
    from_tensorflow,
    is_official_flat,
    is_rosinality,
    is_tensorflow,
)
from igm_gui.generators.stylegan.mapping import Mapping
from igm_gui.generators.stylegan.records import HINT, Node, mapping, node_from_record, unknown_parts
from igm_gui.generators.stylegan.styles import mapped_samples, style_space
from igm_gui.generators.stylegan.synthesis2 import Synthesis2
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent.point import point_from_seed

__all__ = ["StyleGAN", "detect", "load"]


def detect(checkpoint: Checkpoint) -> bool:
    """Whether ``checkpoint`` is a pickle (the only networks that come as bare pickles are these), or a
    state dict with StyleGAN2's names."""
    if checkpoint.kind == "state_dict":
        return is_rosinality(checkpoint.tensors) or is_official_flat(checkpoint.tensors)
    return checkpoint.kind == "pickle"


def _tree(checkpoint: Checkpoint) -> Node:
    """The network's official tree, whatever layout the file has."""
    if checkpoint.kind == "state_dict":
        tensors = checkpoint.tensors
        return from_rosinality(tensors) if is_rosinality(tensors) else from_official_flat(tensors)
    content = checkpoint.__dict__.pop("pickled", None) or checkpoint.pickled
    checkpoint.__dict__.pop("pickled", None)  # not to be held beside the network
    if is_tensorflow(content):
        return from_tensorflow(content[2])
    record = content if isinstance(content, Record) else None
    if isinstance(content, dict):
        record = next((content[key] for key in ("G_ema", "G") if isinstance(content.get(key), Record)), None)
    if record is None:
        raise ModelError(f"{checkpoint.path.name} is a pickle without a generator (G_ema).", HINT)
    return node_from_record(record)


def load(checkpoint: Checkpoint) -> StyleGAN:
    """Build the averaged generator (``G_ema``) of an official pickle. ModelError says why not."""
    root = _tree(checkpoint)
    parts = root.child("synthesis")
    if "input" in parts.children:
        kind = "StyleGAN-XL" if "embed_proj" in root.child("mapping").children else "StyleGAN3"
        synthesis: Synthesis3 | Synthesis2 = Synthesis3(parts)
    else:
        kind = "StyleGAN2"
        synthesis = synthesis2(parts)
    network = StyleNetwork(mapping(root.child("mapping")), synthesis)
    network.eval().requires_grad_(False)
    if "w_avg" not in root.child("mapping").tensors:
        _measure_average(network.mapping)
    parameters, modified = _parameters(root), _modified(root)
    del root, parts  # what was read is in the network now
    info = GeneratorInfo(
        name=checkpoint.name,
        title=checkpoint.name,
        family="stylegan",
        output=OutputSpec("image", 1, 1, 3),
        inputs=inputs_of(network),
        description=f"{kind}, opened as weights; none of the file's code was executed.",
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=parameters,
        abilities=("map", "styles"),
        styles=style_space(network.mapping, synthesis.layer_names),
        preview_seeds=tuple(range(16)),
        warnings=modified,
    )
    require_picture(checkpoint.path.name, synthesis.largest)
    generator = StyleGAN(info, network)
    generator.halved = checkpoint.half
    with torch.inference_mode():
        # One forward pass tells the picture's size and proves that the layers fit together.
        start = time.perf_counter()
        picture = generator.forward(generator.prepare([point_from_seed(info, 0)]))
        seconds = time.perf_counter() - start
    if not bool(torch.isfinite(picture).all()):
        raise ModelError(f"{checkpoint.path.name} gives pictures that are not numbers.", HINT)
    generator.info = replace(info, output=output_of(picture))
    generator.tune(picture, seconds)
    return generator


def _modified(root: Node) -> tuple[str, ...]:
    """A sentence where the network has parts that the official ones don't."""
    parts = unknown_parts(root)
    if not parts:
        return ()
    named = ", ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")
    return (f"Modified architecture: {named} is not in the official networks; pictures may differ.",)


def _parameters(node: Node) -> int:
    # Buffers of the official modules that are no parameters.
    own = (t for name, t in node.tensors.items() if name not in ("w_avg", "noise_const", "resample_filter"))
    return sum(t.numel() for t in own) + sum(_parameters(child) for child in node.children.values())


def _measure_average(mapping_network: Mapping) -> None:
    """w's average over 10,000 seeded samples, where the file does not keep it (Karras et al. 2019)."""
    with torch.inference_mode():
        mapping_network.w_avg.copy_(mapped_samples(mapping_network, 10_000).mean(0))
