"""A training run: command-line options, progress, checkpoints, resuming after an interruption."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn

REPOSITORY = Path(__file__).resolve().parents[3]


def options(description: str, steps: int, seed: int = 0) -> argparse.Namespace:
    """Parse the options every recipe has; a recipe needs none of them to make the bundled model."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=steps, help="training steps (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=seed, help="seed of all randomness (default: %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="folder with the data, instead of the package"
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "models", help="where <name>/ is written")
    parser.add_argument(
        "--work", type=Path, default=REPOSITORY / "build" / "recipes", help="data, checkpoints"
    )
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="CPU threads")
    parser.add_argument("--fresh", action="store_true", help="ignore the checkpoint of an interrupted run")
    parser.add_argument("--note", default="", help="a remark on this run for the card")
    return parser.parse_args()


def keep_freed_memory() -> None:
    """Tell glibc to keep large freed blocks instead of handing them back to the kernel.

    Training frees and asks for the same large tensors at each step; the page faults of fresh memory
    cost more than the arithmetic of the cheap layers (a leaky ReLU over 6 MB: 22 ms instead of 2).
    """
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(-4, 0)  # M_MMAP_MAX: no block gets a mapping of its own
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
            libc.mallopt(-2, 2**26)  # M_TOP_PAD
        except (OSError, AttributeError):  # another C library: slower, but right
            pass


BF16 = torch.cpu._is_avx512_bf16_supported()


def mixed(network: nn.Module, *inputs: torch.Tensor) -> torch.Tensor:
    """network(*inputs), in bfloat16 where the processor has it (1.5 times as fast); float32 comes out."""
    with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
        return network(*inputs).float()


class Ema:
    """Exponential moving average of a network's weights; the average is what a recipe keeps.

    Yazici et al. 2019, arXiv:1806.04498.  The decay ramps up so that the first steps do not linger.
    """

    def __init__(self, source: nn.Module, average: nn.Module, decay: float = 0.999) -> None:
        self.source, self.average, self.decay = source, average, decay
        average.load_state_dict(source.state_dict())
        average.requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.source.parameters()), 1 - decay)


class Run:
    """Counts the steps of one training and survives being stopped.

    >>> run = Run("fashion-gan", args, generator=generator, critic=critic, optimiser=optimiser)
    >>> for step in run.steps():
    ...     run.log(loss=loss)

    Everything named in `parts` (networks, optimisers, an Ema's average) goes into the checkpoint, and
    so does the state of torch's random numbers: a resumed run does what the unbroken one would have done.
    """

    def __init__(self, name: str, args: argparse.Namespace, **parts: Any) -> None:
        self.name, self.args, self.parts = name, args, parts
        self.path: Path = args.work / f"{name}.checkpoint.pt"
        self.seconds = 0.0  # of all sessions of this run, wall clock
        self.cpu_seconds = 0.0
        self.step = 0
        self.asked_to_stop = False
        self.history: list[dict[str, float]] = []
        self._sums: dict[str, list[float]] = {}
        if self.path.exists() and not args.fresh:
            self._load()

    def steps(self, save_every: float = 120.0, print_every: float = 20.0) -> Iterator[int]:
        """Yield the numbers of the steps still to do; print progress and save as they go by."""
        start, cpu_start = time.perf_counter() - self.seconds, time.process_time() - self.cpu_seconds
        printed = saved = time.perf_counter()
        total = self.args.steps
        before = {
            number: signal.signal(number, self._ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            while self.step < total:
                yield self.step
                self.step += 1
                now = time.perf_counter()
                self.seconds, self.cpu_seconds = now - start, time.process_time() - cpu_start
                if now - printed > print_every or self.step == total:
                    printed = now
                    self._print(total)
                if self.asked_to_stop:
                    self.save()
                    print(f"stopped at step {self.step}; the same command goes on from here", flush=True)
                    raise SystemExit(130)
                if now - saved > save_every:
                    saved = now
                    self.save()
            self.save()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl-C lets the step end and saves; a second one stops at once."""
        if self.asked_to_stop:
            raise SystemExit(128 + number)
        self.asked_to_stop = True

    def log(self, **values: float | torch.Tensor) -> None:
        """Note figures of this step; their means since the last line are what is printed."""
        for key, value in values.items():
            self._sums.setdefault(key, []).append(float(value))

    def _print(self, total: int) -> None:
        means = {key: sum(v) / len(v) for key, v in self._sums.items()}
        self._sums.clear()
        self.history.append({"step": self.step, **means})
        left = self.seconds / self.step * (total - self.step)
        figures = "  ".join(f"{key} {value:.4g}" for key, value in means.items())
        print(
            f"{self.name}  {self.step}/{total}  {figures}  {self.seconds:.0f} s, {left:.0f} s left",
            flush=True,
        )

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {key: part.state_dict() for key, part in self.parts.items()}
        temporary = self.path.with_suffix(".tmp")
        torch.save(
            {
                "parts": state, "step": self.step, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds,
                "history": self.history, "random": torch.get_rng_state(),
            },
            temporary,
        )  # fmt: skip
        os.replace(temporary, self.path)

    def _load(self) -> None:
        state = torch.load(self.path, weights_only=True)
        for key, part in self.parts.items():
            part.load_state_dict(state["parts"][key])
        self.step, self.seconds, self.cpu_seconds = state["step"], state["seconds"], state["cpu_seconds"]
        self.history = state["history"]
        torch.set_rng_state(state["random"])
        print(f"{self.name}: going on from step {self.step}", flush=True)


def prepare(args: argparse.Namespace) -> None:
    """Threads, memory and seed: the first line of every recipe's main()."""
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
