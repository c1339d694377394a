"""The fashion family, uniform pixels and flow matching: from weights on disk to pictures and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from igm_gui.errors import InputError, ModelError
from igm_gui.formats.card import Card, write_card
from igm_gui.formats.library import bundled
from igm_gui.generators import registry
from igm_gui.generators.base import CanEncode, CanStep
from igm_gui.generators.fashion.family import FashionNetwork, as_garment
from igm_gui.generators.fashion.network import FashionEncoder, FashionGenerator
from igm_gui.generators.flow.family import FlowModel
from igm_gui.generators.flow.network import FlowSampler, Velocity, dct_basis, follow
from igm_gui.generators.uniform import picture_count
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent import Vector, one_hot, point_from_seed
from models.recipes.common.classifier import judge, load_classifier

OUTPUT = OutputSpec("image", height=28, width=28, channels=1)
CLASSES = tuple("abcde")


def shaken(build: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """A network with all weights random, so that no part of it is dead."""
    torch.manual_seed(0)
    network = build()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    return network.eval()


def write_folder(folder: Path, family: str, network: torch.nn.Module, inputs: tuple[InputSpec, ...]) -> Path:
    folder.mkdir()
    save_file({key: t.contiguous() for key, t in network.state_dict().items()}, folder / "model.safetensors")
    write_card(folder, Card(name=folder.name, family=family, output=OUTPUT, inputs=inputs))
    return folder


def inputs(z_dim: int = 12) -> tuple[InputSpec, ...]:
    return (InputSpec("z", "latent", shape=(z_dim,)), InputSpec("label", "label", classes=CLASSES))


@pytest.mark.parametrize("with_encoder", [False, True])
def test_sizes_are_read_from_the_weights(tmp_path: Path, with_encoder: bool) -> None:
    def build() -> FashionNetwork:
        encoder = FashionEncoder(12, 5, 16) if with_encoder else None
        return FashionNetwork(FashionGenerator(12, 5, width=16, style_dim=24), encoder)

    network = shaken(build)
    model = registry.load(str(write_folder(tmp_path / "small", "fashion", network, inputs())))
    assert model.info.abilities == (("encode",) if with_encoder else ())
    assert model.info.parameters == sum(p.numel() for p in network.parameters())
    point = point_from_seed(model.info, 3, 2)
    z, label = torch.tensor(point.vector("z").array)[None], torch.eye(5)[2:3]
    with torch.no_grad():
        expected = network(z, label)
    batch = model.prepare([point])
    torch.testing.assert_close(model.forward(batch), expected, rtol=1e-4, atol=1e-5)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    network = shaken(lambda: FashionNetwork(FashionGenerator(12, 5, 16, 24)))
    network.generator.out28 = torch.nn.Conv2d(8, 3, 3)  # type: ignore[assignment,union-attr]
    folder = write_folder(tmp_path / "wrong", "fashion", network, inputs())
    with pytest.raises(ModelError, match="out28"):
        registry.load(str(folder))


def test_a_picture_is_the_same_alone_and_among_others() -> None:
    model = registry.load("fashion-gan")
    points = [point_from_seed(model.info, seed, seed % 10) for seed in range(12)]
    together = model.render(points).astype(int)
    alone = np.concatenate([model.render([point]) for point in points]).astype(int)
    assert together.shape == (12, 28, 28, 1)
    assert np.abs(together - alone).max() <= 1
    assert len({picture.tobytes() for picture in together}) == 12


def test_a_label_mixture_lies_between_its_classes() -> None:
    model = registry.load("fashion-gan")
    shoe, boot = point_from_seed(model.info, 1, 7), point_from_seed(model.info, 1, 9)
    half = shoe.with_value("label", Vector((one_hot(10, 7).array + one_hot(10, 9).array) / 2))
    a, m, b = model.render([shoe, half, boot]).astype(float)
    ends = np.abs(a - b).mean()
    assert 0 < np.abs(a - m).mean() < ends
    assert 0 < np.abs(b - m).mean() < ends


def test_uniform_pixels_use_all_levels_alike() -> None:
    model = registry.load("uniform-pixels")
    pictures = model.render([point_from_seed(model.info, seed) for seed in range(300)])
    counts = np.bincount(pictures.ravel(), minlength=256)
    expected = pictures.size / 256
    chi2 = np.square(counts - expected).sum() / expected
    assert 170 < chi2 < 350  # 255 degrees of freedom: mean 255, standard deviation 22.6
    assert model.info.input("z").shape == (28, 28, 1)


def test_uniform_pixels_follow_their_sliders() -> None:
    model = registry.load("uniform-pixels")
    point = point_from_seed(model.info, 0)
    brighter = point.with_value("z", point.vector("z").replace(28 * 3 + 5, 1.0))
    a, b = model.render([point, brighter])
    assert b[3, 5, 0] == 255
    assert (a != b).sum() == 1


@pytest.mark.parametrize(("size", "expected"), [((28, 28, 1), (1.15, 1888)), ((1, 1, 1), (2.56, 2))])
def test_how_many_pictures_there_are(size: tuple[int, int, int], expected: tuple[float, int]) -> None:
    mantissa, exponent = picture_count(*size)
    assert exponent == expected[1]
    assert mantissa == pytest.approx(expected[0], rel=0.05)
    assert len(str(256 ** (size[0] * size[1] * size[2]))) == exponent + 1


def test_uniform_pixels_refuse_a_card_of_another_shape(tmp_path: Path) -> None:
    spec = InputSpec("z", "latent", shape=(14, 14, 1), prior="uniform")
    write_card(tmp_path, Card(name="u", family="uniform", output=OUTPUT, inputs=(spec,)))
    with pytest.raises(ModelError, match=r"28, 28, 1"):
        registry.load(str(tmp_path))


def test_the_encoders_eye_takes_any_picture() -> None:
    garment = np.zeros((28, 28, 1), np.uint8)
    garment[6:24, 8:20] = 200
    straight = as_garment(garment)
    photograph = np.repeat(np.repeat(255 - garment, 10, axis=0), 10, axis=1)
    assert torch.allclose(as_garment(photograph), straight, atol=0.01)
    colour = np.repeat(photograph, 3, axis=2)
    assert torch.allclose(as_garment(colour), straight, atol=0.02)
    cut_out = np.dstack([np.full((280, 280, 3), 200, np.uint8), (photograph[:, :, 0] < 200) * np.uint8(255)])
    assert torch.allclose(as_garment(cut_out), straight, atol=0.02)
    assert as_garment(np.zeros((40, 10, 3), np.uint8)).shape == (1, 1, 28, 28)
    with pytest.raises(InputError, match="float32"):
        as_garment(np.zeros((28, 28, 1), np.float32))


def flow_inputs() -> tuple[InputSpec, ...]:
    return (
        *inputs(64),
        InputSpec("steps", "scalar", minimum=1, maximum=50, default=4, step=1),
        InputSpec("guidance", "scalar", minimum=0, maximum=4, default=1),
        InputSpec("progress", "scalar", maximum=1, default=1),
        InputSpec("noise_seed", "seed"),
    )


@pytest.fixture
def flow(tmp_path: Path) -> FlowModel:
    network = shaken(lambda: FlowSampler(Velocity(5, width=16, style_dim=24, depth=1)))
    return registry.load(str(write_folder(tmp_path / "flow", "flow", network, flow_inputs())))


def test_the_flow_can_be_watched_and_ends_at_the_picture(flow: FlowModel) -> None:
    point = point_from_seed(flow.info, 5, 1).with_value("steps", 6.0)
    assert isinstance(flow, CanStep)
    frames = list(flow.steps(point))
    assert len(frames) == 7
    assert all(frame.shape == (28, 28, 1) and frame.dtype == np.uint8 for frame in frames)
    final = flow.render([point])[0]
    assert np.abs(frames[-1].astype(int) - final).max() <= 1


def test_the_way_is_the_path_in_straight_pieces(flow: FlowModel) -> None:
    """At k/n the state after k of n steps; halfway between two of them their mean."""
    point = point_from_seed(flow.info, 5, 1).with_value("steps", 4.0)
    states = [frame.astype(int) for frame in flow.steps(point)]
    shown = flow.render([point.with_value("progress", k / 8) for k in range(9)]).astype(int)
    for k in range(5):
        assert np.abs(shown[2 * k] - states[k]).max() <= 1
    inside = (np.stack(states[1:3]) > 0).all(0) & (np.stack(states[1:3]) < 255).all(0)  # not clipped
    assert np.abs(shown[3] - (states[1] + states[2]) / 2)[inside].max() <= 1.5
    early, late = shown[0], shown[8]
    assert np.abs(early - late).mean() > 20


def test_the_rows_of_a_batch_may_differ_in_steps_and_guidance(flow: FlowModel) -> None:
    first = point_from_seed(flow.info, 0, 0).with_value("steps", 2.0)
    second = point_from_seed(flow.info, 1, 1).with_value("guidance", 2.5)
    together = flow.render([first, second]).astype(int)
    assert np.abs(together[0] - flow.render([first])[0]).max() <= 1
    assert np.abs(together[1] - flow.render([second])[0]).max() <= 1
    plain = flow.render([second.with_value("guidance", 1.0)])[0]
    assert (plain != together[1]).any()


def test_euler_and_midpoint_agree_with_an_exact_path() -> None:
    """On dx/dt = x, whose path from x is x e^t, the first rule errs by O(dt), the second by O(dt^2)."""

    def velocity(x: torch.Tensor, _t: torch.Tensor, _label: torch.Tensor) -> torch.Tensor:
        return x

    x, label = torch.ones(1, 1, 2, 2), torch.ones(1, 5)
    ends = {}
    for midpoint in (False, True):
        *_, (end, _) = follow(velocity, x, label, 4, midpoint=midpoint)  # type: ignore[arg-type]
        ends[midpoint] = float(end[0, 0, 0, 0])
    assert ends[False] == pytest.approx(1.25**4)
    assert ends[True] == pytest.approx((1 + 0.25 + 0.25**2 / 2) ** 4)


def test_the_bundled_flow_needs_few_steps() -> None:
    """Its paths are nearly straight: four looks end close to where sixteen do, and the class is seen."""
    model = registry.load("fashion-flow")
    steps = model.info.input("steps")
    assert steps.default <= 4
    points = [point_from_seed(model.info, seed, seed % 10) for seed in range(100)]
    few = np.asarray(model.render(points))
    many = np.asarray(model.render([point.with_value("steps", 16.0) for point in points[:20]]))
    apart = np.abs(few[:20].astype(float) - many).mean()
    others = np.abs(few[:20].astype(float) - few[10:30]).mean()  # another garment of the same class
    assert apart < 0.4 * others
    _, named = judge(load_classifier(), torch.from_numpy(few).permute(0, 3, 1, 2))
    assert (named == torch.arange(100) % 10).float().mean() > 0.82  # 90 %, less three standard errors


def test_the_flows_noise_is_standard_normal_with_z_in_its_low_frequencies() -> None:
    basis = dct_basis(28, 8)
    torch.testing.assert_close(basis @ basis.T, torch.eye(64), atol=1e-5, rtol=0)
    sampler = FlowSampler(Velocity(width=16))
    torch.manual_seed(0)
    z = torch.randn(400, 64)
    noise = sampler.noise(z, torch.arange(400))
    torch.testing.assert_close(noise.flatten(1) @ basis.T, z, atol=1e-4, rtol=0)
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.std()) - 1) < 0.01
    assert torch.equal(sampler.noise(z[:1], torch.tensor([7])), sampler.noise(z[:1], torch.tensor([7])))


@pytest.mark.parametrize("name", ["fashion-vae"])
def test_a_dropped_picture_finds_its_place(name: str) -> None:
    model = registry.load(name)
    assert isinstance(model, CanEncode)
    reference = np.load(Path(model.info.path).parent / "reference/fashion-mnist-test/test.npz")
    pictures, labels = reference["images"][:200], reference["labels"][:200]
    found = [model.encode(picture) for picture in pictures]
    named = [int(point.vector("label").array.argmax()) for point in found]
    assert np.mean(np.asarray(named) == labels) > 0.75
    drawn = model.render(found).astype(float)
    error = np.square(drawn - pictures).mean()
    elsewhere = np.square(drawn - np.roll(pictures, 10, axis=0)).mean()  # the next of the same class
    assert error < 0.5 * elsewhere


@pytest.mark.parametrize("name", ["fashion-gan", "fashion-wgan-gp", "fashion-vae"])
def test_a_judge_names_the_class_that_was_asked_for(name: str) -> None:
    """The card's figure (benchmarks/fashion_quality.py) reaches 90 %, and a small sample bears it out."""
    model = registry.load(name)
    assert model.info.card["quality"]["class_named"] >= 0.9  # type: ignore[index]
    points = [point_from_seed(model.info, seed, seed % 10) for seed in range(200)]
    pictures = torch.from_numpy(np.asarray(model.render(points))).permute(0, 3, 1, 2)
    _, named = judge(load_classifier(), pictures)
    right = (named == torch.arange(200) % 10).float().mean()
    assert right > 0.84  # 90 % of 200, less three standard errors


def test_one_generator_was_trained_with_each_distance() -> None:
    """The point of the family: the same network, data and z; only the distance differs; cards name it."""
    models = [registry.load(name) for name in bundled() if name.startswith("fashion-")]
    assert len(models) == 7
    assert len({model.info.card["distance"]["formula"] for model in models}) == 7  # type: ignore[index]
    drawn = [model.network for model in models if isinstance(model.network, FashionNetwork)]
    assert len(drawn) == 6
    assert len({tuple(p.shape for p in network.generator.parameters()) for network in drawn}) == 1
    weights = [network.generator.start.weight.flatten() for network in drawn]
    likeness = torch.corrcoef(torch.stack(weights)) - torch.eye(6)
    assert float(likeness.abs().max()) < 0.9, "one was made from another"


@pytest.mark.parametrize("name", [name for name in bundled() if name.startswith("fashion-")])
def test_named_directions_do_what_they_say(name: str) -> None:
    model = registry.load(name)
    tone = next(d for d in model.info.directions if d.name == "tone")
    points = [point_from_seed(model.info, seed, seed % 10) for seed in range(20)]
    darker, lighter = (
        model.render([p.with_value(f"direction:{tone.name}", amount) for p in points])
        for amount in (-2.0, 2.0)
    )
    worn = np.maximum(darker, lighter) > 30
    change = [float(b[m].mean()) - float(a[m].mean()) for a, b, m in zip(darker, lighter, worn, strict=True)]
    assert np.mean(np.asarray(change) > 0) > 0.8
