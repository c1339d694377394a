"""Plain generators from bare state dicts: any key names, prefix and nesting; guesses told."""

from __future__ import annotations

import argparse

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.generators import registry
from tests.generators.plain_networks import (
    NETWORKS,
    ODD,
    dcgan,
    lively,
    mlp,
    numbers_of,
    same_pictures,
    side_card,
)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("ending", ["pt", "legacy.pth", "safetensors"])
def test_round_trip(tmp_path, name, ending):
    module = lively(NETWORKS[name]())
    path = tmp_path / f"model.{ending}"
    if ending == "safetensors":
        save_file(module.state_dict(), str(path))
    else:
        torch.save(module.state_dict(), path, _use_new_zipfile_serialization=ending == "pt")
    generator = same_pictures(path, module, *numbers_of(module))
    assert generator.info.warnings  # what was guessed is told


WRAPPERS = {
    "prefix": lambda s: {f"module.{k}": v for k, v in s.items()},
    "two prefixes": lambda s: {f"module.generator.{k}": v for k, v in s.items()},
    "main": lambda s: {f"main.{k}": v for k, v in s.items()},
    "nested": lambda s: {"epoch": 3, "netG_state_dict": s, "netD_state_dict": {"w": torch.zeros(2, 2)}},
    "deep": lambda s: {"state": {"models": {"generator": s}}},
    "ema wins": lambda s: {"g": {k: v * 0 for k, v in s.items()}, "g_ema": s},
    "arguments": lambda s: {"args": argparse.Namespace(lr=0.1), "g_ema": s},
    "underscores": lambda s: {"net_" + k.replace(".", "_"): v for k, v in s.items()},
    "slashes": lambda s: {"G/" + k.replace(".", "/"): v for k, v in s.items()},
    "lightning": lambda s: {
        "state_dict": {
            **{f"generator.{k}": v for k, v in s.items()},
            "discriminator.0.weight": torch.zeros(3, 3),
        }
    },
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.filterwarnings("ignore:.*(weight_norm|spectral_norm).* is deprecated:FutureWarning")
def test_odd_stacks(tmp_path, name, ending):
    make, side, settings = ODD[name]
    torch.manual_seed(1)
    module = make().eval()
    for tensor_name, tensor in module.state_dict().items():
        if "running" in tensor_name:
            tensor.copy_(torch.rand(tensor.shape) + 0.2)
    path = tmp_path / f"model.{ending}"
    state = {key: tensor.clone().contiguous() for key, tensor in module.state_dict().items()}
    save_file(state, str(path)) if ending == "safetensors" else torch.save(state, path)
    guessed = registry.load(str(path)).info
    assert guessed.output.width == side
    assert guessed.warnings
    z_dim = guessed.latent.size
    if settings:
        inputs = [{"name": "z", "kind": "latent", "shape": [z_dim]}]
        side_card(path, side, guessed.output.channels, inputs, **settings)
    four = not any(isinstance(inner, nn.Linear) for inner in module.modules())
    assert same_pictures(path, module, z_dim, four).info.output.width == side


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_any_nesting(tmp_path, wrapper):
    module = lively(dcgan())
    torch.save(WRAPPERS[wrapper](module.state_dict()), tmp_path / "model.pt")
    same_pictures(tmp_path / "model.pt", module, 16, True)


REFUSED = {
    "discriminator": lambda: nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 16, 4, 2, 1), nn.Conv2d(16, 1, 4)
    ),
    "classifier": lambda: nn.Sequential(nn.Conv2d(1, 8, 3), nn.Linear(8, 10)),
    "recurrent": lambda: nn.LSTM(4, 4),
    "odd output": lambda: nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 7)),
    "one layer": lambda: nn.Linear(3, 3),
    "embedding first": lambda: nn.Sequential(nn.Embedding(10, 8), nn.Linear(3, 4)),
    "attention": lambda: nn.MultiheadAttention(8, 2),
    "two channels": lambda: nn.Sequential(nn.ConvTranspose2d(4, 4, 4), nn.ConvTranspose2d(4, 2, 4, 2, 1)),
    "kernel not square": lambda: nn.Sequential(
        nn.ConvTranspose2d(4, 4, (4, 6)), nn.ConvTranspose2d(4, 1, 4, 2, 1)
    ),
    "kernel of 11": lambda: nn.Sequential(nn.ConvTranspose2d(4, 4, 4), nn.ConvTranspose2d(4, 1, 11, 2)),
    "three-dimensional": lambda: nn.Sequential(nn.ConvTranspose3d(4, 4, 4), nn.ConvTranspose3d(4, 1, 4)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_a_plain_generator_is_refused(tmp_path, name):
    torch.save(REFUSED[name]().state_dict(), tmp_path / "model.pt")
    with pytest.raises(ModelError) as refusal:
        registry.load(str(tmp_path / "model.pt"))
    assert refusal.value.hint


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(mlp(), tmp_path / "model.pt")
    with pytest.raises(ModelError, match="plain weights"):
        registry.load(str(tmp_path / "model.pt"))


def test_nan_weights_are_refused(tmp_path):
    state = mlp().state_dict()
    state["0.weight"][0, 0] = float("nan")
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="NaN"):
        registry.load(str(tmp_path / "model.pt"))
