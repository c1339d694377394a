"""The families, in the order they are asked; each is a module imported when first needed.

A family module has ``load(checkpoint) -> TorchGenerator``, and ``detect(checkpoint) -> bool`` where it
knows files without a card.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igm_gui.errors import ModelError
from igm_gui.formats.checkpoint import SUPPORTED, open_checkpoint
from igm_gui.formats.library import find
from igm_gui.generators import half, memory, probe

if TYPE_CHECKING:
    from igm_gui.formats.checkpoint import Checkpoint
    from igm_gui.generators.base import TorchGenerator

# Card family name -> module.
FAMILIES: dict[str, str] = {
    "uniform": "igm_gui.generators.uniform",
    "fashion": "igm_gui.generators.fashion",
    "flow": "igm_gui.generators.flow",
    "style": "igm_gui.generators.style",
    "additive": "igm_gui.generators.additive",
    "ddsp": "igm_gui.generators.ddsp",
    "drums": "igm_gui.generators.drums",
    "toy": "igm_gui.generators.toy",
    "stylegan": "igm_gui.generators.stylegan",
    "dcgan": "igm_gui.generators.dcgan",
    "onnx": "igm_gui.generators.onnx",
    "nntilde": "igm_gui.generators.nntilde",
    "program": "igm_gui.generators.program",
}
# Families that know their files without a card, in the order they are asked.
CARDLESS = ("stylegan", "dcgan", "onnx", "nntilde", "program")
# What a card beside a single file may call it, by how the file is stored.
FITTING = {
    "state_dict": ("stylegan", "dcgan"),
    "onnx": ("onnx",),
    "torchscript": ("program", "nntilde"),
    "export": ("program",),
}
# Families whose weights can be held in half precision where memory is short. Not ONNX and programs: their
# arithmetic is inside the file, in the precision that it was exported with.
HALVES = ("fashion", "flow", "style", "ddsp", "drums", "toy", "dcgan", "stylegan")


def family_of(checkpoint: Checkpoint) -> Any:
    """The family module that knows ``checkpoint``. ModelError where none does."""
    if checkpoint.card is not None:
        name = FAMILIES.get(checkpoint.card.family)
        if name is None:
            raise ModelError(
                f"The card of {checkpoint.name} names an unknown family, {checkpoint.card.family}.",
                f"Known families are {', '.join(FAMILIES)}.",
            )
        fitting = FITTING.get(checkpoint.kind, tuple(FAMILIES))
        if checkpoint.card.family not in fitting:
            raise ModelError(
                f"{checkpoint.path.name} is not of the family {checkpoint.card.family} that its card says.",
                f"Of a file like this it can be {' or '.join(fitting)}.",
            )
        return import_module(name)
    for name in CARDLESS:
        family = import_module(FAMILIES[name])
        if family.detect(checkpoint):
            return family
    raise ModelError(f"{checkpoint.path.name} is not a generator this program knows.", SUPPORTED)


def load(model: str) -> TorchGenerator:
    """Open a bundled name or a path and build its generator on the CPU. ModelError says why not,
    also where it needs more memory than there is.

    A file not seen before is tried in a child process first (:mod:`igm_gui.generators.probe`).
    """
    path = find(model)
    if not probe.needed(path):
        return load_here(path)
    checkpoint = open_checkpoint(path)
    _plan(checkpoint, path)  # before it is hashed: what can't be opened needs no reading
    identity = probe.identity(path, checkpoint.sha256)
    if probe.seen(identity):
        return _build(checkpoint, path)
    if checkpoint.card is not None:
        family_of(checkpoint)  # a wrong name needs no child
    # Nothing beyond its frame was read so far: the child is the first to parse it.
    probe.probe(path)
    generator = _build(checkpoint, path)
    probe.remember(identity)
    return generator


def load_here(path: Path) -> TorchGenerator:
    """Open ``path`` in this process. ModelError says why not."""
    return _build(open_checkpoint(path), path)


def _plan(checkpoint: Checkpoint, path: Path) -> bool:
    """Whether to load in half precision (:func:`memory.plan`)."""
    bare = {"state_dict": "dcgan", "pickle": "stylegan"}
    family = checkpoint.card.family if checkpoint.card else bare.get(checkpoint.kind, "")
    return memory.plan(path, path.name, lambda: checkpoint.sha256, family in HALVES)


def _build(checkpoint: Checkpoint, path: Path) -> TorchGenerator:
    checkpoint.half = _plan(checkpoint, path)
    try:
        family = family_of(checkpoint)
        generator: TorchGenerator = (
            half.build(family, checkpoint) if checkpoint.half else family.load(checkpoint)
        )
    except ModelError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # a family must not be able to end the program
        raise ModelError(
            f"{checkpoint.name} could not be built: {error}.",
            "Its card or weights are not what its family expects.",
            details=repr(error),
        ) from error
    return generator
