"""The style family: networks against plain reference arithmetic, and the inputs' meaning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from igm_gui.errors import InputError, ModelError
from igm_gui.formats.card import Card, write_card
from igm_gui.generators import registry
from igm_gui.generators.base import CanEncode, CanMap
from igm_gui.generators.style import StyleGenerator, StyleNetwork
from igm_gui.generators.style.mapping import TransportMapping, balance, share
from igm_gui.generators.style.network import Encoder, Layout, StyleConv, Synthesis, ToRGB
from igm_gui.info import InputSpec, OutputSpec
from igm_gui.latent import LatentPoint, check, one_hot, point_from_seed

DIM, SIDE = 8, 32
LABELS = ("left", "middle", "right")


def card(n_layers: int) -> Card:
    return Card(
        name="tiny", family="style", output=OutputSpec("image", height=SIDE, width=SIDE, channels=3),
        inputs=(
            InputSpec("z", "latent", shape=(DIM,)),
            InputSpec("label", "label", classes=LABELS),
            InputSpec("truncation", "scalar", maximum=1.5, default=1.0),
            InputSpec("fine", "latent", shape=(DIM,)),
            InputSpec("coarse_layers", "scalar", maximum=n_layers, default=n_layers, step=1),
            InputSpec("noise", "scalar", maximum=3.0),
            InputSpec("noise_seed", "seed"),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module", params=[1, 2], ids=["full resolution", "2x2 pixels a place"])
def folder(request, tmp_path_factory):
    """A model folder with random weights, small enough for a test."""
    torch.manual_seed(0)
    channels = (10, 8, 6, 5) if request.param == 1 else (10, 8, 6)
    synthesis = Synthesis(DIM, Layout(DIM, 12, 2, 5, 4), channels, request.param)
    mapping = TransportMapping(30, DIM)
    mapping.anchors.normal_(std=1.5)
    mapping.anchor_labels.copy_(torch.arange(30) % len(LABELS))
    mapping.spread.uniform_(0.2, 0.4)
    balance(mapping, len(LABELS), samples=1024, rounds=50)
    network = StyleNetwork(mapping, synthesis, Encoder(DIM, (6, 8), SIDE), len(LABELS))
    network.w_avg.normal_()
    for name, parameter in network.named_parameters():
        if "noise_strength" in name or "to_rgb" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    path = tmp_path_factory.mktemp("models") / "tiny"
    path.mkdir()
    save_file(
        {key: value.contiguous() for key, value in network.state_dict().items()}, path / "model.safetensors"
    )
    write_card(path, card(synthesis.n_layers))
    return path


@pytest.fixture(scope="module")
def generator(folder) -> StyleGenerator:
    opened = registry.load(str(folder))
    assert isinstance(opened, StyleGenerator)
    return opened


def picture(generator: StyleGenerator, point: LatentPoint) -> np.ndarray:
    return generator.render([point])[0]


def test_modulating_activations_is_modulating_weights():
    """Against Karras et al. 2020, equations 1 and 3, written out one sample at a time."""
    torch.manual_seed(1)
    conv = StyleConv(5, 7, DIM, up=False)
    torch.nn.init.normal_(conv.bias)
    x, w = torch.randn(3, 5, 6, 6), torch.randn(3, DIM)
    rows = []
    for i in range(3):
        style = F.linear(w[i], conv.affine.weight * conv.affine.gain, conv.affine.bias)
        weight = conv.weight * conv.gain * style[None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        out = F.conv2d(x[i : i + 1], weight, padding=1) * 2**0.5
        rows.append(F.leaky_relu(out + conv.bias[:, None, None], 0.2))
    torch.testing.assert_close(conv(x, w, None), torch.cat(rows), rtol=1e-4, atol=1e-5)


def test_each_place_becomes_two_by_two_pixels():
    """The 12 channels of a place are the three colours of its four pixels, row by row."""
    to_rgb = ToRGB(4, DIM, pixels=2)
    torch.nn.init.zeros_(to_rgb.affine.weight)  # every style 1
    x = torch.randn(2, 4, 3, 3)
    with torch.no_grad():
        made = to_rgb(x, torch.randn(2, DIM))
    weight = to_rgb.weight[:, :, 0, 0] * to_rgb.gain
    assert made.shape == (2, 3, 6, 6)
    for colour, row, column in ((0, 0, 0), (1, 0, 1), (2, 1, 0)):
        values = x[:, :, 2, 1] @ weight[4 * colour + 2 * row + column]
        torch.testing.assert_close(made[:, colour, 4 + row, 2 + column], values)


def test_at_full_resolution_each_place_becomes_one_pixel():
    """A plain 3x3 convolution of the styled features."""
    to_rgb = ToRGB(4, DIM, pixels=1)
    x, w = torch.randn(2, 4, 5, 5), torch.randn(2, DIM)
    style = F.linear(w, to_rgb.affine.weight * to_rgb.affine.gain, to_rgb.affine.bias)
    plain = F.conv2d(x * style[:, :, None, None], to_rgb.weight * to_rgb.gain, padding=1)
    torch.testing.assert_close(to_rgb(x, w), plain + to_rgb.bias[:, None, None])


def test_the_mapping_runs_backwards(generator):
    mapping = generator.network.mapping
    z, label = torch.randn(64, DIM), torch.eye(3)[torch.randint(3, (64,))]
    back = mapping.inverse(mapping(z, label), label)
    torch.testing.assert_close(back, z, rtol=1e-4, atol=1e-4)


def test_the_mapping_shares_z_evenly_among_a_labels_anchors(generator):
    mapping = generator.network.mapping
    z = torch.randn(8192, DIM, generator=torch.Generator().manual_seed(5))
    mass = mapping.logits(z, torch.eye(3)[1].expand(8192, -1)).softmax(1).mean(0)
    members = mapping.anchor_labels == 1
    torch.testing.assert_close(mass[members], torch.full((10,), 0.1), rtol=0.0, atol=0.02)
    assert float(mass[~members].max()) == 0.0


def of_three_kinds() -> TransportMapping:
    """Anchors of three labels: far apart, near, and nearly alike."""
    generator = torch.Generator().manual_seed(3)
    mapping = TransportMapping(60, DIM, (3,))
    mapping.anchor_labels.copy_(torch.arange(60) % 3)
    apart = torch.tensor([2.0, 0.7, 0.2])[mapping.anchor_labels]
    mapping.anchors.copy_(apart[:, None] * torch.randn(60, DIM, generator=generator))
    mapping.spread.fill_(0.3)
    share(mapping, 3, 2.5)
    return mapping


def test_a_sample_mixes_as_many_anchors_whatever_its_label():
    mapping = of_three_kinds()
    z = torch.randn(4096, DIM, generator=torch.Generator().manual_seed(7))
    for label in torch.eye(3):
        p = mapping.logits(z, label.expand(4096, -1)).softmax(1)
        assert float(torch.special.entr(p).sum(1).exp().median()) == pytest.approx(2.5, abs=0.15)
    assert bool((mapping.epsilon[:-1] > 2 * mapping.epsilon[1:]).all())


def test_the_mapping_runs_backwards_with_an_epsilon_for_each_label_and_between_labels():
    mapping = of_three_kinds()
    z = torch.randn(24, DIM, generator=torch.Generator().manual_seed(8))
    label = torch.cat([torch.eye(3).repeat(4, 1), torch.tensor([[0.5, 0.2, 0.3]]).repeat(12, 1)])
    torch.testing.assert_close(mapping.inverse(mapping(z, label), label), z, rtol=1e-3, atol=1e-3)
    # Label weights need not sum to one: an epsilon is a mean of the labels' own.
    torch.testing.assert_close(mapping.width(2 * label), mapping.width(label))


def test_a_mixture_of_labels_reaches_the_anchors_of_both(generator):
    mapping = generator.network.mapping
    mass = mapping.logits(torch.zeros(1, DIM), torch.tensor([[0.5, 0.0, 0.5]])).softmax(1)[0]
    for label, some in ((0, True), (1, False), (2, True)):
        assert bool((mass[mapping.anchor_labels == label] > 0).all()) is some


def test_same_point_same_bytes_alone_and_in_a_batch(generator):
    points = [point_from_seed(generator.info, seed, seed % 3).with_value("noise", 1.0) for seed in range(4)]
    together = generator.render(points)
    assert together.shape == (4, SIDE, SIDE, 3)
    assert together.dtype == np.uint8
    np.testing.assert_array_equal(together, generator.render(points))
    for point, row in zip(points, together, strict=True):
        assert np.abs(picture(generator, point).astype(int) - row).max() <= 1


def test_truncation_zero_is_the_labels_mean_picture(generator):
    a, b = (
        picture(generator, point_from_seed(generator.info, seed, 1).with_value("truncation", 0.0))
        for seed in (1, 2)
    )
    np.testing.assert_array_equal(a, b)
    other = picture(generator, point_from_seed(generator.info, 1, 2).with_value("truncation", 0.0))
    assert not np.array_equal(a, other)


def test_map_gives_a_style_for_each_layer(generator):
    assert isinstance(generator, CanMap)
    points = [point_from_seed(generator.info, seed) for seed in range(3)]
    ws = generator.map(points)
    assert ws.shape == (3, len(generator.layer_names), DIM)
    np.testing.assert_array_equal(generator.synthesize(ws, points), generator.render(points))


def test_style_mixing_takes_the_late_layers_from_the_fine_style(generator):
    point = point_from_seed(generator.info, 5)
    swapped = point.with_value("z", point.vector("fine")).with_value("fine", point.vector("z"))
    none = point.with_value("coarse_layers", 0.0)
    np.testing.assert_array_equal(picture(generator, none), picture(generator, swapped))
    ws = generator.map([point, swapped, point.with_value("coarse_layers", 2.0)])
    torch.testing.assert_close(ws[2, :2], ws[0, :2])
    torch.testing.assert_close(ws[2, 2:], ws[1, 2:])


def test_noise_follows_its_seed_and_strength(generator):
    quiet = point_from_seed(generator.info, 3)
    loud = quiet.with_value("noise", 2.0)
    np.testing.assert_array_equal(
        picture(generator, quiet), picture(generator, quiet.with_value("noise_seed", 9))
    )
    assert not np.array_equal(picture(generator, quiet), picture(generator, loud))
    assert not np.array_equal(picture(generator, loud), picture(generator, loud.with_value("noise_seed", 9)))


@pytest.mark.parametrize("shape", [(SIDE, SIDE, 3), (100, 60, 4), (7, 90, 1), (1, 1, 3)])
def test_any_picture_finds_a_point(generator, shape):
    assert isinstance(generator, CanEncode)
    media = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    point = generator.encode(media)
    check(point, generator.info)
    assert picture(generator, point).shape == (SIDE, SIDE, 3)


def test_encoding_lands_on_the_encoders_w(generator):
    media = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    ws = generator.map([generator.encode(media)])
    x = torch.from_numpy(media.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.inference_mode():
        mean = generator.network.encoder(x)
    torch.testing.assert_close(ws[0], mean.expand_as(ws[0]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "media", [np.zeros((4, 4)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8)]
)
def test_what_is_no_picture_is_refused(generator, media):
    with pytest.raises(InputError, match="needs a picture"):
        generator.encode(media)


def test_other_tensors_are_refused_by_name(folder, tmp_path):
    write_card(tmp_path, card(6))
    save_file({"some.weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="no style-based generator"):
        registry.load(str(tmp_path))


def test_the_bundled_emoji_come_back_from_their_own_pictures():
    emoji = registry.load("emoji-64")
    info = emoji.info
    classes = info.input("label").classes
    n = len(classes)
    points = [
        LatentPoint(
            (
                ("z", point_from_seed(info, seed).vector("z")),
                ("label", one_hot(n, seed)),
                ("truncation", 0.7),
            ),
            seed,
        )
        for seed in range(n)
    ]
    made = emoji.render(points)
    assert made.shape == (n, 64, 64, 3)
    again = emoji.render([emoji.encode(one) for one in made])
    errors = np.abs(made.astype(float) - again).mean((1, 2, 3))
    strangers = np.abs(made.astype(float) - np.roll(again, 1, axis=0)).mean((1, 2, 3))
    assert np.median(errors) < 0.5 * np.median(strangers)


def ink(pictures: np.ndarray) -> np.ndarray:
    """Share of each picture that is not white."""
    return (pictures.min(axis=3) < 230).mean((1, 2))


def warmth(pictures: np.ndarray) -> np.ndarray:
    return (pictures[..., 0].astype(float) - pictures[..., 2]).mean((1, 2))


def brightness(pictures: np.ndarray) -> np.ndarray:
    return pictures.astype(float).mean((1, 2, 3))


@pytest.mark.parametrize(("name", "measure"), [("size", ink), ("warm", warmth), ("light", brightness)])
def test_the_bundled_directions_do_what_they_are_named_after(name, measure):
    emoji = registry.load("emoji-64")
    base = [point_from_seed(emoji.info, seed, seed % 16) for seed in range(32)]
    low, high = (emoji.render([p.with_value(f"direction:{name}", a) for p in base]) for a in (-3.0, 2.0))
    assert np.mean(measure(high) > measure(low)) > 0.85


def test_the_bundled_fine_style_changes_colours_and_keeps_the_layout():
    emoji = registry.load("emoji-64")
    points = [point_from_seed(emoji.info, seed, seed % 16) for seed in range(32)]
    plain, mixed = (emoji.render([p.with_value("coarse_layers", n) for p in points]) for n in (7.0, 3.0))
    fine = emoji.render([p.with_value("coarse_layers", 0.0) for p in points])
    assert np.abs(plain.astype(float) - mixed).mean() > 5
    # What is drawn where stays nearer to the picture of z than to that of the fine style.
    masks = [(pictures.min(axis=3) < 230) for pictures in (plain, mixed, fine)]
    assert np.mean(masks[1] != masks[0]) < 0.7 * np.mean(masks[1] != masks[2])
