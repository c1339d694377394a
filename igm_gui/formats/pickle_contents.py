"""The tensors and globals of pickles, read with stand-ins: no name in the file is ever looked up.

Every global becomes an inert class of our own that only remembers what it was given, so a hostile pickle runs
to its end without doing anything; its tensors' shapes and the names it mentions are what remains.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igm_gui.errors import ModelError
from igm_gui.formats.layer import MAX_LAYERS, Layer
from igm_gui.formats.pickle_inert import Inert, Reader
from igm_gui.formats.pickle_scan import scan, scan_next

MAX_DEPTH = 60
MAX_REFUSED = 200_000_000
STORAGES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
}


@dataclass(frozen=True)
class Read:
    """What was found in the pickles of one file."""

    layers: tuple[Layer, ...] = ()
    globals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _dtype_of(storage: Any) -> str:
    kind = storage[1] if isinstance(storage, tuple) and len(storage) > 1 else None
    name = str(getattr(kind, "named", "")).rpartition(".")[2].removesuffix("Storage")
    return STORAGES.get(name, "")


def _layer(name: str, value: Inert) -> Layer | None:
    """A tensor's layer, where ``value`` stands for one."""
    arguments = value.__dict__.get("arguments", ())
    if value.named.startswith("torch._utils._rebuild_parameter") and arguments:
        inner = arguments[0]
        return _layer(name, inner) if isinstance(inner, Inert) else None
    if value.named.startswith("torch._utils._rebuild_tensor") and len(arguments) > 2:
        shape = arguments[2]
        if isinstance(shape, tuple) and all(isinstance(side, int) and side >= 0 for side in shape):
            return Layer(name, shape, _dtype_of(arguments[0]))
    return None


def _walk(value: Any) -> Iterator[Layer]:
    seen: set[int] = set()
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    while stack:
        name, item, depth = stack.pop()
        if depth > MAX_DEPTH:
            continue
        pairs: list[tuple[Any, Any]] = []
        if isinstance(item, Inert):
            layer = _layer(name, item)
            if layer is not None:
                yield layer
                continue
            own = item.__dict__
            pairs = list(own.get("items", {}).items())
            state = own.get("state")
            if isinstance(state, dict):
                pairs += state.items()
            elif isinstance(state, tuple):
                pairs += [
                    (key, part) for part in state if isinstance(part, dict) for key, part in part.items()
                ]
        elif isinstance(item, dict):
            pairs = list(item.items())
        elif isinstance(item, list | tuple):
            pairs = list(enumerate(item))
        if not pairs or id(item) in seen:
            continue
        seen.add(id(item))
        for key, part in reversed(pairs):
            # A module's own tables of tensors and children are no part of a layer's name.
            quiet = isinstance(key, str) and key in ("_parameters", "_buffers", "_modules")
            inner = name if quiet else f"{name}.{key}" if name else str(key)
            stack.append((inner, part, depth + 1))


def _load(stream: Any, seen: dict[str, None]) -> tuple[list[Layer], str]:
    """Layers of one pickle and, where it could not be read to its end, a sentence."""
    try:
        value = Reader(stream, seen).load()
        layers = [layer for layer, _ in zip(_walk(value), range(MAX_LAYERS), strict=False)]
    except RecursionError:
        return [], "Its pickle is nested too deeply."
    except MemoryError:
        return [], "Its pickle asks for more memory than there is."
    except Exception as error:
        return [], f"Its pickle can't be read to its end: {error}."
    return layers, ""


def _scanned(data: bytes, seen: dict[str, None]) -> str:
    """Globals by reading the opcodes alone; a sentence where they are absurd or damaged."""
    try:
        scan(data, outside=True, mentioned=seen)
    except ModelError as error:
        return str(error)
    return ""


def mentioned(path: Path) -> tuple[tuple[str, ...], str]:
    """The globals that a file which is not opened mentions, read as a pickle, and what is wrong with it.

    Names are kept up to the place where the file stops being a pickle; both are empty where it is none."""
    if path.stat().st_size > MAX_REFUSED:
        return (), ""
    seen: dict[str, None] = {}
    trouble = _scanned(path.read_bytes(), seen)
    return tuple(seen), trouble if seen else ""


def read_archive(path: Path) -> Read:
    """A torch archive (``torch.save`` or TorchScript): every pickle in it. ModelError for a bad zip."""
    from igm_gui.formats.archive import check_zip

    seen: dict[str, None] = {}
    layers: list[Layer] = []
    warnings = []
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".pkl"):
                continue
            data = archive.read(name)
            trouble = _scanned(data, seen)
            if not trouble and name.endswith("/data.pkl"):
                found, trouble = _load(io.BytesIO(data), seen)
                layers += found
            if trouble:
                warnings.append(f"{name.partition('/')[2] or name}: {trouble}")
    return Read(tuple(layers), tuple(seen), tuple(warnings))


def read_stream(path: Path) -> Read:
    """A torch file from before the archives: a few pickles, then the numbers."""
    seen: dict[str, None] = {}
    layers: list[Layer] = []
    trouble = ""
    with path.open("rb") as stream:
        for _ in range(4):  # magic number, version, system, the object itself
            start = stream.tell()
            try:
                scan_next(stream, outside=True, mentioned=seen)
            except ModelError as error:
                trouble = str(error)
                break
            stream.seek(start)
            layers, trouble = _load(stream, seen)
            if trouble:
                break
    return Read(tuple(layers), tuple(seen), (trouble,) if trouble else ())


def read_whole(path: Path) -> Read:
    """A plain pickle such as StyleGAN's: globals from its opcodes, tensors through the allow-list."""
    from igm_gui.formats.unpickle import load_pickle

    data = path.read_bytes()
    seen: dict[str, None] = {}
    trouble = _scanned(data, seen)
    if trouble:
        return Read((), tuple(seen), (trouble,))
    try:
        layers = list(_values("", load_pickle(data), set()))[:MAX_LAYERS]
    except ModelError as error:
        return Read((), tuple(seen), (str(error),))
    return Read(tuple(layers), tuple(seen))


def _values(name: str, value: Any, seen: set[int], depth: int = 0) -> Iterator[Layer]:
    """Tensors and arrays of a pickle's plain values, under dotted names."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        yield Layer(name, tuple(int(n) for n in value.shape), str(value.dtype).removeprefix("torch."))
        return
    if hasattr(value, "class_name"):
        value = value.state
    if not isinstance(value, dict | list | tuple) or id(value) in seen or depth > MAX_DEPTH:
        return
    seen.add(id(value))
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        inner = f"{name}.{key}" if name else str(key)
        quiet = key in ("_parameters", "_buffers", "_modules") if isinstance(key, str) else False
        yield from _values(name if quiet else inner, part, seen, depth + 1)
