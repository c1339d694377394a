"""What a card says of a plain generator that its weights don't: classes, sizes, settings."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.generators import registry
from tests.generators.plain_networks import dcgan, lively, mlp, same_pictures, side_card


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
