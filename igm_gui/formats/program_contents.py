"""What a program declares of itself, read as text and JSON: nothing of it runs.

torch.export archives hold their graph as ``models/model.json``, TorchScript archives their code as text under
``code/``.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from igm_gui.formats.archive import check_zip
from igm_gui.formats.layer import MAX_LAYERS, Layer

# torch.export's numbers of element types (torch/_export/serde/schema.py, ScalarType).
EXPORT_TYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
}
FORWARD = re.compile(r"def forward\(self: [\w.]+,?\s*(.*?)\)\s*->\s*([^\n]+):\n", re.DOTALL)
MAX_CODE = 20_000_000


def export_layers(path: Path) -> tuple[Layer, ...]:
    """The weights that a torch.export archive's own list names. ModelError for a bad zip."""
    check_zip(path)
    layers = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith("_weights_config.json"):
                continue
            listed = msgspec.json.decode(archive.read(name)).get("config", {})
            for key, entry in listed.items():
                layers.append(Layer(key, *_shape(entry.get("tensor_meta") or {})))
    return tuple(layers[:MAX_LAYERS])


def _shape(meta: dict[str, Any]) -> tuple[tuple[int, ...], str]:
    sides = tuple(int(side.get("as_int", 0)) for side in meta.get("sizes", ()))
    return sides, EXPORT_TYPES.get(int(meta.get("dtype", 0)), "")


def export_ends(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(inputs, outputs) of a torch.export archive, as ``z: float32 (?, 64)``; empty where it does not say."""
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.endswith("models/model.json")), None)
        if name is None:
            return (), ()
        module = msgspec.json.decode(archive.read(name))["graph_module"]
    values, signature = module["graph"]["tensor_values"], module["signature"]

    def told(specs: Any, kind: str) -> tuple[str, ...]:
        found = []
        for spec in specs:
            name = ((spec.get(kind) or {}).get("arg") or {}).get("as_tensor", {}).get("name")
            if name is not None:
                meta = values.get(name) or {}
                sides = ", ".join(str(side.get("as_int", "?")) for side in meta.get("sizes", ()))
                found.append(f"{name}: {EXPORT_TYPES.get(int(meta.get('dtype', 0)), 'value')} ({sides})")
        return tuple(found)

    return told(signature["input_specs"], "user_input"), told(signature["output_specs"], "user_output")


def script_ends(path: Path, globals_: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(inputs, outputs) of a TorchScript's forward as its code declares them: ``z: Tensor``; empty where it
    has none. ``globals_`` are what its pickles mention: the outermost module is the first of its classes."""
    top = next((name for name in globals_ if name.startswith("__torch__.")), "")
    owner, _, kind = top.rpartition(".")
    ending = f"/code/{owner.replace('.', '/')}.py"
    with zipfile.ZipFile(path) as archive:
        name = next((n for n in archive.namelist() if n.endswith(ending)), None)
        if name is None or archive.getinfo(name).file_size > MAX_CODE:
            return (), ()
        code = archive.read(name).decode("utf-8", "replace")
    start = code.find(f"class {kind}(")
    found = FORWARD.search(code, max(start, 0))
    if found is None:
        return (), ()
    inputs = tuple(" ".join(part.split()) for part in found[1].split(",\n") if part.strip())
    return inputs, (" ".join(found[2].split()),)
