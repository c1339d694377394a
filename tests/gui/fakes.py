"""A renderer without torch: pictures that follow from the point by plain arithmetic, errors on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from igm_gui.errors import IgmError, ModelError
from igm_gui.info import Direction, GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, conform
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderRequest, RenderResult

SIDE = 16
GATE_SECONDS = 30.0
TOY = GeneratorInfo(
    name="toy",
    title="Toy",
    family="toy",
    output=OutputSpec("image", SIDE, SIDE, 3),
    inputs=(
        InputSpec("z", "latent", shape=(12,), dimensions=("smile", "hue")),
        InputSpec("label", "label", classes=("cat", "dog", "owl")),
        InputSpec("truncation", "scalar", title="Truncation ψ", minimum=0.0, maximum=1.0, default=1.0),
        InputSpec("noise_seed", "seed", title="Noise"),
    ),
    directions=(Direction("tilt", "z", (1.0,) + (0.0,) * 11), Direction("glow", "z", (0.0,) * 11 + (1.0,))),
    parameters=2_100_000,
)


def picture(point: LatentPoint) -> np.ndarray:
    """uint8 (SIDE, SIDE, 3): every input leaves a mark of its own."""
    out = np.zeros((SIDE, SIDE, 3), np.float64)
    z = point.vector("z").array.reshape(-1)
    out[: len(z), :, 0] = (128 + 40 * z)[:, None]
    label = point.get("label")
    if isinstance(label, Vector):
        out[:, :3, 1] = 255 * label.array[None, :]
    out[:, 3, 1] = 200 * point.scalar("truncation")
    out[:, 4, 1] = point.scalar("noise_seed") % 256
    out[:, 5, 1] = 128 + 30 * point.scalar("direction:tilt")
    out[:, 6, 1] = 128 + 30 * point.scalar("direction:glow")
    return np.clip(out, 0, 255).astype(np.uint8)


class PaintingRenderer:
    """``errors[model]`` is what a request of that model fails with; ``rendered`` keeps the requests."""

    def __init__(self, *infos: GeneratorInfo) -> None:
        self.infos = {info.name: info for info in infos or (TOY, replace(TOY, name="other", title="Other"))}
        self.errors: dict[str, IgmError] = {}
        self.unreadable: dict[str, IgmError] = {}
        self.rendered: list[RenderRequest] = []
        self._gates: dict[str, threading.Event] = {}

    @contextmanager
    def holding(self, model: str) -> Iterator[None]:
        """Requests of ``model`` wait at a gate until the block ends: a slow opening."""
        gate = self._gates[model] = threading.Event()
        try:
            yield
        finally:
            del self._gates[model]
            gate.set()

    def render(self, request: RenderRequest) -> RenderResult:
        self.rendered.append(request)
        gate = self._gates.get(request.model)
        if gate is not None:
            assert gate.wait(GATE_SECONDS)
        if request.model in self.unreadable:
            return RenderResult(request, error=self.unreadable[request.model])
        info = self.infos.get(request.model)
        if info is None:
            return RenderResult(request, error=ModelError(f"There is no model called {request.model}."))
        if request.model in self.errors:
            return RenderResult(request, info, error=self.errors[request.model])
        media = None
        if request.points:
            media = np.stack([picture(conform(point, info)) for point in request.points])
        return RenderResult(request, info, media, 1e-4, 2e-4, "cpu")
