"""State as plain JSON values, and back: points, timelines, grids, whole states.

Writing is exact: float32 arrays go as base64 of their little-endian bytes, other numbers as JSON
numbers that round-trip. Reading is tolerant: each ``*_from_json`` keeps what it can, puts a default
where something is damaged, and adds one sentence for everything it left out to ``dropped``. It never
raises for bad content, however hostile. Project files and recipes share this code.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np

from igm_gui.latent.interpolate import INTERPOLATIONS
from igm_gui.latent.point import LatentPoint, Value
from igm_gui.latent.priors import MAX_SEED
from igm_gui.latent.vector import Vector
from igm_gui.session.state import GridSpec, SavedPoint, SessionState
from igm_gui.timeline.timeline import EASINGS, WAYS, Keyframe, Timeline

STATE_VERSION = 1
MAX_NUMBERS = 1_000_000  # in one vector; a StyleGAN w+ has 9,216
MAX_VALUES = 1_000  # in one point
MAX_ITEMS = 20_000  # keyframes, saved points
MAX_TEXT = 4_096
MAX_PACE = 1_000

Json = dict[str, Any]
Dropped = list[str]


# -- single values


def vector_to_json(vector: Vector) -> Json:
    """``{"shape": [...], "float32": "<base64>"}``, exact to the bit."""
    raw = np.ascontiguousarray(vector.array, "<f4").tobytes()
    return {"shape": list(vector.shape), "float32": base64.b64encode(raw).decode("ascii")}


def vector_from_json(raw: object) -> Vector | None:
    """The vector, or None where ``raw`` is not one or is damaged."""
    if not isinstance(raw, dict):
        return None
    shape, text = raw.get("shape"), raw.get("float32")
    if not isinstance(shape, list) or not isinstance(text, str) or len(shape) > 8:
        return None
    if not all(_whole(side) and 0 < side <= MAX_NUMBERS for side in shape):
        return None
    size = math.prod(shape)
    if size > MAX_NUMBERS or len(text) != 4 * ((4 * size + 2) // 3):
        return None
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
    except (ValueError, binascii.Error):
        return None
    return Vector(values, shape) if values.size == size else None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and _whole(value) and abs(value) <= 2**53


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


# -- points


def point_to_json(point: LatentPoint) -> Json:
    """``{"seed": 3, "values": {"z": {...}, "truncation": 0.7}}``, in the point's order."""
    values = {
        name: vector_to_json(value) if isinstance(value, Vector) else value for name, value in point.values
    }
    return {"seed": point.seed, "values": values}


def point_from_json(raw: object, dropped: Dropped, where: str = "point") -> LatentPoint | None:
    """The point, without the values that are damaged; None where nothing of it can be read."""
    if not isinstance(raw, dict) or not isinstance(raw.get("values"), dict):
        dropped.append(f"The {where} can't be read.")
        return None
    values: list[tuple[str, Value]] = []
    for name, item in list(raw["values"].items())[:MAX_VALUES]:
        value: Value | None = vector_from_json(item)
        if value is None and _number(item):
            value = item
        if value is None or not _text(name):
            dropped.append(f"The value {str(name)[:40]} of the {where} is damaged.")
        else:
            values.append((name, value))
    if len(raw["values"]) > MAX_VALUES:
        dropped.append(f"The {where} has more than {MAX_VALUES} values; the first ones were kept.")
    seed = raw.get("seed")
    if seed is not None and not (_whole(seed) and 0 <= seed <= MAX_SEED):
        dropped.append(f"The seed of the {where} is damaged.")
        seed = None
    return LatentPoint(tuple(values), seed)


# -- timelines


def timeline_to_json(timeline: Timeline) -> Json:
    return {
        "length": timeline.length,
        "fps": timeline.fps,
        "loop": timeline.loop,
        "interpolation": timeline.interpolation,
        "keyframes": [
            {"time": k.time, "id": k.id, "easing": k.easing, "point": point_to_json(k.point)}
            | ({} if k.way is None else {"way": k.way})
            | ({"pace": list(k.pace)} if k.pace else {})
            for k in timeline.keyframes
        ],
    }


def timeline_from_json(raw: object, dropped: Dropped) -> Timeline:
    """The timeline; keyframes that are damaged or outside it are left out."""
    if not isinstance(raw, dict):
        dropped.append("The timeline can't be read.")
        return Timeline()
    default = Timeline()
    reader = _Reader(raw, dropped, "timeline")
    length = float(reader.number("length", default.length, 0.1, 36_000))
    frames: list[Keyframe] = []
    for number, item in enumerate(reader.items("keyframes")):
        where = f"keyframe {number + 1}"
        if not isinstance(item, dict):
            dropped.append(f"The {where} can't be read.")
            continue
        part = _Reader(item, dropped, where)
        point = point_from_json(item.get("point"), dropped, where)
        time = item.get("time")
        if point is None:
            continue
        if not (isinstance(time, int | float) and _number(time) and 0 <= time <= length):
            dropped.append(f"The {where} lies outside the timeline.")
            continue
        easing = part.choice("easing", "linear", EASINGS)
        way = part.choice("way", None, WAYS) if "way" in item else None
        pace = _pace(item.get("pace", []), dropped, where)
        frames.append(Keyframe(float(time), point, part.text("id", ""), easing, way, pace))
    return Timeline(
        tuple(frames),
        length,
        float(reader.number("fps", default.fps, 1, 240)),
        reader.flag("loop", default.loop),
        reader.choice("interpolation", default.interpolation, WAYS),
    )


def _pace(raw: object, dropped: Dropped, where: str) -> tuple[float, ...]:
    """Numbers that rise from 0 to 1, or none."""
    if raw == []:
        return ()
    if isinstance(raw, list) and 2 <= len(raw) <= MAX_PACE and all(_number(x) for x in raw):
        pace = tuple(float(x) for x in raw)
        if (pace[0], pace[-1]) == (0.0, 1.0) and all(a <= b for a, b in pairwise(pace)):
            return pace
    dropped.append(f"The pace of the {where} is damaged.")
    return ()


# -- grids


def grid_to_json(grid: GridSpec) -> Json:
    return {
        "mode": grid.mode,
        "rows": grid.rows,
        "columns": grid.columns,
        "seed": grid.seed,
        "corners": [None if corner is None else point_to_json(corner) for corner in grid.corners],
        "interpolation": grid.interpolation,
        "gap": grid.gap,
        "scale": grid.scale,
    }


def grid_from_json(raw: object, dropped: Dropped) -> GridSpec:
    """The grid, with defaults where something is damaged."""
    default = GridSpec()
    if not isinstance(raw, dict):
        dropped.append("The grid can't be read.")
        return default
    reader = _Reader(raw, dropped, "grid")
    corners = reader.items("corners")
    if len(corners) != 4:
        if corners:
            dropped.append("The grid's corners are damaged.")
        corners = [None] * 4
    return GridSpec(
        reader.choice("mode", default.mode, ("seeds", "plane", "classes")),
        int(reader.number("rows", default.rows, 1, 256, whole=True)),
        int(reader.number("columns", default.columns, 1, 256, whole=True)),
        int(reader.number("seed", default.seed, 0, MAX_SEED, whole=True)),
        tuple(
            None if corner is None else point_from_json(corner, dropped, f"grid's corner {i + 1}")
            for i, corner in enumerate(corners)
        ),
        reader.choice("interpolation", default.interpolation, INTERPOLATIONS),
        int(reader.number("gap", default.gap, 0, 256, whole=True)),
        int(reader.number("scale", default.scale, 0, 64, whole=True)),
    )


# -- the whole state


def state_to_json(state: SessionState) -> Json:
    """Every field of the state, with ``version``."""
    return {
        "version": STATE_VERSION,
        "model": state.model,
        "point": point_to_json(state.point),
        "locks": sorted([name, index] for name, index in state.locks),
        "saved": [
            {"id": s.id, "name": s.name, "model": s.model, "point": point_to_json(s.point)}
            for s in state.saved
        ],
        "timeline": timeline_to_json(state.timeline),
        "compare": list(state.compare),
        "compare_seed": state.compare_seed,
        "grid": grid_to_json(state.grid),
        "device": state.device,
        "spread": state.spread,
    }


def state_from_json(raw: object, dropped: Dropped) -> SessionState:
    """As much of the state as can be read; a field of a newer version is named in ``dropped``."""
    if not isinstance(raw, dict):
        dropped.append("The state can't be read.")
        return SessionState()
    default = SessionState()
    known = {field.name for field in fields(SessionState)} | {"version"}
    dropped.extend(f"{str(name)[:40]} is not known to this version." for name in raw if name not in known)
    reader = _Reader(raw, dropped, "state")
    point = default.point
    if "point" in raw:
        point = point_from_json(raw["point"], dropped) or default.point
    timeline = timeline_from_json(raw["timeline"], dropped) if "timeline" in raw else default.timeline
    grid = grid_from_json(raw["grid"], dropped) if "grid" in raw else default.grid
    return SessionState(
        model=reader.text("model", default.model),
        point=point,
        locks=_locks(reader.items("locks"), dropped),
        saved=_saved(reader.items("saved"), dropped),
        timeline=timeline,
        compare=tuple(_names(reader.items("compare"), dropped)),
        compare_seed=int(reader.number("compare_seed", default.compare_seed, 0, MAX_SEED, whole=True)),
        grid=grid,
        device=reader.choice("device", default.device, ("auto", "cpu", "cuda", "mps")),
        spread=float(reader.number("spread", default.spread, 0.0, 10.0)),
    )


def _locks(items: list[Any], dropped: Dropped) -> frozenset[tuple[str, int]]:
    good = [
        (i[0], i[1])
        for i in items
        if isinstance(i, list) and len(i) == 2 and _text(i[0]) and _whole(i[1]) and i[1] >= 0
    ]
    if len(good) != len(items):
        dropped.append("Some locked dimensions can't be read.")
    return frozenset(good)


def _saved(items: list[Any], dropped: Dropped) -> tuple[SavedPoint, ...]:
    saved = []
    for number, item in enumerate(items):
        where = f"saved point {number + 1}"
        raw = item if isinstance(item, dict) else {}
        point = point_from_json(raw.get("point"), dropped, where)
        if point is None:
            continue
        part = _Reader(raw, dropped, where)
        name = part.text("name", f"Point {number + 1}")
        saved.append(SavedPoint(part.text("id", f"saved-{number}"), name, part.text("model", ""), point))
    return tuple(saved)


def _names(items: list[Any], dropped: Dropped) -> list[str]:
    names = [item for item in items if _text(item)]
    if len(names) != len(items):
        dropped.append("Some models to compare can't be read.")
    return names


class _Reader:
    """Fields of a JSON object with defaults; what is damaged is named in ``dropped``."""

    def __init__(self, raw: Json, dropped: Dropped, where: str) -> None:
        self._raw, self._dropped, self._where = raw, dropped, where

    def _bad(self, name: str) -> None:
        self._dropped.append(f"The {name.replace('_', ' ')} of the {self._where} is damaged.")

    def number(self, name: str, default: float, low: float, high: float, whole: bool = False) -> float:
        value = self._raw.get(name, default)
        if (_whole(value) if whole else _number(value)) and low <= value <= high:
            return value
        self._bad(name)
        return default

    def text(self, name: str, default: str) -> str:
        value = self._raw.get(name, default)
        if _text(value):
            return value
        self._bad(name)
        return default

    def flag(self, name: str, default: bool) -> bool:
        value = self._raw.get(name, default)
        if isinstance(value, bool):
            return value
        self._bad(name)
        return default

    def choice(self, name: str, default: Any, choices: tuple[Any, ...]) -> Any:
        value = self._raw.get(name, default)
        if isinstance(value, str) and value in choices:
            return value
        self._bad(name)
        return default

    def items(self, name: str) -> list[Any]:
        value = self._raw.get(name, [])
        if not isinstance(value, list):
            self._bad(name)
            return []
        if len(value) > MAX_ITEMS:
            self._dropped.append(f"The {self._where} has more than {MAX_ITEMS} {name}; the first were kept.")
        return value[:MAX_ITEMS]
