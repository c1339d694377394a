"""The layers of a plain generator, read from its tensors' shapes and order.

Stacks of transposed convolutions (Radford et al. 2016, DCGAN), of upsampling and convolutions, and of fully
connected layers (Goodfellow et al. 2014) say nearly all about themselves: what follows what, how many numbers
go in, how large the picture is. What shapes can't say is the field's usual choice, is told, and can be
corrected in a card.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.generators.dcgan.order import Module, orders
from igm_gui.generators.dcgan.sizes import Step, choose
from igm_gui.generators.outputs import flat_picture
from igm_gui.info import OutputSpec

HINT = (
    "A plain generator is a stack of transposed convolutions, of upsampling and convolutions, or of fully "
    "connected layers, whose channels fit one after the other. Bring anything else as ONNX or TorchScript, "
    "or export it with igm_gui.export_generator: docs/model-card.md."
)
MAX_TENSORS = 2_000
MAX_MODULES = 60  # of an autoencoder whose parts are tried
TABLE = re.compile(r"emb|label|class|cond", re.IGNORECASE)


@dataclass(frozen=True)
class Layer:
    """One layer. ``kind``: deconv, conv, linear; norm (with running statistics), scaled (a normalisation that
    measures each picture anew), prelu. ``prefix`` is its tensors' common name; ``double`` says that a picture
    is enlarged twice before it; ``start`` is the side of the picture that a row of numbers becomes before it.
    """

    kind: str
    prefix: str
    into: int
    out: int
    kernel: int = 0
    step: Step = (1, 0, 0)
    double: bool = False
    start: int = 0


@dataclass(frozen=True)
class Layout:
    """The whole stack: numbers in, layers, and the picture that comes out. ``table`` names an embedding of
    classes, (classes, width)."""

    into: int
    layers: tuple[Layer, ...]
    channels: int
    height: int
    width: int
    table: str = ""
    table_shape: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()


def read_layout(
    tensors: Mapping[str, Tensor],
    ordered: bool = True,
    wanted: OutputSpec | None = None,
    upsample: Sequence[int] | None = None,
) -> Layout:
    """The layout of a state dict. ModelError where its layers don't make a plain stack.

    ``wanted`` is the output that a card asks for; ``upsample`` the numbers of the convolutions (0 is the
    first) before which the picture is enlarged."""
    failure: ModelError | None = None
    if len(tensors) > MAX_TENSORS:
        raise ModelError(f"The weights are {len(tensors):,} tensors.", HINT)
    for parts in orders(tensors, ordered):
        table = _table(parts)
        own = {name: module for name, module in parts.items() if name != table}
        for transposed in _guesses(own):
            try:
                layout = _Stack(own, transposed).layout(wanted, upsample)
            except ModelError as error:
                failure = failure or error
                continue
            if table:
                rows, width = parts[table]["weight"].shape
                layout = replace(layout, table=table, table_shape=(int(rows), int(width)))
            return layout
    found = _after_an_encoder(tensors, ordered, wanted)
    if found is not None:
        return found
    raise failure or ModelError("The weights hold no layers.", HINT)


def _after_an_encoder(
    tensors: Mapping[str, Tensor], ordered: bool, wanted: OutputSpec | None
) -> Layout | None:
    """Some layers as a stack of their own: what follows the narrow place of an autoencoder. They begin with a
    fully connected layer and give at least four times as many numbers as they take."""
    for parts in itertools.islice(orders(tensors, ordered), 2):
        names = list(parts)
        found: list[Layout] = []
        for start, end in itertools.combinations(range(len(names) + 1), 2):
            if len(names) > MAX_MODULES:
                break
            try:
                layout = _Stack({name: parts[name] for name in names[start:end]}, True).layout(wanted, None)
            except ModelError:
                continue
            size = layout.channels * layout.height * layout.width
            if layout.layers[0].kind == "linear" and 4 * layout.into <= size:
                found.append(layout)
        if found:
            layout = min(found, key=lambda each: (each.into, -len(each.layers)))
            kept = f"{layout.layers[0].prefix} to {layout.layers[-1].prefix}"
            note = f"Only {kept} are taken for the generator; the rest looks like an encoder."
            return replace(layout, notes=(*layout.notes, note))
    return None


def _table(parts: Mapping[str, Module]) -> str:
    """The name of an embedding of classes; empty without one. (An embedding has no bias.)"""
    for name, module in parts.items():
        if TABLE.search(name) and list(module) == ["weight"] and module["weight"].ndim == 2:
            return name
    return ""


def _guesses(parts: Mapping[str, Module]) -> tuple[bool, ...]:
    """Whether layers with four axes are to be taken for transposed convolutions: likely first."""
    weights = [w for w in (m.get("weight") for m in parts.values()) if w is not None and w.ndim == 4]
    pairs = list(itertools.pairwise(weights))
    ordinary = bool(pairs) and all(a.shape[0] == b.shape[1] for a, b in pairs)
    transposed = all(a.shape[1] == b.shape[0] for a, b in pairs)
    return (False, True) if ordinary and not transposed else (True, False)


class _Stack:
    """Layers one after the other, as far as shapes tell."""

    def __init__(self, parts: Mapping[str, Module], transposed: bool) -> None:
        self.transposed = transposed
        self.layers: list[Layer] = []
        self.flow = 0  # numbers, or channels of a picture
        self.flat = True
        self.start = 0  # side of the picture that a row of numbers became
        weights = [m["weight"] for m in parts.values() if "weight" in m and m["weight"].ndim > 1]
        if len(weights) < 2:
            raise ModelError("The weights hold fewer than two layers.", HINT)
        if any(weight.ndim not in (2, 4) or not weight.numel() for weight in weights):
            raise ModelError("The weights hold layers of another kind than a plain generator's.", HINT)
        for prefix, module in parts.items():
            self._add(prefix, module)

    def _add(self, prefix: str, module: Module) -> None:
        weight = module.get("weight")
        if "running_mean" in module:
            self._norm("norm", prefix, module["running_mean"].numel())
        elif weight is None:
            if module.keys() - {"num_batches_tracked"}:
                raise ModelError(f"{prefix or 'A tensor'} is a layer of an unknown kind.", HINT)
        elif weight.ndim == 2:
            self._linear(prefix, weight)
        elif weight.ndim == 4:
            self._convolution(prefix, weight)
        elif "bias" in module:
            self._norm("scaled", prefix, weight.numel())
        elif weight.numel() in (1, self.flow):
            self.layers.append(Layer("prelu", prefix, self.flow, self.flow))
        else:
            raise ModelError(f"{prefix or 'A tensor'} is a layer of an unknown kind.", HINT)

    def _norm(self, kind: str, prefix: str, size: int) -> None:
        if not self.layers:
            raise ModelError("The network begins with a normalisation.", HINT)
        start = 0
        if self.flat and size != self.flow:
            start = self._become_picture(size)
        if size != self.flow:
            raise ModelError(f"The normalisation {prefix} doesn't fit {self.flow} channels.", HINT)
        self.layers.append(Layer(kind, prefix, size, size, start=start))

    def _become_picture(self, channels: int) -> int:
        """A row of numbers becomes pictures of so many channels; their side."""
        side = math.isqrt(self.flow // channels) if self.flow % channels == 0 else 0
        if side * side * channels != self.flow:
            raise ModelError(f"{self.flow} numbers can't be arranged as {channels} square pictures.", HINT)
        self.start, self.flow, self.flat = side, channels, False
        return side

    def _linear(self, prefix: str, weight: Tensor) -> None:
        out, into = weight.shape
        if not self.flat:
            raise ModelError(
                "A fully connected layer follows a convolution: this may be a discriminator.", HINT
            )
        if self.flow and into != self.flow:
            raise ModelError(f"{prefix} takes {into} numbers, but {self.flow} come in.", HINT)
        self.layers.append(Layer("linear", prefix, into, out))
        self.flow = out

    def _convolution(self, prefix: str, weight: Tensor) -> None:
        if weight.shape[2] != weight.shape[3]:
            raise ModelError(f"{prefix} has a kernel that is not square.", HINT)
        first = not self.layers
        if first and not self.transposed:
            raise ModelError("The network begins with a convolution: this may be a discriminator.", HINT)
        ends = (weight.shape[0], weight.shape[1])
        start = 0
        if self.flat and not first:
            start = self._become_picture(ends[0] if self.transposed else ends[1])
        transposed = first or (self.flow == ends[0] if self.transposed else self.flow != ends[1])
        into, out = ends if transposed else ends[::-1]
        if not first and into != self.flow:
            raise ModelError(f"{prefix} takes {into} channels, but {self.flow} come in.", HINT)
        kind = "deconv" if transposed else "conv"
        self.layers.append(Layer(kind, prefix, into, out, int(weight.shape[2]), start=start))
        self.flow, self.flat = out, False

    # -- how large it becomes

    def layout(self, wanted: OutputSpec | None, upsample: Sequence[int] | None) -> Layout:
        """The finished layout."""
        into = self.layers[0].into
        if self.flat:
            channels, height, width, notes = self._row(wanted)
            return Layout(into, tuple(self.layers), channels, height, width, notes=notes)
        if self.flow not in (1, 3, 4):
            raise ModelError(f"{self.flow} channels come out; a picture has 1, 3 or 4.", HINT)
        side, notes = self._enlarge(wanted, upsample)
        return Layout(into, tuple(self.layers), self.flow, side, side, notes=notes)

    def _row(self, wanted: OutputSpec | None) -> tuple[int, int, int, tuple[str, ...]]:
        if wanted is not None and wanted.height * wanted.width * wanted.channels == self.flow:
            return wanted.channels, wanted.height, wanted.width, ()
        flat = flat_picture(self.flow)
        if flat is not None:
            return flat[1], flat[0], flat[0], ()
        for channels in (1, 3, 4):
            numbers = self.flow // channels if self.flow % channels == 0 else 0
            high = next((h for h in range(math.isqrt(numbers), 7, -1) if numbers % h == 0), 0)
            if high and numbers // high <= 2 * high:
                note = f"{self.flow} numbers come out: taken for a picture of {numbers // high}×{high}."
                return channels, high, numbers // high, (note,)
        raise ModelError(
            f"{self.flow} numbers come out, which is no picture.",
            "A card with the output's height, width and channels says which: docs/model-card.md.",
        )

    def _enlarge(
        self, wanted: OutputSpec | None, upsample: Sequence[int] | None
    ) -> tuple[int, tuple[str, ...]]:
        """Steps of transposed convolutions and places of upsampling, put into the layers; the side."""
        target = wanted.height if wanted is not None else 0
        weighted = [i for i, layer in enumerate(self.layers) if layer.kind in ("deconv", "conv")]
        side = self.start
        if not side:  # z as a 1×1 picture: stride 1 and no padding give a picture of the kernel's size
            side = self.layers[weighted[0]].kernel
            weighted = weighted[1:]
        deconvs = [i for i in weighted if self.layers[i].kind == "deconv"]
        convs = [i for i in weighted if self.layers[i].kind == "conv"]
        for i in convs:
            kernel = self.layers[i].kernel
            if kernel % 2 == 0:
                raise ModelError(f"{self.layers[i].prefix} is a convolution with an even kernel.", HINT)
            self.layers[i] = replace(self.layers[i], step=(1, kernel // 2, 0))
        doubled, notes = self._doubled(convs, deconvs, side, target, upsample)
        for i in doubled:
            self.layers[i] = replace(self.layers[i], double=True)
        factor = 2 ** len(doubled)
        kernels = [(self.layers[i].kernel, self.layers[i].into == self.layers[i].out) for i in deconvs]
        if target and target % factor:
            raise ModelError(f"These layers can't give pictures of {target}×{target}.", HINT)
        steps, side = choose(side, kernels, target // factor, self.flow == 1)
        for i, step in zip(deconvs, steps, strict=True):
            self.layers[i] = replace(self.layers[i], step=step)
        if deconvs and not target:
            notes = (
                (*notes, f"Pictures of {side * factor}×{side * factor} are assumed.")
                if _odd(steps)
                else notes
            )
        return side * factor, notes

    def _doubled(
        self, convs: list[int], deconvs: list[int], side: int, target: int, upsample: Sequence[int] | None
    ) -> tuple[list[int], tuple[str, ...]]:
        """The convolutions before which the picture is enlarged."""
        if upsample is not None:
            return [convs[n] for n in upsample if 0 <= n < len(convs)], ()
        if deconvs or not self.start:
            return [], ()  # the transposed convolutions do it
        if target:
            times = round(math.log2(target / side)) if target > side else 0
            return convs[:times], ()
        doubled = convs[:-1]
        places = ", ".join(str(convs.index(i)) for i in doubled)
        return doubled, (f"The picture is taken to be enlarged twice before convolutions {places}.",)


def _odd(steps: Sequence[Step]) -> bool:
    return any(stride != 2 for stride, _, _ in steps)


def peak_bytes(layout: Layout) -> int:
    """Bytes of the largest two neighbouring pictures between layers, for one point in float32."""
    side = largest = before = 0
    for layer in layout.layers:
        if layer.kind not in ("deconv", "conv"):
            continue
        side = layer.start or side or 1
        side *= 2 if layer.double else 1
        stride, padding, extra = layer.step
        side = (side - 1) * stride - 2 * padding + layer.kernel + extra if layer.kind == "deconv" else side
        now = layer.out * side * side
        largest, before = max(largest, now + before), now
    return 4 * largest


def stack_tensors(layout: Layout, tensors: Mapping[str, Tensor]) -> list[tuple[Layer, dict[str, Any]]]:
    """Each layer with its tensors in float32. ModelError where one is not finite."""
    import torch

    found = []
    for layer in layout.layers:
        dot = f"{layer.prefix}." if layer.prefix else ""
        own = {}
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = tensors.get(dot + name)
            if tensor is not None:
                if not tensor.is_floating_point():
                    raise ModelError(f"{dot}{name} holds {tensor.dtype}, no ordinary weights.", HINT)
                if not bool(torch.isfinite(tensor.float()).all()):
                    raise ModelError(
                        f"{dot}{name} holds values that are not numbers (NaN or infinity).", HINT
                    )
                own[name] = tensor.float()
        found.append((layer, own))
    return found
