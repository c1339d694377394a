"""The recipe of emoji-64: its data, factors and codes, and a whole tiny training."""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from igm_gui.formats.card import read_card
from igm_gui.generators import registry
from igm_gui.latent import point_from_seed
from models.recipes import emoji_64, emoji_adversarial, emoji_data, emoji_measure
from models.recipes import emoji_factors as factors
from models.recipes.emoji_mapping import ANCHORS, CONTENT, NEAR, W_DIM, fit_mapping
from models.recipes.emoji_morph import Morphs
from models.recipes.emoji_train import COARSE, N_LAYERS, Pictures, between, lesson

KINDS = (
    ("Smileys & Emotion", "face-smiling"), ("Food & Drink", "food-fruit"), ("Flags", "flag"),
    ("People & Body", "hand-fingers-open"),
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the package's layout with 120 coloured shapes, and entries that must be left out."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    table = []
    with tarfile.open(folder / (emoji_data.PACKAGE.replace("@", "-") + ".tgz"), "w:gz") as archive:

        def add(name: str, data: bytes) -> None:
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

        for i in range(120):
            picture = Image.new("RGBA", (64, 64))
            box = (*random.integers(2, 20, 2).tolist(), *random.integers(40, 62, 2).tolist())
            colour = (*random.integers(0, 255, 3).tolist(), 255)
            pen = ImageDraw.Draw(picture)
            (pen.ellipse if i % 2 else pen.rectangle)(box, fill=colour)
            file = io.BytesIO()
            picture.save(file, "PNG")
            category, subcategory = KINDS[i % len(KINDS)]
            entry = {
                "unified": f"{i:X}", "category": category, "subcategory": subcategory, "image": f"{i}.png",
                "sort_order": i, "short_name": f"shape {i}", "has_img_google": True,
            }  # fmt: skip
            table += [entry, entry | {"unified": f"{i:X}-27A1-FE0F"}]  # the second is a mirrored variant
            add(f"img/google/64/{i}.png", file.getvalue())
        add("emoji.json", json.dumps(table).encode())
    return folder


@pytest.fixture(scope="module")
def pictures(data: Path) -> Pictures:
    return Pictures(emoji_data.load(data))


def test_the_data_are_on_white_without_repeats_and_one_in_ten_is_held_out(data: Path) -> None:
    emoji = emoji_data.load(data)
    assert emoji.pictures.shape == (120, 64, 64, 3)
    assert bool((emoji.pictures[:, 0, 0] == 255).all())
    assert emoji.held_out.sum() == 12
    assert {emoji_data.LABELS[label] for label in emoji.labels} == {"face", "food", "flag", "hand"}


def disc(colour: tuple[int, int, int]) -> torch.Tensor:
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).ellipse((12, 20, 50, 44), fill=colour)
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def changed(name: str, amount: float, colour: tuple[int, int, int] = (200, 90, 60)) -> torch.Tensor:
    a = torch.zeros(1, factors.N_FACTORS)
    a[0, list(factors.FACTORS).index(name)] = amount
    return factors.apply(disc(colour), a)


def test_no_factor_leaves_a_picture_as_it_is() -> None:
    for name in factors.FACTORS:
        torch.testing.assert_close(changed(name, 0.0), disc((200, 90, 60)), rtol=0.0, atol=0.0)


@pytest.mark.parametrize("name", list(factors.FACTORS))
def test_a_factor_does_what_its_name_says(name: str) -> None:
    ink = {end: (changed(name, end)[0].amin(0) < 0.9).nonzero().float() for end in (-1.5, 0.8)}
    extent = {end: places.std(0) for end, places in ink.items()}
    middle = {end: changed(name, end)[0, :, 32, 32] for end in (-1.5, 0.8)}
    low, high = middle[-1.5], middle[0.8]
    if name == "size":
        assert len(ink[0.8]) > 1.5 * len(ink[-1.5])
    elif name == "tall":
        ratio = {end: float(sides[0] / sides[1]) for end, sides in extent.items()}
        assert ratio[0.8] > 1.3 * ratio[-1.5]
    elif name == "tilt":  # clockwise: what is right goes down, to higher rows
        slope = {end: float(torch.cov(places.T)[0, 1]) for end, places in ink.items()}
        assert slope[-1.5] < 0 < slope[0.8]
    elif name == "hue":
        assert int(low.argmax()) == 0
        assert not torch.allclose(low, high, atol=0.2)
        assert float(low.mean()) == pytest.approx(float(high.mean()), abs=0.15)
    elif name == "vivid":
        assert high.max() - high.min() > 1.5 * (low.max() - low.min())
    elif name == "light":
        assert float(high.mean()) > float(low.mean()) + 0.3
    else:
        assert float(high[0] - high[2]) > float(low[0] - low[2]) + 0.3


def test_colours_leave_black_and_white() -> None:
    a = torch.zeros(2, factors.N_FACTORS)
    a[:, 3:] = torch.tensor([1.0, -2.0, 0.5, 1.0])
    ends = torch.tensor([-1.0, 1.0])[:, None, None, None].expand(2, 3, 4, 4)
    torch.testing.assert_close(factors.apply(ends, a), ends, rtol=0.0, atol=0.05)


def test_a_lesson_gives_the_fine_layers_the_colours(pictures: Pictures) -> None:
    torch.manual_seed(0)
    ws, real, labels = lesson(pictures, 8, 4)
    assert ws.shape == (8, N_LAYERS, W_DIM)
    assert real.shape == (8, 3, 64, 64)
    assert labels.shape == (8,)
    assert bool((ws[:4, 0] != ws[:4, COARSE]).any(1).all())
    assert bool((ws[4:] == ws[4:, :1]).all())
    # What is drawn where is the same in both styles.
    geometry = ws[:4, :, CONTENT : CONTENT + 3]
    assert bool((geometry == geometry[:, :1]).all())


def test_alike_pictures_have_alike_codes(pictures: Pictures) -> None:
    codes = pictures.codes(pictures.pictures)
    assert float(codes.square().mean()) == pytest.approx(1.0, abs=0.05)
    variance = codes.var(0)
    assert bool((variance[:-1] >= variance[1:] - 1e-4).all())  # the layout counts more than details
    shifted = pictures.codes(pictures.pictures + 0.02 * torch.randn_like(pictures.pictures))
    assert bool((torch.cdist(shifted, codes).argmin(1) == torch.arange(len(codes))).all())


def cut_out(box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> np.ndarray:
    picture = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(picture).ellipse(box, fill=(*colour, 255))
    return np.asarray(picture)


def test_a_mixture_of_two_has_a_shape_between_theirs_and_no_ghosts() -> None:
    discs = np.stack([cut_out((22, 22, 41, 41), (220, 40, 40)), cut_out((2, 2, 61, 61), (40, 40, 220))])
    pictures = torch.from_numpy(np.stack([emoji_data.on_white(one) for one in discs]))
    pictures = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    morphs = Morphs(discs, pictures)
    torch.testing.assert_close(morphs(torch.eye(2)), pictures, rtol=0.0, atol=0.02)
    middle = morphs(torch.tensor([[0.5, 0.5]]))[0]
    ink = middle.amin(0) < 0.9
    radius = (float(ink.sum()) / torch.pi) ** 0.5
    assert radius == pytest.approx(20, abs=1)  # between 10 and 30
    # Nothing is pale: within the outline no pixel lets the white through.
    assert float(middle.amin(0)[ink].quantile(0.9)) < 0.2
    even = [float((morphs(torch.tensor([[1 - t, t]]))[0].amin(0) < 0.9).sum()) ** 0.5 for t in (0, 0.5, 1)]
    assert even[1] - even[0] == pytest.approx(even[2] - even[1], rel=0.1)


def test_what_lies_between_is_the_mapping_s_and_its_picture_the_mixture(pictures: Pictures) -> None:
    torch.manual_seed(0)
    mapping = fit_mapping(pictures.codes, pictures.pictures, pictures.labels, ANCHORS)
    ws, real, labels = between(pictures, mapping, 16)
    assert ws.shape == (16, N_LAYERS, W_DIM)
    assert real.shape == (16, 3, 64, 64)
    assert float(real.abs().max()) <= 1
    # Without its noise and factors a style is a mean of the anchors of its label: it lies in their hull.
    for w, label in zip(ws[:, 0], labels, strict=True):
        anchors = mapping.anchors[mapping.anchor_labels == label][:, :CONTENT]
        assert float(w[:CONTENT].norm()) < float(anchors.norm(dim=1).max()) + 4 * NEAR * CONTENT**0.5


def test_the_discriminator_sees_a_pair_alike_and_the_gradient_comes_through(pictures: Pictures) -> None:
    real = pictures.pictures[:8]
    made = real.clone().requires_grad_()
    both = emoji_adversarial.augment_alike(real, made)
    torch.testing.assert_close(both[:8], both[8:])
    both[8:].square().sum().backward()
    assert made.grad is not None
    assert bool((made.grad.abs().sum((1, 2, 3)) > 0).all())


def options(tmp_path: Path, data: Path, steps: int) -> argparse.Namespace:
    return argparse.Namespace(
        steps=steps, seed=3, data=data, out=tmp_path / "models", work=tmp_path / "work", threads=1, note="",
        fresh=False,
    )  # fmt: skip


def test_the_recipe_writes_a_model_that_opens(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = options(tmp_path, data, 2)
    monkeypatch.setattr(emoji_64, "options", lambda *_args, **_kwargs: args)
    monkeypatch.setattr(emoji_64, "prepare", lambda args: torch.manual_seed(args.seed))
    for name in ("STEPS", "ADVERSARIAL_STEPS", "ENCODER_STEPS"):
        monkeypatch.setattr(emoji_64, name, 2)
    quality, speed = emoji_measure.quality, emoji_measure.speed
    monkeypatch.setattr(emoji_measure, "quality", lambda network, emoji: quality(network, emoji, samples=16))
    monkeypatch.setattr(emoji_measure, "speed", lambda network: speed(network, seconds=0.05))
    found = emoji_measure.directions
    monkeypatch.setattr(emoji_measure, "directions", lambda network, emoji: found(network, emoji, count=4))
    monkeypatch.setattr(emoji_64, "label_averages", lambda mapping: torch.zeros(16, W_DIM))
    emoji_64.main()
    folder = tmp_path / "models" / "emoji-64"
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "card.json", "preview.png"}
    card = read_card(folder)
    assert card.training is not None
    assert card.training.command == f"python -m {emoji_64.__name__}"
    assert card.training.steps == 6
    assert [direction.name for direction in card.directions] == list(factors.FACTORS)
    model = registry.load(str(folder))
    point = point_from_seed(model.info, 0, 4)
    picture = model.render([point])
    assert picture.shape == (1, 64, 64, 3)

    # The same command again goes on from the finished checkpoints, and ends at the same weights.
    before = (folder / "model.safetensors").read_bytes()
    emoji_64.main()
    assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(("jump", "largest", "share"), [(False, 1.0, 3 / 32), (True, 32.0, 1.0)])
def test_evenness_tells_a_steady_change_from_a_jump(
    jump: bool, largest: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(_network: object, z: torch.Tensor, _labels: torch.Tensor) -> torch.Tensor:
        t = torch.linspace(0, 1, len(z))
        return (t.gt(0.4).float() if jump else t)[:, None, None, None].expand(-1, 3, 4, 4)

    monkeypatch.setattr(emoji_measure, "sample", drawn)
    found = emoji_measure.evenness(None, torch.tensor([0, 3, 5]))  # type: ignore[arg-type]
    assert found[0] == pytest.approx(largest, rel=1e-3)
    assert found[1] == pytest.approx(share, rel=1e-3)


def test_the_way_between_two_points_keeps_to_the_sphere_and_has_equal_angles() -> None:
    a, b = torch.randn(2, W_DIM, generator=torch.Generator().manual_seed(0))
    way = emoji_measure.slerp(a / a.norm(), b / b.norm(), 9)
    torch.testing.assert_close(way.norm(dim=1), torch.ones(9))
    torch.testing.assert_close(way[0], a / a.norm())
    cosines = (way[1:] * way[:-1]).sum(1)
    torch.testing.assert_close(cosines, cosines[:1].expand(8))
