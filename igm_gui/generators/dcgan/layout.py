"""The layers of a plain generator, read from its tensors' shapes and order.

Stacks of transposed convolutions (Radford et al. 2016, DCGAN) and of fully connected layers (Goodfellow et
al. 2014) say nearly all about themselves: what follows what, how many numbers go in, how large the
picture is. What shapes can't say (the activations, the range) is the field's usual choice and can be
corrected in a card.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from igm_gui.errors import ModelError

HINT = (
    "A plain generator is a stack of transposed convolutions or fully connected layers whose channels fit "
    "one after the other. For anything else, write a card: docs/model-card.md."
)


@dataclass(frozen=True)
class Layer:
    """One layer: ``kind`` deconv, conv, linear or norm; ``prefix`` its tensors' common name."""

    kind: str
    prefix: str
    into: int
    out: int
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    output_padding: int = 0


@dataclass(frozen=True)
class Layout:
    """The whole stack: numbers in, layers, and the picture that comes out."""

    z_dim: int
    layers: tuple[Layer, ...]
    channels: int
    height: int
    width: int
    start: int = 0  # side of the first picture after a fully connected start; 0 without one


def _natural(key: str) -> tuple[object, ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", key))


def modules(tensors: Mapping[str, Tensor], ordered: bool = True) -> dict[str, dict[str, Tensor]]:
    """Tensors by module: in the file's order (``ordered``), or else in the order in which the layers
    fit one after the other, by the numbers in their names where that leaves a choice."""
    found: dict[str, dict[str, Tensor]] = {}
    for key in tensors if ordered else sorted(tensors, key=_natural):
        prefix, _, name = key.rpartition(".")
        found.setdefault(prefix, {})[name] = tensors[key]
    return found if ordered else _chained(found)


def _ends(weight: Tensor) -> tuple[int, int]:
    """Channels into and out of a layer with this weight."""
    return (weight.shape[0], weight.shape[1]) if weight.ndim == 4 else (weight.shape[1], weight.shape[0])


def _follows(before: Tensor, after: Tensor) -> bool:
    out, into = _ends(before)[1], _ends(after)[0]
    if before.ndim == 2 and after.ndim == 4:
        return out % into == 0 and math.isqrt(out // into) ** 2 == out // into
    return before.ndim <= after.ndim and out == into


def _chained(parts: dict[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    names = list(parts)
    weights = {n: parts[n]["weight"] for n in names if parts[n].get("weight", _NONE).ndim in (2, 4)}
    chain = _search([], sorted(weights, key=names.index), weights, [100_000])
    if chain is None:
        return parts
    made: dict[str, dict[str, Tensor]] = {}
    for name in chain:
        made[name] = parts[name]
        for norm in names:
            if norm not in weights and norm not in made and _owner(norm, parts[norm], weights, names) == name:
                made[norm] = parts[norm]
    return {**made, **{name: parts[name] for name in names if name not in made}}


def _search(
    chain: list[str], left: list[str], weights: dict[str, Tensor], budget: list[int]
) -> list[str] | None:
    """Depth-first for an order of all layers in which each fits after the one before."""
    budget[0] -= 1
    if not left:
        return chain
    for name in left if budget[0] > 0 else ():
        if not chain or _follows(weights[chain[-1]], weights[name]):
            rest = _search([*chain, name], [n for n in left if n != name], weights, budget)
            if rest is not None:
                return rest
    return None


def _shared(a: str, b: str) -> int:
    """Characters that two names begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _owner(norm: str, own: dict[str, Tensor], weights: dict[str, Tensor], names: list[str]) -> str | None:
    """The layer that a normalisation follows: of its size, closest by name."""
    mean = own.get("running_mean")
    fitting = [n for n, w in weights.items() if mean is not None and _ends(w)[1] == mean.numel()]
    here = names.index(norm)
    return min(
        fitting,
        key=lambda n: (-_shared(n, norm), (here - names.index(n)) % len(names)),
        default=None,
    )


_NONE = torch.zeros(0)
# Kernel -> (stride, padding, output padding) of a layer that doubles its picture.
DOUBLING = {2: (2, 0, 0), 3: (2, 1, 1), 4: (2, 1, 0), 5: (2, 2, 1), 6: (2, 2, 0)}


def read_layout(tensors: Mapping[str, Tensor], ordered: bool = True) -> Layout:
    """The layout of a state dict. ModelError where its layers don't make a plain stack."""
    parts = modules(tensors, ordered)
    weights = {p: m["weight"] for p, m in parts.items() if "weight" in m and m["weight"].ndim in (2, 4)}
    if len(weights) < 2:
        raise ModelError("The weights hold fewer than two layers.", HINT)
    if any(m["weight"].ndim not in (1, 2, 4) for m in parts.values() if "weight" in m):
        raise ModelError("The weights hold layers of another kind than a plain generator's.", HINT)
    ranks = [w.ndim for w in weights.values()]
    if ranks != sorted(ranks):
        raise ModelError("A fully connected layer follows a convolution: this may be a discriminator.", HINT)
    _check_transposed([w for w in weights.values() if w.ndim == 4])
    layers: list[Layer] = []
    previous = 0
    side = start = 0
    for prefix, tensor in _in_order(parts):
        if tensor is None:
            layers.append(Layer("norm", prefix, previous, previous))
            continue
        if tensor.ndim == 2:
            out, into = tensor.shape
            if previous and into != previous:
                raise ModelError(f"{prefix} takes {into} numbers, but {previous} come in.", HINT)
            layers.append(Layer("linear", prefix, into, out))
            previous = out
            continue
        into, out = tensor.shape[:2]
        kernel = tensor.shape[2]
        if tensor.shape[2] != tensor.shape[3]:
            raise ModelError(f"{prefix} has a kernel that is not square.", HINT)
        first = not any(layer.kind in ("deconv", "conv") for layer in layers)
        if first and previous:
            side = start = math.isqrt(previous // into) if previous % into == 0 else 0
            if side * side * into != previous:
                raise ModelError(f"{previous} numbers can't be arranged as {into} square pictures.", HINT)
        elif first:
            side = 1
        elif into != previous:
            raise ModelError(f"{prefix} takes {into} channels, but {previous} come in.", HINT)
        layer, side = _convolution(prefix, into, out, kernel, side, first and not start)
        layers.append(layer)
        previous = out
    return _finish(tuple(layers), previous, side, start)


def _in_order(parts: Mapping[str, dict[str, Tensor]]) -> list[tuple[str, Tensor | None]]:
    """(prefix, weight), None standing for a normalisation."""
    found: list[tuple[str, Tensor | None]] = []
    for prefix, module in parts.items():
        weight = module.get("weight")
        if "running_mean" in module:
            found.append((prefix, None))
        elif weight is not None and weight.ndim in (2, 4):
            found.append((prefix, weight))
        elif weight is not None or module.keys() - {"num_batches_tracked"}:
            raise ModelError(f"{prefix or 'A tensor'} is a layer of an unknown kind.", HINT)
    return found


def _check_transposed(weights: list[Tensor]) -> None:
    """4-D weights must be (in, out, k, k), each taking what the one before gives."""
    pairs = list(itertools.pairwise(weights))
    if all(a.shape[1] == b.shape[0] for a, b in pairs):
        return
    if all(a.shape[0] == b.shape[1] for a, b in pairs):
        raise ModelError(
            "The network is made of ordinary convolutions; where it upsamples can't be read from weights.",
            HINT,
        )
    raise ModelError("The channels of the convolutions don't fit one after the other.", HINT)


def _convolution(
    prefix: str, into: int, out: int, kernel: int, side: int, from_point: bool
) -> tuple[Layer, int]:
    if from_point:
        # z as a 1x1 picture: stride 1 and no padding give a picture of the kernel's size.
        return Layer("deconv", prefix, into, out, kernel), kernel
    if kernel in DOUBLING:
        stride, padding, extra = DOUBLING[kernel]
        if kernel == 3 and out == into:
            return Layer("deconv", prefix, into, out, 3, 1, 1), side
        return Layer("deconv", prefix, into, out, kernel, stride, padding, extra), side * 2
    if kernel == 1:
        return Layer("deconv", prefix, into, out, 1), side
    if kernel == 7:
        return Layer("deconv", prefix, into, out, 7, 1, 3), side
    raise ModelError(f"{prefix} has a kernel of {kernel}, whose stride can't be guessed.", HINT)


def _finish(layers: tuple[Layer, ...], previous: int, side: int, start: int) -> Layout:
    z_dim = layers[0].into
    if layers[0].kind == "norm":
        raise ModelError("The network begins with a normalisation.", HINT)
    if not side:
        for channels in (1, 3, 4):
            square = math.isqrt(previous // channels) if previous % channels == 0 else 0
            if square > 3 and square * square * channels == previous:
                return Layout(z_dim, layers, channels, square, square)
        raise ModelError(f"{previous} numbers come out, which is no square picture.", HINT)
    if previous not in (1, 3, 4):
        raise ModelError(f"{previous} channels come out; a picture has 1, 3 or 4.", HINT)
    if not 4 <= side <= 4096:
        raise ModelError(f"The picture would be {side} pixels wide.", HINT)
    return Layout(z_dim, layers, previous, side, side, start)


def stack_tensors(layout: Layout, tensors: Mapping[str, Tensor]) -> list[tuple[Layer, dict[str, Tensor]]]:
    """Each layer with its tensors in float32. ModelError where one is not finite."""
    found = []
    for layer in layout.layers:
        dot = f"{layer.prefix}." if layer.prefix else ""
        own = {}
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = tensors.get(dot + name)
            if tensor is not None:
                if not bool(torch.isfinite(tensor.float()).all()):
                    raise ModelError(
                        f"{dot}{name} holds values that are not numbers (NaN or infinity).", HINT
                    )
                own[name] = tensor.float()
        found.append((layer, own))
    return found
