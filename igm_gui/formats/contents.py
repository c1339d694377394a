"""What a model file is made of, read without executing anything: layers, globals, hash.

safetensors headers, torch archives and their pickles, TorchScript and torch.export archives, ONNX messages
and StyleGAN pickles are read as data. What can't be read is a warning here, not an error: a person who asks
what a suspicious file holds must get an answer.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.card import Card
from igm_gui.formats.hashes import cached_sha256
from igm_gui.formats.layer import MAX_LAYERS, Layer

FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
INTEGERS = {"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8"}
MAX_HASHED = 1 << 35
KIND_NAMES = {
    "folder": "model folder",
    "state_dict": "weights",
    "pickle": "Python pickle",
    "torchscript": "TorchScript program",
    "export": "torch.export program",
    "onnx": "ONNX graph",
}


@dataclass(frozen=True)
class FileContents:
    """Everything that could be read of a file.

    ``kind`` is how it is stored, ``family`` the generator family its card or structure names (empty where
    only opening tells), ``bytes`` its size. ``inputs`` and ``outputs`` are lines of text, ``parameters``
    counts the floating numbers, ``globals`` are the functions and classes that pickles in it mention.
    """

    path: str
    kind: str
    family: str = ""
    bytes: int = 0
    sha256: str = ""
    licence: str = ""
    precision: str = ""
    parameters: int = 0
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    globals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    card: Card | None = field(default=None, compare=False)

    @property
    def kind_text(self) -> str:
        return KIND_NAMES.get(self.kind, self.kind)


def describe(path: Path, progress: Callable[[float], None] | None = None) -> FileContents:
    """The contents of a model file or folder; ``progress`` gets a fraction from 0 to 1 while it is hashed.

    Nothing in the file is executed. ModelError where it is no model at all.
    """
    from igm_gui.formats.checkpoint import open_checkpoint

    try:
        checkpoint = open_checkpoint(path)
    except ModelError as error:
        if not path.is_file() or not path.stat().st_size:
            raise
        return _refused(path, error, progress)
    except (OSError, ValueError) as error:  # a name that no system has
        raise ModelError(f"{path.name[:80]} can't be looked at: {error}.", "Check its name.") from error
    file = checkpoint.weights
    card = checkpoint.card
    hashed = file or path / "card.json"
    found = FileContents(
        str(path),
        checkpoint.kind,
        family=card.family if card else "",
        bytes=hashed.stat().st_size,
        licence=card.licence if card else "",
        card=card,
    )
    if card is not None:
        found = replace(
            found,
            inputs=tuple(f"{spec.name}: {spec.kind}" for spec in card.inputs),
            outputs=(card.output.text,),
        )
    if file is not None:
        try:
            found = _read(file, found)
        except ModelError as error:
            found = replace(found, warnings=(*found.warnings, str(error)))
        except Exception as error:  # a damaged file must not end the one who asks what is in it
            found = replace(found, warnings=(*found.warnings, f"It can't be read to its end: {error}."))
    floats = [layer for layer in found.layers if layer.dtype.startswith(("float", "bfloat"))]
    return replace(
        found,
        parameters=sum(layer.size for layer in floats),
        precision=", ".join(dict.fromkeys(layer.dtype for layer in floats)),
        sha256=_hash(hashed, progress),
    )


def _refused(path: Path, error: ModelError, progress: Callable[[float], None] | None) -> FileContents:
    """A file that is not opened: why, and what a pickle in it mentions."""
    from igm_gui.formats import pickle_contents

    names, trouble = pickle_contents.mentioned(path)
    return FileContents(
        str(path),
        "pickle" if names else "unknown",
        bytes=path.stat().st_size,
        sha256=_hash(path, progress),
        globals=names,
        warnings=tuple(text for text in (str(error), trouble) if text),
    )


def _hash(path: Path, progress: Callable[[float], None] | None) -> str:
    """The hash; empty where the file is so large that nobody would wait for it."""
    return cached_sha256(path, progress) if path.stat().st_size <= MAX_HASHED else ""


def _read(file: Path, found: FileContents) -> FileContents:
    from igm_gui.formats import onnx_contents, pickle_contents, program_contents

    if file.suffix == ".safetensors":
        return replace(found, layers=_safetensors(file))
    if found.kind == "onnx":
        graph = onnx_contents.read_graph(file)
        return replace(
            found,
            family=found.family or "onnx",
            layers=graph.layers,
            inputs=graph.inputs,
            outputs=graph.outputs,
            warnings=found.warnings + graph.warnings,
        )
    if found.kind == "export":
        found = replace(found, family=found.family or "program", layers=program_contents.export_layers(file))
        inputs, outputs = program_contents.export_ends(file)
        return found if found.card else replace(found, inputs=inputs, outputs=outputs)
    if found.kind == "pickle":
        read = pickle_contents.read_whole(file)
    elif zipfile.is_zipfile(file):
        read = pickle_contents.read_archive(file)
    else:
        read = pickle_contents.read_stream(file)
    family = found.family
    if found.kind == "torchscript":
        family = family or "program"
        if found.card is None:
            inputs, outputs = program_contents.script_ends(file, read.globals)
            found = replace(found, inputs=inputs, outputs=outputs)
    if not family and any(name.startswith(("torch_utils.persistence", "dnnlib.")) for name in read.globals):
        family = "stylegan"
    return replace(
        found,
        family=family,
        layers=read.layers,
        globals=read.globals,
        warnings=found.warnings + read.warnings,
    )


def _safetensors(file: Path) -> tuple[Layer, ...]:
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        raw: dict[str, Any] = msgspec.json.decode(stream.read(length))  # checked by read_header before
    layers = []
    for name, entry in raw.items():
        if name != "__metadata__":
            kind = str(entry.get("dtype", ""))
            dtype = FLOATS.get(kind) or INTEGERS.get(kind, kind.lower())
            layers.append(Layer(name, tuple(int(side) for side in entry["shape"]), dtype))
    return tuple(layers[:MAX_LAYERS])
