"""Plain generators as people write them, and what their pictures are held against."""

from __future__ import annotations

import json

import torch
from torch import nn

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


def numbers_of(module):
    first = next(iter(module.state_dict().values()))
    return (first.shape[0], True) if first.ndim == 4 else (first.shape[1], False)


def stack(*layers):
    return nn.Sequential(*layers)


def spectral(layer):
    """Spectral normalisation by the old hook, its singular vectors as after some training."""
    made = torch.nn.utils.spectral_norm(layer, n_power_iterations=20)
    inputs = (2, made.weight.shape[0], 4, 4) if made.weight.ndim == 4 else (2, made.weight.shape[1])
    made.train()(torch.randn(inputs))
    return made


class Upsampling(nn.Module):
    """A fully connected start, then upsampling and convolutions, with a normalisation before the first."""

    def __init__(self):
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(20, 16 * 8 * 8))
        self.conv_blocks = stack(
            nn.BatchNorm2d(16), nn.Upsample(scale_factor=2), nn.Conv2d(16, 16, 3, padding=1),
            nn.BatchNorm2d(16, 0.8), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 8, 3, padding=1), nn.BatchNorm2d(8, 0.8), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 3, padding=1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.conv_blocks(self.l1(z).view(-1, 16, 8, 8))


class Named(nn.Module):
    """Layers and their normalisations under names that sort apart."""

    def __init__(self):
        super().__init__()
        self.deconv1, self.deconv1_bn = nn.ConvTranspose2d(10, 8, 4), nn.BatchNorm2d(8)
        self.deconv2, self.deconv2_bn = nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.BatchNorm2d(8)
        self.deconv3 = nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, z):
        x = torch.relu(self.deconv1_bn(self.deconv1(z)))
        return torch.tanh(self.deconv3(torch.relu(self.deconv2_bn(self.deconv2(x)))))


T, B, R = nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU
# name -> (network, side, what a card's hyperparameters must say)
ODD = {
    "first kernel 7, 28 pixels": (
        lambda: stack(T(9, 8, 7), R(), T(8, 8, 4, 2, 1), R(), T(8, 1, 4, 2, 1), nn.Tanh()),
        28,
        {},
    ),
    "kernel 5": (lambda: stack(T(9, 8, 4), R(), T(8, 3, 5, 2, 2, output_padding=1), nn.Tanh()), 8, {}),
    "kernel 2": (lambda: stack(T(9, 8, 4), R(), T(8, 3, 2, 2), nn.Tanh()), 8, {}),
    "4, 3, 4, 4 for MNIST": (
        lambda: stack(
            T(9, 8, 4), R(), T(8, 6, 3, 2, 1), R(), T(6, 4, 4, 2, 1), R(), T(4, 1, 4, 2, 1), nn.Tanh()
        ),
        28,
        {},
    ),
    "3, 4, 3, 4 without padding": (
        lambda: stack(T(9, 8, 3, 2), R(), T(8, 6, 4, 1), R(), T(6, 4, 3, 2), R(), T(4, 1, 4, 2), nn.Tanh()),
        28,
        {},
    ),
    "spectral norm, hook": (
        lambda: stack(spectral(T(9, 9, 4)), R(), spectral(T(9, 3, 4, 2, 1)), nn.Tanh()),
        8,
        {},
    ),
    "spectral norm": (
        lambda: stack(
            *(
                torch.nn.utils.parametrizations.spectral_norm(x) if isinstance(x, T) else x
                for x in (T(9, 9, 4), R(), T(9, 3, 4, 2, 1), nn.Tanh())
            )
        ),
        8,
        {},
    ),
    "weight norm, hook": (
        lambda: stack(torch.nn.utils.weight_norm(T(9, 6, 4)), R(), T(6, 3, 4, 2, 1), nn.Tanh()),
        8,
        {},
    ),
    "weight norm": (
        lambda: stack(
            torch.nn.utils.parametrizations.weight_norm(T(9, 6, 4)), R(), T(6, 3, 4, 2, 1), nn.Tanh()
        ),
        8,
        {},
    ),
    "instance norm": (
        lambda: stack(T(9, 8, 4), nn.InstanceNorm2d(8, affine=True), R(), T(8, 3, 4, 2, 1), nn.Tanh()),
        8,
        {},
    ),
    "group norm": (
        lambda: stack(T(9, 8, 4), nn.GroupNorm(4, 8), R(), T(8, 3, 4, 2, 1), nn.Tanh()),
        8,
        {"norm": "group", "groups": 4},
    ),
    "prelu": (
        lambda: stack(T(9, 8, 4), nn.PReLU(8), T(8, 8, 4, 2, 1), nn.PReLU(), T(8, 3, 4, 2, 1), nn.Tanh()),
        16,
        {},
    ),
    "norm without scale": (
        lambda: stack(T(9, 8, 4), B(8, affine=False), R(), T(8, 3, 4, 2, 1), nn.Tanh()),
        8,
        {},
    ),
    "norm of a row as a picture": (
        lambda: stack(nn.Linear(9, 128), nn.Unflatten(1, (8, 4, 4)), B(8), R(), T(8, 3, 4, 2, 1), nn.Tanh()),
        8,
        {},
    ),
    "a convolution at the end": (
        lambda: stack(
            T(9, 8, 4), B(8), R(), T(8, 8, 4, 2, 1), B(8), R(), nn.Conv2d(8, 3, 3, 1, 1), nn.Tanh()
        ),
        8,
        {},
    ),
    "upsampling": (Upsampling, 32, {"eps": [1e-5, 0.8]}),
    "names that sort apart": (Named, 16, {}),
    "leaky, sigmoid": (
        lambda: stack(T(9, 8, 4), nn.LeakyReLU(0.1), T(8, 3, 4, 2, 1), nn.Sigmoid()),
        8,
        {"hidden": "leaky_relu", "slope": 0.1, "last": "sigmoid"},
    ),
    "gelu": (lambda: stack(T(9, 8, 4), nn.GELU(), T(8, 3, 4, 2, 1), nn.Tanh()), 8, {"hidden": "gelu"}),
}


def side_card(path, side, channels=1, inputs=None, height=None, **settings):
    card = {
        "name": "corrected", "family": "dcgan", "hyperparameters": settings,
        "output": {"media": "image", "height": height or side, "width": side, "channels": channels},
        "inputs": inputs or [],
    }  # fmt: skip
    path.with_name(path.name + ".card.json").write_text(json.dumps(card))
