"""``igm sample``, ``igm grid``, ``igm render``: results as files."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from igm_gui.api import make_point
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ExportError, InputError, ProjectError
from igm_gui.export import (
    Work,
    finish,
    save_film,
    save_frames,
    save_picture,
    save_sheet,
    save_singles,
    save_sound,
    save_timeline_sound,
)
from igm_gui.export.work import folder_of_files, safe_name
from igm_gui.formats.metadata import ENDINGS
from igm_gui.info import GeneratorInfo
from igm_gui.latent import styles
from igm_gui.latent.point import LatentPoint, problem
from igm_gui.latent.priors import MAX_SEED
from igm_gui.session.grid import grid_shape
from igm_gui.session.project import load_project
from igm_gui.session.recipes import Film, film_of, restore_file
from igm_gui.session.state import GridSpec, SessionState
from igm_gui.timeline import fitted

FILMS = (".mp4", ".webp", ".gif")


def chosen_point(info: GeneratorInfo, options: Namespace, seed: int) -> LatentPoint:
    """The point of ``seed`` with the class, truncation and other inputs asked for."""
    point = make_point(info, seed, options.label, options.truncation)
    for name, value in options.settings:
        spec = info.input(name)
        if spec is None or spec.kind not in ("scalar", "seed"):
            can = [s.name for s in info.inputs if s.kind in ("scalar", "seed")]
            raise InputError(
                f"{info.name} has no number called {name}.",
                f"It has {', '.join(can)}." if can else "It has none to set.",
            )
        if spec.kind == "seed" and value != int(value):
            raise InputError(f"{name}={value:g} is no seed.", "Seeds are whole numbers.")
        number = int(value) if spec.kind == "seed" else value
        if why := problem(spec, number):
            raise InputError(f"{name}={value:g} {why}.")
        if spec.kind == "scalar" and not spec.minimum <= value <= spec.maximum:
            raise InputError(
                f"{name}={value:g} is out of range.",
                f"{info.name} takes {spec.minimum:g} to {spec.maximum:g} {spec.unit}".strip() + ".",
            )
        steps = (value - spec.minimum) / spec.step if spec.kind == "scalar" and spec.step >= 1 else 0.0
        if abs(steps - round(steps)) > 1e-6:
            raise InputError(
                f"{name}={value:g} lies between two steps.",
                f"{info.name} takes {spec.minimum:g}, {spec.minimum + spec.step:g} … up to {spec.maximum:g}.",
            )
        point = point.with_value(name, number)
    return _styled(info, point, options)


def _styled(info: GeneratorInfo, point: LatentPoint, options: Namespace) -> LatentPoint:
    """With the second style, the directions and the w asked for. InputError where they don't fit."""
    if not (options.mix or options.direction or options.w):
        return point
    space = styles.space_of(info)
    if len({seed for seed, _, _ in options.mix}) > 1:
        raise InputError("A point mixes with one other seed.", "Give the same seed with each --mix.")
    for seed, layers, amount in options.mix:
        point = styles.mixed(space, point, styles.read_layers(space, layers), amount, seed)
    for index, layers, amount in options.direction:
        if index >= len(space.principal):
            raise InputError(
                f"{info.name} has no principal direction {index}.", f"It has 0 to {len(space.principal) - 1}."
            )
        point = styles.moved(space, point, styles.read_layers(space, layers), {index: amount})
    return styles.with_w(info, point, styles.read_w(Path(options.w))) if options.w else point


@contextmanager
def _ended_cleanly() -> Iterator[None]:
    """A polite end (SIGTERM: a job scheduler, a closing session) is an interrupt: begun files go."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_work(work: Work, renderer: Renderer) -> None:
    """Run an export, with its progress on a terminal."""
    shown = sys.stderr.isatty()

    def progress(done: float) -> None:
        print(f"\r{done:4.0%}", end="", file=sys.stderr, flush=True)

    try:
        with _ended_cleanly():
            finish(work, renderer, progress if shown else None)
    finally:
        if shown:
            print("\r    \r", end="", file=sys.stderr, flush=True)


def sample(options: Namespace) -> None:
    """One file for each of ``n`` seeds."""
    if options.seed + options.n - 1 > MAX_SEED:
        raise InputError(f"Seeds go up to {MAX_SEED}.", "Take a smaller --seed or fewer samples.")
    renderer = Renderer()
    info = renderer.generator(options.model, options.device)[0].info
    seeds = range(options.seed, options.seed + options.n)
    points = [chosen_point(info, options, seed) for seed in seeds]
    stem = safe_name(info.name)
    if options.label is not None:
        stem = f"{stem}-{safe_name(options.label)}"
    names = [f"{stem}-{seed:06d}" for seed in seeds]
    folder = Path(options.out)
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{options.out} is a file.", "Name a folder for the samples with --out.")
    if options.seconds is not None and info.media != "sound":
        raise InputError(f"{info.name} makes pictures.", "Leave the seconds out.")
    if info.media == "sound" and (options.seconds is not None or not info.output.samples):
        with folder_of_files(folder) as temporary:
            for name, point in zip(names, points, strict=True):
                path = temporary / f"{name}.wav"
                run_work(save_sound(path, options.model, point, options.device, options.seconds), renderer)
    else:
        run_work(
            save_singles(folder, options.model, points, None, options.device, names, options.batch), renderer
        )
    kind = "sound" if info.media == "sound" else "picture"
    print(f"{options.n} {kind}{'' if options.n == 1 else 's'} in {folder}")


def grid(options: Namespace) -> None:
    """A sheet as one PNG."""
    path = Path(options.out)
    _need_ending(path, (".png",))
    renderer = Renderer()
    info = renderer.generator(options.model, options.device)[0].info
    spec = GridSpec(
        options.mode, options.rows, options.columns, options.seed, gap=options.gap, scale=options.scale
    )
    base = chosen_point(info, options, options.seed)
    rows, columns = grid_shape(info, spec)
    run_work(save_sheet(path, options.model, spec, base, options.device, options.batch), renderer)
    print(f"{rows} × {columns} pictures in {path}")


def render(options: Namespace) -> None:
    """What a project (or a result with its recipe) holds, as a file."""
    path = Path(options.out)
    if path.suffix:
        _need_ending(path, ENDINGS)
    state, kind, film = _state(Path(options.project))
    if not state.model:
        raise ProjectError(f"{options.project} names no model.", "Open a model in it and save it again.")
    renderer = Renderer()
    info = renderer.generator(state.model, options.device)[0].info
    run_work(_wanted(path, state, kind, film, info, options), renderer)
    print(path)


def _state(path: Path) -> tuple[SessionState, str, Film]:
    """What a file holds, what kind of result it is (empty for a project), and how it is written as a film."""
    if path.suffix.lower() in ENDINGS:
        restored = restore_file(path)
        if restored.warning:
            print(f"igm: {restored.warning}", file=sys.stderr)
        state = replace(SessionState(), **restored.changes)
        return state, restored.recipe.kind, film_of(restored.recipe)
    if not path.is_file():
        raise ProjectError(f"There is no project file {path}.", "Check the name.")
    state, problems = load_project(path)
    for text in problems:
        print(f"igm: {text}", file=sys.stderr)
    return state, "", Film()


def _wanted(
    path: Path, state: SessionState, kind: str, film: Film, info: GeneratorInfo, options: Namespace
) -> Work:
    """The export that ``path``'s ending asks for; ``film`` is what the options leave open."""
    ending = path.suffix.lower()
    model, device, timeline = state.model, options.device, fitted(state.timeline, info)
    if options.at is not None and ending != ".png":
        raise InputError("--at chooses the moment of a PNG.", "Leave it out.")
    if options.at is not None and options.at > timeline.length:
        raise InputError(
            f"The timeline ends at {timeline.length:g} seconds.", f"Choose a time up to {timeline.length:g}."
        )
    if ending not in FILMS and (options.rounds or 1) > 1:
        raise InputError("Only a film (.mp4, .webp, .gif) goes round more than once.", "Leave --rounds out.")
    for name in ("frame", "background"):
        if getattr(options, name) is not None and ending not in FILMS:
            raise InputError(f"--{name} is for a film (.mp4, .webp, .gif).", "Leave it out.")
    if options.smooth and ending not in (*FILMS, ".png"):
        raise InputError("--smooth is for a film or a picture.", "Leave it out.")
    if options.smooth and ending == ".png" and kind == "grid" and options.at is None:
        raise InputError("A sheet's pictures are enlarged by whole pixels.", "Leave --smooth out.")
    if ending == ".png" and kind == "grid" and options.at is None:
        grid = replace(state.grid, scale=options.scale) if options.scale else state.grid
        return save_sheet(path, model, grid, state.point, device)
    if ending == ".png":
        point = state.point if options.at is None else timeline.sample(options.at)
        if options.at is None and not state.point.values:
            point = timeline.sample(0.0)
        if point is None:
            raise ExportError("The project's timeline is empty.", "Leave --at out to render its point.")
        return save_picture(path, model, point, device, max(1, options.scale), bool(options.smooth))
    if ending in FILMS:
        return save_film(path, model, timeline, device, _film(film, options), state.point)
    if ending == ".wav":
        if timeline.keyframes:
            return save_timeline_sound(path, model, timeline, device, state.point)
        return save_sound(path, model, state.point, device)
    if info.media == "sound":
        raise ExportError(f"{info.name} makes sounds.", "Name a .wav file with --out.")
    return save_frames(path, model, timeline, device)


def _film(film: Film, options: Namespace) -> Film:
    """``film`` as the options change it."""
    frame, factor = film.frame, options.scale or film.factor
    if options.frame is not None:
        frame = options.frame or None
        # In another frame the picture takes the room that there is, or its size without one.
        factor = options.scale or (film.factor if frame == film.frame else None)
    return Film(
        factor,
        film.smooth if options.smooth is None else options.smooth,
        film.crf if options.crf is None else options.crf,
        options.rounds or film.rounds,
        frame,
        options.background or film.background,
    )


def _need_ending(path: Path, endings: tuple[str, ...]) -> None:
    if path.suffix.lower() not in endings:
        raise ExportError(
            f"{path.name} does not end in {' or '.join(endings)}.", "The ending says what is written."
        )
    if path.is_dir():
        raise ExportError(f"{path} is a folder.", "Name a file with --out.")
