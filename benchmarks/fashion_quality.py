"""How good are the fashion models?  Measured against the held-out test set, written into their cards.

    python -m benchmarks.fashion_quality            # all fashion models; prints a table
    python -m benchmarks.fashion_quality --write    # and writes the figures into models/*/card.json
    python -m benchmarks.fashion_quality --speed --write  # the speed alone; on a machine at rest

A classifier trained on the training set alone (models/recipes/fashion_classifier.py) names the class of each
sample; its last hidden layer is the space in which Frechet distance, MMD and precision and recall are taken.
Equal numbers on both sides, 200 of each class.  The training set's own figures are the floor that a perfect
model would reach, uniform-pixels the ceiling.  A classifier's features are blind to what does not tell
classes apart, so look at the pictures too: --sheets FOLDER.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from igm_gui.formats.card import read_card, write_card
from igm_gui.formats.library import bundled
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.registry import load
from igm_gui.latent import LatentPoint, point_from_seed
from models.recipes.common import fashion_data
from models.recipes.common.classifier import judge, load_classifier
from models.recipes.common.folder import sheet
from models.recipes.common.run import REPOSITORY, keep_freed_memory

GROUPS = 20


@dataclass(frozen=True)
class Estimate:
    """A jackknifed figure and half the width of its 95 % interval."""

    value: float
    margin: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.margin:.2g}"


def jackknife(whole: float, without: list[float]) -> Estimate:
    """Delete-a-group jackknife: takes off the bias that falls as 1/n, and says how sure the figure is."""
    k, parts = len(without), np.asarray(without)
    value = k * whole - (k - 1) * parts.mean()
    error = np.sqrt((k - 1) / k * np.square(parts - parts.mean()).sum())
    return Estimate(float(value), float(2.093 * error))  # Student's t, 19 degrees of freedom


def frechet(a: Tensor, b: Tensor) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) of two sets of features (n, d), float64."""
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross)


def group_of(n: int) -> Tensor:
    """Item -> its jackknife group, (n,): whole blocks of ten, so that each group holds every class alike."""
    return torch.arange(n) // 10 % GROUPS


def frechet_estimate(a: Tensor, b: Tensor) -> Estimate:
    group = group_of(len(a))
    return jackknife(frechet(a, b), [frechet(a[group != g], b[group != g]) for g in range(GROUPS)])


def mmd2_estimate(a: Tensor, b: Tensor) -> Estimate:
    """Unbiased MMD^2 with the kernel (x.y/d + 1)^3 (Binkowski et al. 2018), from sums over group blocks."""
    group = group_of(len(a))
    one_hot = torch.nn.functional.one_hot(group, GROUPS).float()
    count = one_hot.sum(0).double()

    def block_sums(x: Tensor, y: Tensor, diagonal: bool) -> Tensor:
        k = (x.float() @ y.float().T / x.shape[1] + 1) ** 3
        if not diagonal:
            k.fill_diagonal_(0)
        return (one_hot.T @ k @ one_hot).double()

    aa, bb, ab = block_sums(a, a, False), block_sums(b, b, False), block_sums(a, b, True)

    def statistic(keep: Tensor) -> float:
        n = float(count[keep].sum())
        part = [m[keep][:, keep].sum() for m in (aa, bb, ab)]
        return float((part[0] + part[1]) / (n * (n - 1)) - 2 * part[2] / (n * n))

    groups = torch.arange(GROUPS)
    return jackknife(statistic(groups >= 0), [statistic(groups != g) for g in range(GROUPS)])


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of fake within reach of real, and of real within reach of fake (Kynkaanniemi et al. 2019)."""
    real, fake = real.float(), fake.float()

    def reach(x: Tensor) -> Tensor:
        return torch.cdist(x, x).kthvalue(k + 1, dim=1).values

    between = torch.cdist(real, fake)
    precision = (between <= reach(real)[:, None]).any(dim=0).float().mean()
    recall = (between <= reach(fake)[None]).any(dim=1).float().mean()
    return float(precision), float(recall)


def balanced(images: Tensor, labels: Tensor, per_class: int, seed: int) -> tuple[Tensor, Tensor]:
    """`per_class` pictures of each class, classes taking turns."""
    random = torch.Generator().manual_seed(seed)
    rows = []
    for k in range(10):
        members = torch.nonzero(labels == k)[:, 0]
        rows.append(members[torch.randperm(len(members), generator=random)[:per_class]])
    index = torch.stack(rows, dim=1).flatten()
    return images[index], labels[index]


def points(generator: TorchGenerator, count: int) -> list[LatentPoint]:
    """Seeds 0 to count - 1, classes taking turns; every source of noise is drawn anew."""
    info = generator.info
    labelled = bool(info.of_kind("label"))
    result = []
    for seed in range(count):
        point = point_from_seed(info, seed, seed % 10 if labelled else None)
        for spec in info.of_kind("seed"):
            point = point.with_value(spec.name, seed)
        result.append(point)
    return result


def samples(generator: TorchGenerator, count: int, batch: int = 250) -> Tensor:
    """uint8 (count, 1, 28, 28)."""
    asked = points(generator, count)
    parts = [generator.render(asked[i : i + batch]) for i in range(0, count, batch)]
    return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2)


def speed(generator: TorchGenerator) -> dict[str, float]:
    """Pictures per second: one at a time, as when a slider moves, and 64 at a time; the best of several."""
    result: dict[str, float] = {"threads": torch.get_num_threads()}
    for size, rounds in ((1, 100), (64, 12)):
        asked = points(generator, size)
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            generator.render(asked)
            seconds.append(time.perf_counter() - start)
        result[f"pictures_per_second_batch_{size}"] = round(size / min(seconds))
    return result


def measure(features: Tensor, reference: Tensor) -> dict[str, object]:
    precision, recall = precision_recall(reference, features)
    distance, mmd2 = frechet_estimate(features, reference), mmd2_estimate(features, reference)
    return {
        "frechet_distance": round(distance.value, 4),
        "frechet_distance_95": round(distance.margin, 4),
        "mmd2": round(mmd2.value, 6),
        "mmd2_95": round(mmd2.margin, 6),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", help="bundled names or paths (default: every fashion model)")
    parser.add_argument("--per-class", type=int, default=200, help="samples of each class")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--speed", action="store_true", help="measure nothing but the speed")
    parser.add_argument("--write", action="store_true", help="write the figures into the models' cards")
    parser.add_argument(
        "--sheets", type=Path, help="folder for a sheet of 10 classes x 10 seeds of each model"
    )
    parser.add_argument("--data", type=Path, help="folder with Fashion-MNIST, instead of the Debian package")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build" / "recipes")
    args = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    names = args.models or [name for name in bundled() if name.startswith("fashion-")]
    if args.speed:
        for name in names:
            generator = load(name)
            pace = speed(generator)
            print(name, pace, flush=True)
            if args.write:
                folder = Path(generator.info.path)
                write_card(folder, msgspec.structs.replace(read_card(folder), speed=dict(pace)))
        return 0

    classifier = load_classifier()
    test, test_labels = balanced(*fashion_data.load("test", args.work, args.data), args.per_class, seed=0)
    train, train_labels = balanced(*fashion_data.load("train", args.work, args.data), args.per_class, seed=0)
    reference, named = judge(classifier, test)
    reference = reference.double()
    print(f"the judge names {float((named == test_labels).float().mean()):.1%} of the test set rightly\n")
    features, named = judge(classifier, train)
    floor = measure(features.double(), reference)
    floor["class_named"] = round(float((named == train_labels).float().mean()), 4)
    noise = samples(load("uniform-pixels"), len(test))
    ceiling = measure(judge(classifier, noise)[0].double(), reference)

    print(
        f"{'':28}{'class':>8}{'Frechet':>18}{'MMD^2':>22}{'precision':>11}{'recall':>8}{'/s':>7}{'/s x64':>8}"
    )

    def line(name: str, row: dict[str, object], pace: dict[str, float] | None = None) -> None:
        class_named = f"{row['class_named']:.1%}" if "class_named" in row else "-"
        fd = f"{row['frechet_distance']:.3f} ± {row['frechet_distance_95']:.2g}"
        mmd = f"{row['mmd2']:.5f} ± {row['mmd2_95']:.1g}"
        rates = [f"{v:.0f}" for k, v in (pace or {}).items() if k.startswith("pictures")] or ["", ""]
        print(
            f"{name:28}{class_named:>8}{fd:>18}{mmd:>22}{row['precision']:>11.3f}{row['recall']:>8.3f}"
            f"{rates[0]:>7}{rates[1]:>8}",
            flush=True,
        )

    line("training set (floor)", floor)
    line("uniform-pixels (ceiling)", ceiling)
    for name in names:
        generator = load(name)
        pictures = samples(generator, len(test))
        features, named = judge(classifier, pictures)
        row = measure(features.double(), reference)
        row["class_named"] = round(float((named == test_labels).float().mean()), 4)
        pace = speed(generator)
        line(name, row, pace)
        if args.sheets:
            args.sheets.mkdir(parents=True, exist_ok=True)
            wall = pictures[:100].permute(0, 2, 3, 1).numpy()
            sheet(wall, columns=10, scale=3, gap=2).save(args.sheets / f"{generator.info.name}.png")
        if args.write:
            folder = Path(generator.info.path)
            quality = {
                **row,
                "training_set": floor,
                "uniform_pixels": ceiling,
                "n": len(test),
                "features": "fashion-classifier, 128-d, 28 px; against the test set",
                "command": "python -m benchmarks.fashion_quality --write",
            }
            write_card(folder, msgspec.structs.replace(read_card(folder), quality=quality, speed=dict(pace)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
