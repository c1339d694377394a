"""A model on disk, opened as data: what a family looks at to say whether it is its own."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.card import Card, read_card
from igm_gui.formats.files import plain_path, readable, sha256_of
from igm_gui.formats.hashes import cached_sha256
from igm_gui.formats.looks import looks_like
from igm_gui.formats.pickle_scan import is_pickle
from igm_gui.formats.plain_folder import has_card, no_model
from igm_gui.formats.side_card import read_side_card

if TYPE_CHECKING:
    import torch

SUPPORTED = (
    "Supported are model folders (model.safetensors with card.json), official StyleGAN2, 3 and XL pickles, "
    "ONNX files, TorchScript and torch.export programs, and weights of plain DCGAN-like or fully connected "
    "generators (.pt, .pth, .safetensors)."
)
MAX_PICKLE_BYTES = 4_000_000_000
MAX_HEADER_BYTES = 100_000_000
MAX_HEADER_PARTS = 2_000_000  # values in it: as objects they are many times their text
MAX_SIDES = 16
MAX_TENSORS = 50_000


@dataclass
class Checkpoint:
    """``path`` is what the person named; ``kind`` says how it was read.

    ``shapes`` maps tensor names to shapes without reading the tensors; ``tensors`` reads them.
    """

    path: Path
    kind: str
    card: Card | None = None
    weights: Path | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ordered: bool = True  # whether the tensors' order is that of the layers
    half: bool = False  # floating tensors come in float16, because memory is short

    @property
    def name(self) -> str:
        return self.card.name if self.card else readable(self.path.stem)

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the weights file, or of the card where there are no weights."""
        file = self.weights or self.path / "card.json"
        # A yes to a program is a yes to this very content.
        return sha256_of(file) if self.kind in ("torchscript", "export") else cached_sha256(file)

    @cached_property
    def tensors(self) -> dict[str, torch.Tensor]:
        """All weights on the CPU, safetensors in float32 (float16 with ``half``), others as they are stored.
        ModelError where they are damaged or not finite."""
        if self.weights is None:
            return {}
        if self.kind == "state_dict" and self.weights.suffix != ".safetensors":
            from igm_gui.formats.torch_file import read_torch

            return read_torch(self.weights, self.half)
        return read_tensors(self.weights, self.half)

    @cached_property
    def pickled(self) -> Any:
        """A pickle's values, read through the allow-list: nothing in it is executed. ModelError where
        it holds anything but plain weights, or is damaged."""
        from igm_gui.formats.unpickle import load_pickle

        return load_pickle(self.path.read_bytes(), self.half)


def _label(path: Path) -> str:
    """What a message calls a file; that of a model folder goes by the folder too."""
    return f"{path.parent.name}/{path.name}" if path.name == "model.safetensors" else path.name


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes of a safetensors file, checked against the file's length.

    Reads only the header: quick, and a file that claims more than it holds is refused before
    anything is allocated.
    """
    hint = "Copy or download the file again."
    label = _label(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) < 8:
                raise ModelError(f"{label} is only {size} bytes long: it is not a safetensors file.", hint)
            (length,) = struct.unpack("<Q", start)
            if length > min(size - 8, MAX_HEADER_BYTES):
                raise ModelError(f"{label} is cut short, or not a safetensors file.", hint)
            text = file.read(length)
        if sum(text.count(mark) for mark in (b",", b"[", b"{")) > MAX_HEADER_PARTS:
            raise ModelError(f"The header of {label} is far longer than any network's.", hint)
        raw = msgspec.json.decode(text)
    except OSError as error:
        raise ModelError(
            f"{label} can't be read: {error.strerror}.", "Check that it exists and may be read."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"The header of {label} is damaged.", hint, str(error)) from error
    shapes: dict[str, tuple[int, ...]] = {}
    end = 0
    try:
        if len(raw) > MAX_TENSORS:
            raise ValueError(f"{len(raw):,} tensors")
        for name, entry in raw.items():
            if name == "__metadata__":
                continue
            sides = entry["shape"]
            if len(sides) > MAX_SIDES or not all(0 <= side <= size * 8 for side in sides):
                raise ValueError(f"{name[:100]} has a shape that can't be")
            shapes[name] = tuple(int(side) for side in sides)
            end = max(end, int(entry["data_offsets"][1]))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"The header of {label} is damaged.", hint, repr(error)) from error
    if 8 + length + end != size:
        raise ModelError(
            f"{label} is {size:,} bytes long, not {8 + length + end:,}: cut short or damaged.",
            hint,
        )
    return shapes


def read_tensors(path: Path, half: bool = False) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file; floating ones in float32 (float16 with ``half``). Refuses NaN and
    infinity."""
    import torch
    from safetensors import SafetensorError, safe_open

    names = list(read_header(path))
    wanted = torch.float16 if half else torch.float32
    tensors: dict[str, torch.Tensor] = {}
    try:
        with plain_path(path) as name_of_it, safe_open(name_of_it, "pt") as file:
            for name in names:  # one by one, so that a file in another precision is not held twice
                tensor = file.get_tensor(name)
                if tensor.is_floating_point():
                    tensor = tensor.to(wanted)
                    if not bool(torch.isfinite(tensor).all()):
                        raise not_finite(path, name, half)
                tensors[name] = tensor
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{_label(path)} can't be read as safetensors.", "Copy or download it again.", str(error)
        ) from error
    return tensors


def not_finite(path: Path, name: str, half: bool = False) -> ModelError:
    """The refusal of weights with NaN or infinity (or, in half precision, beyond 65504)."""
    return ModelError(
        f"{_label(path)} holds weights that are not numbers (NaN or infinity) in {name}"
        + (", or too large for half precision." if half else "."),
        "Such a network can't make pictures or sound; export it again from a healthy training state.",
    )


def _archive_kind(path: Path, start: bytes) -> str:
    """Weights, or a program: what the names in a torch archive tell."""
    if start[:2] != b"PK":
        return "state_dict"
    from igm_gui.formats.archive import check_zip

    inner = {name.partition("/")[2] for name in check_zip(path)}
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        return "torchscript"
    if {"archive_format", "models/model.json"} <= inner:
        return "export"
    if "data.pkl" not in inner:
        raise ModelError(
            f"{path.name} is a zip archive that torch did not write.", "Unpack it and open the model inside."
        )
    return "state_dict"


def open_checkpoint(path: Path) -> Checkpoint:
    """Look at ``path`` without executing anything. ModelError where it is not a model."""
    if not path.exists():
        raise ModelError(f"There is no file or folder {path}.", "Check the name.")
    if (
        path.is_file()
        and path.name in ("card.json", "model.safetensors")
        and (path.parent / "card.json").is_file()
    ):
        path = path.parent
    if path.is_dir():
        if not has_card(path):
            raise no_model(path)
        card = read_card(path)
        weights = path / "model.safetensors"
        if weights.exists() and not weights.is_file():
            raise ModelError(f"{weights.name} in {path.name} is not a file.", SUPPORTED)
        if weights.exists():
            return Checkpoint(path, "folder", card, weights, read_header(weights))
        program = path / "model.pt2"
        if program.is_file():
            return Checkpoint(program, _archive_kind(program, b"PK"), card, program)
        return Checkpoint(path, "folder", card)
    if not path.is_file():
        raise ModelError(f"{path.name} is neither a file nor a folder.", SUPPORTED)
    size = path.stat().st_size
    if size == 0:
        raise ModelError(f"{path.name} is empty.", SUPPORTED)
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise ModelError(
            f"{path.name} can't be read: {error.strerror}.", "Check that it may be read."
        ) from error
    if path.suffix == ".safetensors":
        try:
            header = read_header(path)
        except ModelError as error:  # its length can begin like anything: only where it is none
            raise _something_else(path, start) or error from None
        return Checkpoint(path, "state_dict", read_side_card(path), path, header, ordered=False)
    if path.suffix.lower() == ".onnx":
        if (other := _something_else(path, start)) is not None:
            raise other
        return Checkpoint(path, "onnx", read_side_card(path), weights=path)
    if start[:4] == b"PK\x03\x04" or start.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9"):
        return Checkpoint(path, _archive_kind(path, start), read_side_card(path), path)
    if is_pickle(path, start):
        if size > MAX_PICKLE_BYTES:
            raise ModelError(
                f"{path.name} is a pickle of {size / 1e9:.1f} GB.", "Pickles up to 4 GB are opened."
            )
        return Checkpoint(path, "pickle", weights=path)
    raise _something_else(path, start) or ModelError(
        f"{path.name} is not a model this program knows.", SUPPORTED
    )


def _something_else(path: Path, start: bytes) -> ModelError | None:
    """The refusal of a file whose first bytes say what it is instead; None where they don't."""
    what, hint = looks_like(start)
    return ModelError(f"{path.name} is {what}, not a model.", hint or SUPPORTED) if what else None
