"""Official pickles as others write them: more keys, tensors from a GPU, changed modules, all protocols."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from igm_gui.generators import registry
from igm_gui.latent.point import point_from_seed
from tests.generators.stylegan_pickles import DATA, modules, official_names, taken_apart

NAME = "stylegan3-t-32"


@pytest.fixture
def rewrite(tmp_path):
    """``rewrite(change, protocol)``: the reference pickle with ``change(data)`` made, written anew."""

    def again(change, protocol=4, name=NAME):
        with official_names():
            data = taken_apart(name)
            change(data)
            path = tmp_path / f"{protocol}.pkl"
            path.write_bytes(pickle.dumps(data, protocol))
        return path

    return again


def picture(path):
    generator = registry.load(str(path))
    with torch.inference_mode():
        return generator, generator.forward(generator.prepare([point_from_seed(generator.info, 3)])).numpy()


@pytest.fixture(scope="module")
def wanted():
    return picture(DATA / f"{NAME}.pkl")[1]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_only_the_averaged_generator_is_needed(rewrite, wanted, protocol):
    def change(data):
        for key in list(data):
            if key != "G_ema":
                del data[key]
        # StyleGAN-XL writes how far training was.
        data["progress"] = {"cur_nimg": torch.tensor(5000), "cur_tick": torch.tensor(3), "best_fid": 2.3}

    generator, seen = picture(rewrite(change, protocol))
    assert np.array_equal(seen, wanted)
    assert generator.info.warnings == ()


def test_tensors_from_a_gpu_come_to_the_cpu(rewrite, wanted, monkeypatch):
    monkeypatch.setattr(torch.serialization, "location_tag", lambda _storage: "cuda:0")
    path = rewrite(lambda _data: None)
    monkeypatch.undo()
    assert b"cuda:0" in path.read_bytes()
    assert np.array_equal(picture(path)[1], wanted)


def test_the_source_inside_is_never_run(rewrite, wanted, tmp_path):
    marker = tmp_path / "ran"

    def change(data):
        data["G_ema"].meta["module_src"] = f"open({str(marker)!r}, 'w').close()\n1/0"

    assert np.array_equal(picture(rewrite(change))[1], wanted)
    assert not marker.exists()


def test_a_changed_architecture_is_told(rewrite):
    def change(data):
        data["G_ema"].meta["class_name"] = "MyGenerator"
        parts = data["G_ema"].children
        parts["synthesis"].children["attention"] = parts["mapping"]

    (warning,) = picture(rewrite(change))[0].info.warnings
    assert "Modified architecture" in warning
    assert "MyGenerator" in warning
    assert "synthesis.attention" in warning


def test_a_damaged_network_is_a_sentence(rewrite):
    def change(data):
        for module in modules(data["G_ema"]):
            module.state["_parameters"].pop("weight", None)

    with pytest.raises(registry.ModelError, match="weight"):
        registry.load(str(rewrite(change)))
