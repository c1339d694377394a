"""The order of a network's feature maps in memory: channels last where this processor is faster that way.

Convolutions take the order of their weights and hand it on, so turning the weights turns the whole network.
The values are the same but for the rounding of sums in another order. On a processor the gain can be
threefold or none, and nothing but a trial tells: a few pictures, when the model is loaded for the first time.
What it found is kept, so that a model opened again gives the same picture to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from igm_gui.generators import machine
from igm_gui.generators.threads import one_thread
from igm_gui.latent.point import point_from_seed

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

LEAST_GAIN = 1.1  # a tie keeps the order that the network came in
QUICK = 0.25  # seconds; slower passes are timed once and not warmed up
PASSES = 3
FILE, RULES = "orders.json", 2
TOLERANCE = 1e-3  # of the output's range; more than rounding means that the network depends on the order


def choose(generator: TorchGenerator, clock: Callable[[], float] = time.perf_counter) -> bool:
    """Turn the weights of ``generator`` to channels last where that is faster and gives the same picture.

    True where they were turned. Anything but a network of two-dimensional convolutions on the processor is
    left as it is, and so is one whose family has chosen an order itself, or whose weights can't be turned.
    """
    if generator.device.type != "cpu" or generator.info.media != "image" or not _may_gain(generator.network):
        return False
    name = machine.key(generator.info.sha256, RULES)
    known = machine.kept(FILE, name) if generator.info.sha256 else None
    turned = known if isinstance(known, bool) else _tried(generator, clock)
    generator.network.to(memory_format=torch.channels_last if turned else torch.contiguous_format)
    if generator.info.sha256 and known != turned:
        machine.keep(FILE, name, turned)
    return turned


def _tried(generator: TorchGenerator, clock: Callable[[], float]) -> bool:
    """Whether channels last wins in rounds of both orders."""
    network, output = generator.network, generator.info.output
    points = [point_from_seed(generator.info, 0)]

    def draw(order: torch.memory_format) -> tuple[Tensor, float]:
        network.to(memory_format=order)
        return _timed(lambda: generator.forward(generator.prepare(points)).float(), clock)

    try:
        # One thread is not held up by what else the machine does; the order wins or loses on it as on all.
        with torch.inference_mode(), one_thread():
            before, plain = draw(torch.contiguous_format)
            after, turned = draw(torch.channels_last)
            if plain < QUICK:
                plain = min(plain, draw(torch.contiguous_format)[1])
                turned = min(turned, draw(torch.channels_last)[1])
            if after.shape != before.shape or plain < LEAST_GAIN * turned:
                return False
            error = (after.clamp(output.low, output.high) - before.clamp(output.low, output.high)).abs().max()
            return float(error) <= TOLERANCE * (output.high - output.low)
    except Exception:  # a view that only fits one order, or a fault that its use will tell
        return False


def _may_gain(network: Any) -> bool:
    if not isinstance(network, torch.nn.Module):
        return False
    kernels = [
        p for p in network.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] * p.shape[3] > 1
    ]
    # Half precision kept beside a module's own parameters can't be turned in place, and an order chosen by
    # the family stays.
    return bool(kernels) and all(p.is_contiguous() and p.dtype == torch.float32 for p in kernels)


def _timed(draw: Callable[[], Tensor], clock: Callable[[], float]) -> tuple[Tensor, float]:
    """What ``draw`` gives, and the seconds that it takes once it is warm."""
    start = clock()
    picture = draw()
    least = clock() - start
    if least < QUICK:
        for _ in range(PASSES):
            start = clock()
            draw()
            least = min(least, clock() - start)
    return picture, least
