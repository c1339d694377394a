"""From state to recipe, and back: how a dropped file brings its state with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from igm_gui.errors import ModelError, ProjectError
from igm_gui.formats import known_models, library
from igm_gui.formats.recipe import Kind, Recipe, read_recipe
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.latent.priors import MAX_SEED
from igm_gui.session import codec
from igm_gui.session.session import Session
from igm_gui.session.state import GridSpec
from igm_gui.timeline.timeline import Timeline
from igm_gui.version import PROGRAM

MAX_BESIDE = 16


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


Side = Annotated[int, msgspec.Meta(ge=2, le=8192)]


class Film(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a film is written, beside its timeline.

    ``factor`` magnifies each pixel (None: to at least 256 pixels, or as much of ``frame`` as there is room
    for), by blocks or ``smooth``; ``frame`` is the film's width and height in pixels, even numbers, with the
    picture in its middle on ``background``, ``#rrggbb`` (None: the picture's own size); ``crf`` is x264's
    quality, 0 lossless to 51; the timeline is gone through ``rounds`` times.
    """

    factor: Annotated[int, msgspec.Meta(ge=1, le=8192)] | None = None
    smooth: bool = False
    crf: Annotated[int, msgspec.Meta(ge=0, le=51)] = 16
    rounds: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    frame: tuple[Side, Side] | None = None
    background: Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")] = "#000000"


def timeline_recipe(
    info: GeneratorInfo, timeline: Timeline, point: LatentPoint | None = None, film: Film | None = None
) -> Recipe:
    """What made a film or the sound of a timeline; ``point`` is the current one, if it is to come back."""
    return _recipe(
        info,
        "timeline",
        timeline=codec.timeline_to_json(timeline),
        point=None if point is None else codec.point_to_json(point),
        film=None if film is None else msgspec.to_builtins(film),
    )


def film_of(recipe: Recipe) -> Film:
    """How the film that carries ``recipe`` was written, the defaults where it does not say.

    ProjectError where that is damaged."""
    try:
        return msgspec.convert(recipe.content.get("film", {}), Film)
    except msgspec.ValidationError as error:
        raise ProjectError(
            "The recipe in this file is damaged.", "Its film can't be read.", str(error)
        ) from error


def grid_recipe(info: GeneratorInfo, grid: GridSpec, base: LatentPoint | None = None) -> Recipe:
    """What made a sheet; ``base`` holds what the grid does not vary."""
    return _recipe(
        info,
        "grid",
        grid=codec.grid_to_json(grid),
        point=None if base is None else codec.point_to_json(base),
    )


def compare_recipe(infos: Sequence[GeneratorInfo], seed: int, base: LatentPoint) -> Recipe:
    """What made samples of several models side by side: the first drives the others, and all of them drew
    from ``seed`` on; ``base`` is the first one's point."""
    for info in infos[1:]:
        _note(info.name, info.sha256, info.path, os.environ.get("IGM_HOME", ""))
    others = [{"name": info.name, "sha256": info.sha256} for info in infos[1:]]
    return _recipe(
        infos[0], "compare", compare={"models": others, "seed": seed}, point=codec.point_to_json(base)
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
    beside: list[Recipe] = []
    if recipe.kind == "compare":
        beside = _beside(recipe, changes, dropped)
    if dropped:
        raise ProjectError("The recipe in this file is damaged.", dropped[0], "\n".join(dropped))
    model, warning = find_model(recipe, infos or {})
    if recipe.kind == "compare":
        found, lost = [], []
        for other in beside:
            try:
                found.append(find_model(other, infos or {}))
            except ModelError as error:
                # The others still compare.
                lost.append(error.message)
        changes["compare"] = tuple(name for name, _ in found if name != model)
        warning = " ".join(text for text in (warning, *(text for _, text in found), *lost) if text)
    known = (infos or {}).get(model)
    if known is not None and "point" in changes:
        changes["point"] = conform(changes["point"], known)
    return Restored(recipe, {"model": model, **changes, "locks": frozenset()}, warning)


def _beside(recipe: Recipe, changes: dict[str, Any], dropped: codec.Dropped) -> list[Recipe]:
    """The models beside the first, each as the recipe that :func:`find_model` looks for."""
    raw = recipe.content.get("compare")
    models = raw.get("models") if isinstance(raw, dict) else None
    seed = raw.get("seed") if isinstance(raw, dict) else None
    if not isinstance(models, list) or type(seed) is not int or not 0 <= seed <= MAX_SEED:
        dropped.append("The models side by side can't be read.")
        return []
    changes["compare_seed"] = seed
    others = []
    for item in models[:MAX_BESIDE]:
        name, sha256 = (item.get("name"), item.get("sha256")) if isinstance(item, dict) else (None, None)
        if not (isinstance(name, str) and name and isinstance(sha256, str)):
            dropped.append("A model of those side by side can't be read.")
            return []
        others.append(Recipe("compare", name[:4096], sha256[:128]))
    return others


def restore_file(path: Path, infos: Mapping[str, GeneratorInfo] | None = None) -> Restored:
    """:func:`restore` for the recipe in an exported file."""
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
