"""Plain generators from bare state dicts: any key names, prefix and nesting; guesses told."""

from __future__ import annotations

import argparse

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.generators import registry


def dcgan(z=16, width=8, channels=3, norm=True, bias=False, levels=3):
    layers: list[nn.Module] = [nn.ConvTranspose2d(z, width * 4, 4, 1, 0, bias=bias)]
    into = width * 4
    for _ in range(levels - 1):
        if norm:
            layers.append(nn.BatchNorm2d(into))
        layers += [nn.ReLU(True), nn.ConvTranspose2d(into, into // 2, 4, 2, 1, bias=bias)]
        into //= 2
    if norm:
        layers.append(nn.BatchNorm2d(into))
    layers += [nn.ReLU(True), nn.ConvTranspose2d(into, channels, 4, 2, 1, bias=bias), nn.Tanh()]
    return nn.Sequential(*layers)


def mlp(z=12, side=8, channels=1, norm=False):
    layers: list[nn.Module] = []
    into = z
    for out in (32, 64):
        layers.append(nn.Linear(into, out))
        if norm:
            layers.append(nn.BatchNorm1d(out))
        layers.append(nn.LeakyReLU(0.2))
        into = out
    return nn.Sequential(*layers, nn.Linear(into, channels * side * side), nn.Tanh())


class Started(nn.Module):
    """A fully connected start, then transposed convolutions: InfoGAN's and WGAN-GP's layout."""

    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(10, 16 * 4 * 4)
        self.block = nn.Sequential(nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.last = nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, z):
        x = torch.relu(self.l1(z)).view(-1, 16, 4, 4)
        return torch.tanh(self.last(self.block(x)))


def lively(module):
    """Random weights and running statistics, so that a wrong normalisation shows."""
    g = torch.Generator().manual_seed(0)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=g) * 0.4 - (0.15 if tensor.ndim > 1 else -0.2))
    return module.eval()


NETWORKS = {
    "dcgan": lambda: dcgan(),
    "dcgan grey": lambda: dcgan(channels=1),
    "dcgan four channels": lambda: dcgan(channels=4),
    "dcgan without norm": lambda: dcgan(norm=False, bias=True),
    "dcgan 64": lambda: dcgan(levels=4),
    "mlp": lambda: mlp(),
    "mlp colour": lambda: mlp(channels=3),
    "mlp norm": lambda: mlp(norm=True),
    "linear start": Started,
}


def same_pictures(path, module, z_dim, four):
    generator = registry.load(str(path))
    z = torch.randn(3, z_dim, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        expected = module(z[:, :, None, None] if four else z).reshape(3, -1)
        given = generator.forward({"z": z}).reshape(3, -1)
    assert torch.allclose(given, expected, atol=2e-5)
    return generator


def _z(module):
    first = next(iter(module.state_dict().values()))
    return (first.shape[0], True) if first.ndim == 4 else (first.shape[1], False)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("ending", ["pt", "legacy.pth", "safetensors"])
def test_round_trip(tmp_path, name, ending):
    module = lively(NETWORKS[name]())
    path = tmp_path / f"model.{ending}"
    if ending == "safetensors":
        save_file(module.state_dict(), str(path))
    else:
        torch.save(module.state_dict(), path, _use_new_zipfile_serialization=ending == "pt")
    generator = same_pictures(path, module, *_z(module))
    assert generator.info.warnings  # what was guessed is told


WRAPPERS = {
    "prefix": lambda s: {f"module.{k}": v for k, v in s.items()},
    "two prefixes": lambda s: {f"module.generator.{k}": v for k, v in s.items()},
    "main": lambda s: {f"main.{k}": v for k, v in s.items()},
    "nested": lambda s: {"epoch": 3, "netG_state_dict": s, "netD_state_dict": {"w": torch.zeros(2, 2)}},
    "deep": lambda s: {"state": {"models": {"generator": s}}},
    "ema wins": lambda s: {"g": {k: v * 0 for k, v in s.items()}, "g_ema": s},
    "arguments": lambda s: {"args": argparse.Namespace(lr=0.1), "g_ema": s},
    "lightning": lambda s: {
        "state_dict": {
            **{f"generator.{k}": v for k, v in s.items()},
            "discriminator.0.weight": torch.zeros(3, 3),
        }
    },
}


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
