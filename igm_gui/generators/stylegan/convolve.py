"""Convolutions whose weights are the same for every sample, as fast as the processor lets them be.

Two ways beside the plain one: the weights put once into the order that oneDNN computes in, which it otherwise
does again at every call; and Winograd's F(2x2, 3x3), which spends 16 products where 36 are the obvious number
(Winograd 1980; Lavin and Gray 2015, arXiv:1509.09308).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Below either, passing over the picture costs more than the products saved (bfloat16, two cores).
WINOGRAD_CHANNELS = 256
WINOGRAD_SIDE = 32


def ordered(weight: Tensor, shape: torch.Size, up: bool) -> Callable[[Tensor], Tensor]:
    """x (N, I, H, W) -> the convolution with ``weight``, zeros around it; with ``up`` (weight (I, O, k, k))
    the transposed one of stride 2 without padding.

    ``shape`` is x's. The weights are kept in oneDNN's own order where x is on the CPU and torch can do that.
    """
    pad = weight.shape[-1] // 2

    def plain(x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, weight, stride=2) if up else F.conv2d(x, weight, padding=pad)

    if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
        return plain
    # What torch's own compiler uses; another release may lack it.
    operations: Any = torch.ops.mkldnn
    try:
        if up:
            places: list[Any] = [[0, 0], [0, 0], [2, 2], [1, 1], 1]
            packed = operations._reorder_convolution_transpose_weight(weight, *places, list(shape))
            run = operations._convolution_transpose_pointwise
        else:
            places = [[pad, pad], [1, 1], [1, 1], 1]
            packed = operations._reorder_convolution_weight(weight, *places, list(shape))
            run = operations._convolution_pointwise
        run(weight.new_zeros(shape), packed, None, *places, "none", [], "")
    except (AttributeError, RuntimeError, NotImplementedError, TypeError):
        return plain
    return lambda x: run(x, packed, None, *places, "none", [], "")


class Winograd:
    """A 3x3 convolution with zeros around it: x (N, I, H, W), H and W even -> (N, O, H, W), channels last."""

    @staticmethod
    def serves(weight: Tensor, height: int, width: int) -> bool:
        """Whether this is likely to win for ``weight`` (O, I, k, k) and pictures of this size."""
        return (
            weight.shape[2:] == (3, 3)
            and weight.shape[1] >= WINOGRAD_CHANNELS
            and min(height, width) >= WINOGRAD_SIDE
            and height % 2 == width % 2 == 0
        )

    def __init__(self, weight: Tensor, dtype: torch.dtype) -> None:
        made = weight.new_tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
        spread = torch.einsum("ai,bj,ocij->abco", made, made, weight)
        self.weight = spread.flatten(0, 1).to(dtype).contiguous()  # (16, I, O)

    def __call__(self, x: Tensor, style: Tensor) -> Tensor:
        """The convolution of ``x`` with its channels scaled by ``style`` (N, I)."""
        count, channels, height, width = x.shape
        rows, columns = height // 2, width // 2
        padded = x.new_zeros(count, height + 2, width + 2, channels)
        torch.mul(x.permute(0, 2, 3, 1), style[:, None, None], out=padded[:, 1:-1, 1:-1])
        # Tiles of 4x4 that overlap by two, their rows combined, then their columns.
        along = x.new_empty(4, count, rows, width + 2, channels)
        _forward([padded[:, i : i + height - 1 : 2] for i in range(4)], list(along))
        tiles = x.new_empty(4, 4, count, rows, columns, channels)
        _forward([along[:, :, :, i : i + width - 1 : 2] for i in range(4)], list(tiles.transpose(0, 1)))
        y = torch.bmm(tiles.view(16, -1, channels), self.weight)
        y = y.view(4, 4, count, rows, columns, -1)
        narrow = y.new_empty(2, *y.shape[1:])
        _backward(list(y), list(narrow))
        whole = y.new_empty(count, rows, 2, columns, 2, y.shape[-1])
        places = whole.permute(4, 2, 0, 1, 3, 5)  # column's parity, row's parity, N, rows, columns, O
        _backward(list(narrow.transpose(0, 1)), list(places))
        return whole.view(count, height, width, -1).permute(0, 3, 1, 2)


def _forward(d: list[Tensor], out: list[Tensor]) -> None:
    torch.sub(d[0], d[2], out=out[0])
    torch.add(d[1], d[2], out=out[1])
    torch.sub(d[2], d[1], out=out[2])
    torch.sub(d[1], d[3], out=out[3])


def _backward(m: list[Tensor], out: list[Tensor]) -> None:
    both, apart = m[1] + m[2], m[1] - m[2]
    torch.add(m[0], both, out=out[0])
    torch.sub(apart, m[3], out=out[1])
