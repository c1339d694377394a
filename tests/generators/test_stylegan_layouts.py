"""The same weights in other layouts give the same pictures as the official pickle.

The layouts are written here by their own rules from the reference network, so that each reader is held
against the reference arrays.
"""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import load_pickle
from igm_gui.generators import registry
from igm_gui.generators.stylegan.records import node_from_record
from igm_gui.latent.point import point_from_seed

DATA = Path(__file__).parent.parent / "data" / "stylegan"


def tree(name):
    return node_from_record(load_pickle((DATA / f"{name}.pkl").read_bytes())["G_ema"])


def flat(node):
    found = {f"{node.path}{name}": tensor.contiguous() for name, tensor in node.tensors.items()}
    for child in node.children.values():
        found.update(flat(child))
    return found


def rosinality(root):
    """By the layout's rules: 5-D weights with the gain sqrt(fan-in) at run time, noises as 4-D buffers."""
    state = {"input.input": root.child("synthesis").child("b4").tensor("const")[None]}

    def conv(name, node, noise):
        weight = node.tensor("weight")
        state[f"{name}.conv.weight"] = weight[None] * weight[0].numel() ** 0.5
        state[f"{name}.conv.modulation.weight"] = node.child("affine").tensor("weight")
        state[f"{name}.conv.modulation.bias"] = node.child("affine").tensor("bias")
        if noise is None:
            state[f"{name}.conv.weight"] = weight[None]
            state[f"{name}.bias"] = node.tensor("bias").reshape(1, -1, 1, 1)
            return
        state[f"{name}.noise.weight"] = node.tensor("noise_strength").reshape(1)
        state[f"{name}.activate.bias"] = node.tensor("bias")
        state[f"noises.noise_{noise}"] = node.tensor("noise_const")[None, None]

    blocks = root.child("synthesis").children
    for i, name in enumerate(sorted(blocks, key=lambda n: int(n[1:]))):
        block = blocks[name]
        if i == 0:
            conv("conv1", block.child("conv1"), 0)
            conv("to_rgb1", block.child("torgb"), None)
            continue
        conv(f"convs.{2 * i - 2}", block.child("conv0"), 2 * i - 1)
        conv(f"convs.{2 * i - 1}", block.child("conv1"), 2 * i)
        conv(f"to_rgbs.{i - 1}", block.child("torgb"), None)
    for i, layer in enumerate(root.child("mapping").children.values()):
        state[f"style.{i + 1}.weight"] = layer.tensor("weight")
        state[f"style.{i + 1}.bias"] = layer.tensor("bias")
    return state


def tensorflow(root):
    """By TensorFlow's rules: (k, k, in, out) kernels, flipped where they go up, style bias without the 1."""
    made = []

    def add(name, tensor):
        made.append((name, tensor.numpy()))

    def conv(name, node, noise, flip):
        weight = node.tensor("weight").permute(2, 3, 1, 0)
        add(f"{name}/weight", (weight.flip(0, 1) if flip else weight).contiguous())
        add(f"{name}/mod_weight", node.child("affine").tensor("weight").t().contiguous())
        add(f"{name}/mod_bias", node.child("affine").tensor("bias") - 1)
        add(f"{name}/bias", node.tensor("bias"))
        if noise is not None:
            add(f"{name}/noise_strength", node.tensor("noise_strength"))
            add(f"noise{noise}", node.tensor("noise_const")[None, None])

    for name, block in root.child("synthesis").children.items():
        size = int(name[1:])
        level = size.bit_length() - 1
        if size == 4:
            add("4x4/Const/const", block.tensor("const")[None])
            conv("4x4/Conv", block.child("conv1"), 0, False)
        else:
            conv(f"{size}x{size}/Conv0_up", block.child("conv0"), 2 * level - 5, True)
            conv(f"{size}x{size}/Conv1", block.child("conv1"), 2 * level - 4, False)
        conv(f"{size}x{size}/ToRGB", block.child("torgb"), None, False)
    mapping = [("dlatent_avg", root.child("mapping").tensor("w_avg").numpy())]
    for i, layer in enumerate(root.child("mapping").children.values()):
        mapping.append((f"Dense{i}/weight", layer.tensor("weight").t().numpy().copy()))
        mapping.append((f"Dense{i}/bias", layer.tensor("bias").numpy()))
    return made, mapping


@pytest.fixture
def tf_module(monkeypatch):
    """A stand-in for dnnlib.tflib.network, only to write pickles that name it."""
    for name in ("dnnlib", "dnnlib.tflib", "dnnlib.tflib.network"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    class Network:
        def __init__(self, state):
            self.state = state

        def __getstate__(self):
            return self.state

    Network.__module__, Network.__qualname__ = "dnnlib.tflib.network", "Network"
    sys.modules["dnnlib.tflib.network"].Network = Network
    return Network


def pictures(path, truncation=1.0):
    generator = registry.load(str(path))
    points = [
        point_from_seed(generator.info, seed).with_value("truncation", truncation) for seed in (0, 1, 2)
    ]
    with torch.inference_mode():
        return generator, generator.forward(generator.prepare(points)).numpy()


def reference(name, truncation=1.0):
    generator = registry.load(str(DATA / f"{name}.pkl"))
    points = [
        point_from_seed(generator.info, seed).with_value("truncation", truncation) for seed in (0, 1, 2)
    ]
    with torch.inference_mode():
        return generator.forward(generator.prepare(points)).numpy()


NAME = "stylegan2-32-unconditional"


@pytest.mark.parametrize("nested", [False, True])
def test_rosinality(tmp_path, nested):
    state = rosinality(tree(NAME))
    torch.save({"g_ema": state, "d": {"x.weight": torch.zeros(2, 2)}} if nested else state, tmp_path / "r.pt")
    generator, given = pictures(tmp_path / "r.pt")
    assert np.abs(given - reference(NAME)).max() < 1e-3
    # The average is not in the file: truncation to 0 must still give one picture for all seeds.
    _, flat_ones = pictures(tmp_path / "r.pt", 0.0)
    assert np.abs(flat_ones[0] - flat_ones[1]).max() < 1e-5
    assert generator.info.family == "stylegan"


@pytest.mark.parametrize("name", [NAME, "stylegan2-64-conditional-resnet"])
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_official_names_in_a_flat_state_dict(tmp_path, name, ending):
    state = flat(tree(name))
    path = tmp_path / f"flat.{ending}"
    if ending == "pt":
        torch.save(state, path)
    else:
        save_file({k: v.clone() for k, v in state.items()}, str(path))
    generator, given = pictures(path, 0.6)
    assert np.abs(given - reference(name, 0.6)).max() < 1e-3
    assert (generator.info.input("label") is not None) == ("conditional-" in name)


def test_tensorflow(tmp_path, tf_module):
    synthesis, mapping = tensorflow(tree(NAME))
    components = {
        "synthesis": tf_module({"version": 4, "variables": synthesis, "components": {}}),
        "mapping": tf_module({"version": 4, "variables": mapping, "components": {}}),
    }
    network = tf_module(
        {
            "version": 4,
            "static_kwargs": {},
            "variables": [],
            "components": components,
            "build_module_src": "boom(",
        }
    )
    (tmp_path / "tf.pkl").write_bytes(pickle.dumps((network, network, network), 3))
    sys.modules.pop("dnnlib.tflib.network")
    _, given = pictures(tmp_path / "tf.pkl", 0.7)
    assert np.abs(given - reference(NAME, 0.7)).max() < 1e-3


def test_a_missing_tensor_is_named(tmp_path):
    state = rosinality(tree(NAME))
    del state["convs.0.activate.bias"]
    torch.save(state, tmp_path / "r.pt")
    with pytest.raises(ModelError, match=r"convs\.0\.activate\.bias"):
        registry.load(str(tmp_path / "r.pt"))
