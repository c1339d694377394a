"""How many threads of the processor a pass for one picture takes.

A network's threads wait for each other at the end of every layer. Where a program beside this one keeps a
core busy, one of them is held up, and all the others with it: passes of a few milliseconds take hundreds. One
thread alone is not held up so. So:

- a network that is quick on one thread has one: a second would gain what nobody sees;
- a slower one has all, until its passes take longer than one thread alone would; then it has one for a
  while, and all are tried again.

How long one thread takes is tried when the model is loaded for the first time, and kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from igm_gui.generators import machine
from igm_gui.latent.point import point_from_seed

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

QUICK = 0.006  # seconds of one pass: room for 120 pictures a second, with what a picture costs beside it
QUICK_SOUND = 0.03  # a whole sound: between a move and hearing it nobody misses this
LONGEST = 0.25  # seconds; of a slower pass one thread is not tried a second time
PASSES = 4
PARAMETERS = 10_000_000  # larger networks are not tried: on one thread a pass could take seconds
HELD_UP, LATE = 1.2, 3  # times as long as one thread alone, so many passes on end
STUCK = 3.0  # times as long: a single pass is enough
FIRST_REST, LONGEST_REST = 1.0, 16.0  # seconds before all threads are tried again; doubled each time in vain
FILE, RULES = "threads.json", 1


class Threads:
    """Says how many threads the next pass has, and hears how long it took.

    ``alone`` is what one thread needs, in seconds; 0 where that is not known, and all are used.
    """

    def __init__(
        self, alone: float = 0.0, clock: Callable[[], float] = time.perf_counter, quick: float = QUICK
    ) -> None:
        self.alone = alone
        self.quick = quick
        self._clock = clock
        self._late = 0
        self._rest = FIRST_REST
        self._until = -1.0

    def alone_now(self) -> bool:
        """Whether the next pass has one thread."""
        return 0 < self.alone <= self.quick or self._clock() < self._until

    def took(self, seconds: float) -> None:
        """A pass on all threads took so long."""
        if not 0 < self.alone * HELD_UP < seconds:
            self._late, self._rest = 0, FIRST_REST
            return
        self._late += 1
        # After a rest a single late pass is enough: nothing has changed.
        if self._late >= LATE or seconds > STUCK * self.alone or self._rest > FIRST_REST:
            self._until = self._clock() + self._rest
            self._rest = min(2 * self._rest, LONGEST_REST)
            self._late = 0


@contextmanager
def one_thread(wanted: bool = True) -> Iterator[None]:
    """Torch has one thread for what this thread asks of it, where ``wanted``."""
    before = torch.get_num_threads()
    if not wanted or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose(generator: TorchGenerator, clock: Callable[[], float] = time.perf_counter) -> Threads:
    """What is known of ``generator`` on this machine, or found now; also put in ``generator.threads``.

    Only what PyTorch computes on the processor is tried, and not where ``try_threads`` says no.
    """
    quick = QUICK_SOUND if generator.info.media == "sound" else QUICK
    generator.threads = Threads(_alone(generator, clock), clock, quick)
    return generator.threads


def _alone(generator: TorchGenerator, clock: Callable[[], float]) -> float:
    info = generator.info
    if generator.device.type != "cpu" or not generator.try_threads or info.parameters > PARAMETERS:
        return 0.0
    if torch.get_num_threads() == 1:
        return 0.0  # nothing to choose from
    name = machine.key(info.sha256, RULES)
    known = machine.kept(FILE, name) if info.sha256 else None
    if isinstance(known, float) and known >= 0:
        return known
    found = _tried(generator, clock)
    if info.sha256:
        machine.keep(FILE, name, found)
    return found


def _tried(generator: TorchGenerator, clock: Callable[[], float]) -> float:
    """Seconds of a pass on one thread, the least of a few; 0 where it fails."""
    least = 0.0
    try:
        with torch.inference_mode(), one_thread():
            batch = generator.prepare([point_from_seed(generator.info, 0)])
            for _ in range(PASSES):
                start = clock()
                generator.forward(batch)
                took = clock() - start
                least = min(least or took, took)
                if least > LONGEST:
                    break
    except Exception:  # its use will tell
        return 0.0
    return least
