"""How many threads a pass has: quick networks one, slow ones all unless others hold them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from igm_gui.generators import threads
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.threads import FIRST_REST, LATE, LONGEST_REST, QUICK, Threads
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import point_from_seed

SLOW = 4 * QUICK


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Counting(nn.Module):
    """z (N, 4) -> (N, 1, 8, 8), noting how many threads torch has; a pass takes ``seconds`` on ``clock``."""

    def __init__(self, clock: Clock, seconds: float = 0.0) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds
        self.linear = nn.Linear(4, 64)
        self.seen: list[int] = []

    def forward(self, z: Tensor) -> Tensor:
        self.seen.append(torch.get_num_threads())
        self.clock.now += self.seconds
        return self.linear(z).reshape(-1, 1, 8, 8)


def generator(network: nn.Module, parameters: int = 0, media: str = "image") -> TorchGenerator:
    info = GeneratorInfo(
        "counting",
        "test",
        OutputSpec("image", 8, 8, 1) if media == "image" else OutputSpec("sound", samples=64),
        (InputSpec("z", "latent", shape=(4,)),),
        parameters=parameters,
    )
    return TorchGenerator(info, network.eval().requires_grad_(False))


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("seconds", "expected"), [(QUICK / 2, 1), (2 * QUICK, 2)])
def test_a_quick_network_has_one_thread_for_one_picture_and_all_for_several(
    seconds: float, expected: int
) -> None:
    clock = Clock()
    network = Counting(clock, seconds)
    made = generator(network)
    assert threads.choose(made, clock).alone == pytest.approx(seconds)
    assert set(network.seen) == {1}
    network.seen.clear()
    points = [point_from_seed(made.info, seed) for seed in range(3)]
    made.render(points[:1])
    assert network.seen == [expected]
    made.render(points)
    assert network.seen == [expected, 2]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("media", "expected"), [("image", False), ("sound", True)])
def test_a_sound_may_take_longer_on_one_thread(media: str, expected: bool) -> None:
    clock = Clock()
    made = generator(Counting(clock, 3 * QUICK), media=media)
    assert threads.choose(made, clock).alone_now() is expected


@pytest.mark.usefixtures("two_threads")
def test_what_was_found_is_kept_for_the_file() -> None:
    clock = Clock()
    made = generator(Counting(clock, 0.02))
    made.info = replace(made.info, sha256="ab" * 32)
    assert threads.choose(made, clock).alone == pytest.approx(0.02)
    again = generator(Counting(clock, 5.0))
    again.info = made.info
    assert threads.choose(again, clock).alone == pytest.approx(0.02)
    assert again.network.seen == []


@pytest.mark.usefixtures("two_threads")
def test_large_networks_and_those_that_say_no_are_not_tried() -> None:
    clock = Clock()
    for made in (generator(Counting(clock), threads.PARAMETERS + 1), generator(Counting(clock))):
        made.try_threads = made.info.parameters > 0
        assert threads.choose(made, clock).alone == 0
        made.render([point_from_seed(made.info, 0)])
        assert made.network.seen == [2]


@pytest.mark.usefixtures("two_threads")
def test_a_very_slow_pass_is_tried_once_and_a_failing_one_is_left_to_its_use() -> None:
    clock = Clock()
    network = Counting(clock, 2 * threads.LONGEST)
    assert threads.choose(generator(network), clock).alone == pytest.approx(2 * threads.LONGEST)
    assert len(network.seen) == 1

    class Broken(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            raise RuntimeError("no")

    assert threads.choose(generator(Broken()), clock).alone == 0
    assert torch.get_num_threads() == 2


def late(made: Threads, times: int = LATE) -> None:
    for _ in range(times):
        made.took(1.5 * SLOW)


def test_passes_that_are_held_up_give_way_to_one_thread_for_a_while() -> None:
    clock = Clock()
    made = Threads(SLOW, clock)
    late(made, LATE - 1)
    assert not made.alone_now()
    made.took(0.6 * SLOW)  # in time: the counting begins anew
    late(made, LATE - 1)
    assert not made.alone_now()
    late(made, 1)
    assert made.alone_now()
    clock.now += FIRST_REST
    assert not made.alone_now()


def test_a_pass_that_is_stuck_is_enough() -> None:
    made = Threads(SLOW, Clock())
    made.took(10 * SLOW)
    assert made.alone_now()


def test_rests_grow_while_nothing_changes_and_are_short_again_after_a_pass_in_time() -> None:
    clock = Clock()
    made = Threads(SLOW, clock)
    rests = []
    late(made)
    for _ in range(8):
        start = clock.now
        while made.alone_now():
            clock.now += 0.5
        rests.append(clock.now - start)
        made.took(1.5 * SLOW)
    assert rests == [1, 2, 4, 8, 16, 16, 16, 16]
    assert rests[-1] == LONGEST_REST
    clock.now += LONGEST_REST
    made.took(0.6 * SLOW)
    late(made)
    start = clock.now
    while made.alone_now():
        clock.now += 0.5
    assert clock.now - start == FIRST_REST


def test_nothing_is_decided_where_one_thread_was_not_tried() -> None:
    made: Threads = Threads(0.0, Clock())
    made.took(100.0)
    assert not made.alone_now()


def test_the_number_of_threads_comes_back_after_an_error(two_threads: None) -> None:
    def fail() -> None:
        with threads.one_thread():
            assert torch.get_num_threads() == 1
            raise RuntimeError

    call: Callable[[], None] = fail
    with pytest.raises(RuntimeError):
        call()
    assert torch.get_num_threads() == 2
