"""ONNX files, written by the onnx library, open with their inputs' roles found or told."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from igm_gui.api import load, make_point
from igm_gui.errors import ModelError

RNG = np.random.RandomState(0)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def graph(nodes, inputs, output, constants):
    made = helper.make_graph(nodes, "g", inputs, [output], [tensor(k, v) for k, v in constants.items()])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def picture_model(batch="N", channels=3, nhwc=False, scale=1.0, shift=0.0, last="Tanh"):
    shape = [0, 8, 8, channels] if nhwc else [0, channels, 8, 8]
    weight = RNG.randn(6, channels * 64).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["z", "w"], ["a"]),
        helper.make_node(last, ["a"], ["b"]),
        helper.make_node("Mul", ["b", "scale"], ["c"]),
        helper.make_node("Add", ["c", "shift"], ["d"]),
        helper.make_node("Reshape", ["d", "shape"], ["out"]),
    ]
    constants = {
        "w": weight, "shape": np.array(shape, np.int64),
        "scale": np.float32(scale), "shift": np.float32(shift),
    }  # fmt: skip
    return graph(nodes, [value("z", [batch, 6])], value("out", [batch, *shape[1:]]), constants), weight


def save(tmp_path, model, name="model.onnx"):
    path = tmp_path / name
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("batch", ["N", 1])
@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_latent_gives_the_graphs_picture(tmp_path, batch, nhwc, channels):
    model, weight = picture_model(batch, channels, nhwc)
    g = load(str(save(tmp_path, model)))
    spec = g.info.latent
    assert (spec.name, spec.shape) == ("z", (6,))
    assert (g.info.output.height, g.info.output.width, g.info.output.channels) == (8, 8, channels)
    pictures = g.sample(seed=3, n=3)
    z = np.stack([np.random.RandomState(s).randn(6) for s in (3, 4, 5)]).astype(np.float32)
    expected = (
        np.tanh(z @ weight).reshape(3, 8, 8, channels)
        if nhwc
        else np.moveaxis(np.tanh(z @ weight).reshape(3, channels, 8, 8), 1, 3)
    )
    assert np.abs(pictures - (expected + 1) * 127.5).max() <= 0.51


@pytest.mark.parametrize(
    ("last", "scale", "shift", "expected"),
    [
        ("Tanh", 1, 0, (-1, 1)),
        ("Sigmoid", 1, 0, (0, 1)),
        ("Sigmoid", 255, 0, (0, 255)),
        ("Tanh", 0.5, 0.5, (0, 1)),
        ("Tanh", 0.01, 0, (-1, 1)),  # an untrained network: small, and as much below 0 as above
        ("Sigmoid", 1.03, -0.015, (0, 1)),  # a VAE that overshoots a little
    ],
)
def test_the_range_is_measured_and_told(tmp_path, last, scale, shift, expected):
    model, _ = picture_model(scale=scale, shift=shift, last=last)
    info = load(str(save(tmp_path, model))).info
    assert (info.output.low, info.output.high) == expected
    assert "Guessed" in info.warnings[0]


def test_knobs_classes_and_seeds(tmp_path):
    nodes = [
        helper.make_node("ReduceSum", ["class_onehot", "axis"], ["a"], keepdims=1),
        helper.make_node("Cast", ["label"], ["l"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["noise_seed"], ["s"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["z", "truncation_psi"], ["b"]),
        helper.make_node("Add", ["b", "a"], ["c"]),
        helper.make_node("Unsqueeze", ["l", "one"], ["l2"]),
        helper.make_node("Add", ["c", "l2"], ["d"]),
        helper.make_node("Unsqueeze", ["s", "one"], ["s2"]),
        helper.make_node("Add", ["d", "s2"], ["e"]),
        helper.make_node("Add", ["e", "gain"], ["f"]),
        helper.make_node("Reshape", ["f", "shape"], ["out"]),
    ]
    inputs = [
        value("z", ["N", 16]),
        value("class_onehot", ["N", 5]),
        value("label", ["N"], TensorProto.INT64),
        value("noise_seed", ["N"], TensorProto.INT64),
        value("truncation_psi", ["N", 1]),
        value("gain", []),
    ]
    constants = {
        "axis": np.array([1], np.int64), "one": np.array([1], np.int64),
        "shape": np.array([0, 1, 4, 4], np.int64)
    }  # fmt: skip
    g = load(str(save(tmp_path, graph(nodes, inputs, value("out", ["N", 1, 4, 4]), constants))))
    kinds = {spec.name: spec.kind for spec in g.info.inputs}
    assert kinds == {
        "z": "latent", "class_onehot": "label", "label": "scalar", "noise_seed": "seed",
        "truncation_psi": "scalar", "gain": "scalar",
    }  # fmt: skip
    assert g.info.input("truncation_psi").default == 1.0
    point = make_point(g.info, 0)
    assert (g.render(point.with_value("gain", 0.5)) != g.render(point)).any()


def test_sound(tmp_path):
    weight = RNG.randn(4, 2000).astype(np.float32)
    model = graph(
        [helper.make_node("MatMul", ["z", "w"], ["a"]), helper.make_node("Tanh", ["a"], ["out"])],
        [value("z", ["N", 4])], value("out", ["N", 2000]), {"w": weight},
    )  # fmt: skip
    g = load(str(save(tmp_path, model)))
    assert g.info.media == "sound"
    assert g.sample(0, 2).shape == (2, 1, 2000)
    assert "sample rate" in g.info.warnings[0]


def test_a_card_beside_the_file_overrules_the_guess(tmp_path):
    model, _ = picture_model()
    path = save(tmp_path, model)
    card = """{"name": "mine", "family": "onnx",
      "output": {"media": "image", "height": 8, "width": 8, "channels": 3,
      "low": 0, "high": 1}, "inputs": [{"name": "z", "kind": "latent", "shape": [6], "prior": "uniform"}]}"""
    path.with_name("model.onnx.card.json").write_text(card)
    info = load(str(path)).info
    assert (info.name, info.latent.prior, info.output.low) == ("mine", "uniform", 0)
    path.with_name("model.onnx.card.json").write_text(card.replace('"name": "z"', '"name": "noise"'))
    with pytest.raises(ModelError, match="which are z"):
        load(str(path))


def test_a_shape_that_is_not_fixed_is_asked_for(tmp_path):
    model = graph(
        [helper.make_node("Tanh", ["z"], ["out"])], [value("z", ["N", "T"])], value("out", ["N", "T"]), {}
    )
    with pytest.raises(ModelError, match="no fixed shape") as refusal:
        load(str(save(tmp_path, model)))
    assert "card" in refusal.value.hint


def test_tokens_are_not_guessed(tmp_path):
    model = graph(
        [helper.make_node("Cast", ["t"], ["out"], to=TensorProto.FLOAT)],
        [value("t", ["N", 77], TensorProto.INT64)], value("out", ["N", 77]), {},
    )  # fmt: skip
    with pytest.raises(ModelError, match="tokens"):
        load(str(save(tmp_path, model)))


def external(tmp_path, location):
    model, _ = picture_model()
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    onnx.save(
        model, str(folder / "m.onnx"), save_as_external_data=True, location="m.data", size_threshold=1024
    )
    raw = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    for weight in raw.graph.initializer:
        for entry in weight.external_data:
            if entry.key == "location":
                entry.value = location
    (folder / "m.onnx").write_bytes(raw.SerializeToString())
    return folder / "m.onnx"


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_precisions(tmp_path, kind):
    nodes = [
        helper.make_node("Cast", ["z"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["out"]),
    ]
    constants = {"w": RNG.randn(6, 64).astype(np.float32), "shape": np.array([0, 1, 8, 8], np.int64)}
    g = load(
        str(
            save(
                tmp_path, graph(nodes, [value("z", ["N", 6], kind)], value("out", ["N", 1, 8, 8]), constants)
            )
        )
    )
    assert g.sample(0, 2).shape == (2, 8, 8, 1)
    assert g.info.parameters == 6 * 64


def test_a_decoder_takes_latent_pictures_of_any_size(tmp_path):
    """As a VAE's: z (N, 4, height, width) -> (N, 3, height, width)."""
    weight = RNG.randn(3, 4, 1, 1).astype(np.float32)
    nodes = [helper.make_node("Conv", ["z", "w"], ["a"]), helper.make_node("Tanh", ["a"], ["out"])]
    path = save(
        tmp_path,
        graph(nodes, [value("z", ["N", 4, "h", "w"])], value("out", ["N", 3, "h", "w"]), {"w": weight}),
    )
    info = load(str(path)).info
    assert info.latent.shape == (4, 32, 32)
    assert any("free" in note for note in info.warnings)
    path.with_name("model.onnx.card.json").write_text(
        """{"name": "decoder", "family": "onnx", "output": {"media": "image"},
        "inputs": [{"name": "z", "kind": "latent", "shape": [4, 16, 24]}]}"""
    )
    assert load(str(path)).sample(0, 2).shape == (2, 16, 24, 3)


def test_a_table_of_classes_tells_how_many_there_are(tmp_path):
    nodes = [
        helper.make_node("Gather", ["table", "label"], ["e"]),
        helper.make_node("Add", ["z", "e"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["out"]),
    ]
    constants = {"table": RNG.randn(7, 64).astype(np.float32), "shape": np.array([0, 1, 8, 8], np.int64)}
    inputs = [value("z", ["N", 64]), value("label", ["N"], TensorProto.INT64)]
    g = load(str(save(tmp_path, graph(nodes, inputs, value("out", ["N", 1, 8, 8]), constants))))
    assert g.info.input("label").size == 7
    assert (g.sample(0, label=6) != g.sample(0, label=1)).any()


@pytest.mark.parametrize(("batch", "count"), [(3, 4), (3, 3), (2, 5), (1, 2)])
def test_a_fixed_batch(tmp_path, batch, count):
    model, weight = picture_model(batch, 1)
    g = load(str(save(tmp_path, model)))
    z = np.stack([np.random.RandomState(seed).randn(6) for seed in range(count)]).astype(np.float32)
    expected = np.tanh(z @ weight).reshape(count, 8, 8, 1)
    assert np.abs(g.sample(0, count) - (expected + 1) * 127.5).max() <= 0.51


def test_the_picture_among_several_outputs_is_shown(tmp_path):
    model, _ = picture_model()
    model.graph.output.insert(0, value("a", ["N", 192]))
    model.graph.node.append(helper.make_node("ReduceSum", ["z"], ["sum"], keepdims=0))
    model.graph.output.insert(0, value("sum", []))
    g = load(str(save(tmp_path, model)))
    assert g.sample(0, 2).shape == (2, 8, 8, 3)
    assert any("Of its 3 outputs" in note for note in g.info.warnings)


def test_data_beside_the_file_is_read(tmp_path):
    assert load(str(external(tmp_path, "m.data"))).sample(0).shape == (1, 8, 8, 3)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "..", "", "link"])
def test_data_outside_the_folder_is_refused(tmp_path, location):
    (tmp_path / "secret").write_bytes(b"x" * 10_000)
    path = external(tmp_path, location)
    if location == "link":
        (path.parent / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError):
        load(str(path))


def test_missing_data_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"other\.data"):
        load(str(external(tmp_path, "other.data")))


@pytest.mark.parametrize("part", [1, 2, 3, 10, 100, 1000, -100, -1])
def test_cut_short(tmp_path, part):
    model, _ = picture_model()
    data = model.SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data[:part])
    with pytest.raises(ModelError):
        load(str(tmp_path / "m.onnx"))


@pytest.mark.parametrize(
    "content", [b"not a model at all", b"\x00" * 64, b"\x89PNG\r\n\x1a\n" + b"0" * 50, b"\xff" * 99]
)
def test_something_else_called_onnx(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelError):
        load(str(tmp_path / "m.onnx"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_give_a_generator_or_a_sentence(tmp_path_factory, flips):
    model, _ = picture_model()
    data = bytearray(model.SerializeToString())
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    path = tmp_path_factory.mktemp("flip") / "m.onnx"
    path.write_bytes(bytes(data))
    with contextlib.suppress(ModelError):
        load(str(path)).sample(0)


def test_a_card_that_does_not_fit_is_told_as_the_cards_fault(tmp_path):
    path = save(tmp_path, picture_model(channels=1)[0])
    card = {
        "name": "m", "family": "onnx", "inputs": [{"name": "z", "kind": "latent", "shape": [7]}],
        "output": {"media": "image", "channels": 1},
    }  # fmt: skip
    path.with_name("model.onnx.card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="inputs of its card"):
        load(str(path))
