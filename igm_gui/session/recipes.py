"""From state to recipe, and back: how a dropped file brings its state with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from igm_gui.errors import ModelError, ProjectError
from igm_gui.formats import known_models, library
from igm_gui.formats.recipe import Kind, Recipe, read_recipe
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.session import codec
from igm_gui.session.session import Session
from igm_gui.session.state import GridSpec
from igm_gui.timeline.timeline import Timeline
from igm_gui.version import PROGRAM


@lru_cache(maxsize=64)
def _note(name: str, sha256: str, path: str, _home: str) -> None:
    """Remember where a model that is not bundled lies: once for each, not for each frame of a film."""
    if str(library.bundled().get(name)) != path:
        known_models.remember(sha256, path)


def _recipe(info: GeneratorInfo, kind: Kind, **content: Any) -> Recipe:
    _note(info.name, info.sha256, info.path, os.environ.get("IGM_HOME", ""))
    kept = {name: value for name, value in content.items() if value is not None}
    return Recipe(kind, info.name, info.sha256, kept, PROGRAM)


def point_recipe(info: GeneratorInfo, point: LatentPoint) -> Recipe:
    """What made one picture or sound."""
    return _recipe(info, "point", point=codec.point_to_json(point))


def timeline_recipe(info: GeneratorInfo, timeline: Timeline, point: LatentPoint | None = None) -> Recipe:
    """What made a film or the sound of a timeline; ``point`` is the current one, if it is to come back."""
    return _recipe(
        info,
        "timeline",
        timeline=codec.timeline_to_json(timeline),
        point=None if point is None else codec.point_to_json(point),
    )


def grid_recipe(info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None) -> Recipe:
    """What made a sheet; ``base`` holds what the grid does not vary."""
    return _recipe(
        info,
        "grid",
        grid=codec.grid_to_json(grid),
        point=None if base is None else codec.point_to_json(base),
    )


@dataclass(frozen=True)
class Restored:
    """``changes`` are for ``session.update(**changes)``; ``warning`` is a sentence to show, or empty."""

    recipe: Recipe
    changes: dict[str, Any] = field(default_factory=dict)
    warning: str = ""


def restore(recipe: Recipe, infos: Mapping[str, GeneratorInfo] | None = None) -> Restored:
    """The state changes that a recipe stands for. ``infos`` are models already open (``session.infos``).

    ModelError names the model and its hash where it is not here; ProjectError where the recipe's content
    is damaged: part of a point is another point, so nothing is guessed.
    """
    dropped: codec.Dropped = []
    changes: dict[str, Any] = {}
    content = recipe.content
    if "point" in content:
        changes["point"] = codec.point_from_json(content["point"], dropped)
    if recipe.kind == "timeline":
        changes["timeline"] = codec.timeline_from_json(content.get("timeline"), dropped)
    elif recipe.kind == "grid":
        changes["grid"] = codec.grid_from_json(content.get("grid"), dropped)
    elif "point" not in content:
        dropped.append("The point is missing.")
    if dropped:
        raise ProjectError("The recipe in this file is damaged.", dropped[0], "\n".join(dropped))
    model, warning = find_model(recipe, infos or {})
    known = (infos or {}).get(model)
    if known is not None and "point" in changes:
        changes["point"] = conform(changes["point"], known)
    return Restored(recipe, {"model": model, **changes, "locks": frozenset()}, warning)


def restore_file(path: Path, infos: Mapping[str, GeneratorInfo] | None = None) -> Restored:
    """:func:`restore` for the recipe in a PNG, WAV or MP4."""
    return restore(read_recipe(path), infos)


def open_result(session: Session, path: Path) -> Restored:
    """Bring back the state that made ``path`` (one step to undo). ProjectError, ModelError or InputError
    where that can't be; the session is then as before."""
    restored = restore_file(path, session.infos)
    session.update(**restored.changes)
    return restored


def find_model(recipe: Recipe, infos: Mapping[str, GeneratorInfo]) -> tuple[str, str]:
    """The recipe's model as a bundled name or path, and a warning where its weights are others."""
    sha256 = recipe.sha256
    if sha256:
        for model, info in infos.items():
            if info.sha256 == sha256:
                return model, ""
    bundled = library.bundled().get(recipe.model)
    if bundled is not None and (not sha256 or known_models.matches(bundled, sha256)):
        return recipe.model, ""
    own = known_models.path_of(sha256) if sha256 else None
    if own is not None:
        return str(own), ""
    if bundled is not None:
        return recipe.model, (
            f"The weights of {recipe.model} here are not those that made this file "
            f"(SHA-256 {sha256[:12]}…): the result may differ."
        )
    raise ModelError(
        f"The model that made this file is not here: {recipe.model}"
        + (f" (SHA-256 {sha256[:12]}…)." if sha256 else "."),
        "Open that model's file or folder once, then this file again."
        + (f" The full SHA-256 of its weights is {sha256}." if sha256 else ""),
    )
