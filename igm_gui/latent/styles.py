"""Edits of w, layer by layer, as values of a point: a second style, offsets, w itself.

They are plain numbers beside the inputs (:class:`igm_gui.info.StyleSpace`), so points with them are kept,
interpolated and written to files as any other. Layers are row numbers of w, coarse to fine.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import InputError
from igm_gui.info import GeneratorInfo, InputSpec, StyleSpace
from igm_gui.latent.point import LatentPoint, problem
from igm_gui.latent.priors import draw
from igm_gui.latent.vector import Vector

GROUPS = ("all", "coarse", "middle", "fine")
MAX_W_BYTES = 64 << 20


def space_of(info: GeneratorInfo) -> StyleSpace:
    """The generator's style space; InputError where it has none."""
    if info.styles is None:
        raise InputError(f"{info.name} has no styles for its layers.", "Only StyleGAN networks have.")
    return info.styles


def group(space: StyleSpace, name: str) -> tuple[int, ...]:
    """The layers called ``all``, ``coarse``, ``middle`` or ``fine``.

    Coarse are pictures up to 8 pixels, middle up to 32, where layers say so and finer ones follow (Karras
    et al. 2019, section 3.1); otherwise thirds.
    """
    count = len(space.layers)
    if name == "all":
        return tuple(range(count))
    sizes = [int(found[1]) if (found := re.match(r"(\d+)×", layer)) else 1 << 20 for layer in space.layers]
    if sizes[0] == 4 and count > 8:
        ends = (sum(size <= 8 for size in sizes), sum(size <= 32 for size in sizes))
    else:
        ends = (round(count / 3), round(2 * count / 3))
    bounds = {"coarse": (0, ends[0]), "middle": ends, "fine": (ends[1], count)}
    return tuple(range(*bounds[name]))


def read_layers(space: StyleSpace, text: str) -> tuple[int, ...]:
    """``all``, ``coarse``, ``middle``, ``fine``, or numbers such as ``0-3,8``. InputError otherwise."""
    if text in GROUPS:
        return group(space, text)
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)
        first = int(match[1]) if match else -1
        last = int(match[2] or match[1]) if match else -1
        if not 0 <= first <= last < len(space.layers):
            raise InputError(
                f"{text} does not name layers.",
                f"Give numbers from 0 to {len(space.layers) - 1} such as 0-3,8, or {', '.join(GROUPS)}.",
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


_bases: dict[int, tuple[object, NDArray[np.float32]]] = {}


def directions(space: StyleSpace) -> NDArray[np.float32]:
    """The principal directions as an array (count, size), kept: a slider asks at every move."""
    kept = _bases.get(id(space.principal))
    if kept is None or kept[0] is not space.principal:
        if len(_bases) >= 8:
            _bases.clear()
        kept = _bases[id(space.principal)] = (space.principal, np.asarray(space.principal, np.float32))
    return kept[1]


def _rows(point: LatentPoint, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    value = point.get(name)
    if isinstance(value, Vector) and value.shape == shape:
        return value.array.copy()
    return np.zeros(shape, np.float32)


def _put(point: LatentPoint, name: str, array: NDArray[np.float32]) -> LatentPoint:
    """With the value, or without it where it changes nothing."""
    return point.with_value(name, Vector(array)) if array.any() else point.without(name)


def second_style(space: StyleSpace, seed: int) -> Vector:
    """The latent of a second style that ``seed`` stands for: the one z has for it."""
    return Vector(draw(InputSpec("mix", "latent", shape=(space.z,)), seed))


def mix_amounts(space: StyleSpace, point: LatentPoint) -> NDArray[np.float32]:
    """How much each layer follows the second style, 0 to 1."""
    return _rows(point, "mix_layers", (len(space.layers),))


def mixed(
    space: StyleSpace,
    point: LatentPoint,
    layers: Iterable[int],
    amount: float = 1.0,
    second: Vector | int | None = None,
) -> LatentPoint:
    """``point`` whose ``layers`` follow a second style by ``amount``, 0 to 1: a latent, the one of a seed, or
    (None) the one the point has."""
    amounts = mix_amounts(space, point)
    amounts[list(layers)] = min(max(amount, 0.0), 1.0)
    if second is None and point.get("mix") is None:
        second = 0
    if second is not None:
        value = second_style(space, second) if isinstance(second, int) else second
        point = point.with_value("mix", value)
    return _put(point, "mix_layers", amounts)


def offsets(space: StyleSpace, point: LatentPoint) -> NDArray[np.float32]:
    """What is added to w, (layers, size)."""
    return _rows(point, "w_offset", space.shape)


def moved(
    space: StyleSpace,
    point: LatentPoint,
    layers: Iterable[int],
    steps: Mapping[int, float],
    principal: bool = True,
) -> LatentPoint:
    """``point`` with ``layers`` of w at places along directions: ``steps`` maps a direction's number to where
    it shall be, 0 being where the style itself is.

    ``principal``: the directions are the principal ones and places are in standard deviations; otherwise they
    are the dimensions of w and places are in its numbers.
    """
    array = offsets(space, point)
    rows = list(layers)
    if principal:
        basis = directions(space)
        for index, place in steps.items():
            step = basis[index]
            length = max(float(step @ step), 1e-12)
            here = array[rows] @ step / length
            array[rows] += (np.float32(place) - here)[:, None] * step
    else:
        for index, place in steps.items():
            array[rows, index] = place
    return _put(point, "w_offset", array)


def places(
    space: StyleSpace, point: LatentPoint, layers: Iterable[int], principal: bool = True
) -> NDArray[np.float32]:
    """Where ``layers`` stand along each direction, their mean (see :func:`moved`)."""
    mean = offsets(space, point)[list(layers)].mean(0)
    if not principal:
        return np.asarray(mean, np.float32)
    basis = directions(space)
    lengths = np.maximum(np.square(basis).sum(1), 1e-12)
    return np.asarray(basis @ mean / lengths, np.float32)


def with_w(info: GeneratorInfo, point: LatentPoint, w: NDArray[np.floating]) -> LatentPoint:
    """``point`` at a w of one's own: (size,), (layers, size) or (1, layers, size). InputError otherwise."""
    space = space_of(info)
    array = np.asarray(w, np.float32)
    if array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.shape in ((space.size,), (1, space.size)):
        array = np.broadcast_to(array, space.shape)
    spec = next(spec for spec in space.edits if spec.name == "w")
    value = Vector(array)
    if why := problem(spec, value):
        raise InputError(f"w of {info.name} {why}.", "One row for each layer, or a single row for all.")
    return point.with_value("w", value)


def read_w(path: Path) -> NDArray[np.float32]:
    """w from an .npz (its array ``w``, as the official projector writes it) or an .npy; only numbers are
    read. InputError says why not."""
    hint = "Give an .npz with an array called w, or an .npy."
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    size = sum(member.file_size for member in archive.infolist())
            if size > MAX_W_BYTES:
                raise InputError(f"{path.name} is too large to hold a w.", hint)
            file.seek(0)
            array = np.load(file, allow_pickle=False)
            if not isinstance(array, np.ndarray):
                names = array.files
                if "w" not in names and len(names) != 1:
                    raise InputError(f"{path.name} holds no array called w.", hint)
                array = array["w" if "w" in names else names[0]]
        if array.dtype.kind not in "fiu" or array.nbytes > MAX_W_BYTES:
            raise InputError(f"{path.name} holds no numbers for a w.", hint)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path.name} can't be read: {error.strerror or error}.", hint) from error
    except Exception as error:  # zipfile and zlib have errors of their own
        raise InputError(f"{path.name} is not an array file, or damaged.", hint, repr(error)) from error
    return np.asarray(array, np.float32)
