"""StyleGAN-XL: StyleGAN3's layers, classes from a table, an average for each class, files written by dill."""

from __future__ import annotations

import copy

import dill
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from igm_gui.errors import ModelError
from igm_gui.generators import registry
from igm_gui.latent.point import one_hot, point_from_seed
from tests.generators.stylegan_pickles import Module, official_names, taken_apart

CLASSES, WIDE = 4, 7  # of the reference network; the table has more rows, as that of ImageNet has


def written(path, change=lambda mapping: None, name="stylegan3-r-32-conditional", protocol=None):
    """The reference network with StyleGAN-XL's mapping, by real dill. It computes :func:`mapped`."""
    torch.manual_seed(0)
    with official_names():
        data = taken_apart(name)
        mapping = data["G_ema"].children["mapping"]
        size = mapping.state["w_dim"]
        if mapping.state["c_dim"]:
            like = mapping.children["embed"]
            meta = copy.copy(like.meta)
            meta["state"] = {
                **like.state,
                "activation": "lrelu",
                "weight_gain": np.float64(WIDE**-0.5),
                "bias_gain": 1,
                "_parameters": {
                    "weight": torch.nn.Parameter(torch.randn(size, WIDE)),
                    "bias": torch.nn.Parameter(torch.randn(size)),
                },
            }
            mapping.children["embed_proj"] = Module(meta)
            mapping.state["_buffers"]["w_avg"] = torch.randn(CLASSES, size)
        mapping.children["embed"] = torch.nn.Embedding(10, WIDE)
        change(mapping)
        data["progress"] = {"cur_nimg": torch.tensor(5000), "best_fid": 2.3}
        path.write_bytes(dill.dumps(data, protocol))
        return mapping


def mapped(mapping, z, label):
    """w (w_dim,) the obvious way."""

    def dense(layer, x):
        weight, bias = layer.state["_parameters"]["weight"], layer.state["_parameters"]["bias"]
        x = x @ (weight * layer.state["weight_gain"]).T + bias * layer.state["bias_gain"]
        return F.leaky_relu(x, 0.2) * 2**0.5

    def normal(x):
        return x / (x.square().mean() + 1e-8).sqrt()

    y = dense(mapping.children["embed_proj"], mapping.children["embed"].weight[label])
    x = torch.cat([normal(z), normal(y)])
    for name in ("fc0", "fc1"):
        x = dense(mapping.children[name], x)
    return x


def test_classes_are_rows_of_a_table_and_truncation_pulls_to_their_own_average(tmp_path):
    mapping = written(tmp_path / "xl.pkl")
    generator = registry.load(str(tmp_path / "xl.pkl"))
    assert generator.info.description.startswith("StyleGAN-XL")
    assert generator.info.warnings == ()
    for label in range(CLASSES):
        point = point_from_seed(generator.info, 5).with_value("label", one_hot(CLASSES, label))
        point = point.with_value("truncation", 0.7)
        z = torch.from_numpy(np.random.RandomState(5).randn(32).astype(np.float32))
        average = mapping.state["_buffers"]["w_avg"][label]
        wanted = average + 0.7 * (mapped(mapping, z, label) - average)
        assert (generator.map([point])[0, 0] - wanted).abs().max() < 1e-4
    assert generator.render([point, point_from_seed(generator.info, 1)]).shape == (2, 32, 32, 3)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_dill(tmp_path, protocol):
    written(tmp_path / "xl.pkl", protocol=protocol)
    assert registry.load(str(tmp_path / "xl.pkl")).info.styles is not None


def test_without_classes_the_table_is_left_alone(tmp_path):
    written(tmp_path / "xl.pkl", name="stylegan3-t-32")
    generator = registry.load(str(tmp_path / "xl.pkl"))
    assert generator.info.input("label") is None
    points = [point_from_seed(generator.info, 3)]
    plain = registry.load("tests/data/stylegan/stylegan3-t-32.pkl")
    assert np.array_equal(generator.render(points), plain.render(points))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.children.update(embed=torch.nn.Embedding(3, WIDE)), "embed.weight"),
        (lambda m: m.state["_buffers"].update(w_avg=torch.zeros(3, 32)), "w_avg"),
        (lambda m: m.children["embed"]._parameters.clear(), "embed.weight"),
    ],
)
def test_what_does_not_fit_is_a_sentence(tmp_path, change, said):
    written(tmp_path / "xl.pkl", change)
    with pytest.raises(ModelError, match=said):
        registry.load(str(tmp_path / "xl.pkl"))
