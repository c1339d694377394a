"""A file not seen before is opened in a child first; what happens to the child is a sentence here."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from igm_gui.errors import ModelError
from igm_gui.generators import probe, registry
from igm_gui.generators.roles import Argument, RolesNeeded
from igm_gui.paths import models_folder

NETWORK = Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl"


def child(code):
    return [sys.executable, "-c", code]


def test_a_good_file_opens_and_is_remembered(monkeypatch):
    monkeypatch.setenv("IGM_PROBE", "on")
    generator = registry.load(str(NETWORK))
    assert probe.seen(generator.info.sha256)
    # The second time no child is started at all.
    monkeypatch.setattr(probe, "probe", lambda path: pytest.fail(f"{path} was probed again"))
    assert registry.load(str(NETWORK)).info == generator.info


def test_another_card_beside_known_weights_is_tried_again(tmp_path, monkeypatch):
    """A card says how the weights are built: harmless weights must not vouch for it."""
    folder = Path(shutil.copytree(models_folder() / "fashion-gan", tmp_path / "copy"))
    monkeypatch.setenv("IGM_PROBE", "on")
    registry.load(str(folder))
    tried = []
    monkeypatch.setattr(probe, "probe", lambda path: tried.append(path))
    registry.load(str(folder))
    assert tried == []
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "title": "Another"}))
    for path in (folder, folder / "card.json", folder / "model.safetensors"):
        registry.load(str(path))
    assert tried == [folder]


def test_a_refusal_in_the_child_is_the_same_sentence_here(tmp_path, monkeypatch):
    import pickle

    path = tmp_path / "empty.pkl"
    path.write_bytes(pickle.dumps({"G_ema": 1}, 4))
    with pytest.raises(ModelError) as here:
        registry.load(str(path))
    monkeypatch.setenv("IGM_PROBE", "on")
    with pytest.raises(ModelError) as there:
        registry.load(str(path))
    assert there.value.message == here.value.message
    assert there.value.hint == here.value.hint


def test_bundled_models_are_not_probed(monkeypatch):
    monkeypatch.setenv("IGM_PROBE", "on")
    monkeypatch.setattr(probe, "probe", lambda path: pytest.fail(f"{path} was probed"))
    registry.load("uniform-pixels")


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.abort()",
        "import os; os._exit(3)",
        "raise SystemExit",
        "print('igm-probe:nonsense')",
        "1/0",
    ],
)
def test_a_child_that_ends_badly(code):
    with pytest.raises(ModelError, match="ended the process"):
        probe.probe(Path("bad.pkl"), 30, child(code))


def test_a_child_that_never_ends():
    with pytest.raises(ModelError, match="still not open"):
        probe.probe(Path("slow.pkl"), 0.5, child("import time; time.sleep(60)"))


EATING = {
    "at once": "x = bytearray(64 << 30)",
    "piece by piece": "x = []\nwhile True:\n    x.append(bytes(1 << 20))",
    "through numpy": "import numpy\nx = [numpy.ones(1 << 22) for _ in range(100)]",
}


@pytest.mark.parametrize("how", EATING)
@pytest.mark.parametrize("addresses", [True, False], ids=["limited addresses", "watched only"])
def test_a_child_that_eats_memory(tmp_path, how, addresses):
    """Where the system has no limit on addresses, a thread in the child sees what it really uses."""
    if how == "at once" and not addresses:
        pytest.skip("what is reserved and never used costs nothing")
    path = tmp_path / "bomb.pkl"
    path.write_bytes(b"x")
    code = f"""
import pathlib
from igm_gui.generators import limits, memory
if not {addresses}:
    memory.addresses = lambda: 0
limits.Allowance(pathlib.Path({str(path)!r}), 200 << 20)
{EATING[how]}
"""
    with pytest.raises(ModelError, match=r"ended the process|more memory than a file of its size"):
        probe.probe(path, 60, child(code))


def test_a_child_that_never_ends_ends_itself(tmp_path):
    path = tmp_path / "slow.pkl"
    path.write_bytes(b"x")
    code = f"""
import pathlib
from igm_gui.generators import limits
limits.Allowance(pathlib.Path({str(path)!r}), seconds=0.3)
while True:
    pass
"""
    with pytest.raises(ModelError, match=r"slow\.pkl was still not open after 0 seconds"):
        probe.probe(path, 60, child(code))


def test_a_module_beside_the_file_is_not_imported(tmp_path, monkeypatch):
    """Standing in the folder of a download must not let its numpy.py run in the trial."""
    import torch
    from torch import nn

    for name in ("numpy", "torch", "msgspec", "json", "igm_gui"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\n")
    torch.save(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 64)).state_dict(), tmp_path / "net.pt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IGM_PROBE", "on")
    assert registry.load("net.pt").info.family == "dcgan"
    assert not (tmp_path / "ran").exists()


def test_questions_come_out_of_the_child_as_questions(tmp_path, monkeypatch):
    monkeypatch.setenv("IGM_PROBE", "on")
    path = tmp_path / "tokens.onnx"
    made = helper.make_graph(
        [helper.make_node("Cast", ["t"], ["out"], to=TensorProto.FLOAT)], "g",
        [helper.make_tensor_value_info("t", TensorProto.INT64, ["N", 77])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", 77])],
    )  # fmt: skip
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    with pytest.raises(RolesNeeded) as asked:
        registry.load(str(path))
    assert asked.value.arguments == (Argument("t", "int", (None, 77), "int64"),)
    assert asked.value.family == "onnx"


@pytest.mark.parametrize(
    "answer",
    [
        '{"message": "m", "kind": "RolesNeeded", "arguments": [{"name": 5}]}',
        '{"message": "m", "kind": "RolesNeeded"}',
        '{"message": "m", "kind": "SystemExit"}',
        '{"message": "m", "kind": "TrustNeeded"}',
        '{"message": ["a"], "kind": 5, "hint": {}}',
    ],
)
def test_a_child_that_lies_is_not_believed(answer):
    with pytest.raises(ModelError):
        probe.probe(Path("x.pkl"), 30, child(f"print({'igm-probe:' + answer!r})"))
