"""Files that are dragged in from elsewhere: which of them is meant, and that they stay where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent

from igm_gui.errors import IgmError
from igm_gui.formats import metadata
from igm_gui.formats.plain_folder import MODEL_ENDINGS, has_card, model_at
from igm_gui.gui.find_place import PICTURES, SOUNDS
from igm_gui.session.project import SUFFIX

RESULTS = metadata.ENDINGS
STYLES = (".npz", ".npy")
KNOWN = frozenset((SUFFIX, *RESULTS, *PICTURES, *SOUNDS, *STYLES, *MODEL_ENDINGS))


def dropped_files(event: QDropEvent) -> list[Path]:
    """The files and folders that ``event`` carries."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def accept_copy(event: QDropEvent) -> None:
    """Take what is dragged, as a copy: a source that is told "moved" may remove its file."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def meant(files: Sequence[Path]) -> Path:
    """The one of ``files`` (at least one) that is opened: the first whose name tells that it can be."""
    return next((file for file in files if file.suffix.lower() in KNOWN or is_model(file)), files[0])


def is_model(file: Path) -> bool:
    """Whether ``file`` looks like a model, by its name or its card."""
    return file.suffix.lower() in MODEL_ENDINGS or has_card(model_at(file))


def promise(files: Sequence[Path], finds: bool = False, compares: bool = False) -> str:
    """What dropping ``files`` does; ``finds`` where the model finds the place of the picture or sound,
    ``compares`` where models stand beside each other."""
    file = meant(files)
    ending = file.suffix.lower()
    if ending == SUFFIX:
        text = f"Open the project {file.name}"
    elif ending in RESULTS and carries(file):
        text = f"{file.name}: bring back what made it"
    elif finds:
        text = f"{file.name}: find its place in the latent space"
    elif ending in RESULTS:
        text = f"{file.name} was not made here: nothing to bring back"
    elif ending in PICTURES + SOUNDS:
        text = f"{file.name}: this model finds no places for it"
    elif ending in STYLES:
        text = f"Go to the w in {file.name}"
    elif is_model(file):
        text = f"{'Compare with' if compares else 'Open'} the model {model_at(file).name}"
    else:
        text = f"Open {file.name}"
    more = len(files) - 1
    return f"{text}\n{more} more {'is' if more == 1 else 'are'} left out: one at a time" if more else text


def carries(file: Path) -> bool:
    """Whether ``file``, by its name a result, says what made it. A damaged one may: opening it tells."""
    try:
        return file.is_file() and metadata.read_text(file) is not None
    except IgmError:
        return True
