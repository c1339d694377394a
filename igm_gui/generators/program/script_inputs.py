"""Inputs to try for a TorchScript: it declares names only, so the weights' shapes are the clue."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from igm_gui.generators.program.opened import Opened
from igm_gui.generators.roles import LABEL, MOST, Argument, classes, guess_single
from igm_gui.info import InputSpec

MAX_TRIES = 160
MAX_SECONDS = 6.0
SIDES = (4, 8, 16, 32)  # of a latent picture, such as a VAE's
WHOLE = InputSpec("", "scalar", title="Class", maximum=float(MOST), step=1.0)

Choice = tuple[tuple[InputSpec, ...], tuple[Argument, ...]]


def choices(opened: Opened) -> Iterator[Choice]:
    """Inputs that may fit, likely ones first, and how each is to arrive."""
    first, *others = opened.arguments
    shapes = _shapes(opened.program, bool(others))
    latents = [InputSpec(first.name, "latent", shape=shape) for shape in shapes]
    sizes = sorted({spec.size for spec in latents})
    end = time.monotonic() + MAX_SECONDS
    count = 0
    for latent in latents:
        rest = [_roles(argument, latent, sizes) for argument in others]
        for chosen in itertools.product(*rest):
            count += 1
            if count > MAX_TRIES or time.monotonic() > end:
                return
            specs = (latent, *(spec for spec, _ in chosen))
            yield specs, (first, *(argument for _, argument in chosen))


def ways(opened: Opened, inputs: tuple[InputSpec, ...]) -> Iterator[tuple[Argument, ...]]:
    """How a card's inputs may have to arrive, where the program does not say: class weights or a class's
    number, whole numbers or truth values, a latent or codes."""
    yield opened.arguments
    if opened.typed:
        return
    for kinds in (
        {"label": "int"},
        {"scalar": "bool"},
        {"label": "int", "scalar": "bool"},
        {"latent": "int"},
    ):
        yield tuple(
            replace(argument, kind=kinds.get(spec.kind, argument.kind))
            for spec, argument in zip(inputs, opened.arguments, strict=True)
        )


def _shapes(program: Any, shared: bool) -> Iterator[tuple[int, ...]]:
    """Shapes of a latent that the layers could take; ``shared``: not all that they take is the latent."""
    flat: dict[int, None] = {}
    pictures: dict[int, None] = {}
    tables: dict[int, None] = {}
    for name, tensor in itertools.chain(program.named_parameters(), program.named_buffers()):
        if tensor.ndim == 2:
            owner = name.rpartition(".")[0]
            if "emb" in owner or LABEL.search(owner):
                tables[tensor.shape[1]] = None
            flat[tensor.shape[1]] = None
        elif tensor.ndim == 4:
            flat.setdefault(tensor.shape[0])
            pictures[tensor.shape[1]] = None
            pictures[tensor.shape[0]] = None
    sizes = list(flat)[:8]
    # What an embedding adds to the first layer's inputs is no part of the latent.
    sizes = [*(size - width for width in tables for size in sizes if size > width), *sizes]
    if shared:
        sizes += [size - part for size in flat for part in flat if size > part][:8]
    for size in dict.fromkeys(sizes):
        yield (size,)
        yield (size, 1, 1)
    for channels in list(pictures)[:4]:
        for side in SIDES:
            yield channels, side, side


def _roles(argument: Argument, latent: InputSpec, sizes: list[int]) -> list[tuple[InputSpec, Argument]]:
    """What one further argument may be, likely ones first."""
    if argument.plain:
        return [(guess_single(argument), argument)]
    guessed = guess_single(argument)
    whole, truth = replace(argument, kind="int"), replace(argument, kind="bool")
    number = (replace(WHOLE, name=argument.name), whole)
    weights = [
        (InputSpec(argument.name, "label", title="Class", classes=classes(n)), argument)
        for n in sizes
        if n != latent.size and n <= 2 * MOST
    ]
    knob = (guessed if guessed.kind == "scalar" else replace(guessed, kind="scalar"), argument)
    flag = (InputSpec(argument.name, "scalar", maximum=1.0, step=1.0), truth)
    again = (replace(latent, name=argument.name), argument)
    if LABEL.search(argument.name):
        return [number, *weights, knob, again]
    if guess_single(whole).kind == "seed":
        return [(InputSpec(argument.name, "seed"), whole), number, knob]
    return [knob, again, number, *weights[:4], flag]
