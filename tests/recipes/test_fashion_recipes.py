"""The recipes' shared parts: reading data, stopping and going on, the distances they train with."""

from __future__ import annotations

import argparse
import gzip
import os
import signal
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import energy_distance
from torch import nn

from benchmarks import fashion_quality
from igm_gui.formats.card import read_card
from igm_gui.generators import registry
from igm_gui.latent import point_from_seed
from models.recipes import (
    fashion_flow,
    fashion_gan,
    fashion_mmd,
    fashion_sinkhorn,
    fashion_vae,
    fashion_wgan_gp,
)
from models.recipes import fashion_sliced_wasserstein as sliced
from models.recipes.common import adversarial, fashion_data, learnt, matching
from models.recipes.common.debian import DataMissing
from models.recipes.common.run import Ema, Run


def write_idx(path: Path, array: np.ndarray) -> None:
    head = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), 1))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set of the same layout: blocks of a size and tone that depend on the class."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for stem, count in (("train", 200), ("t10k", 50)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.zeros((count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 : 10 + label, 4 : 24 - label] = random.integers(60, 255)
        write_idx(folder / f"{stem}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", labels)
    return folder


def options(tmp_path: Path, data: Path | None, steps: int) -> argparse.Namespace:
    return argparse.Namespace(
        steps=steps,
        seed=3,
        data=data,
        out=tmp_path / "models",
        work=tmp_path / "work",
        threads=1,
        note="",
        fresh=False,
    )


def test_data_is_read_as_it_was_written(data: Path, tmp_path: Path) -> None:
    images, labels = fashion_data.load("train", tmp_path, data)
    assert images.shape == (200, 1, 28, 28)
    assert images.dtype == torch.uint8
    assert labels[:12].tolist() == [*range(10), 0, 1]
    assert fashion_data.to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_a_folder_without_the_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="train-images-idx3"):
        fashion_data.load("train", tmp_path, tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not an idx file")
    with pytest.raises(DataMissing, match="not an IDX"):
        fashion_data.load("train", tmp_path, tmp_path)


RECIPES = (fashion_gan, fashion_wgan_gp, fashion_mmd, sliced, fashion_sinkhorn, fashion_vae, fashion_flow)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.NAME)
def test_a_recipe_writes_a_model_that_opens(
    recipe: object, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = options(tmp_path, data, steps=2)
    monkeypatch.setattr(recipe, "options", lambda *_args, **_kwargs: args)
    monkeypatch.setattr(recipe, "prepare", lambda args: torch.manual_seed(args.seed))
    monkeypatch.setattr(fashion_flow, "PAIRS", 40)
    monkeypatch.setattr(fashion_flow, "CHUNK", 20)
    recipe.main()  # type: ignore[attr-defined]
    name = recipe.NAME  # type: ignore[attr-defined]
    folder = tmp_path / "models" / name
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "card.json", "preview.png"}
    card = read_card(folder)
    assert card.name == name
    assert card.distance is not None
    assert card.distance.formula
    assert card.training is not None
    assert card.training.command == f"python -m {recipe.__name__}"  # type: ignore[attr-defined]
    assert card.training.seed == 3
    model = registry.load(str(folder))
    picture = model.render([point_from_seed(model.info, 0, 4)])
    assert picture.shape == (1, 28, 28, 1)


def train_a_line(args: argparse.Namespace, stop_at: int | None = None) -> dict[str, torch.Tensor]:
    """A small run with all that a checkpoint must hold: weights, optimiser, average, random numbers."""
    torch.manual_seed(args.seed)
    network, average = nn.Linear(3, 1), nn.Linear(3, 1)
    ema = Ema(network, average)
    optimiser = torch.optim.Adam(network.parameters(), 0.1)
    run = Run("line", args, network=network, average=average, optimiser=optimiser)
    for step in run.steps():
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does; the step is finished first
        x = torch.randn(8, 3)
        loss = (network(x) - x.sum(dim=1, keepdim=True)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        ema.update(step)
        run.log(loss=loss.detach())
    return {**network.state_dict(), **{f"average.{k}": v for k, v in average.state_dict().items()}}


def test_a_stopped_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = train_a_line(options(tmp_path / "a", None, 12))
    args = options(tmp_path / "b", None, 12)
    with pytest.raises(SystemExit):
        train_a_line(args, stop_at=4)
    capsys.readouterr()
    parts = train_a_line(args)
    assert "going on from step 5" in capsys.readouterr().out
    for key, value in whole.items():
        assert torch.equal(parts[key], value), key


def test_the_coupling_nears_optimal_transport() -> None:
    torch.manual_seed(0)
    c = fashion_sinkhorn.cost(torch.randn(2, 24, 5), torch.randn(2, 24, 5) + 2)
    plan = fashion_sinkhorn.coupling(c, 0.05, iterations=1000)
    torch.testing.assert_close(plan.sum(dim=2), torch.full((2, 24), 1 / 24), atol=1e-3, rtol=0)
    for k in range(2):
        rows, columns = linear_sum_assignment(c[k].numpy())
        best = c[k].numpy()[rows, columns].mean()
        assert float((plan[k] * c[k]).sum()) == pytest.approx(best, rel=0.02)


def test_sinkhorn_of_small_samples_favours_neither_less_nor_more_variety() -> None:
    torch.manual_seed(0)

    def of(spread: float, shift: float = 0.0) -> float:
        fake, real = spread * torch.randn(400, 16, 5) + shift, torch.randn(400, 16, 5)
        return float(fashion_sinkhorn.sinkhorn_divergence(fake, real))

    same = of(1.0)
    assert of(0.7) > 1.2 * same
    assert of(1.3) > 1.2 * same
    assert of(1.0, shift=1.0) > 10 * same


@pytest.mark.parametrize(
    "theta", [sliced.directions, sliced.sparse_directions, lambda count: sliced.even_directions(784, count)]
)
def test_sliced_wasserstein_of_a_shift_is_its_length(theta: Callable[[int], torch.Tensor]) -> None:
    torch.manual_seed(0)
    torch.testing.assert_close(theta(300).norm(dim=0), torch.ones(300))
    a, shift = torch.randn(1, 40, 784), torch.randn(784)
    measured = 784 * sliced.sliced(a + shift, a[:, torch.randperm(40)], theta(2000))
    assert float(measured) == pytest.approx(float(shift.square().sum()), rel=0.2)


def told(classes: int = 2, per_class: int = 24) -> learnt.Told:
    return learnt.Told(*(torch.randn(classes, per_class, d) for d in (784, 784, 128, 1)))


def test_sliced_wasserstein_sees_each_part_that_is_told() -> None:
    torch.manual_seed(0)
    real = told()
    again = learnt.Told(*(part.flip(1) for part in real))  # the same pictures in another order
    assert float(sliced.sliced_wasserstein(again, real)) == pytest.approx(0, abs=1e-6)
    for part in learnt.Told._fields:
        moved = real._replace(**{part: getattr(real, part) + 1})
        assert float(sliced.sliced_wasserstein(moved, real)) > 0.05, part


def test_what_is_told_counts_the_same_however_the_critic_scales_it() -> None:
    torch.manual_seed(0)
    fake, real = told(), told()
    plain = learnt.scaled(fake, real)
    for part in plain[1]:
        assert float(part.var(dim=1).mean()) == pytest.approx(1, rel=1e-4)
    louder = learnt.scaled(*(t._replace(features=7 * t.features, score=100 * t.score) for t in (fake, real)))
    for a, b in zip((*plain[0], *plain[1]), (*louder[0], *louder[1]), strict=True):
        torch.testing.assert_close(a, b)


def test_the_critic_tells_its_score_and_features() -> None:
    torch.manual_seed(0)
    critic = learnt.Critic()
    x, label = torch.rand(6, 1, 28, 28) * 2 - 1, torch.tensor([4, 4, 4, 7, 7, 7])
    found = learnt.tell(critic, x, label, per_class=3)
    assert [tuple(part.shape) for part in found] == [(2, 3, d) for d in (784, 784, 128, 1)]
    torch.testing.assert_close(found.pixels.reshape(6, -1), x.flatten(1))
    score = adversarial.FashionCritic.forward(critic, x, label)
    torch.testing.assert_close(critic(x, label)[:, 0], score)
    torch.testing.assert_close(found.score.flatten(), score, atol=0.02, rtol=0.05)  # bfloat16


def test_details_see_what_pixels_forgive() -> None:
    """In pixels, plain grey is nearer to stripes than the stripes moved aside are; in details it is not."""
    ripples = matching.ripples().flatten(1)
    torch.testing.assert_close(ripples @ ripples.T, torch.eye(8))
    torch.testing.assert_close(ripples.sum(dim=1), torch.zeros(8), atol=1e-6, rtol=0)
    stripes = (torch.arange(28) // 2 % 2).float().expand(28, 28) * 2 - 1
    sharp, aside = stripes.reshape(1, -1), stripes.roll(1, dims=1).reshape(1, -1)
    blurred = torch.zeros(1, 784)

    def gap(a: torch.Tensor, b: torch.Tensor) -> float:
        return float((a - b).square().sum())

    assert gap(blurred, sharp) < gap(aside, sharp)
    seen = [matching.details(x) for x in (sharp, aside, blurred)]
    assert gap(seen[2], seen[0]) > 1.5 * gap(seen[1], seen[0])


def test_mmd_is_unbiased_and_sees_a_difference() -> None:
    torch.manual_seed(0)

    def of(n: int, shift: float) -> float:
        a, b = torch.randn(2, n, 40), torch.randn(2, n, 40) + shift
        return float(fashion_mmd.mmd2(fashion_mmd.distance_kernel, a, b))

    same = [of(32, 0.0) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)
    assert of(64, 2.0) > 5 * np.std(same)


def test_mmd_with_a_distance_for_a_kernel_is_the_energy_distance() -> None:
    """On a line that is twice the squared difference of the distribution functions (Szekely 2013)."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=40), random.normal(0.7, 1.5, size=40)
    a, b = (torch.from_numpy(v).reshape(1, -1, 1) for v in (x, y))
    ours = float(fashion_mmd.mmd2(fashion_mmd.distance_kernel, a, b))
    # SciPy's is the root, and counts the zero distance of each point to itself in its means.
    within = sum(np.abs(v[:, None] - v).sum() * (1 / (40 * 39) - 1 / 40**2) for v in (x, y))
    assert ours == pytest.approx(energy_distance(x, y) ** 2 - within, abs=1e-4)


def test_the_pull_of_mmd_is_as_strong_from_afar() -> None:
    """A drawn sample far from all real pictures must find its way, wherever the critic puts it."""

    def pull(shift: float) -> float:
        torch.manual_seed(0)
        real, fake = torch.randn(1, 16, 40), (torch.randn(1, 16, 40) + shift).requires_grad_()
        fashion_mmd.mmd2(fashion_mmd.distance_kernel, fake, real).backward()
        return float(fake.grad.mean(dim=1).norm())  # type: ignore[union-attr]

    assert pull(100.0) > 0.9 * pull(10.0) > 0


def test_the_benchmarks_distances_match_closed_forms() -> None:
    torch.manual_seed(0)
    n, d = 4000, 6
    a = torch.randn(n, d, dtype=torch.float64)
    b = torch.randn(n, d, dtype=torch.float64) * 2 + 1
    exact = d * 1 + d * (2 - 1) ** 2  # |mean|^2 + sum of (sigma_a - sigma_b)^2
    estimate = fashion_quality.frechet_estimate(a, b)
    assert abs(estimate.value - exact) < 2 * estimate.margin
    null = fashion_quality.frechet_estimate(a, torch.randn(n, d, dtype=torch.float64))
    assert abs(null.value) < 0.01
    # The block sums give what the plain U-statistic gives.
    x, y = a[:200].float(), b[:200].float()

    def kernel(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return (p @ q.T / d + 1) ** 3

    off = 1 - torch.eye(200)
    plain = ((kernel(x, x) + kernel(y, y)) * off).sum() / (200 * 199) - 2 * kernel(x, y).mean()
    ours = fashion_quality.mmd2_estimate(x, y)
    assert ours.value == pytest.approx(float(plain), rel=0.02)


def test_precision_and_recall_tell_dropping_from_inventing() -> None:
    torch.manual_seed(0)
    real = torch.cat([torch.randn(200, 3), torch.randn(200, 3) + 20])
    half = torch.randn(400, 3)
    precision, recall = fashion_quality.precision_recall(real, half)
    assert precision > 0.9
    assert 0.4 < recall < 0.6
    precision, recall = fashion_quality.precision_recall(half, real)
    assert 0.4 < precision < 0.6
    assert recall > 0.9
