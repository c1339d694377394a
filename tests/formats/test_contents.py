"""What a file is made of is told for every format, and nothing in it runs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from onnx import TensorProto, helper, numpy_helper, save
from safetensors.torch import save_file
from torch import nn

from igm_gui.cli import main
from igm_gui.errors import ModelError
from igm_gui.formats.contents import describe
from igm_gui.formats.pickle_contents import read_archive
from igm_gui.generators import registry

STYLEGAN = sorted((Path(__file__).parents[1] / "data" / "stylegan").glob("*.pkl"))


def network() -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(8, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1)).eval()


WANTED = {"0.weight": (8, 4, 4, 4), "0.bias": (4,), "2.weight": (4, 3, 4, 4), "2.bias": (3,)}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("way", ["zip", "legacy", "safetensors", "torchscript", "export"])
def test_layers_of_every_way_to_store_weights(tmp_path: Path, way: str) -> None:
    made, path = network(), tmp_path / f"net{'.safetensors' if way == 'safetensors' else '.pt'}"
    if way == "safetensors":
        save_file(made.state_dict(), path)
    elif way == "torchscript":
        torch.jit.trace(made, torch.randn(1, 8, 1, 1)).save(str(path))
    elif way == "export":
        path = tmp_path / "net.pt2"
        torch.export.save(torch.export.export(made, (torch.randn(2, 8, 1, 1),)), path)
    else:
        torch.save(made.state_dict(), path, _use_new_zipfile_serialization=way == "zip")
    found = describe(path)
    assert {layer.name: layer.shape for layer in found.layers} == WANTED
    assert {layer.dtype for layer in found.layers} == {"float32"}
    assert found.parameters == sum(p.numel() for p in made.parameters())
    assert not found.warnings
    assert len(found.sha256) == 64


def test_onnx_tells_inputs_outputs_and_weights(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(torch.randn(8, 12).numpy(), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["z", "w"], ["out"])],
        "net",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 12])],
        [weight],
    )
    save(helper.make_model(graph), str(tmp_path / "net.onnx"))
    found = describe(tmp_path / "net.onnx")
    assert found.inputs == ("z: float32 (?, 8)",)
    assert found.outputs == ("out: float32 (?, 12)",)
    assert [(layer.name, layer.shape, layer.dtype) for layer in found.layers] == [("w", (8, 12), "float32")]
    damaged = tmp_path / "cut.onnx"
    damaged.write_bytes((tmp_path / "net.onnx").read_bytes()[:60])
    assert describe(damaged).warnings


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 16)

    def forward(self, z: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(z) * gain[:, None])


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_programs_tell_their_ends_before_they_are_said_yes_to(tmp_path: Path) -> None:
    arguments = (torch.zeros(2, 4), torch.ones(2))
    batch = torch.export.Dim("batch", min=1, max=9)
    exported = torch.export.export(Two(), arguments, dynamic_shapes=({0: batch}, {0: batch}))
    torch.export.save(exported, tmp_path / "two.pt2")
    found = describe(tmp_path / "two.pt2")
    assert found.inputs == ("z: float32 (?, 4)", "gain: float32 (?)")
    assert [text.partition(": ")[2] for text in found.outputs] == ["float32 (?, 16)"]
    torch.jit.script(Two()).save(str(tmp_path / "two.ts"))
    found = describe(tmp_path / "two.ts")
    assert found.inputs == ("z: Tensor", "gain: Tensor")
    assert found.outputs == ("Tensor",)
    assert not found.warnings


def test_what_a_torch_file_asks_for_is_named(tmp_path: Path) -> None:
    torch.save(
        {"G": {"a.weight": torch.zeros(3, 2)}, "extra": Hostile(tmp_path / "ran")}, tmp_path / "evil.pt"
    )
    with pytest.raises(ModelError, match=r"asks for .*(touch|getattr).* nothing of it was run"):
        registry.load(str(tmp_path / "evil.pt"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("path", STYLEGAN, ids=lambda p: p.stem)
def test_stylegan_pickles_tell_their_globals(path: Path) -> None:
    found = describe(path)
    assert found.family == "stylegan"
    assert "torch_utils.persistence._reconstruct_persistent_obj" in found.globals
    assert any(layer.name.startswith("G_ema.mapping.fc0") for layer in found.layers)
    assert found.precision == "float32"


class Hostile:
    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.flag,)


@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_described_and_not_run(tmp_path: Path, protocol: int) -> None:
    flag, path = tmp_path / "ran", tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"G_ema": Hostile(flag)}, protocol))
    found = describe(path)
    assert not flag.exists()
    assert any("touch" in name or "getattr" in name for name in found.globals)
    assert found.warnings


def test_a_hostile_archive_is_described_and_not_run(tmp_path: Path) -> None:
    flag, path = tmp_path / "ran", tmp_path / "evil.pt"
    torch.save({"G": {"a.weight": torch.zeros(3, 2)}, "extra": Hostile(flag)}, path)
    found = read_archive(path)
    assert not flag.exists()
    assert [layer.shape for layer in found.layers] == [(3, 2)]
    assert any("touch" in name or "getattr" in name for name in found.globals)


def test_info_adds_layers_and_globals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.pt"
    torch.save(network().state_dict(), path)
    assert main(["info", str(path), "--json"]) == 0
    raw = json.loads(capsys.readouterr().out)
    assert raw["family"] == "dcgan"
    assert [entry["shape"] for entry in raw["layers"]] == [list(shape) for shape in WANTED.values()]
    assert "torch._utils._rebuild_tensor_v2" in raw["globals"]


def test_info_of_a_file_that_does_not_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Hostile(tmp_path / "ran"), 2))
    assert main(["info", str(path), "--json"]) == 2
    shown = capsys.readouterr()
    raw = json.loads(shown.out)
    assert raw["globals"]
    assert raw["error"]
    assert main(["info", str(path)]) == 2
    assert "mentions" in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


def test_no_model_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty.pkl").touch()
    with pytest.raises(ModelError):
        describe(tmp_path / "empty.pkl")
    (tmp_path / "words.txt").write_text("hello")
    assert describe(tmp_path / "words.txt").globals == ()
