"""Weights held in float16, arithmetic in float32: for a model that would not fit into memory otherwise.

Each layer's weight is widened when it is used and given up again, so the peak is the whole network in half
its size and one layer in float32. What is lost is the rounding of the weights to eleven bits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from igm_gui.formats.checkpoint import Checkpoint

PRECISION = "float16 weights, float32 arithmetic"
SMALLEST = 4096  # numbers; fewer are kept as they are
_building = threading.local()


def build(family: Any, checkpoint: Checkpoint) -> Any:
    """``family.load`` with the network made and kept in half precision."""
    _building.now = True
    try:
        with _half_parameters():
            generator = family.load(checkpoint)
    finally:
        _building.now = False
    generator.info = replace(generator.info, precision=PRECISION)
    return generator


def kept(weight: torch.Tensor) -> torch.Tensor:
    """``weight`` as a network is to keep it: in half precision where one is being built so. Whoever uses it
    widens it (``.float()``), and keeps no wide copy."""
    small = weight.ndim < 2 or weight.numel() < SMALLEST
    return weight if small or not getattr(_building, "now", False) else weight.half()


@contextmanager
def _half_parameters() -> Iterator[None]:
    """Parameters that modules register meanwhile are kept in float16 from the start."""
    import torch

    register = torch.nn.Module.register_parameter
    here = threading.get_ident()  # live sound may build a network of its own at the same time

    def in_half(self: torch.nn.Module, name: str, param: torch.nn.Parameter | None) -> None:
        mine = threading.get_ident() == here and not isinstance(self, torch.nn.RNNBase)
        if mine and param is not None and param.dtype == torch.float32:
            param = torch.nn.Parameter(param.data.half(), param.requires_grad)
        register(self, name, param)

    torch.nn.Module.register_parameter = in_half  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module.register_parameter = register  # type: ignore[method-assign]


def widen(network: torch.nn.Module) -> None:
    """Let every float16 parameter and buffer of ``network`` be seen in float32 when it is used."""
    import torch
    from torch.nn.utils.parametrize import register_parametrization

    class Widened(torch.nn.Module):
        def forward(self, stored: torch.Tensor) -> torch.Tensor:
            return stored.float()

    for module in list(network.modules()):
        own = {**module._parameters, **module._buffers}
        for name, tensor in own.items():
            if tensor is not None and tensor.dtype == torch.float16:
                register_parametrization(module, name, Widened(), unsafe=True)
