"""Project files (``.igm``): a zip of versioned JSON and raw float32 arrays. Nothing in one is executed.

Members, in this order (docs/project-files.md has the fields):

- ``project.json``: format, version, and the state without its arrays;
- ``arrays/<hash>.f32``: one little-endian float32 array each, named by the SHA-256 of its bytes;
- ``project-copy.json``: the first member again.

Small parts that vouch for themselves, and the JSON at both ends, let a damaged or cut file open as far
as it goes: what is lost is named, the rest is there. The same state gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from igm_gui.errors import ProjectError
from igm_gui.formats import known_models, library
from igm_gui.formats.files import atomic_path
from igm_gui.formats.salvage import ZipReader
from igm_gui.info import GeneratorInfo
from igm_gui.session import codec
from igm_gui.session.state import SessionState
from igm_gui.version import PROGRAM

FORMAT = "igm-project"
VERSION = 1
SUFFIX = ".igm"
MAX_FILE_BYTES = 1 << 30
MAX_JSON_BYTES = 16 << 20
MAX_NUMBERS = 64 << 20  # in all arrays of a state together: 256 MiB
MAX_PROBLEMS = 50
_HEAD, _COPY = "project.json", "project-copy.json"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Extras = Mapping[str, Any]


@dataclass(frozen=True)
class Project:
    """What a file held. ``problems`` are sentences for the person: what was lost; empty when all is well.

    ``extras`` is whatever the window kept beside the state: plain JSON values, unchecked.
    """

    state: SessionState
    problems: list[str] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)
    program: str = ""


# -- writing


def save_project(
    path: Path,
    state: SessionState,
    extras: Extras | None = None,
    infos: Mapping[str, GeneratorInfo] | None = None,
) -> None:
    """Write ``state`` to ``path``: all of it or nothing. ExportError where that fails.

    ``extras`` are JSON values of the window's own. ``infos`` (``session.infos``) let models that are
    not bundled be found again by their content when their path has changed.
    """
    path = Path(path)
    arrays: dict[str, bytes] = {}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "program": PROGRAM,
        "models": _describe_models(state, path, infos or {}),
        "extras": dict(extras or {}),
        "state": _lift_arrays(codec.state_to_json(state), arrays),
    }
    text = json.dumps(head, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        _add(archive, _HEAD, text, zipfile.ZIP_DEFLATED)
        for name, raw in arrays.items():
            # Stored: random numbers don't shrink, and any tool can read them in place.
            _add(archive, name, raw, zipfile.ZIP_STORED)
        _add(archive, _COPY, text, zipfile.ZIP_DEFLATED)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, how: int) -> None:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = how
    archive.writestr(entry, content)


def _array_name(raw: bytes) -> str:
    return f"arrays/{hashlib.sha256(raw).hexdigest()[:32]}.f32"


def _lift_arrays(value: Any, arrays: dict[str, bytes]) -> Any:
    """``value`` with each base64 array replaced by the name of a member, which goes to ``arrays``."""
    if isinstance(value, list):
        return [_lift_arrays(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"shape", "float32"}:
        raw = base64.b64decode(value["float32"])
        name = _array_name(raw)
        arrays[name] = raw
        return {"shape": value["shape"], "array": name}
    return {key: _lift_arrays(item, arrays) for key, item in value.items()}


def _model_names(state: SessionState) -> list[str]:
    names = dict.fromkeys([state.model, *state.compare, *(saved.model for saved in state.saved)])
    return [name for name in names if name]


def _describe_models(state: SessionState, path: Path, infos: Mapping[str, GeneratorInfo]) -> dict[str, Any]:
    bundled = library.bundled()
    described = {}
    for name in _model_names(state):
        if name in bundled:
            continue
        info = infos.get(name)
        entry = {"name": info.name if info else Path(name).stem, "sha256": info.sha256 if info else ""}
        folder = path.resolve().parent
        if Path(name).is_relative_to(folder):
            # A model that lies beside or below the project may move with it.
            entry["relative"] = Path(name).relative_to(folder).as_posix()
        if info:
            known_models.remember(info.sha256, info.path)
        described[name] = entry
    return described


# -- reading


def load_project(path: Path) -> tuple[SessionState, list[str]]:
    """The state in ``path`` and what was lost of it, as sentences. See :func:`read_project`."""
    project = read_project(path)
    return project.state, project.problems


def read_project(path: Path) -> Project:
    """Open a project file as far as it goes.

    ProjectError where nothing can be had of it: not a project, from a newer version, not readable.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ProjectError(
                f"{path.name} is {size:,} bytes long; a project file has at most {MAX_FILE_BYTES:,}.",
                "It is probably not a project file.",
            )
        content = path.read_bytes()
    except OSError as error:
        raise ProjectError(
            f"{path.name} can't be read: {error.strerror or error}.", "Check that the file exists."
        ) from error
    reader = ZipReader(content)
    problems: list[str] = []
    head = _read_head(path, reader)
    try:
        raw = _put_arrays(head.get("state"), _Arrays(reader))
    except RecursionError:
        raw = None  # nested deeper than any state; the codec says that it can't be read
    _find_models(raw, head.get("models"), path, problems)
    state = codec.state_from_json(raw, problems)
    if reader.damaged:
        rest = (
            "it was opened as far as it can be read" if problems else "everything in it could still be read"
        )
        problems.insert(0, f"{path.name} is damaged or cut short; {rest}.")
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"And {len(problems) - MAX_PROBLEMS} more."]
    extras = head.get("extras")
    program = head.get("program")
    return Project(
        state,
        problems,
        extras if isinstance(extras, dict) else {},
        program[:200] if isinstance(program, str) else "",
    )


def _read_head(path: Path, reader: ZipReader) -> dict[str, Any]:
    seen = False
    for name in (_HEAD, _COPY):
        text = reader.read(name, MAX_JSON_BYTES)
        if text is None:
            continue
        seen = True
        try:
            head = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            continue
        version = head.get("version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            continue
        if version > VERSION:
            program = head.get("program")
            by = f" ({program[:80]})" if isinstance(program, str) and program else ""
            raise ProjectError(
                f"{path.name} was saved by a newer version of the program{by}.",
                f"It has format {version}; this one, {PROGRAM}, reads up to format {VERSION}. "
                "Update the program; the file was not changed.",
            )
        return head
    if seen or reader.is_zip:
        raise ProjectError(
            f"{path.name} holds no project that can be read.",
            "It is damaged too far, or another kind of zip file. A copy or an autosave may be better.",
        )
    if path.suffix.lower() == SUFFIX:
        raise ProjectError(
            f"{path.name} holds no project.", "It is damaged, or another kind of file under that name."
        )
    raise ProjectError(f"{path.name} is not a project file.", f"Project files end in {SUFFIX}.")


class _Arrays:
    """Arrays by member name as base64, each checked against its name; bounded in all."""

    def __init__(self, reader: ZipReader) -> None:
        self._reader = reader
        self._texts: dict[str, str | None] = {}
        self._left = 4 * MAX_NUMBERS

    def text(self, name: object) -> str | None:
        if not isinstance(name, str) or not name.startswith("arrays/"):
            return None
        if name not in self._texts:
            raw = self._reader.read(name, 4 * codec.MAX_NUMBERS)
            whole = raw is not None and _array_name(raw) == name
            self._texts[name] = base64.b64encode(raw).decode() if whole and raw is not None else None
        text = self._texts[name]
        # Counted at every use: a small file must not name one array a million times.
        self._left -= 0 if text is None else len(text)
        return text if self._left >= 0 else None


def _put_arrays(value: Any, arrays: _Arrays) -> Any:
    """The other way round than :func:`_lift_arrays`; a lost array leaves a value the codec reports."""
    if isinstance(value, list):
        return [_put_arrays(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value and "shape" in value:
        return {"shape": value["shape"], "float32": arrays.text(value["array"])}
    return {key: _put_arrays(item, arrays) for key, item in value.items()}


def _mentions(raw: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every place in a raw state that may name a model."""
    yield raw, "model"
    for name, key in (("compare", None), ("saved", "model")):
        items = raw.get(name)
        for index, item in enumerate(items[: codec.MAX_ITEMS] if isinstance(items, list) else []):
            if key is None:
                yield items, index
            elif isinstance(item, dict):
                yield item, key


def _find_models(raw: Any, described: Any, path: Path, problems: list[str]) -> None:
    """Replace, in ``raw``, paths of models that have moved; name those that are nowhere."""
    if not isinstance(raw, dict):
        return
    found: dict[str, str] = {}
    for container, key in _mentions(raw):
        name = container.get(key) if isinstance(container, dict) else container[key]
        if not isinstance(name, str) or not name or len(name) > codec.MAX_TEXT:
            continue
        if name not in found:
            entry = described.get(name) if isinstance(described, dict) else None
            found[name] = _find_model(name, entry if isinstance(entry, dict) else {}, path, problems)
        container[key] = found[name]


def _find_model(name: str, entry: dict[str, Any], path: Path, problems: list[str]) -> str:
    if name in library.bundled():
        return name
    candidates: list[Path | None] = [Path(name)]
    relative, sha256 = entry.get("relative"), entry.get("sha256")
    if isinstance(relative, str) and relative and ".." not in Path(relative).parts:
        candidates.append(path.resolve().parent / relative)
    try:
        for candidate in candidates:
            if candidate is not None and candidate.is_absolute() and candidate.exists():
                return str(candidate)
        known = known_models.path_of(sha256) if isinstance(sha256, str) and sha256 else None
        if known is not None:
            return str(known)
    except (OSError, ValueError):
        pass
    problems.append(f"The model {name[:200]} is not here. Open it from where it lies now.")
    return name
