"""What a folder holds that is no model folder: said, so that the person finds the model in it."""

from __future__ import annotations

from itertools import islice
from os.path import isfile
from pathlib import Path

from igm_gui.errors import ModelError

MODEL_ENDINGS = frozenset((".pkl", ".pt", ".pth", ".safetensors", ".onnx", ".ts", ".pt2"))
OUR_FILES = ("card.json", "model.safetensors")
MAX_LOOKED_AT = 2000
NAMED = 3
NEEDED = "A model folder holds model.safetensors and card.json."


def model_at(path: Path) -> Path:
    """What is opened when ``path`` is named: a file of our own folder format stands for its folder."""
    ours = path.name in OUR_FILES and isfile(path.parent / "card.json")
    return path.parent if ours else path


def has_card(folder: Path) -> bool:
    """Whether something called card.json lies in ``folder``; not where it can't be looked into."""
    try:
        (folder / "card.json").lstat()
    except OSError:
        return False
    return True


def _models(folder: Path) -> list[str]:
    """Names of what lies in ``folder`` and looks like a model. OSError where it can't be read."""
    found = []
    for path in islice(folder.iterdir(), MAX_LOOKED_AT):
        # Not by Path.is_file: that raises where a folder in this one may not be looked into.
        file = path.suffix.lower() in MODEL_ENDINGS and isfile(path) and path.stat().st_size > 0
        if file or isfile(path / "card.json"):
            found.append(path.name)
    return sorted(found)


def no_model(folder: Path) -> ModelError:
    """The refusal of a folder without a card; it names what may be meant."""
    try:
        found = _models(folder)
    except OSError as error:
        return ModelError(
            f"The folder {folder.name} can't be read: {error.strerror}.", "Check its permissions."
        )
    if not found:
        return ModelError(f"The folder {folder.name} holds no model: there is no card.json in it.", NEEDED)
    if len(found) == 1:
        return ModelError(
            f"The folder {folder.name} is no model itself.", f"Open {found[0]}, which is in it."
        )
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ModelError(
        f"The folder {folder.name} is no model itself; it holds {', '.join(found[:NAMED])}{more}.",
        "Open one of them. The window's list of models (O) also takes whole folders.",
    )
