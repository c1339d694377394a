"""``card.json``: what a model folder says about itself. Schema: docs/model-card.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from igm_gui.errors import ModelError
from igm_gui.formats.files import write_atomic
from igm_gui.formats.wording import in_words
from igm_gui.info import Direction, GeneratorInfo, InputSpec, OutputSpec

CARD_VERSION = 1
MAX_CARD_BYTES = 8_000_000
MAX_INPUTS = 256
MAX_NUMBERS = 4_000_000  # of all inputs of one point
MAX_SOUND = 60_000_000  # samples of each channel


class Data(msgspec.Struct, kw_only=True, frozen=True):
    """The training data and the terms it came under."""

    name: str
    licence: str
    source: str = ""
    attribution: str = ""
    note: str = ""


class Training(msgspec.Struct, kw_only=True, frozen=True):
    """How the weights were made, so that they can be made again."""

    command: str = ""
    seconds: float = 0.0
    seed: int = 0
    steps: int = 0
    note: str = ""


class Distance(msgspec.Struct, kw_only=True, frozen=True):
    """The distance between distributions that training made small."""

    name: str
    formula: str = ""
    paper: str = ""


class Card(msgspec.Struct, kw_only=True, frozen=True):
    """A model folder's card. Unknown fields are refused, so that a typing error is seen."""

    format: int = CARD_VERSION
    name: str
    family: str
    output: OutputSpec
    inputs: tuple[InputSpec, ...]
    title: str = ""
    description: str = ""
    licence: str = ""
    hyperparameters: dict[str, Any] = {}
    data: Data | None = None
    training: Training | None = None
    distance: Distance | None = None
    quality: dict[str, Any] = {}
    speed: dict[str, Any] = {}
    faults: tuple[str, ...] = ()
    preview_seeds: tuple[int, ...] = ()
    directions: tuple[Direction, ...] = ()


_FIELDS = set(Card.__struct_fields__)
_OBJECTS = {
    "inputs": {field.name for field in fields(InputSpec)},
    "output": {field.name for field in fields(OutputSpec)},
    "directions": {field.name for field in fields(Direction)},
    "data": set(Data.__struct_fields__),
    "training": set(Training.__struct_fields__),
    "distance": set(Distance.__struct_fields__),
}
MEASURED = ("onnx", "program")  # families that measure what their output is


def measured_later(output: OutputSpec) -> bool:
    """Whether an output leaves its size to be measured: a picture without sides, a sound without samples."""
    if output.media == "image":
        return output.height == output.width == 0
    return output.samples == 0


def _check(card: Card, where: str, may_measure: bool = False) -> None:
    """Raise ModelError where a card is well-typed but can't be right."""

    def bad(why: str) -> ModelError:
        return ModelError(
            f"The card {where} can't be used: {why}.", "docs/model-card.md describes every field."
        )

    if card.format > CARD_VERSION:
        raise bad(f"it is of format {card.format} and this program knows formats up to {CARD_VERSION}")
    output = card.output
    if output.media == "image":
        open_size = may_measure and card.family in MEASURED and measured_later(output)
        if not open_size and not (1 <= output.height <= 16384 and 1 <= output.width <= 16384):
            raise bad(f"its picture is {output.width}×{output.height}; sides from 1 to 16384 are possible")
        if output.channels not in (1, 3, 4):
            raise bad(f"its picture has {output.channels} channels; 1, 3 and 4 are possible")
        if not output.low < output.high:
            raise bad(f"its output range is {output.low} to {output.high}")
    elif not (1000 <= output.sample_rate <= 384_000 and output.channels in (1, 2) and output.samples >= 0):
        raise bad("a sound needs a sample_rate of 1000 to 384000 Hz and 1 or 2 channels")
    if output.samples > MAX_SOUND:
        raise bad(f"its sound has {output.samples:,} samples; {MAX_SOUND:,} are possible")
    for text in (card.name, card.family, card.title, *(spec.name for spec in card.inputs)):
        if len(text) > 500 or not text.isprintable():
            raise bad("a name in it holds characters that can't be seen, or is over 500 letters long")
    names = [spec.name for spec in card.inputs]
    if len(set(names)) != len(names):
        raise bad("two inputs have the same name")
    for spec in card.inputs:
        if spec.kind == "latent" and not (spec.shape and 1 <= spec.size <= 1_000_000 and min(spec.shape) > 0):
            raise bad(f"input {spec.name} has the shape {list(spec.shape)}")
        if spec.kind == "label" and not spec.classes:
            raise bad(f"input {spec.name} is a label without classes")
        if spec.kind == "scalar" and not spec.minimum <= spec.default <= spec.maximum:
            raise bad(
                f"input {spec.name}'s default {spec.default} is outside {spec.minimum} to {spec.maximum}"
            )
    if len(names) > MAX_INPUTS or sum(spec.size for spec in card.inputs) > MAX_NUMBERS:
        raise bad(
            f"it has more than {MAX_INPUTS} inputs, or inputs of more than {MAX_NUMBERS:,} numbers in all"
        )
    for direction in card.directions:
        spec_for = next((spec for spec in card.inputs if spec.name == direction.input), None)
        if spec_for is None or spec_for.size != len(direction.vector):
            raise bad(f"direction {direction.name} does not fit an input")


def _parts(raw: object) -> Iterator[tuple[str, dict[str, object], set[str]]]:
    """(place, part, its known fields) of a card and of what is in it; only parts that are objects."""
    if not isinstance(raw, dict):
        return
    yield "", raw, _FIELDS
    for name, kind in _OBJECTS.items():
        found = raw.get(name)
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, dict):
                yield f"{name}.", part, kind


def parse_card(text: bytes, where: str, may_measure: bool = False) -> Card:
    """A card from JSON bytes; ModelError with the field's place where it is wrong.

    ``may_measure`` lets an output leave its size open (:func:`measured_later`) where the family measures it.
    """
    if len(text) > MAX_CARD_BYTES:
        raise ModelError(
            f"The card {where} is more than {MAX_CARD_BYTES:,} bytes long.", "A card is a small JSON file."
        )
    try:
        raw = msgspec.json.decode(text)
        for place, part, known in _parts(raw):
            if unknown := sorted(part.keys() - known):
                raise ModelError(
                    f"The card {where} has a field this program doesn't know: {place}{unknown[0][:80]}.",
                    f"Known fields are {', '.join(sorted(known))}; docs/model-card.md describes them.",
                )
        card = msgspec.convert(raw, Card)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(
            f"The card {where} can't be read: {in_words(error)}.",
            "docs/model-card.md describes every field.",
            str(error),
        ) from error
    _check(card, where, may_measure)
    return card


def read_card(folder: Path) -> Card:
    """The card of a model folder; ModelError where it is missing or wrong."""
    path = folder / "card.json"
    return parse_card(read_text(path, folder), f"{folder.name}/card.json")


def read_text(path: Path, folder: Path) -> bytes:
    """The bytes of a card, and no more of a longer file. ModelError where it is no readable file: a pipe or a
    device never ends."""
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"{path.name} in {folder.name} is not a file.", "A card is a small JSON file.")
        with path.open("rb") as file:
            return file.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise ModelError(
            f"The folder {folder.name} has no readable {path.name} ({error.strerror}).",
            "A model folder holds model.safetensors and card.json.",
        ) from error


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def card_json(card: Card) -> str:
    """The card as indented JSON; fields at their defaults are kept out of the inputs."""
    raw = msgspec.to_builtins(card)
    defaults = {key: field.default for key, field in InputSpec.__dataclass_fields__.items()}
    for spec in raw["inputs"]:
        for key in [key for key, value in spec.items() if _plain(value) == defaults[key]]:
            del spec[key]
    raw = {key: value for key, value in raw.items() if value not in (None, "", [], (), {})}
    return json.dumps(raw, indent=2, ensure_ascii=False) + "\n"


def write_card(folder: Path, card: Card) -> None:
    """Write ``card.json`` in ``folder`` (atomic), after the checks that reading it makes."""
    text = card_json(card).encode()
    parse_card(text, f"{folder.name}/card.json")
    write_atomic(folder / "card.json", text)


def card_info(
    card: Card, path: Path, sha256: str = "", parameters: int = 0, abilities: tuple[str, ...] = ()
) -> GeneratorInfo:
    """What the card alone says of a generator: enough to build every panel before torch is there."""
    return GeneratorInfo(
        name=card.name,
        title=card.title or card.name,
        family=card.family,
        output=card.output,
        inputs=card.inputs,
        description=card.description,
        path=str(path),
        sha256=sha256,
        parameters=parameters,
        abilities=abilities,
        licence=card.licence,
        distance=card.distance.name if card.distance else "",
        preview_seeds=card.preview_seeds,
        directions=card.directions,
        card=msgspec.to_builtins(card),
    )
