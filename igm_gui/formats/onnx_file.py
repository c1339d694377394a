"""ONNX files looked at before ONNX Runtime sees them: where their data lies, without parsing tensors.

An ONNX file is a protobuf message. Only its frame is walked here, to find the names of external data files;
one that leaves the model's folder could make the runtime read any file of the person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from igm_gui.errors import ModelError

HINT = "Copy or download the file again."
# Field numbers of onnx.proto: ModelProto.graph, GraphProto.initializer, .node, NodeProto.attribute, ...
GRAPH, INITIALIZER, NODE, ATTRIBUTE = 7, 5, 1, 5
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
TENSOR_EXTERNAL, ENTRY_KEY, ENTRY_VALUE = 13, 1, 2
FUNCTIONS, FUNCTION_NODE = 25, 7
MAX_DEPTH = 12
MAX_FIELDS = 5_000_000


class _Walker:
    def __init__(self, data: memoryview, name: str) -> None:
        self.data, self.name = data, name
        self.fields = 0

    def damaged(self) -> ModelError:
        return ModelError(f"{self.name} is a damaged ONNX file, or none.", HINT)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 64:
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        raise self.damaged()

    def walk(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(field number, start, end) of each length-delimited field of a message."""
        at = start
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise self.damaged()
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise self.damaged()
            if wire == 0:
                _, at = self._varint(at, end)
            elif wire == 1:
                at += 8
            elif wire == 5:
                at += 4
            elif wire == 2:
                size, at = self._varint(at, end)
                if size > end - at:
                    raise self.damaged()
                yield number, at, at + size
                at += size
            else:
                raise self.damaged()
        if at != end:
            raise self.damaged()

    def tensor(self, start: int, end: int) -> Iterator[str]:
        for number, a, b in self.walk(start, end):
            if number == TENSOR_EXTERNAL:
                entry = {n: bytes(self.data[x:y]) for n, x, y in self.walk(a, b)}
                if entry.get(ENTRY_KEY) == b"location":
                    yield entry.get(ENTRY_VALUE, b"").decode("utf-8", "replace")

    def node(self, start: int, end: int, depth: int) -> Iterator[str]:
        for number, a, b in self.walk(start, end):
            if number != ATTRIBUTE:
                continue
            for field, x, y in self.walk(a, b):
                if field in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
                    yield from self.tensor(x, y)
                elif field in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS):
                    yield from self.graph(x, y, depth + 1)

    def graph(self, start: int, end: int, depth: int = 0) -> Iterator[str]:
        if depth > MAX_DEPTH:
            raise self.damaged()
        for number, a, b in self.walk(start, end):
            if number == INITIALIZER:
                yield from self.tensor(a, b)
            elif number == NODE:
                yield from self.node(a, b, depth)

    def model(self) -> Iterator[str]:
        found = False
        for number, a, b in self.walk(0, len(self.data)):
            if number == GRAPH:
                found = True
                yield from self.graph(a, b)
            elif number == FUNCTIONS:
                for field, x, y in self.walk(a, b):
                    if field == FUNCTION_NODE:
                        yield from self.node(x, y, 0)
        if not found:
            raise self.damaged()


def external_files(path: Path) -> set[str]:
    """The external data files that an ONNX file names. ModelError where it is damaged."""
    import mmap

    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
                walker = _Walker(data, path.name)
                return set(walker.model())
        except (ValueError, IndexError, OSError) as error:
            raise ModelError(f"{path.name} is a damaged ONNX file, or none.", HINT, repr(error)) from error


def check_onnx(path: Path) -> None:
    """ModelError where the file is damaged, names data outside its folder, or data that isn't there."""
    folder = path.parent.resolve()
    for name in external_files(path):
        target = folder / name
        real = target.resolve()
        if "\0" in name or Path(name).is_absolute() or folder not in real.parents or target.is_symlink():
            raise ModelError(
                f"{path.name} keeps weights in {name}, outside its own folder.",
                "Only data files beside the model are read. Save it again with its data next to it.",
            )
        if not real.is_file():
            raise ModelError(
                f"{path.name} needs the data file {name}, which is not beside it.",
                "Copy that file into the same folder.",
            )
