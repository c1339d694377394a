"""What a person does to a session: random, mutate, zero, seed, keep, keyframes.

Each is one step to undo. Locked dimensions stay as they are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import InputSpec
from igm_gui.latent.point import STREAM, LatentPoint, conform
from igm_gui.latent.priors import MAX_SEED, clip_range, draw
from igm_gui.latent.vector import Vector
from igm_gui.session.grid import drawn
from igm_gui.session.session import Session
from igm_gui.session.state import SavedPoint
from igm_gui.timeline.pace import settled, unpaced
from igm_gui.timeline.timeline import KEY_SECONDS, MAX_LENGTH, Easing, Keyframe, Timeline, Way


def new_seed() -> int:
    """A seed short enough to say aloud: 0 to 999,999."""
    return secrets.randbelow(1_000_000)


def _set_latents(
    session: Session, make: dict[str, NDArray[np.float32]], seed: int | None, merge: str | None = None
) -> bool:
    point = session.state.point
    locks = session.state.locks
    for name, array in make.items():
        held = [index for key, index in locks if key == name]
        if held:
            array = array.copy()
            array.reshape(-1)[held] = point.vector(name).array.reshape(-1)[held]
            seed = None
        point = point.with_value(name, Vector(array))
    return session.update(point=replace(point, seed=seed), merge=merge)


def _latents(session: Session) -> tuple[InputSpec, ...]:
    info = session.info
    return info.of_kind("latent") if info else ()


def set_seed(session: Session, seed: int, merge: str | None = None) -> bool:
    """Draw every latent from ``seed`` (0 to 2**32 - 1, clamped)."""
    seed = min(max(int(seed), 0), MAX_SEED)
    made = {spec.name: draw(spec, seed + STREAM * i) for i, spec in enumerate(_latents(session))}
    return _set_latents(session, made, seed, merge)


def randomize(session: Session, seed: int | None = None) -> bool:
    """Draw every latent from a new seed."""
    return set_seed(session, new_seed() if seed is None else seed)


def mutate(session: Session, seed: int | None = None) -> bool:
    """A neighbour at the session's ``spread``, which keeps the prior's scale.

    Normal latents: z' = sqrt(1 - s²) z + s e with e from the prior (an AR(1) step, whose stationary
    law is the prior), s the spread clipped to [0, 1].
    """
    spread = float(np.clip(session.state.spread, 0.0, 1.0))
    seed = new_seed() if seed is None else seed
    made = {}
    for i, spec in enumerate(_latents(session)):
        old = session.state.point.vector(spec.name).array
        noise = draw(spec, seed + STREAM * i)
        if spec.prior == "uniform":
            made[spec.name] = np.clip(old + spread * noise, -1, 1).astype(np.float32)
        else:
            made[spec.name] = (np.sqrt(1 - spread**2) * old + spread * noise).astype(np.float32)
    return _set_latents(session, made, None)


def zero(session: Session) -> bool:
    """Every latent at zero: the middle of the prior."""
    return _set_latents(session, {s.name: np.zeros(s.shape, np.float32) for s in _latents(session)}, None)


def set_dimensions(session: Session, name: str, values: dict[int, float], merge: str | None = None) -> bool:
    """Set flat dimensions of a latent; locked ones are left alone, values are clipped to ten
    standard deviations."""
    info = session.info
    spec = info.input(name) if info else None
    if spec is None:
        return False
    low, high = clip_range(spec)
    if spec.prior != "uniform":
        low, high = -10.0, 10.0
    vector = session.state.point.vector(name)
    free = {i: v for i, v in values.items() if (name, i) not in session.state.locks and 0 <= i < vector.size}
    if not free:
        return False
    # Plain numbers: a drag changes a few, and each array operation costs more than all of them.
    clipped = [min(max(value, low), high) if value == value else 0.0 for value in free.values()]
    return session.set_input(name, vector.replace(free.keys(), clipped), merge=merge)


def toggle_lock(session: Session, name: str, index: int) -> bool:
    """Lock or free one dimension."""
    return session.update(locks=session.state.locks ^ {(name, index)})


def keep(session: Session, name: str = "", point: LatentPoint | None = None) -> SavedPoint:
    """Save the current point, or another of the current model; the answer is what was saved."""
    state = session.state
    taken = {saved.name for saved in state.saved}
    if not name:
        name = next(f"Point {n}" for n in range(1, len(taken) + 2) if f"Point {n}" not in taken)
    saved = SavedPoint(secrets.token_hex(6), name, state.model, point or state.point)
    session.update(saved=(*state.saved, saved))
    return saved


def forget(session: Session, *ids: str) -> bool:
    """Remove saved points."""
    return session.update(saved=tuple(s for s in session.state.saved if s.id not in ids))


def rename(session: Session, id: str, name: str) -> bool:
    """Rename a saved point; an empty name changes nothing."""
    name = name.strip()
    if not name:
        return False
    return session.update(
        saved=tuple(replace(s, name=name) if s.id == id else s for s in session.state.saved)
    )


def move_saved(session: Session, id: str, index: int) -> bool:
    """Put a saved point at the place ``index`` of the others, 0 for the first; beyond the end is the end."""
    moved = next((s for s in session.state.saved if s.id == id), None)
    if moved is None:
        return False
    others = [s for s in session.state.saved if s.id != id]
    others.insert(max(index, 0), moved)
    return session.update(saved=tuple(others))


def go_to(session: Session, point: LatentPoint) -> bool:
    """Make ``point`` the current one, fitted to the current model."""
    info = session.info
    return session.update(point=conform(point, info) if info else point)


def recall(session: Session, id: str) -> bool:
    """Go to a saved point; the model it was found in comes back with it."""
    saved = next((s for s in session.state.saved if s.id == id), None)
    if saved is None:
        return False
    info = session.infos.get(saved.model)
    point = conform(saved.point, info) if info else saved.point
    return session.update(model=saved.model, point=point)


def add_keyframe(session: Session, seconds: float, point: LatentPoint | None = None) -> str:
    """A keyframe at ``seconds`` from ``point`` or the current one; answers its id. It goes on as the
    keyframe before it does."""
    timeline = session.state.timeline
    seconds = min(max(0.0, seconds), MAX_LENGTH)
    before = [k for k in timeline.keyframes if k.time <= seconds] or list(timeline.keyframes[:1])
    frame = Keyframe(seconds, point or session.state.point, secrets.token_hex(6), "ease")
    if before:
        frame = replace(frame, easing=before[-1].easing, way=before[-1].way)
    _edit(session, timeline.with_keyframe(frame))
    return frame.id


def append_keyframe(session: Session, point: LatentPoint | None = None) -> float:
    """A keyframe behind the last one, :data:`KEY_SECONDS` later; answers its time in seconds. The timeline
    grows where it must; one that loops keeps room for the way back. One step to undo."""
    timeline = session.state.timeline
    last = timeline.keyframes[-1] if timeline.keyframes else None
    seconds = 0.0 if last is None else min(last.time + KEY_SECONDS, MAX_LENGTH)
    frame = Keyframe(seconds, point or session.state.point, secrets.token_hex(6), "ease")
    if last is not None:
        frame = replace(frame, easing=last.easing, way=last.way)
    end = seconds + KEY_SECONDS if timeline.loop and seconds >= timeline.length - 1e-6 else seconds
    grown = replace(timeline, length=max(timeline.length, min(end, MAX_LENGTH)))
    _edit(session, grown.with_keyframe(frame))
    return seconds


def spread_keyframes(session: Session) -> bool:
    """The keyframes at even distances over the whole timeline, in their order."""
    timeline = session.state.timeline
    times = _even(timeline, len(timeline.keyframes))
    frames = tuple(replace(k, time=time) for k, time in zip(timeline.keyframes, times, strict=True))
    return _edit(session, replace(timeline, keyframes=frames))


def _even(timeline: Timeline, count: int) -> list[float]:
    """Times of ``count`` keyframes at even distances, on frames where there are enough of them: what a
    keyframe holds is then seen, and written, exactly."""
    step = timeline.length / max(count if timeline.loop else count - 1, 1)
    grid = timeline.fps if step * timeline.fps >= 1 else 0.0
    times = (round(i * step * grid) / grid if grid else i * step for i in range(count))
    return [min(time, timeline.length) for time in times]


def fill_timeline(session: Session, count: int = 4) -> list[str]:
    """Something to begin with: the current point and others from new seeds, evenly spread over the
    timeline (the last one leaves room for the way back where it loops); their ids. One step to undo."""
    info, state = session.info, session.state
    points = [state.point]
    if info is not None:
        # Only latents are drawn anew: class, truncation and scalars stay the person's.
        points += [drawn(info, state.point, new_seed()) for _ in range(count - 1)]
    return _fill(session, points)


def saved_here(session: Session) -> tuple[SavedPoint, ...]:
    """The saved points that were found in the current model."""
    return tuple(s for s in session.state.saved if s.model == session.state.model)


def fill_from_saved(session: Session) -> list[str]:
    """The saved points of the current model as keyframes, in their order, evenly spread; their ids. What
    would be denser than :data:`KEY_SECONDS` makes the timeline longer. One step to undo."""
    return _fill(session, [saved.point for saved in saved_here(session)])


def _fill(session: Session, points: list[LatentPoint]) -> list[str]:
    timeline, gaps = session.state.timeline, len(points) if session.state.timeline.loop else len(points) - 1
    length = min(max(timeline.length, KEY_SECONDS * gaps), MAX_LENGTH)
    timeline = replace(timeline, keyframes=(), length=length)
    frames = tuple(
        Keyframe(time, point, secrets.token_hex(6), "ease")
        for time, point in zip(_even(timeline, len(points)), points, strict=True)
    )
    session.update(timeline=replace(timeline, keyframes=frames))
    return [frame.id for frame in frames]


def delete_keyframes(session: Session, ids: Iterable[str]) -> bool:
    """Remove keyframes."""
    return _edit(session, session.state.timeline.without(*ids))


def move_keyframes(session: Session, times: Mapping[str, float], merge: str | None = None) -> bool:
    """Put keyframes at other times; each ends within the timeline and never on another one."""
    timeline = session.state.timeline
    for id, seconds in times.items():
        # Those that move along are not in the way; those already moved are.
        waiting = [other for other in times if timeline.keyframe(other) is not None]
        ahead = waiting[waiting.index(id) :] if id in waiting else waiting
        timeline = timeline.moved(id, timeline.free_time(seconds, *ahead))
    return _edit(session, timeline, merge)


def duplicate_keyframes(session: Session, ids: Iterable[str], offset: float) -> list[str]:
    """Copies of keyframes ``offset`` seconds later (the timeline grows where it must); their ids."""
    timeline = session.state.timeline
    made = []
    for id in ids:
        frame = timeline.keyframe(id)
        if frame is None:
            continue
        timeline = replace(timeline, length=max(timeline.length, min(frame.time + offset, 36_000.0)))
        copy = replace(frame, time=timeline.free_time(frame.time + offset), id=secrets.token_hex(6), pace=())
        timeline = timeline.with_keyframe(copy)
        made.append(copy.id)
    _edit(session, timeline)
    return made


def update_keyframe(session: Session, id: str, point: LatentPoint | None = None) -> bool:
    """Give a keyframe another point: ``point``, or the current one."""
    return _change_keyframes(session, [id], point=point or session.state.point)


def set_easing(session: Session, ids: Iterable[str], easing: Easing) -> bool:
    """How the way from these keyframes to the next is bent."""
    return _change_keyframes(session, ids, easing=easing)


def set_way(session: Session, ids: Iterable[str], way: Way | None) -> bool:
    """Which way goes from these keyframes to the next; None is the timeline's own."""
    return _change_keyframes(session, ids, way=way)


def _change_keyframes(session: Session, ids: Iterable[str], **changes: Any) -> bool:
    wanted = set(ids)
    timeline = session.state.timeline
    frames = tuple(replace(k, **changes) if k.id in wanted else k for k in timeline.keyframes)
    return _edit(session, replace(timeline, keyframes=frames))


def set_timeline(session: Session, merge: str | None = None, **changes: Any) -> bool:
    """Change length, fps, loop or interpolation; a length ends no sooner than the last keyframe."""
    timeline: Timeline = session.state.timeline
    if "length" in changes and timeline.keyframes:
        changes["length"] = max(changes["length"], timeline.keyframes[-1].time)
    return _edit(session, replace(timeline, **changes), merge)


def _edit(session: Session, timeline: Timeline, merge: str | None = None) -> bool:
    """Another timeline; a measured pace stays only where the way that it was measured on does."""
    return session.update(timeline=settled(session.state.timeline, timeline), merge=merge)


def drop_pace(session: Session) -> bool:
    """As the keyframes and their easings say, at the times where they are."""
    return session.update(timeline=unpaced(session.state.timeline))


def set_grid(session: Session, merge: str | None = None, **changes: Any) -> bool:
    """Change fields of the grid. ValueError where one is out of its range."""
    return session.update(grid=replace(session.state.grid, **changes), merge=merge)


def set_lineup(session: Session, models: Iterable[str]) -> bool:
    """The models side by side, the current one first; the point is fitted to that one."""
    first, *others = dict.fromkeys(models)
    info = session.infos.get(first)
    point = session.state.point
    if first != session.state.model and info is not None:
        point = conform(point, info)
    return session.update(model=first, compare=tuple(others), point=point)
