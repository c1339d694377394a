"""The small Python API: open a generator and sample it. No Qt; torch when first loaded."""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.priors import MAX_SEED


class Generator:
    """An opened generator. ``info`` tells its inputs and output."""

    def __init__(self, model: str, device: str = "auto") -> None:
        from igm_gui.engine.renderer import Renderer

        self._renderer = Renderer()
        self._model = model
        self._device = device
        self.info: GeneratorInfo = self._renderer.generator(model, device)[0].info

    def point(
        self, seed: int = 0, label: int | str | None = None, truncation: float | None = None
    ) -> LatentPoint:
        """The point that ``seed`` (0 to 2**32 - 1) stands for; ``label`` is a class's number or name,
        ``truncation`` psi where the model has it. InputError where it has not."""
        return make_point(self.info, seed, label, truncation)

    def map(self, points: LatentPoint | Sequence[LatentPoint]) -> NDArray[np.float32]:
        """w of points, float32 ``(N, layers, w_dim)``, with truncation, mixing and offsets. InputError where
        the generator has no w. ``igm_gui.latent.styles`` has functions that edit it."""
        from igm_gui.errors import InputError
        from igm_gui.latent.point import check

        generator = self._renderer.generator(self._model, self._device)[0]
        if "map" not in self.info.abilities or not hasattr(generator, "map"):
            raise InputError(f"{self.info.name} has no w.", "Style-based generators have one.")
        many = [points] if isinstance(points, LatentPoint) else list(points)
        for point in many:
            check(point, self.info)
        mapped: NDArray[np.float32] = generator.map(many).cpu().numpy()
        return mapped

    def render(self, points: LatentPoint | Sequence[LatentPoint]) -> NDArray[Any]:
        """Media of points: uint8 ``(N, H, W, C)``, or float32 ``(N, channels, samples)`` in [-1, 1].

        InputError where a point does not fit, or where there is none; ModelError where the network fails.
        """
        from igm_gui.errors import InputError

        many = (points,) if isinstance(points, LatentPoint) else tuple(points)
        if not many:
            raise InputError("There is no point to render.", "Give one or more of them.")
        for point in many:
            if not isinstance(point, LatentPoint):
                kind = type(point).__name__
                raise InputError(f"{kind} is no point.", "Generator.point makes one of a seed.")
        return self._renderer.media(self._model, many, self._device, fit=False)

    def sample(
        self,
        seed: int = 0,
        n: int = 1,
        label: int | str | None = None,
        truncation: float | None = None,
        batch: int = 32,
    ) -> NDArray[Any]:
        """``n`` renderings of the seeds ``seed`` to ``seed + n - 1`` (shapes as in :meth:`render`),
        ``batch`` in one go. InputError where one of these is not possible."""
        n, batch = _whole("n", n, 1), _whole("batch", batch, 1)
        seed = _whole("seed", seed, 0, MAX_SEED)
        _whole("the last seed", seed + n - 1, 0, MAX_SEED)
        points = [self.point(seed + i, label, truncation) for i in range(n)]
        parts = [self.render(points[i : i + batch]) for i in range(0, n, batch)]
        return np.concatenate(parts)


def _whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as an int (numpy's are welcome). InputError where it is none, or out of range: a seed that
    was quietly taken for another one would make a picture that can't be found again."""
    from igm_gui.errors import InputError

    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most):
        span = f"from {least} to {most}" if most is not None else f"of {least} or more"
        raise InputError(f"{name} is {value!r:.40}.", f"It is a whole number {span}.")
    return number


def make_point(
    info: GeneratorInfo, seed: int = 0, label: int | str | None = None, truncation: float | None = None
) -> LatentPoint:
    """A point from a seed, a class (number or name) and a truncation. InputError where they don't fit."""
    from igm_gui.errors import InputError

    seed = _whole("seed", seed, 0, MAX_SEED)
    index: int | None = None
    if label is not None:
        spec = next(iter(info.of_kind("label")), None)
        if spec is None:
            raise InputError(f"{info.name} has no classes.", "Leave the label out.")
        if isinstance(label, str) and not re.fullmatch(r"-?[0-9]{1,9}", label):
            names = [name.lower() for name in spec.classes]
            if label.lower() not in names:
                raise InputError(
                    f"{info.name} has no class called {label}.", f"Its classes are {', '.join(spec.classes)}."
                )
            index = names.index(label.lower())
        else:
            index = int(label) if isinstance(label, str) else _class(label)
    point = point_from_seed(info, seed, index)
    if truncation is not None:
        if info.input("truncation") is None:
            raise InputError(f"{info.name} has no truncation.", "Leave the truncation out.")
        try:
            psi = float(truncation)
        except (TypeError, ValueError):
            psi = math.nan
        if not math.isfinite(psi):
            raise InputError(f"truncation is {truncation!r:.40}.", "It is a finite number.")
        point = point.with_value("truncation", psi)
    return point


def _class(label: Any) -> int:
    """A class's number. InputError where it is no whole number."""
    from igm_gui.errors import InputError

    try:
        return operator.index(label)
    except TypeError:
        raise InputError(f"label is {label!r:.40}.", "It is a class's number or name.") from None


def load(model: str | os.PathLike[str], device: str = "auto") -> Generator:
    """Open a bundled name or a path. ModelError says what was seen and what is supported.

    ``device`` is ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """
    if not isinstance(model, (str, os.PathLike)):
        from igm_gui.errors import ModelError

        raise ModelError(f"{model!r:.40} is no model.", "Give a bundled name (igm models) or a path.")
    return Generator(os.fspath(model), device)


def export_generator(
    module: Any,
    folder: str,
    *,
    inputs: Sequence[InputSpec],
    output: OutputSpec | None = None,
    name: str = "",
    title: str = "",
    description: str = "",
    licence: str = "",
) -> str:
    """Write your own ``torch.nn.Module`` as a model folder in one call; answers the folder's path.

    ``module(*inputs)`` gets one tensor per input, in order: a latent float32 ``(N, *shape)``, a label
    float32 weights ``(N, classes)``, a scalar float32 ``(N,)`` (int64 with ``step`` 1), a seed int64
    ``(N,)``; it returns pictures ``(N, C, H, W)`` or sound ``(N, channels, samples)``. ``output`` is measured
    where it is not given. ModelError where torch.export can't trace it, ExportError where the folder
    can't be written.
    """
    from igm_gui.generators.program.write import export_generator as write

    made = write(
        module,
        folder,
        inputs=inputs,
        output=output,
        name=name,
        title=title,
        description=description,
        licence=licence,
    )
    return str(made)
