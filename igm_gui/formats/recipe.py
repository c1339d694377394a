"""What made a result: the recipe that travels in its metadata. Schema: docs/recipes.md.

A recipe is JSON: ``{"igm_recipe": 1, "program": "...", "kind": "point", "model": {"name": ...,
"sha256": ...}, "content": {...}}``. ``content`` holds parts of a session's state as
:mod:`igm_gui.session.codec` writes them: ``point``, and ``timeline``, ``grid`` or ``compare`` where the kind
is that.
The last field, ``crc32``, is the CRC-32 of the text without it: WAV and MP4 have no checksum of their
own, and one flipped bit would otherwise be another point.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from igm_gui.errors import ProjectError
from igm_gui.formats import metadata

RECIPE_VERSION = 1
KEY = "igm_recipe"

Kind = Literal["point", "timeline", "grid", "compare"]


@dataclass(frozen=True)
class Recipe:
    """``model`` is the model's name, ``sha256`` the hash of its weights (empty where there was none to
    take), ``program`` what wrote the file, ``content`` state by part."""

    kind: Kind
    model: str
    sha256: str
    content: dict[str, Any] = field(default_factory=dict)
    program: str = ""
    version: int = RECIPE_VERSION


def _sealed(text: str) -> str:
    return f'{text[:-1]},"crc32":"{zlib.crc32(text.encode()):08x}"}}'


def encode(recipe: Recipe) -> str:
    """The recipe as one line of ASCII JSON: every container and every reader copes with that."""
    raw = {
        KEY: recipe.version,
        "program": recipe.program,
        "kind": recipe.kind,
        "model": {"name": recipe.model, "sha256": recipe.sha256},
        "content": recipe.content,
    }
    try:
        text = _sealed(json.dumps(raw, separators=(",", ":"), allow_nan=False))
    except ValueError as error:
        raise ProjectError(
            "The inputs hold a value that is not a finite number.", "Set it again and export once more."
        ) from error
    if len(text) > metadata.MAX_TEXT:
        raise ProjectError(
            f"What made this result is {len(text):,} bytes long; {metadata.MAX_TEXT:,} fit in a file.",
            "Export a shorter timeline.",
        )
    return text


def decode(text: str, where: str = "this file") -> Recipe:
    """The recipe in ``text``; ProjectError where it is damaged or of a newer version."""
    damaged = ProjectError(
        f"The recipe in {where} is damaged.", "The picture or sound itself may still be whole."
    )
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise damaged from error
    if not isinstance(raw, dict) or not isinstance(raw.get(KEY), int):
        raise damaged
    if raw[KEY] <= RECIPE_VERSION and _sealed(text[: -len(',"crc32":"00000000"}')] + "}") != text:
        raise damaged
    if raw[KEY] > RECIPE_VERSION:
        raise ProjectError(
            f"{where} was made by a newer version of the program ({str(raw.get('program'))[:60]}).",
            f"This one reads recipes up to version {RECIPE_VERSION}. Update it to open the file.",
        )
    model, content = raw.get("model"), raw.get("content")
    kind: Any = raw.get("kind")
    program = raw.get("program", "")
    if not isinstance(model, dict) or not isinstance(content, dict) or kind not in get_args(Kind):
        raise damaged
    name, sha256 = model.get("name"), model.get("sha256", "")
    if not all(isinstance(text, str) and len(text) <= 4096 for text in (name, sha256, program)) or not name:
        raise damaged
    return Recipe(kind, name, sha256, content, program, raw[KEY])


def read_recipe(path: Path) -> Recipe:
    """The recipe of a PNG, WAV, MP4, WebP or GIF. Reads only metadata, never pixels or samples.

    ProjectError where the file holds none, can't be read, is damaged, or is of a newer version.
    """
    path = Path(path)
    text = metadata.read_text(path)
    if text is None:
        raise ProjectError(
            f"{path.name} carries no recipe.",
            "Only files that this program exported (PNG, WAV, MP4, WebP, GIF) say what made them; another "
            "program that saved the file again may have removed it.",
        )
    return decode(text, path.name)
