"""ONNX files made to do harm: data from elsewhere, graphs that never end or never fit, odd inputs."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SECRET = b"secret" * 2000


def value(name: str, shape: list[Any], kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: dict[str, Any] | None = None
) -> Any:
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()]
    made = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def picture() -> Any:
    """A small generator that opens: z (N, 6) -> (N, 3, 8, 8)."""
    weight = np.random.RandomState(0).randn(6, 192).astype(np.float32)
    return model(
        [
            helper.make_node("MatMul", ["z", "w"], ["a"]),
            helper.make_node("Tanh", ["a"], ["b"]),
            helper.make_node("Reshape", ["b", "shape"], ["out"]),
        ],
        [value("z", ["N", 6])],
        [value("out", ["N", 3, 8, 8])],
        {"w": weight, "shape": np.array([0, 3, 8, 8], np.int64)},
    )


def external(
    location: str | None, offset: str = "", length: str = "", link: bool = False
) -> Callable[[Path], Path]:
    """A model whose weights are said to lie in ``location``."""

    def write(folder: Path) -> Path:
        inner = folder / "model"
        inner.mkdir()
        (folder / "secret").write_bytes(SECRET)
        made = picture()
        weight = made.graph.initializer[0]
        raw = weight.raw_data
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, text in (("location", location), ("offset", offset), ("length", length)):
            if text or (key == "location" and text is not None):
                entry = weight.external_data.add()
                entry.key, entry.value = key, str(text)
        (inner / "here.data").write_bytes(raw)
        if link:
            (inner / "link").symlink_to(folder / "secret")
            (inner / "linked").symlink_to(folder)
        path = inner / "m.onnx"
        path.write_bytes(made.SerializeToString())
        return path

    return write


EXTERNAL = {
    "the folder above": external("../secret"),
    "an absolute path": external("/etc/passwd"),
    "above by a way round": external("a/../../secret"),
    "a way round through a folder that is there": external("../model/../secret"),
    "two dots": external(".."),
    "one dot": external("."),
    "nothing": external(""),
    "no location at all": external(None),
    "itself": external("m.onnx"),
    "a zero in the name": external("here.data\0../secret"),
    "a backslash": external("..\\secret"),
    "a drive": external("C:\\secret"),
    "an address": external("file:///etc/passwd"),
    "a web address": external("http://127.0.0.1:1/x"),
    "a name of a hundred thousand letters": external("a" * 100_000),
    "missing": external("other.data"),
    "beyond its end": external("here.data", offset="1000000000000"),
    "longer than it is": external("here.data", length="1000000000000"),
    "before its start": external("here.data", offset="-8"),
    "a word for an offset": external("here.data", offset="start"),
    "memory of the runtime": external("*/_ORT_MEM_ADDR_/*", offset="4096", length="4608"),
}
LINKS = {
    "a link": external("link", link=True),
    "through a link to a folder": external("linked/secret", link=True),
}


def in_function() -> Any:
    """External data in a constant of a function's node."""
    made = picture()
    tensor = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    function = helper.make_function("mine", "F", [], ["y"], [node], [helper.make_opsetid("", 17)])
    made.functions.append(function)
    made.opset_import.append(helper.make_opsetid("mine", 1))
    return made


def in_branch() -> Any:
    """External data in a graph within a graph."""
    tensor = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    branch = helper.make_graph([], "b", [], [value("c", [4])], [tensor])
    node = helper.make_node("If", ["cond"], ["out"], then_branch=branch, else_branch=branch)
    return model([node], [value("z", [1, 4])], [value("out", [4])], {"cond": np.array(True)})


def branches(depth: int) -> bytes:
    """Graphs in graphs in graphs: GraphProto.node.attribute.g, again and again, by hand."""
    inner = b""
    for _ in range(depth):
        for field in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            inner = bytes([field << 3 | 2]) + _varint(len(inner)) + inner
    return bytes([7 << 3 | 2]) + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    made = b""
    while number > 127:
        made += bytes([number & 127 | 128])
        number >>= 7
    return made + bytes([number])


def claimed(dims: list[int]) -> Any:
    made = picture()
    del made.graph.initializer[0].dims[:]
    made.graph.initializer[0].dims.extend(dims)
    return made


def one(
    op: str, inputs: list[str], outputs: list[Any], constants: dict[str, Any] | None = None, **attributes: Any
) -> Any:
    """A graph of one node over z (N, 64)."""
    return model(
        [helper.make_node(op, inputs, ["out"], **attributes)], [value("z", ["N", 64])], outputs, constants
    )


def with_inputs(*inputs: Any) -> Any:
    made = picture()
    del made.graph.input[:]
    made.graph.input.extend(inputs)
    return made


def cyclic() -> Any:
    nodes = [helper.make_node("Add", ["z", "b"], ["a"]), helper.make_node("Add", ["a", "z"], ["b"])]
    return model(
        [*nodes, helper.make_node("Identity", ["b"], ["out"])], [value("z", [1, 64])], [value("out", [1, 64])]
    )


def custom() -> Any:
    made = one("System", ["z"], [value("out", ["N", 64])], domain="evil.ops", command="touch ran")
    made.opset_import.append(helper.make_opsetid("evil.ops", 1))
    return made


def version(opset: int, ir: int) -> Any:
    made = picture()
    made.opset_import[0].version, made.ir_version = opset, ir
    return made


OUT = [value("out", ["N", 64])]
GRAPHS: dict[str, Callable[[], Any]] = {
    "external data in a function": in_function,
    "external data in a branch": in_branch,
    "graphs in graphs, 200 deep": lambda: branches(200),
    "graphs in graphs, 5000 deep": lambda: branches(5000),
    "weights of a terabyte": lambda: claimed([1 << 20, 1 << 20]),
    "weights of negative size": lambda: claimed([-6, -192]),
    "weights of overflowing size": lambda: claimed([1 << 62, 1 << 62]),
    "weights of another size": lambda: claimed([6, 191]),
    "a cycle": cyclic,
    "an operator of their own": custom,
    "an operator that is not there": lambda: one("Teleport", ["z"], OUT),
    "an input that is not there": lambda: one("Add", ["z", "gone"], OUT),
    "an output that is not there": lambda: one("Identity", ["z"], [value("gone", ["N", 64])]),
    "no inputs": lambda: with_inputs(),
    "an input without a shape": lambda: with_inputs(helper.make_tensor_value_info("z", TensorProto.FLOAT, None)),
    "text as input": lambda: with_inputs(value("z", ["N", 6], TensorProto.STRING)),
    "complex numbers as input": lambda: with_inputs(value("z", ["N", 6], TensorProto.COMPLEX64)),
    "an input of a million million": lambda: with_inputs(value("z", ["N", 1_000_000, 1_000_000])),
    "an input of nothing": lambda: with_inputs(value("z", ["N", 0])),
    "an input of negative size": lambda: with_inputs(value("z", ["N", -6])),
    "a thousand inputs": lambda: with_inputs(*(value(f"z{i}", ["N", 6]) for i in range(1000))),
    "an empty graph": lambda: model([], [], []),
    "output is one number": lambda: one("ReduceSum", ["z"], [value("out", [])], keepdims=0),
    "output is not a number": lambda: one("Div", ["z", "zero"], OUT, {"zero": np.float32(0)}),
    "operators of the year 2100": lambda: version(999, 9),
    "a format of the year 2100": lambda: version(17, 999),
    "operators before the first": lambda: version(0, 9),
}  # fmt: skip


def filled(size: int) -> Any:
    """A few bytes that become ``size`` numbers when the graph is run."""
    nodes = [
        helper.make_node(
            "ConstantOfShape", ["n"], ["big"], value=numpy_helper.from_array(np.ones(1, np.float32))
        ),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["z", "sum"], ["out"]),
    ]
    return model(
        nodes, [value("z", ["N", 4096])], [value("out", ["N", 4096])], {"n": np.array([size], np.int64)}
    )


def endless() -> Any:
    """A loop of two to the 62 rounds."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["x", "x"], ["x2"])],
        "body",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("x", ["N", 64])],
        [value("c2", [], TensorProto.BOOL), value("x2", ["N", 64])],
    )
    node = helper.make_node("Loop", ["rounds", "go", "z"], ["out"], body=body)
    return model(
        [node], [value("z", ["N", 64])], OUT, {"rounds": np.array(1 << 62, np.int64), "go": np.array(True)}
    )


# What only the trial in a child process stops: the runtime itself is asked for too much.
TRIALS: dict[str, Callable[[], Any]] = {
    "a constant of sixteen gigabytes": lambda: filled(1 << 32),
    "a constant of a terabyte": lambda: filled(1 << 38),
    "a loop without end": endless,
}


def written(make: Callable[[], Any]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        made = make()
        (folder / "m.onnx").write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
        return folder / "m.onnx"

    return write


def several(parts: list[bytes]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "m.onnx").write_bytes(b"".join(parts))
        return folder / "m.onnx"

    return write


FRAMES = {
    "a field of two gigabytes": several([b"\x3a\xff\xff\xff\xff\x07", b"x"]),
    "numbers without end": several([b"\x80" * 4096]),
    "two graphs": lambda folder: several([picture().SerializeToString()] * 2)(folder),
    "an old group": several([b"\x3b\x3b\x3b\x3c"]),
    "a million empty fields": several([b"\x3a\x00" * 1_000_000]),
    "a million graphs in one another": several([b"\x3a\xff\xff\x03" * 3000]),
}  # fmt: skip
