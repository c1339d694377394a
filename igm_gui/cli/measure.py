"""``igm bench`` and ``igm compare``: measured here and now, nothing from a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from igm_gui.cli.look import print_json
from igm_gui.engine.preload import preload_torch
from igm_gui.engine.renderer import Renderer
from igm_gui.export import finish, save_sheet, save_singles
from igm_gui.export.work import batch_size, batches
from igm_gui.formats.files import atomic_path
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.priors import MAX_SEED
from igm_gui.requests import RenderRequest
from igm_gui.session.state import GridSpec
from igm_gui.version import PROGRAM

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

BARE_BATCH = 32
BUSY_RATIO = 1.5  # an export can't be so much faster than the network on a machine at rest
EXPORT_ROUNDS = 5
EXPORT_SECONDS = 1.0  # long enough for its beginning and end to weigh little
TURNS = 4  # batches that bare passes take in turn: some networks keep what they computed of the last ones


def summary(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile of times in seconds, as milliseconds."""
    return {
        "median_ms": round(1e3 * statistics.median(values), 4),
        "p95_ms": round(1e3 * float(np.percentile(values, 95)), 4),
    }


def _points(info: GeneratorInfo, seed: int, count: int) -> tuple[LatentPoint, ...]:
    return tuple(point_from_seed(info, (seed + i) % (MAX_SEED + 1)) for i in range(count))


def _wait(generator: TorchGenerator) -> None:
    if generator.device.type == "cuda":
        import torch

        torch.cuda.synchronize(generator.device)


def bare_forwards(generator: TorchGenerator, batch: int, seconds: float) -> Iterator[float]:
    """Renderings per second of the forward pass alone, inputs prepared, measured again for each item
    asked for: ``seconds`` of passes, two at least."""
    import torch

    with torch.inference_mode():
        inputs = [generator.prepare(_points(generator.info, batch * turn, batch)) for turn in range(TURNS)]
        generator.forward(inputs[-1])  # the first pass picks kernels and fills caches
    while True:
        with torch.inference_mode():
            start, passes = time.perf_counter(), 0
            while passes < 2 or time.perf_counter() - start < seconds:
                generator.forward(inputs[passes % TURNS])
                passes += 1
            _wait(generator)
            rate = passes * batch / (time.perf_counter() - start)
        yield rate


def export_throughput(
    renderer: Renderer,
    model: str,
    device: str = "auto",
    batch: int = 0,
    rounds: int = EXPORT_ROUNDS,
    plain: TorchGenerator | None = None,
) -> dict[str, float]:
    """How fast an export is against the bare batched forward pass.

    Bare passes and exports take turns, so that whatever else the machine does falls on both; the ratio
    is the median of the rounds' ratios. The export is a sheet (pictures) or single files (sound),
    file writing and encoding included. ``plain`` is the same model as PyTorch loads it, before the renderer
    has arranged it: with it ``plain_per_second`` and ``plain_ratio`` are measured too.
    """
    generator, _ = renderer.generator(model, device)
    info = generator.info
    exported_batch = batch or batch_size(info, generator.device.type)
    bare_batch = batch or max(BARE_BATCH if info.output.height <= 64 else 1, exported_batch)
    bare = bare_forwards(generator, bare_batch, EXPORT_SECONDS)
    guess = next(bare)
    side = int(min(128, max(2, (guess * EXPORT_SECONDS) ** 0.5)))
    grid = GridSpec("seeds", side, side, gap=0)
    rounds_of_plain = bare_forwards(plain, bare_batch, EXPORT_SECONDS) if plain is not None else None
    bare_rates, export_rates, plain_rates = [], [], []
    with tempfile.TemporaryDirectory(prefix="igm-bench-") as folder:
        for number in range(rounds):
            bare_rates.append(next(bare))
            if rounds_of_plain is not None:
                plain_rates.append(next(rounds_of_plain))
            target = Path(folder) / f"{number}"
            work = (
                save_singles(target, model, _points(info, 0, side * side), device=device, batch=batch)
                if info.media == "sound"
                else save_sheet(target.with_suffix(".png"), model, grid, device=device, batch=batch)
            )
            start = time.perf_counter()
            finish(work, renderer)
            export_rates.append(side * side / (time.perf_counter() - start))
    ratios = [export / bare for export, bare in zip(export_rates, bare_rates, strict=True)]
    found = {
        "bare_per_second": round(statistics.median(bare_rates), 2),
        "bare_batch": bare_batch,
        "export_per_second": round(statistics.median(export_rates), 2),
        "export_batch": exported_batch,
        "exported": side * side,
        "ratio": round(statistics.median(ratios), 4),
    }
    if plain_rates:
        ratios = [export / bare for export, bare in zip(export_rates, plain_rates, strict=True)]
        found["plain_per_second"] = round(statistics.median(plain_rates), 2)
        found["plain_ratio"] = round(statistics.median(ratios), 4)
    return found


def measured(model: str, device: str = "auto", runs: int = 30, batch: int = 0) -> dict[str, Any]:
    """Everything ``igm bench`` says about a model on this machine."""
    preload_torch()  # before torch is imported
    import torch

    renderer = Renderer()
    start = time.perf_counter()
    generator, _ = renderer.generator(model, device)
    load_seconds = time.perf_counter() - start
    info = generator.info
    forward, around = [], []
    for point in _points(info, 0, runs + 2):
        result = renderer.render(RenderRequest(model, (point,), device=device))
        if result.error is not None:
            raise result.error
        forward.append(result.model_seconds)
        around.append(result.render_seconds - result.model_seconds)
    return {
        "program": PROGRAM,
        "model": info.name,
        "family": info.family,
        "media": info.media,
        "output": info.output.text,
        "parameters": info.parameters,
        "sha256": info.sha256,
        "device": generator.device.type,
        "threads": torch.get_num_threads(),
        "forward_threads": 1 if generator.threads.alone_now() else torch.get_num_threads(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "load_seconds": round(load_seconds, 3),
        "runs": runs,
        "forward": summary(forward[2:]),
        "renderer_overhead": summary(around[2:]),
        "export": export_throughput(renderer, model, device, batch),
    }


def bench(options: Namespace) -> None:
    """A model's speed here."""
    report = measured(options.model, options.device, options.runs, options.batch)
    if options.json:
        print_json(report)
        return
    forward, around, export = report["forward"], report["renderer_overhead"], report["export"]
    print(f"{report['model']}  {report['output']}  {report['parameters']:,} parameters")
    print(f"device     {report['device']}, {report['threads']} threads; loaded in {report['load_seconds']} s")
    alone = ", on one thread" if report["forward_threads"] == 1 < report["threads"] else ""
    print(f"forward    {forward['median_ms']} ms (95 %: {forward['p95_ms']} ms), one at a time{alone}")
    print(f"around it  {around['median_ms']} ms (95 %: {around['p95_ms']} ms)")
    print(
        f"export     {export['export_per_second']} a second, {export['ratio']:.2f} of the bare forward pass "
        f"({export['bare_per_second']} a second in batches of {export['bare_batch']})"
    )
    if export["ratio"] > BUSY_RATIO:
        print(
            "           Something else keeps this machine busy: the threads of a bare pass wait for each "
            "other, those of an export do not. Measure again when it rests."
        )


class _Moments:
    """Running mean and variance of every output value over the samples (Chan et al. 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: np.ndarray[Any, Any] = np.zeros(())
        self._squares: np.ndarray[Any, Any] = np.zeros(())

    def add(self, media: np.ndarray[Any, Any]) -> None:
        values = media.astype(np.float64) / (255.0 if media.dtype == np.uint8 else 1.0)
        count, mean = len(values), values.mean(axis=0)
        squares = ((values - mean) ** 2).sum(axis=0)
        total = self.count + count
        step = mean - self.mean
        self._squares = self._squares + squares + step**2 * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total

    def report(self) -> dict[str, float]:
        """``mean`` and ``std`` over all values; ``diversity``, the root mean square difference between
        two different samples: sqrt(2 x the mean unbiased variance)."""
        within = self._squares / max(self.count - 1, 1)
        spread = float(self.mean.var() + self._squares.mean() / self.count)
        return {
            "mean": round(float(self.mean.mean()), 6),
            "std": round(spread**0.5, 6),
            "diversity": round(float(2 * within.mean()) ** 0.5, 6),
        }


def compare_model(renderer: Renderer, model: str, options: Namespace) -> dict[str, Any]:
    """One model's entry: what it is, how long it takes, the simplest statistics of its samples."""
    generator, _ = renderer.generator(model, options.device)
    info = generator.info
    moments, seconds = _Moments(), []
    points = _points(info, options.seed, options.samples)
    clock: Callable[[], float] = time.perf_counter
    start = clock()
    for _, media in batches(renderer, model, points, options.device, options.batch, together=False):
        seconds.append((clock() - start) / len(media))
        moments.add(media)
        start = clock()
    return {
        "model": model,
        "name": info.name,
        "family": info.family,
        "media": info.media,
        "output": info.output.text,
        "sha256": info.sha256,
        "parameters": info.parameters,
        "distance": info.distance,
        "seconds_per_sample": round(statistics.median(seconds), 6),
        **moments.report(),
    }


def compare(options: Namespace) -> None:
    """Several models over the same seeds."""
    renderer = Renderer()
    models = list(dict.fromkeys(options.models))
    for model in models:
        renderer.generator(model, options.device)  # a wrong name is said before the long part
    file = Path(options.json) if options.json and options.json != "-" else None
    # Begun before the long part: a folder that can't be written in is said at once.
    with atomic_path(file) if file else nullcontext() as unfinished:
        report = {
            "program": PROGRAM,
            "samples": options.samples,
            "seed": options.seed,
            "models": [compare_model(renderer, model, options) for model in models],
        }
        if unfinished:
            unfinished.write_bytes((json.dumps(report, indent=2) + "\n").encode())
    if options.json == "-":
        print_json(report)
        return
    width = max(len(model) for model in models)
    print(f"{'':<{width}}  ms each  mean   std    diversity")
    for entry in report["models"]:
        print(
            f"{entry['model']:<{width}}  {1e3 * entry['seconds_per_sample']:7.2f}  "
            f"{entry['mean']:+.3f} {entry['std']:.3f}  {entry['diversity']:.3f}"
        )
    if file:
        print(f"{len(models)} model{'' if len(models) == 1 else 's'} in {file}")
