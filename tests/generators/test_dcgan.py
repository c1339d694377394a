"""Plain generators from bare state dicts: any key names, prefix and nesting; guesses told."""

from __future__ import annotations

import argparse
import json

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


class Conditional(nn.Module):
    def __init__(self, join="after", width=5):
        super().__init__()
        self.join = join
        self.label_emb = nn.Embedding(4, width)
        self.model = nn.Sequential(
            nn.Linear(7 if join == "multiply" else 7 + width, 32),
            nn.LeakyReLU(0.2),
            nn.Linear(32, 64),
            nn.Tanh(),
        )

    def forward(self, z, label):
        known = self.label_emb(label)
        joined = {"after": (z, known), "before": (known, z)}
        x = z * known if self.join == "multiply" else torch.cat(joined[self.join], 1)
        return self.model(x).view(-1, 1, 8, 8)


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("join", ["after", "before", "multiply"])
def test_classes(tmp_path, join, ending):
    torch.manual_seed(2)
    module = Conditional(join, 7 if join == "multiply" else 5).eval()
    path = tmp_path / f"model.{ending}"
    save_file(module.state_dict(), str(path)) if ending == "safetensors" else torch.save(
        module.state_dict(), path
    )
    info = registry.load(str(path)).info
    assert [(spec.kind, spec.size) for spec in info.inputs] == [("latent", 7), ("label", 4)]
    assert "class" in info.warnings[-1]
    if join == "before":
        inputs = [
            {"name": "z", "kind": "latent", "shape": [7], "prior": "uniform"},
            {"name": "label", "kind": "label", "classes": ["a", "b", "c", "d"]},
        ]
        side_card(path, 8, inputs=inputs, join="before")
    generator = registry.load(str(path))
    z, label = torch.randn(3, 7), torch.tensor([0, 3, 1])
    with torch.inference_mode():
        given = generator.forward({"z": z, "label": nn.functional.one_hot(label, 4).float()})
        assert torch.allclose(given, module(z, label), atol=1e-5)
    if join == "before":
        assert generator.info.latent.prior == "uniform"
        assert generator.info.input("label").classes == ("a", "b", "c", "d")


def test_a_class_joined_as_it_is_needs_a_card(tmp_path):
    """One-hot classes beside z leave no trace in the weights: only the person knows."""
    module = lively(mlp(z=12))
    path = tmp_path / "model.pt"
    torch.save(module.state_dict(), path)
    inputs = [
        {"name": "z", "kind": "latent", "shape": [10]},
        {"name": "label", "kind": "label", "classes": ["a", "b"]},
    ]
    side_card(path, 8, inputs=inputs)
    generator = registry.load(str(path))
    z, label = torch.randn(2, 10), torch.eye(2)
    with torch.inference_mode():
        expected = module(torch.cat([z, label], 1)).reshape(2, 1, 8, 8)
        assert torch.allclose(generator.forward({"z": z, "label": label}), expected, atol=1e-5)


class Autoencoder(nn.Module):
    """A variational autoencoder as tutorials write it: only its second half generates."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(64, 16), nn.Linear(16, 5), nn.Linear(16, 5)
        self.fc3, self.fc4 = nn.Linear(5, 16), nn.Linear(16, 64)

    def forward(self, z):
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(z))))


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_the_decoder_of_an_autoencoder(tmp_path, ending):
    module = lively(Autoencoder())
    path = tmp_path / f"vae.{ending}"
    save_file(module.state_dict(), str(path)) if ending == "safetensors" else torch.save(
        module.state_dict(), path
    )
    assert "encoder" in registry.load(str(path)).info.warnings[-1]
    inputs = [{"name": "z", "kind": "latent", "shape": [5]}]
    side_card(path, 8, inputs=inputs, hidden="relu", last="sigmoid")
    same_pictures(path, module, 5, False)


def test_a_row_that_is_no_square_is_guessed_and_corrected(tmp_path):
    module = lively(nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Linear(16, 20 * 32), nn.Tanh()))
    path = tmp_path / "model.pt"
    torch.save(module.state_dict(), path)
    info = registry.load(str(path)).info
    assert (info.output.width, info.output.height) == (32, 20)
    assert "640 numbers" in info.warnings[1]
    side_card(path, 16, height=40, inputs=[{"name": "z", "kind": "latent", "shape": [6]}])
    assert same_pictures(path, module, 6, False).info.output.height == 40


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": "os.system"},
        {"last": 5},
        {"slope": "steep"},
        {"eps": [1, "x"]},
        {"eps": -1},
        {"groups": True},
        {"upsample": "all"},
        {"upsample": [-1]},
        {"norm": []},
        {"join": "beside"},
    ],
    ids=str,
)
def test_settings_that_cannot_be(tmp_path, settings):
    path = tmp_path / "model.pt"
    torch.save(mlp().state_dict(), path)
    side_card(path, 8, inputs=[{"name": "z", "kind": "latent", "shape": [12]}], **settings)
    with pytest.raises(ModelError, match="card"):
        registry.load(str(path))


@pytest.mark.parametrize("size", [5, 300, 1000])
def test_a_size_that_cannot_be(tmp_path, size):
    path = tmp_path / "model.pt"
    torch.save(dcgan().state_dict(), path)
    side_card(path, size, 3, [{"name": "z", "kind": "latent", "shape": [16]}])
    with pytest.raises(ModelError, match=f"{size}"):
        registry.load(str(path))


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
