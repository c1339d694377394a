"""The fastest arithmetic whose picture stays close to float32: tried once for each network and machine.

Trying costs a picture or three for each arrangement. What was found is remembered by the weights' hash, so
that a network opened again begins with it. Where the times were not steady, as on a busy machine, it serves
until the program ends and is tried again the next time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from igm_gui.generators import machine
from igm_gui.generators.machine import has_bfloat16

MIN_PSNR = 40.0
SMALLEST = 128  # pixels on a side; smaller pictures are not worth the trial
FILE = "arrangements.json"  # in the cache folder
QUICK = 0.5  # seconds; a picture that takes less is drawn twice more, as the first prepares the weights
STEADY = 1.5  # two times of one arrangement are at most so far apart on a machine at rest
RULES = 3  # of this file: raised when what was remembered should be tried again


class Arrangement(NamedTuple):
    """How a network computes: numbers, order in memory, whether upsampling is folded into convolutions,
    and whether the wide ones are Winograd's."""

    precision: str = "float32"
    last: bool = False  # channels last
    folded: bool = False
    winograd: bool = False

    @property
    def dtype(self) -> torch.dtype:
        return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(self.precision, torch.float32)

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.last else torch.contiguous_format


class Tuned(NamedTuple):
    """What was found: the arrangement, how far its picture is from float32's, in dB, and whether the times
    that say so were ``steady``."""

    arrangement: Arrangement = Arrangement()
    psnr: float = math.inf
    steady: bool = True


def candidates(stylegan2: bool, folds: bool = False) -> tuple[Arrangement, ...]:
    """What may be faster than plain float32 here, likeliest first. ``folds``: some layers are narrow."""
    fast = Arrangement("bfloat16" if has_bfloat16() else "float32", True)
    if not stylegan2:
        return (fast,)
    folded = (fast._replace(folded=True),) if folds else ()
    return (fast, fast._replace(winograd=True), *folded)


def peak_psnr(picture: Tensor, reference: Tensor) -> float:
    """PSNR in dB of two pictures in [-1, 1] (peak 2); infinite where they are equal."""
    error = float((picture.clamp(-1, 1) - reference.clamp(-1, 1)).square().mean())
    return math.inf if error == 0 else 10 * math.log10(4.0 / error)


def tune(
    draw: Callable[[Arrangement], Tensor],
    reference: Tensor,
    seconds: float,
    tried: tuple[Arrangement, ...],
    clock: Callable[[], float] = time.perf_counter,
) -> Tuned:
    """The fastest of ``tried`` whose picture stays at 40 dB or better; float32 where none is.

    ``draw(arrangement)`` gives the picture that ``reference`` is in plain float32, where it took ``seconds``.
    If no candidate in half precision is close enough, float32 with the channels last is tried. Times that are
    not steady say nothing: then it is the first of ``tried`` that is close enough, the likeliest.
    """
    best, steady, close = Tuned(), True, []

    def timed(arrangement: Arrangement) -> tuple[Tensor, float]:
        start = clock()
        picture = draw(arrangement)
        return picture, clock() - start

    for arrangement in tried:
        picture, took = timed(arrangement)
        psnr = peak_psnr(picture, reference)
        if took < QUICK and psnr >= MIN_PSNR:
            again = [timed(arrangement)[1] for _ in range(2)]
            steady = steady and max(again) <= STEADY * min(again)
            took = min(took, *again)
        if psnr >= MIN_PSNR:
            close.append(Tuned(arrangement, psnr, steady=False))
        if math.isfinite(took) and psnr >= MIN_PSNR and took < seconds:
            best, seconds = Tuned(arrangement, psnr), took
    if close and not steady:
        return close[0]
    plain = Arrangement(last=True)
    if best.arrangement == Arrangement() and plain not in tried:
        best = tune(draw, reference, seconds, (plain,), clock)
    return best._replace(steady=steady and best.steady)


def remembered(sha256: str) -> Tuned | None:
    """What was found for these weights on this machine; None where nothing was, or it is damaged."""
    try:
        precision, last, folded, winograd, psnr = machine.kept(FILE, machine.key(sha256, RULES))
        if precision not in ("float32", "bfloat16"):
            return None
        return Tuned(
            Arrangement(precision, bool(last), bool(folded), bool(winograd)),
            math.inf if psnr is None else float(psnr),
        )
    except (TypeError, ValueError):
        return None


def remember(sha256: str, tuned: Tuned) -> None:
    """Keep what was found, if the times were steady. A folder that can't be written only means another trial
    later."""
    if not tuned.steady:
        return
    psnr = tuned.psnr if math.isfinite(tuned.psnr) else None
    machine.keep(FILE, machine.key(sha256, RULES), [*tuned.arrangement, psnr])
