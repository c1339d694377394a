"""In which order a state dict's layers follow one another, where the file does not say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

Module = dict[str, Tensor]
_NONE = torch.zeros(0)


def _natural(key: str) -> tuple[object, ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", key))


def modules(tensors: Mapping[str, Tensor]) -> dict[str, Module]:
    """Tensors by the module they belong to, in their order."""
    found: dict[str, Module] = {}
    for key, tensor in tensors.items():
        prefix, _, name = key.rpartition(".")
        found.setdefault(prefix, {})[name] = tensor
    return found


def orders(tensors: Mapping[str, Tensor], ordered: bool) -> Iterator[dict[str, Module]]:
    """Orders to try: the file's own (``ordered``), by the numbers in the names, and one in which each layer
    fits after the one before."""
    given = modules(tensors)
    if ordered:
        yield given
    natural = {name: given[name] for name in sorted(given, key=_natural)}
    yield natural
    chained = _chained(natural)
    if chained is not None:
        yield chained


def _ends(weight: Tensor) -> tuple[int, int]:
    """Channels into and out of a layer with this weight, a transposed convolution where it has four axes."""
    return (weight.shape[0], weight.shape[1]) if weight.ndim == 4 else (weight.shape[1], weight.shape[0])


def _follows(before: Tensor, after: Tensor) -> bool:
    if before.ndim > after.ndim:
        return False
    out = {_ends(before)[1]} if before.ndim == 2 else set(before.shape[:2])
    into = {_ends(after)[0]} if after.ndim == 2 else set(after.shape[:2])
    if before.ndim == 2 and after.ndim == 4:
        return any(o % i == 0 and math.isqrt(o // i) ** 2 == o // i for o in out for i in into)
    return bool(out & into)


def _chained(parts: dict[str, Module]) -> dict[str, Module] | None:
    names = list(parts)
    weights = {n: parts[n]["weight"] for n in names if parts[n].get("weight", _NONE).ndim in (2, 4)}
    chain = _search([], list(weights), weights, [100_000])
    if chain is None:
        return None
    owners = {n: _owner(n, parts[n], weights, names) for n in names if n not in weights}
    made: dict[str, Module] = {}
    for name in chain:
        made[name] = parts[name]
        made.update({other: parts[other] for other, owner in owners.items() if owner == name})
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


def _owner(norm: str, own: Module, weights: dict[str, Tensor], names: list[str]) -> str | None:
    """The layer that a normalisation or activation follows: of its size; of its number ("bn2" of "conv2"),
    else the last one before it in its own block, else the one closest by name."""
    size = max((tensor.numel() for tensor in own.values()), default=0)
    fitting = [n for n, w in weights.items() if size == 1 or _fits(size, w)]
    here, parent = names.index(norm), norm.rpartition(".")[0]

    def distance(name: str) -> tuple[object, ...]:
        numbered = re.findall(r"\d+", name) == re.findall(r"\d+", norm) != []
        before = (here - names.index(name)) % len(names)
        own_block = name.rpartition(".")[0] == parent
        beside = own_block and before <= here
        later = own_block and not beside  # it would come before what it follows
        return (not numbered, later, not beside, before if beside else -_shared(name, norm), before)

    return min(fitting, key=distance, default=None)


def _fits(size: int, weight: Tensor) -> bool:
    if weight.ndim == 4:
        return size in weight.shape[:2]
    out = weight.shape[0]
    return out % size == 0 and math.isqrt(out // size) ** 2 == out // size


def _shared(a: str, b: str) -> int:
    """Characters that two names begin with alike."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
