"""Inputs of several whole numbers: the decoder of a VQ-VAE opens with one slider for each code, tokens are
asked about."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

import igm_gui
from igm_gui.api import load, make_point
from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.files import sha256_of
from igm_gui.generators import codes
from igm_gui.generators.roles import RolesNeeded
from igm_gui.info import InputSpec
from igm_gui.latent.vector import Vector

COUNT, SIDE = 37, 4
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Decoder(nn.Module):
    """Rows of a table, laid out as a picture, enlarged twice."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(COUNT, 6)
        self.out = nn.ConvTranspose2d(6, 3, 2, 2)

    def forward(self, indices: Tensor) -> Tensor:
        return self.out(self.table(indices).permute(0, 3, 1, 2)).tanh()


def as_onnx(
    path: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], out: list[object]
) -> Path:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("indices", TensorProto.INT64, ["N", SIDE, SIDE])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


def written(tmp_path: Path, kind: str) -> Path:
    decoder = Decoder().eval()
    if kind == "onnx":
        return as_onnx(
            tmp_path / "decoder.onnx",
            [
                helper.make_node("Gather", ["table", "indices"], ["rows"]),
                helper.make_node("Transpose", ["rows"], ["a"], perm=[0, 3, 1, 2]),
                helper.make_node("ConvTranspose", ["a", "w", "b"], ["c"], strides=[2, 2]),
                helper.make_node("Tanh", ["c"], ["out"]),
            ],
            {
                "table": decoder.table.weight.detach().numpy(),
                "w": decoder.out.weight.detach().numpy(),
                "b": decoder.out.bias.detach().numpy(),
            },
            ["N", 3, 2 * SIDE, 2 * SIDE],
        )
    path = tmp_path / f"decoder.{kind}"
    if kind == "pt2":
        example = torch.zeros(2, SIDE, SIDE, dtype=torch.int64)
        shapes = ({0: torch.export.Dim("points")},)
        torch.export.save(torch.export.export(decoder, (example,), dynamic_shapes=shapes), path)
    else:
        torch.jit.script(decoder).save(str(path))
        # A script declares no types of tensors: the card says that there is a latent, trying says of what.
        card = {
            "name": "decoder",
            "title": "Decoder",
            "family": "program",
            "inputs": [{"name": "indices", "kind": "latent", "shape": [SIDE, SIDE]}],
            "output": {"media": "image", "height": 2 * SIDE, "width": 2 * SIDE, "channels": 3},
        }
        path.with_name(path.name + ".card.json").write_text(json.dumps(card))
    trust.trust(sha256_of(path), path.name)
    return path


@pytest.mark.parametrize("kind", ["onnx", "pt2", "pt"])
def test_a_decoder_of_codes_opens_and_every_code_is_reached(tmp_path: Path, kind: str) -> None:
    opened = load(written(tmp_path, kind))
    spec = opened.info.inputs[0]
    assert (spec.kind, spec.shape, spec.prior, spec.maximum) == ("latent", (SIDE, SIDE), "uniform", COUNT - 1)
    decoder = Decoder().eval()
    for code in (0, 1, COUNT // 2, COUNT - 1):
        point = make_point(opened.info, 0).with_value(spec.name, codes.value(spec, code))
        with torch.inference_mode():
            wanted = decoder(torch.full((1, SIDE, SIDE), code))[0].permute(1, 2, 0).numpy()
        got = opened.render(point).astype(np.float32) / 127.5 - 1
        assert np.abs(got - wanted).max() < 0.01
    pictures = opened.sample(seed=0, n=3)
    assert not np.array_equal(pictures[0], pictures[1])


def test_tokens_without_an_end_are_asked_about(tmp_path: Path) -> None:
    path = as_onnx(
        tmp_path / "tokens.onnx",
        [helper.make_node("Cast", ["indices"], ["out"], to=TensorProto.FLOAT)],
        {},
        ["N", SIDE, SIDE],
    )
    with pytest.raises(RolesNeeded, match="tokens") as asked:
        load(path)
    assert asked.value.family == "onnx"
    assert [argument.name for argument in asked.value.arguments] == ["indices"]


@given(st.integers(0, codes.MOST), st.data())
def test_each_code_has_its_place(highest: int, data: st.DataObject) -> None:
    spec = codes.made("z", (2,), highest)
    code = data.draw(st.integers(0, highest))
    value = codes.value(spec, code)
    assert isinstance(value, Vector)
    assert codes.chosen(spec, torch.from_numpy(value.array.copy())).tolist() == [code, code]
    outside = codes.chosen(spec, torch.tensor([-7.0, 7.0]))
    assert outside.tolist() == [0, highest]


@pytest.mark.parametrize("highest", [0, 1, 9, 1023, 50_000])
def test_the_highest_code_is_found_by_trying(highest: int) -> None:
    tried = []

    def works(specs: tuple[InputSpec, ...], name: str, number: int) -> bool:
        tried.append(number)
        return number <= highest

    (found,) = codes.bounded([codes.made("z", (3,))], works)
    assert found.maximum == highest
    assert len(tried) <= 18


def test_a_module_of_codes_is_exported(tmp_path: Path) -> None:
    folder = igm_gui.export_generator(
        Decoder(), tmp_path / "vq", inputs=[codes.made("z", (SIDE, SIDE), COUNT - 1)]
    )
    opened = load(folder)
    assert opened.info.inputs[0].maximum == COUNT - 1
    point = make_point(opened.info, 0).with_value("z", codes.value(opened.info.inputs[0], COUNT - 1))
    with torch.inference_mode():
        wanted = Decoder().eval()(torch.full((1, SIDE, SIDE), COUNT - 1))[0].permute(1, 2, 0).numpy()
    assert np.abs(opened.render(point).astype(np.float32) / 127.5 - 1 - wanted).max() < 0.01


def test_what_is_no_module_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no torch"):
        igm_gui.export_generator(Decoder().state_dict(), tmp_path / "vq", inputs=[])
    assert not (tmp_path / "vq").exists()
