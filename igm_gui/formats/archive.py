"""Zip archives looked at before anything is read from them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from igm_gui.errors import ModelError


def check_zip(path: Path) -> list[str]:
    """The names in a zip, after checking that it does not grow when it is read.

    ModelError where entries are damaged, overlap the file's size or leave their folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"{path.name} is a damaged archive.", "Copy or download it again.", str(error)
        ) from error
    size = path.stat().st_size
    if len(entries) > 200_000 or sum(entry.file_size for entry in entries) > size + 65_536:
        raise ModelError(
            f"{path.name} would grow to more than its own size when it is read.",
            "Model archives are not compressed; this one can't be trusted.",
        )
    names = [entry.filename for entry in entries]
    if any(
        name.startswith(("/", "\\")) or name[1:2] == ":" or ".." in name.replace("\\", "/").split("/")
        for name in names
    ):
        raise ModelError(f"{path.name} holds files that leave its folder.", "This archive can't be trusted.")
    return names
