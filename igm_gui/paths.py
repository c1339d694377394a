"""Where the program's own files and the person's files lie."""

from __future__ import annotations

import contextlib
import os
from functools import cache
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def _bundled(name: str) -> Path:
    # An installed wheel carries the folder inside the package; a checkout has it beside it.
    installed = _PACKAGE / "bundled" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


@cache
def models_folder() -> Path:
    """The folder of bundled generators, one folder each."""
    return _bundled("models")


@cache
def assets_folder() -> Path:
    """Icons, fonts and themes."""
    return _bundled("assets")


def _user(kind: str) -> Path:
    # IGM_HOME keeps trials and tests away from the person's own settings.
    home = os.environ.get("IGM_HOME")
    if home:
        return Path(home) / kind
    finder = {
        "data": platformdirs.user_data_path,
        "cache": platformdirs.user_cache_path,
        "config": platformdirs.user_config_path,
    }[kind]
    return finder("igm-studio", appauthor=False)


def _made(folder: Path) -> Path:
    # A home that can't be written in is no reason not to start: writing there says so when it matters.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def data_folder() -> Path:
    """Autosaves, remembered answers, side-car cards; made on first use."""
    return _made(_user("data"))


def cache_folder() -> Path:
    """Things that can be made again; made on first use."""
    return _made(_user("cache"))


def config_folder() -> Path:
    """The window's settings; made on first use."""
    return _made(_user("config"))
