"""Which order of feature maps a network is given, by what a trial of it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from igm_gui.generators import memory_order
from igm_gui.generators.base import TorchGenerator
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec


class Small(nn.Module):
    """z (N, 8) -> (N, 3, 8, 8); ``flat`` looks at a feature map as rows, which only one order allows."""

    def __init__(self, flat: bool = False) -> None:
        super().__init__()
        self.first, self.flat = nn.Linear(8, 4 * 64), flat
        self.one, self.two = nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.one(self.first(z).reshape(-1, 4, 8, 8))
        if self.flat:
            x = x.view(len(z), 384).reshape(len(z), 6, 8, 8)
        return torch.tanh(self.two(x))


def generator(network: nn.Module, media: str = "image") -> TorchGenerator:
    output = OutputSpec("image", 8, 8, 3) if media == "image" else OutputSpec("sound", samples=64)
    info = GeneratorInfo("small", "test", output, (InputSpec("z", "latent", shape=(8,)),))
    return TorchGenerator(info, network.eval().requires_grad_(False))


def ticking(network: nn.Module, plain: float, turned: float) -> Callable[[], float]:
    """A clock for which a pass takes ``plain`` seconds, ``turned`` where the weights are channels last."""
    weight = next(p for p in network.parameters() if p.ndim == 4)
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += turned if not weight.is_contiguous() else plain
        return now

    return clock


def order(network: nn.Module) -> bool:
    return all(
        p.is_contiguous(memory_format=torch.channels_last) and not p.is_contiguous()
        for p in network.parameters()
        if p.ndim == 4
    )


@pytest.mark.parametrize(("plain", "turned", "expected"), [(0.02, 0.01, True), (0.01, 0.02, False)])
def test_the_faster_order_is_kept(plain: float, turned: float, expected: bool) -> None:
    torch.manual_seed(0)
    made = generator(Small())
    z = torch.randn(3, 8)
    before = made.network(z)
    assert memory_order.choose(made, ticking(made.network, plain, turned)) is expected
    assert order(made.network) is expected
    torch.testing.assert_close(made.network(z), before)


def test_a_tie_changes_nothing() -> None:
    made = generator(Small())
    assert not memory_order.choose(made, ticking(made.network, 0.010, 0.0095))
    assert not order(made.network)


def test_a_network_that_needs_its_order_keeps_it() -> None:
    made = generator(Small(flat=True))
    assert not memory_order.choose(made, ticking(made.network, 0.02, 0.01))
    assert not order(made.network)
    assert made.network(torch.zeros(1, 8)).shape == (1, 3, 8, 8)


def test_another_picture_is_worth_no_speed() -> None:
    class Odd(Small):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z) * (1.0 if self.two.weight.is_contiguous() else 0.9)

    made = generator(Odd())
    assert not memory_order.choose(made, ticking(made.network, 0.02, 0.01))
    assert not order(made.network)


def test_what_was_found_is_kept() -> None:
    def never() -> float:
        raise AssertionError("timed again")

    for number, (plain, turned) in enumerate(((0.02, 0.01), (0.01, 0.02))):
        made = generator(Small())
        made.info = replace(made.info, sha256=f"{number}" * 64)
        found = memory_order.choose(made, ticking(made.network, plain, turned))
        again = generator(Small())
        again.info = made.info
        assert memory_order.choose(again, never) is found is order(again.network)


@pytest.mark.parametrize("network", [nn.Sequential(nn.Linear(8, 192), nn.Unflatten(1, (3, 8, 8)))])
def test_without_convolutions_there_is_no_trial(network: nn.Module) -> None:
    def never() -> float:
        raise AssertionError("timed")

    assert not memory_order.choose(generator(network), never)
    assert not memory_order.choose(generator(Small(), media="sound"), never)
