"""TorchScript and torch.export archives: asked about once, then run; never before the yes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from igm_gui.api import load, make_point
from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.files import sha256_of
from igm_gui.generators.roles import RolesNeeded

# torch.jit is deprecated and the files that people have are still made with it.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(7, 3 * 64)

    def forward(self, z):
        return torch.tanh(self.layer(z)).reshape(-1, 3, 8, 8)


class Square(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ConvTranspose2d(9, 1, 8)

    def forward(self, noise):
        return torch.sigmoid(self.layer(noise))


class Classed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 6)
        self.layer = nn.Linear(12, 64)

    def forward(self, z, label):
        return torch.tanh(self.layer(torch.cat([z, self.embed(label)], 1))).reshape(-1, 1, 8, 8)


class OneHot(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(10, 64)
        self.named = nn.Linear(4, 64)

    def forward(self, z, class_weights):
        return torch.tanh(self.layer(z) + self.named(class_weights)).reshape(-1, 1, 8, 8)


class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4000)

    def forward(self, z):
        return torch.tanh(self.layer(z))


def script(tmp_path, module, name="model.pt"):
    torch.manual_seed(0)
    path = tmp_path / name
    torch.jit.script(module.eval()).save(str(path))
    return path


def yes(path):
    trust.trust(sha256_of(path), path.name)
    return str(path)


@pytest.mark.parametrize("module", [Flat, Square, Sound])
def test_a_script_runs_after_the_yes(tmp_path, igm_home, module):
    network = module()
    path = script(tmp_path, network)
    with pytest.raises(trust.TrustNeeded) as asked:
        load(str(path))
    assert asked.value.sha256 == sha256_of(path)
    g = load(yes(path))
    given = g.sample(seed=1, n=2)
    with torch.inference_mode():
        z = torch.stack(
            [torch.from_numpy(make_point(g.info, s).vector(g.info.latent.name).array.copy()) for s in (1, 2)]
        )
        expected = network(z)
    if module is Sound:
        assert abs(torch.from_numpy(given)[:, 0] - expected).max() < 1e-5
        return
    span = (expected - g.info.output.low) / (g.info.output.high - g.info.output.low) * 255
    assert abs(torch.from_numpy(given).float() - span.permute(0, 2, 3, 1)).max() <= 0.51


def test_another_file_of_the_same_name_is_asked_about_again(tmp_path, igm_home):
    load(yes(script(tmp_path, Flat())))
    torch.manual_seed(1)
    with pytest.raises(trust.TrustNeeded):
        load(str(script(tmp_path, Square())))


def test_a_class_number_in_a_script(tmp_path, igm_home):
    path = script(tmp_path, OneHot())
    g = load(yes(path))
    assert g.info.inputs[0].kind == "latent"
    assert g.sample(0).shape == (1, 8, 8, 1)


def test_an_exported_program(tmp_path, igm_home):
    network = Flat().eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(network, (torch.zeros(2, 7),), dynamic_shapes=({0: batch},))
    path = tmp_path / "model.pt2"
    torch.export.save(exported, path)
    with pytest.raises(trust.TrustNeeded):
        load(str(path))
    g = load(yes(path))
    assert g.info.latent.shape == (7,)
    assert g.sample(0, 3).shape == (3, 8, 8, 3)


def test_an_exported_program_with_a_fixed_batch_and_a_class(tmp_path, igm_home):
    exported = torch.export.export(Classed().eval(), (torch.zeros(1, 6), torch.zeros(1, dtype=torch.int64)))
    path = tmp_path / "model.pt2"
    torch.export.save(exported, path)
    g = load(yes(path))
    assert [spec.kind for spec in g.info.inputs] == ["latent", "label"]
    assert g.info.input("label").size == 5  # as many rows as the embedding has
    assert (g.render(make_point(g.info, 0, 3)) != g.render(make_point(g.info, 0, 0))).any()
    assert g.sample(0, 2).shape == (2, 8, 8, 1)


def test_a_card_says_what_a_script_cannot(tmp_path, igm_home):
    path = script(tmp_path, Classed())
    path.with_name("model.pt.card.json").write_text(
        """{"name": "classed", "family": "program",
        "output": {"media": "image", "height": 8, "width": 8},
        "inputs": [{"name": "z", "kind": "latent", "shape": [6]},
          {"name": "label", "kind": "scalar", "maximum": 4, "step": 1}]}"""
    )
    g = load(yes(path))
    assert g.info.name == "classed"
    assert g.sample(0, 2).shape == (2, 8, 8, 1)


def test_a_program_whose_inputs_cannot_be_guessed(tmp_path, igm_home):
    class Odd(nn.Module):
        def forward(self, a, b, c):
            return a.view(2, 2) + b.view(3, 3) + c

    with pytest.raises(ModelError, match="inputs"):
        load(yes(script(tmp_path, Odd())))


@pytest.mark.parametrize("part", [20, 200, -500, -1])
def test_cut_short(tmp_path, igm_home, part):
    path = script(tmp_path, Flat())
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(ModelError):
        load(yes(path))


def test_a_zip_that_grows_is_refused(tmp_path):
    import zipfile

    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"\0" * 50_000_000)
    with pytest.raises(ModelError, match="grow"):
        load(str(path))


class Kinds(nn.Module):
    """A whole number, a truth value and a knob beside the latent."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 4)
        self.layer = nn.Linear(6, 64)

    def forward(self, z, label, flag, psi):
        x = torch.cat([z * psi[:, None], self.table(label)], 1)
        return torch.tanh(self.layer(x) * torch.where(flag, 1.0, -1.0)[:, None]).reshape(-1, 1, 8, 8)


def several(how):
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3 * 64)

        def forward(self, z):
            picture = torch.tanh(self.layer(z)).reshape(-1, 3, 8, 8)
            size = picture.mean(dim=(1, 2, 3))
            return {"size": size, "picture": picture} if how == "dict" else (size, picture)

    return Several()


def exported(tmp_path, module, arguments, fixed=False):
    path = tmp_path / "model.pt2"
    batch = torch.export.Dim("batch", min=1, max=64)
    shapes = None if fixed else tuple({0: batch} for _ in arguments)
    torch.export.save(torch.export.export(module.eval(), arguments, dynamic_shapes=shapes), path)
    return path


def test_every_type_of_input_is_seen(tmp_path, igm_home):
    arguments = (torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([True, False]), torch.ones(2))
    g = load(yes(exported(tmp_path, Kinds(), arguments)))
    assert [(spec.name, spec.kind) for spec in g.info.inputs] == [
        ("z", "latent"), ("label", "label"), ("flag", "scalar"), ("psi", "scalar"),
    ]  # fmt: skip
    assert g.info.input("label").size == 7
    assert g.info.input("psi").default == 1.0
    point = make_point(g.info, 0)
    assert (g.render(point.with_value("flag", 1.0)) != g.render(point)).any()


@pytest.mark.parametrize("traced", [False, True])
def test_a_script_with_an_embedding(tmp_path, igm_home, traced):
    path = tmp_path / "model.pt"
    if traced:
        torch.jit.trace(Classed().eval(), (torch.zeros(2, 6), torch.tensor([0, 1]))).save(str(path))
    else:
        torch.jit.script(Classed().eval()).save(str(path))
    g = load(yes(path))
    assert (g.info.latent.shape, g.info.input("label").size) == ((6,), 5)


@pytest.mark.parametrize("kind", [torch.float16, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("way", ["script", "export"])
def test_other_precisions(tmp_path, igm_home, kind, way):
    network = Flat().to(kind)
    path = (
        script(tmp_path, network)
        if way == "script"
        else exported(tmp_path, network, (torch.zeros(2, 7, dtype=kind),))
    )
    assert load(yes(path)).sample(0, 2).shape == (2, 8, 8, 3)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("how", ["dict", "tuple"])
def test_several_outputs_the_picture_is_shown(tmp_path, igm_home, how, fixed):
    rows = 1 if fixed else 2
    g = load(yes(exported(tmp_path, several(how), (torch.zeros(rows, 5),), fixed)))
    assert g.sample(0, 3).shape == (3, 8, 8, 3)


def test_one_row_of_numbers_without_points(tmp_path, igm_home):
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 3 * 64)

        def forward(self, z):
            return torch.tanh(self.layer(z)).reshape(3, 8, 8)

    g = load(yes(exported(tmp_path, Bare(), (torch.zeros(5),), fixed=True)))
    assert g.info.latent.shape == (5,)
    assert g.sample(0, 3).shape == (3, 8, 8, 3)


def test_a_batch_fixed_to_two(tmp_path, igm_home):
    network = Flat().eval()
    g = load(yes(exported(tmp_path, network, (torch.zeros(2, 7),), fixed=True)))
    whole = g.sample(0, 3)
    assert whole.shape == (3, 8, 8, 3)
    assert (whole[2] == g.sample(2, 1)[0]).all()


def test_a_flat_picture_is_no_sound(tmp_path, igm_home):
    network = nn.Sequential(nn.Linear(4, 784), nn.Sigmoid())
    g = load(yes(script(tmp_path, network)))
    assert g.sample(0, 2).shape == (2, 28, 28, 1)
    assert "in a row" in g.info.warnings[0]


def test_a_latent_picture_of_any_size_in_a_script(tmp_path, igm_home):
    network = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.Upsample(scale_factor=8), nn.Conv2d(8, 3, 1))
    g = load(yes(script(tmp_path, network)))
    assert g.info.latent.shape[0] == 4
    assert g.info.output.channels == 3


def test_what_cannot_be_guessed_is_asked_with_what_is_known(tmp_path, igm_home):
    class Odd(nn.Module):
        def forward(self, a, b):
            return a.view(2, 2) + b.view(3, 3)

    with pytest.raises(RolesNeeded) as asked:
        load(yes(script(tmp_path, Odd())))
    assert [argument.name for argument in asked.value.arguments] == ["a", "b"]
    assert asked.value.family == "program"


def test_a_card_may_leave_the_size_to_be_measured(tmp_path, igm_home):
    path = script(tmp_path, Classed())
    path.with_name("model.pt.card.json").write_text(
        """{"name": "classed", "family": "program", "output": {"media": "image"},
        "inputs": [{"name": "z", "kind": "latent", "shape": [6]},
          {"name": "label", "kind": "label", "classes": ["a", "b", "c", "d", "e"]}]}"""
    )
    g = load(yes(path))
    assert (g.info.output.height, g.info.output.channels) == (8, 1)
    assert (g.render(make_point(g.info, 0, "b")) != g.render(make_point(g.info, 0, "c"))).any()


def test_what_was_hashed_is_what_runs(tmp_path, igm_home, monkeypatch):
    """The file is swapped between the question and the opening: the bytes that were said yes to run."""
    path = script(tmp_path, Flat())
    other = script(tmp_path, Square(), "other.pt")
    yes(path)
    real = trust.require

    def swap(*arguments):
        real(*arguments)
        path.write_bytes(other.read_bytes())

    monkeypatch.setattr(trust, "require", swap)
    assert load(str(path)).info.latent.shape == (7,)


def test_a_name_that_turns_itself_round_is_shown_as_it_is(tmp_path, igm_home):
    path = script(tmp_path, Flat(), "picture\u202egnp.pt")
    with pytest.raises(trust.TrustNeeded) as asked:
        load(str(path))
    assert "\u202e" not in asked.value.message
