"""Resampling by polyphase sums: what StyleGAN3's filtered leaky ReLU spends its time on.

The obvious way inserts zeros, pads, filters at the high rate and throws samples away again. Here the
high-rate signal is kept as its u x u phases, each a picture of the low rate: phase p holds the
samples u*a + p. Going up makes each phase by a short depthwise convolution of the small picture,
the pointwise nonlinearity does not care about the order, and going down sums short depthwise
convolutions of the phases. No zero is multiplied and nothing is interleaved in between.
Symbols: u, d the factors; f the filters; a, b low-rate places; p, r phases.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CHANNELS_AT_ONCE = 16  # a vector register's worth of bfloat16 halves
CACHED = 32 << 20  # bytes


@dataclass(frozen=True)
class AxisPlan:
    """How one axis of length ``size`` is taken up by u, cropped or padded, filtered, and down by d.

    tmp[m] = sum_j fu[j] x_u[m - pad0 + j], with x_u the zero-inserted x; out[o] = sum_j fd[j] tmp[d o + j].
    """

    up: int
    down: int
    up_kernels: tuple[tuple[float, ...], ...]  # per phase p, over x[a + first ... ]
    first: int
    right: int  # samples to pad (or crop) after the end
    down_index: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]  # [r][p] -> ((tap j, offset k), ...)
    reach: int  # largest offset k
    out_size: int
    phase_size: int

    @property
    def out_phases(self) -> int:
        return self.up // self.down


def plan_axis(
    size: int, up: int, down: int, up_filter: list[float], down_taps: int, pad0: int, pad1: int
) -> AxisPlan:
    """The plan for one axis. ``up_filter`` holds the gains already; ValueError where nothing is left."""
    taps = len(up_filter)
    middle = size * up + pad0 + pad1 - (taps - 1)
    out_size = (middle - down_taps) // down + 1
    if out_size < 1 or up % down:
        raise ValueError("the filter leaves no samples, or the factors don't divide")
    kernels: list[dict[int, float]] = [
        {(p - pad0 + j) // up: up_filter[j] for j in range(taps) if (p - pad0 + j) % up == 0}
        for p in range(up)
    ]
    first = min(min(k) for k in kernels if k)
    last = max(max(k) for k in kernels if k)
    out_phases = up // down
    rows = -(-out_size // out_phases)
    index = []
    reach = 0
    for r in range(out_phases):
        per_phase: list[list[tuple[int, int]]] = [[] for _ in range(up)]
        for j in range(down_taps):
            place = down * r + j
            per_phase[place % up].append((j, place // up))
            reach = max(reach, place // up)
        index.append(tuple(tuple(entries) for entries in per_phase))
    phase_size = rows + reach
    return AxisPlan(
        up,
        down,
        tuple(tuple(kernel.get(e, 0.0) for e in range(first, last + 1)) for kernel in kernels),
        first,
        phase_size - 1 + last - (size - 1),
        tuple(index),
        reach,
        out_size,
        phase_size,
    )


def _depthwise(x: Tensor, kernel: Tensor) -> Tensor:
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, *kernel.shape[-2:]), groups=channels)


class FilteredLeakyReLU(torch.nn.Module):
    """Up, leaky ReLU, down (Karras et al. 2021, section 3.2), x (N, C, H, W) -> (N, C, H', W').

    ``down_filter`` is 1-D (applied to both axes) or 2-D (radial, configuration R).
    """

    def __init__(
        self,
        rows: AxisPlan,
        columns: AxisPlan,
        down_filter: Tensor,
        slope: float,
        clamp: float | None,
    ) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns
        self.slope, self.clamp = slope, clamp
        self.radial = down_filter.ndim == 2
        self._used: dict[str, Tensor] = {}  # the filters as arranged
        self.register_buffer(
            "up_rows", torch.tensor(rows.up_kernels)[:, None, None, :, None], persistent=False
        )
        self.register_buffer(
            "up_columns", torch.tensor(columns.up_kernels)[:, None, None, None, :], persistent=False
        )
        if self.radial:
            self.register_buffer("down", self._radial_kernels(down_filter), persistent=False)
        else:
            self.register_buffer(
                "down_rows", self._kernels(rows, down_filter)[..., :, None], persistent=False
            )
            self.register_buffer(
                "down_columns", self._kernels(columns, down_filter)[..., None, :], persistent=False
            )

    @staticmethod
    def _kernels(plan: AxisPlan, taps: Tensor) -> Tensor:
        kernels = torch.zeros(plan.out_phases, plan.up, 1, 1, plan.reach + 1)
        for r, phases in enumerate(plan.down_index):
            for p, entries in enumerate(phases):
                for j, k in entries:
                    kernels[r, p, 0, 0, k] = taps[j]
        return kernels

    def _radial_kernels(self, taps: Tensor) -> Tensor:
        y, x = self.rows, self.columns
        kernels = torch.zeros(y.out_phases, x.out_phases, y.up, x.up, 1, 1, y.reach + 1, x.reach + 1)
        for ry, row_phases in enumerate(y.down_index):
            for rx, column_phases in enumerate(x.down_index):
                for py, row_entries in enumerate(row_phases):
                    for px, column_entries in enumerate(column_phases):
                        for jy, ky in row_entries:
                            for jx, kx in column_entries:
                                kernels[ry, rx, py, px, 0, 0, ky, kx] = taps[jy, jx]
        return kernels

    def arrange(self, dtype: torch.dtype) -> None:
        """Filter in ``dtype``. The exact filters stay for other arrangements."""
        names = ("up_rows", "up_columns", *(("down",) if self.radial else ("down_rows", "down_columns")))
        self._used = {name: getattr(self, name).to(dtype) for name in names}

    def forward(self, x: Tensor) -> Tensor:
        if not self._used:
            self.arrange(x.dtype)
        # Some channels at a time: what lies between two passes then stays in the processor's cache.
        phases = self.rows.up * self.columns.up * self.rows.phase_size * self.columns.phase_size
        count = max(CACHED // (phases * x.element_size() * len(x)), 1)
        count = -(-count // CHANNELS_AT_ONCE) * CHANNELS_AT_ONCE
        if x.device.type != "cpu" or count >= x.shape[1]:
            return self._resample(x)
        return torch.cat([self._resample(part) for part in x.split(count, 1)], 1)

    def _resample(self, x: Tensor) -> Tensor:
        y_plan, x_plan = self.rows, self.columns
        x = F.pad(x, (-x_plan.first, x_plan.right, -y_plan.first, y_plan.right))
        grid: list[list[Tensor]] = []
        for kernel in self._used["up_rows"]:
            row = _depthwise(x, kernel)
            grid.append([self._activate(_depthwise(row, k)) for k in self._used["up_columns"]])
        phases = self._down_radial(grid) if self.radial else self._down_separable(grid)
        height, width = y_plan.out_size, x_plan.out_size
        if y_plan.out_phases == 1 and x_plan.out_phases == 1:
            return phases[0][0][:, :, :height, :width]
        last = x.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        whole = torch.empty(
            (*x.shape[:2], height, width), dtype=x.dtype, device=x.device, memory_format=layout
        )
        for y, line in enumerate(phases):
            for z, phase in enumerate(line):
                place = whole[:, :, y :: y_plan.out_phases, z :: x_plan.out_phases]
                place.copy_(phase[:, :, : place.shape[2], : place.shape[3]])
        return whole

    def _activate(self, x: Tensor) -> Tensor:
        x = F.leaky_relu_(x, self.slope)
        return x.clamp_(-self.clamp, self.clamp) if self.clamp is not None else x

    def _down_separable(self, grid: list[list[Tensor]]) -> list[list[Tensor]]:
        columns = self._used["down_columns"]
        narrow = [[_sum(row, kernels) for kernels in columns] for row in grid]
        return [
            [_sum([line[rx] for line in narrow], kernels) for rx in range(self.columns.out_phases)]
            for kernels in self._used["down_rows"]
        ]

    def _down_radial(self, grid: list[list[Tensor]]) -> list[list[Tensor]]:
        flat = [phase for row in grid for phase in row]
        return [[_sum(flat, kernels.flatten(0, 1)) for kernels in line] for line in self._used["down"]]


def _sum(parts: list[Tensor], kernels: Tensor) -> Tensor:
    total = _depthwise(parts[0], kernels[0])
    for part, kernel in zip(parts[1:], kernels[1:], strict=True):
        total += _depthwise(part, kernel)
    return total
