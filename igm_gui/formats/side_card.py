"""The card of a single file: what a person corrected.

It is ``<file>.card.json`` beside the file or, where that folder is read-only, ``cards/<sha256>.card.json`` in
the person's data folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from igm_gui.errors import ExportError
from igm_gui.formats.card import Card, card_json, parse_card, read_text
from igm_gui.formats.files import explain_os_error, write_atomic
from igm_gui.formats.hashes import cached_sha256
from igm_gui.paths import data_folder

ENDING = ".card.json"


def beside(path: Path) -> Path:
    """Where a file's card lies in its own folder."""
    return path.with_name(path.name + ENDING)


def _cards() -> Path:
    return data_folder() / "cards"


def _kept(path: Path) -> Path:
    return _cards() / f"{cached_sha256(path)}{ENDING}"


def place(path: Path) -> Path | None:
    """Where the card of the file ``path`` lies, beside it first; None where it has none."""
    card = beside(path)
    if card.is_file():
        return card
    # Most people keep none: then the file need not be hashed to look for it.
    if not _cards().is_dir() or not any(_cards().iterdir()):
        return None
    card = _kept(path)
    return card if card.is_file() else None


def read_side_card(path: Path) -> Card | None:
    """The card of the file ``path``, the one beside it first; None without one. ModelError for a bad one."""
    try:
        card = place(path)
        if card is None:
            return None
        return parse_card(read_text(card, path.parent), card.name, may_measure=True)
    except OSError:
        return None


def write_side_card(path: Path, card: Card) -> Path:
    """Write ``card`` for the file ``path`` and say where (atomic). ModelError where it would not be read
    back, ExportError where neither place can be written."""
    text = card_json(card).encode()
    parse_card(text, beside(path).name, may_measure=True)
    if os.access(path.parent, os.W_OK):
        try:
            write_atomic(beside(path), text)
            return beside(path)
        except ExportError:
            pass  # a read-only file system: the data folder remains
    write_atomic(_kept(path), text)
    return _kept(path)


def remove_side_card(path: Path) -> bool:
    """Take both cards of ``path`` away; whether there was one. ExportError where that is not allowed."""
    found = False
    for card in (beside(path), _kept(path)):
        try:
            card.unlink()
            found = True
        except FileNotFoundError:
            continue
        except OSError as error:
            raise explain_os_error(card, error) from error
    return found
