"""Weight and spectral normalisation undone: the one weight that a layer really multiplies with.

Weight normalisation (Salimans and Kingma 2016) keeps a direction v and a length g: w = g v / |v|. Spectral
normalisation (Miyato et al. 2018) keeps a weight and estimates of its first singular vectors u and v, and
divides by their singular value. Both exist in two spellings, as hooks (``weight_g``, ``weight_orig``) and as
parametrizations (``parametrizations.weight.original0``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

OLD = re.compile(r"^(?P<owner>.*\.)?(?P<name>[a-z]+)_(?P<part>g|v|u|orig)$")
NEW = re.compile(r"^(?P<owner>.*\.)?parametrizations\.(?P<name>\w+)\.(?P<part>original[01]?|\d+\._[uv])$")
OTHER_JOIN = re.compile(r"[_/:-]+(weight(?:_(?:g|v|u|orig))?|bias|running_(?:mean|var)|num_batches_tracked)$")
PARTS = {"original0": "g", "original1": "v", "original": "orig"}


def dotted(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The state dict with PyTorch's dot before what a tensor is, where names are joined in another way
    (``main_0_weight``, ``main/0/weight``)."""
    if any("." in name for name in tensors):
        return tensors
    made = {OTHER_JOIN.sub(r".\1", name): tensor for name, tensor in tensors.items()}
    return made if len(made) == len(tensors) else tensors


def plain_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict as it would be without normalised weights, in the same order."""
    tensors = dotted(tensors)
    groups: dict[str, dict[str, Tensor]] = {}
    place: dict[str, str] = {}
    for key, tensor in tensors.items():
        match = NEW.match(key) or OLD.match(key)
        if match:
            part = match["part"]
            name = (match["owner"] or "") + match["name"]
            groups.setdefault(name, {})[PARTS.get(part, part[-1] if part != "orig" else part)] = tensor
            place[key] = name
    made: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        group = groups.get(place.get(key, ""))
        if group is None or not ({"g", "v"} <= group.keys() or {"orig", "u"} <= group.keys()):
            made[key] = tensor
        elif place[key] not in made:
            made[place[key]] = _spectral(group) if "orig" in group else _weighted(group["g"], group["v"])
    return made


def _weighted(length: Tensor, direction: Tensor) -> Tensor:
    length, direction = length.float(), direction.float()
    along = tuple(i for i, side in enumerate(length.shape) if side == 1)
    if length.ndim != direction.ndim or not along:
        return direction * length / torch.linalg.vector_norm(direction)
    return direction * (length / torch.linalg.vector_norm(direction, dim=along, keepdim=True))


def _spectral(group: Mapping[str, Tensor]) -> Tensor:
    weight, u = group["orig"].float(), group["u"].float()
    values = []
    # Of a transposed convolution the rows are the second axis. Where both fit, the larger value is meant: u
    # and v are the weight's first singular vectors for one of them only.
    for axis in (1, 0) if weight.ndim > 2 else (0,):
        if weight.shape[axis] != u.numel():
            continue
        matrix = weight.transpose(0, axis).reshape(weight.shape[axis], -1)
        v = group["v"].float() if "v" in group else matrix.T @ u
        v = v / v.norm().clamp_min(1e-12)
        if v.numel() == matrix.shape[1]:
            values.append(float(u @ (matrix @ v)))
    largest = max(values, key=abs, default=0.0)
    return weight / largest if largest else weight
