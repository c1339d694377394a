"""Requests in, results out: loading, device, the forward pass, scaling. One thread uses it, and the threads
that make batches of an export for it."""

from __future__ import annotations

import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.engine import devices
from igm_gui.engine.preload import preload_torch
from igm_gui.errors import DeviceError, IgmError, ModelError
from igm_gui.generators import memory
from igm_gui.latent.point import LatentPoint, check, conform
from igm_gui.requests import RenderRequest, RenderResult

if TYPE_CHECKING:
    from igm_gui.generators.base import TorchGenerator

KEPT_MODELS = 12


class Renderer:
    """Keeps loaded generators and renders requests.

    Where they are more than ``kept`` or hold more than ``budget`` bytes (0: a quarter of the memory), the
    least recently used goes first; the one in use always stays. ``render`` never raises: a failure is a
    result with an error. Same request, same bytes.
    """

    def __init__(self, kept: int = KEPT_MODELS, budget: int = 0) -> None:
        self._kept = kept
        self._budget = budget or memory.budget()
        self._loaded: OrderedDict[tuple[str, str], TorchGenerator] = OrderedDict()
        self._resolved: dict[str, str] = {}
        self._lock = threading.RLock()  # exports render several batches at once

    def generator(self, model: str, device: str = "auto") -> tuple[TorchGenerator, str]:
        """The generator of ``model`` on ``device``, loaded where needed, and a notice for the person
        (empty, or that a full GPU made it fall back to the CPU). ModelError or DeviceError."""
        preload_torch()  # before the first of them imports it
        with self._lock:
            return self._generator(model, device)

    def _generator(self, model: str, device: str) -> tuple[TorchGenerator, str]:
        from igm_gui.generators import memory_order, registry, threads

        chosen = self._resolved.get(device)
        if chosen is None:
            chosen = self._resolved[device] = devices.resolve(device)
        key = (model, chosen)
        found = self._loaded.get(key)
        if found is not None:
            self._loaded.move_to_end(key)
            return found, ""
        generator = registry.load(model)
        notice = ""
        try:
            generator.to(chosen)
        except Exception as error:
            if chosen == "cpu" or not devices.is_out_of_memory(error):
                raise
            notice = self._fall_back(generator)
        memory_order.choose(generator)
        threads.choose(generator)
        self._loaded[key] = generator
        while len(self._loaded) > 1 and self._too_many():
            self._loaded.popitem(last=False)
        return generator, notice

    def _too_many(self) -> bool:
        return len(self._loaded) > self._kept or self.bytes_held > self._budget > 0

    @property
    def bytes_held(self) -> int:
        """Bytes that the loaded models hold together, estimated from their parameters."""
        return sum(memory.held(generator) for generator in self._loaded.values())

    def forget(self, model: str) -> None:
        """Drop a model, so that the next request reads it from disk again."""
        for key in [key for key in self._loaded if key[0] == model]:
            del self._loaded[key]

    def media(
        self, model: str, points: Sequence[LatentPoint], device: str = "auto", fit: bool = True
    ) -> NDArray[Any]:
        """Media of ``points`` for exports and scripts (shapes as in :class:`RenderResult`).

        Raises IgmError where the request fails."""
        result = self.render(RenderRequest(model, tuple(points), "export", device=device, conform=fit))
        if result.error is not None:
            raise result.error
        assert result.media is not None
        return result.media

    def render(self, request: RenderRequest) -> RenderResult:
        """Load what is needed and render. Never raises."""
        start = time.perf_counter()
        generator: TorchGenerator | None = None
        try:
            generator, notice = self.generator(request.model, request.device)
            media, seconds = None, 0.0
            if request.points:
                points = request.points
                if request.conform:
                    points = tuple(conform(point, generator.info) for point in points)
                else:
                    for point in points:
                        check(point, generator.info)
                media, told = self._run(generator, points)
                notice, seconds = told or notice, generator.model_seconds
                if generator.info.media == "image":
                    media = scaled(media, request.width)
            return RenderResult(
                request,
                generator.info,
                media,
                model_seconds=seconds,
                render_seconds=time.perf_counter() - start,
                device=generator.device.type,
                notice=notice,
            )
        except IgmError as error:
            return RenderResult(request, generator.info if generator else None, error=error)
        except MemoryError:
            full = DeviceError(
                f"There is not enough memory to run {request.model}.",
                "Close other programs or use a smaller model.",
            )
            return RenderResult(request, generator.info if generator else None, error=full)
        except Exception as error:
            wrapped = ModelError(
                f"{request.model} failed while running: {error}.",
                "The last result stays on screen; change an input or open another model.",
                traceback.format_exc(),
            )
            return RenderResult(request, generator.info if generator else None, error=wrapped)

    def _run(self, generator: TorchGenerator, points: Sequence[LatentPoint]) -> tuple[NDArray[Any], str]:
        try:
            return generator.render(points), ""
        except Exception as error:
            if generator.device.type == "cpu" or not devices.is_out_of_memory(error):
                raise
        notice = self._fall_back(generator)
        return generator.render(points), notice

    @staticmethod
    def _fall_back(generator: TorchGenerator) -> str:
        import torch

        full = generator.device.type
        generator.to("cpu")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return f"The {full} device ran out of memory; {generator.info.name} runs on the CPU now."


def scaled(media: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """Pictures uint8 (N, H, W, C) made smaller, antialiased, so that no side is over ``side`` pixels;
    as they are when they already fit or ``side`` is 0."""
    height, width = media.shape[1:3]
    if side <= 0 or max(height, width) <= side:
        return media
    from PIL import Image

    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    pictures = []
    for picture in media:
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        small = np.asarray(
            image.resize(size, Image.Resampling.BOX if factor < 0.5 else Image.Resampling.LANCZOS)
        )
        pictures.append(small[..., None] if small.ndim == 2 else small)
    return np.stack(pictures)
