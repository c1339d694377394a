"""Several batches at once on a processor of several cores: each of them on fewer threads.

A network's own threads wait for each other at the end of every layer. Batches of different pictures need not,
and whatever else the machine does holds up one of them, not both. What it gains depends on the network and
the processor; ``python benchmarks/run.py export`` holds exports against bare passes on all threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

MOST = 4  # batches at once: more take memory and give little


def divide(threads: int, most: int = MOST) -> tuple[int, int]:
    """(batches at once, threads for each) for a network that has ``threads``."""
    workers = max(1, min(most, threads))
    return workers, max(1, threads // workers)


def batches_at_once(generator: TorchGenerator) -> tuple[int, int]:
    """:func:`divide` for ``generator``: one where it runs elsewhere than on the processor, keeps something
    from one call to the next, or where PyTorch can't be given threads by the caller."""
    import torch

    threads = torch.get_num_threads()
    if generator.device.type != "cpu" or not generator.reentrant:
        return 1, threads
    # OpenMP's number of threads is each caller's own; other backends have one for the process.
    if "parallel backend: OpenMP" not in torch.__config__.parallel_info():
        return 1, threads
    return divide(threads)


@contextmanager
def workers(count: int, threads: int) -> Iterator[Callable[..., Future[Any]]]:
    """``submit(call, *arguments)`` for ``count`` threads on which torch uses ``threads`` threads each.

    What has not begun when the block is left is dropped, what has is waited for.
    """
    import torch

    mine = torch.get_num_threads()
    ready = threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # a thread's first use of torch takes the process's number: that is over now
        torch.set_num_threads(threads)
        ready.wait()

    pool = ThreadPoolExecutor(count, "batch")
    try:
        for _ in range(count):
            pool.submit(start)
        ready.wait()
        # Threads that begin later take the number that was set last: the one there was.
        torch.set_num_threads(mine)
        yield pool.submit
    finally:
        ready.abort()  # where not all of them could be begun, those that were would wait for ever
        pool.shutdown(wait=True, cancel_futures=True)
