"""The inputs, outputs and weights that an ONNX file declares, from its message alone (onnx.proto)."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from igm_gui.errors import ModelError
from igm_gui.formats.layer import MAX_LAYERS, Layer
from igm_gui.formats.onnx_file import GRAPH, HINT, INITIALIZER, MAX_FIELDS, TENSOR_EXTERNAL, _Walker

INPUT, OUTPUT = 11, 12
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME = 1, 2, 8
TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


@dataclass(frozen=True)
class Graph:
    """What an ONNX file declares; inputs and outputs as ``z: float32 (?, 64)``."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    warnings: tuple[str, ...] = ()


class _Fields(_Walker):
    """As the walker, and whole numbers too."""

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """(field number, wire type, start or value, end) of each field."""
        at = start
        while at < end:
            self._count()
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise self.damaged()
            if wire == 0:
                value, at = self._varint(at, end)
                yield number, wire, value, at
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            elif wire == 2:
                size, at = self._varint(at, end)
                if size > end - at:
                    raise self.damaged()
                yield number, wire, at, at + size
                at += size
            else:
                raise self.damaged()

    def _count(self) -> None:
        self.fields += 1
        if self.fields > MAX_FIELDS:
            raise self.damaged()

    def text(self, start: int, end: int) -> str:
        return bytes(self.data[start : min(end, start + 500)]).decode("utf-8", "replace")

    def initializer(self, start: int, end: int) -> tuple[Layer, bool]:
        """A stored tensor, and whether its numbers lie in another file."""
        sides: list[int] = []
        name, kind, outside = "", 0, False
        for number, wire, a, b in self.parts(start, end):
            if number == TENSOR_DIMS and wire == 0:
                sides.append(a)
            elif number == TENSOR_DIMS and wire == 2:
                while a < b:
                    side, a = self._varint(a, b)
                    sides.append(side)
            elif number == TENSOR_TYPE and wire == 0:
                kind = a
            elif number == TENSOR_NAME and wire == 2:
                name = self.text(a, b)
            elif number == TENSOR_EXTERNAL:
                outside = True
        return Layer(name, tuple(sides), TYPES.get(kind, "")), outside

    def value(self, start: int, end: int) -> tuple[str, str]:
        """(name, ``float32 (?, 64)``) of a declared input or output."""
        name, kind, sides = "", 0, []
        for number, wire, a, b in self.parts(start, end):
            if number == 1 and wire == 2:
                name = self.text(a, b)
            elif number == 2 and wire == 2:
                for outer, w0, c, d in self.parts(a, b):  # TypeProto
                    for field, w1, e, f in self.parts(c, d) if outer == 1 and w0 == 2 else ():
                        if field == 1 and w1 == 0:
                            kind = e
                        elif field == 2 and w1 == 2:
                            sides = [self._side(g, h) for n, w, g, h in self.parts(e, f) if (n, w) == (1, 2)]
        return name, f"{TYPES.get(kind, 'value')} ({', '.join(sides)})"

    def _side(self, start: int, end: int) -> str:
        for number, wire, a, _ in self.parts(start, end):
            if number == 1 and wire == 0:
                return str(a)
        return "?"


def read_graph(path: Path) -> Graph:
    """Inputs, outputs and stored tensors of the main graph. ModelError where the message is damaged."""
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
                return _graph(_Fields(data, path.name))
        except (ValueError, IndexError, OSError) as error:
            raise ModelError(f"{path.name} is a damaged ONNX file, or none.", HINT, repr(error)) from error


def _graph(reader: _Fields) -> Graph:
    inputs: list[tuple[str, str]] = []
    outputs: list[tuple[str, str]] = []
    layers: list[Layer] = []
    elsewhere = False
    for number, wire, start, end in reader.parts(0, len(reader.data)):
        if number != GRAPH or wire != 2:
            continue
        for field, inner, a, b in reader.parts(start, end):
            if inner != 2:
                continue
            if field == INITIALIZER and len(layers) < MAX_LAYERS:
                layer, outside = reader.initializer(a, b)
                layers.append(layer)
                elsewhere = elsewhere or outside
            elif field == INPUT:
                inputs.append(reader.value(a, b))
            elif field == OUTPUT:
                outputs.append(reader.value(a, b))
    stored = {layer.name for layer in layers}
    return Graph(
        tuple(f"{name}: {what}" for name, what in inputs if name not in stored),
        tuple(f"{name}: {what}" for name, what in outputs),
        tuple(layers),
        ("Some of its weights lie in a file beside it.",) if elsewhere else (),
    )
