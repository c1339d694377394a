"""w, a second style, offsets for each layer; and that a change runs only the layers it reaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import igm_gui
from igm_gui.errors import InputError
from igm_gui.generators import registry
from igm_gui.generators.stylegan.styles import principal_directions
from igm_gui.generators.stylegan.synthesis2 import ModulatedConv
from igm_gui.generators.stylegan.synthesis3 import Layer3
from igm_gui.generators.stylegan.trail import Step, Trail
from igm_gui.latent.interpolate import between
from igm_gui.latent.point import Vector, conform, point_from_seed
from igm_gui.session import codec
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState

DATA = Path(__file__).parent.parent / "data" / "stylegan"
NETWORKS = sorted(path.stem for path in DATA.glob("*.pkl"))


@pytest.fixture(scope="module", params=NETWORKS)
def generator(request):
    return registry.load(str(DATA / f"{request.param}.pkl"))


@pytest.fixture(scope="module")
def two():
    return registry.load(str(DATA / "stylegan2-32-unconditional.pkl"))


def picture(generator, point):
    with torch.inference_mode():
        return generator.forward(generator.prepare([point])).clone()


def layers_with(generator, value, *layers):
    amounts = np.zeros(len(generator.info.styles.layers), np.float32)
    amounts[list(layers)] = value
    return Vector(amounts)


def test_every_row_of_w_has_a_name(generator):
    space = generator.info.styles
    ws = generator.map([point_from_seed(generator.info, 0)])
    assert tuple(ws.shape[1:]) == space.shape
    assert "styles" in generator.info.abilities
    assert space.layers[-1] == "colour"


def test_w_given_is_the_picture_of_its_z(generator):
    point = point_from_seed(generator.info, 5).with_value("truncation", 0.7)
    w = Vector(generator.map([point])[0].numpy())
    other = point_from_seed(generator.info, 9).with_value("w", w)
    assert torch.equal(picture(generator, other), picture(generator, point))


def test_layers_follow_a_second_style_exactly(generator):
    info = generator.info
    first, second = point_from_seed(info, 1), point_from_seed(info, 2)
    last = len(info.styles.layers) - 1
    mixed = first.with_value("mix", second.vector("z")).with_value(
        "mix_layers", layers_with(generator, 1, 0, last)
    )
    ws, a, b = (generator.map([p])[0] for p in (mixed, first, second))
    assert torch.equal(ws[[0, last]], b[[0, last]])
    assert torch.equal(ws[1:last], a[1:last])
    half = generator.map([mixed.with_value("mix_layers", layers_with(generator, 0.5, 1))])[0]
    assert torch.allclose(half[1], (a[1] + b[1]) / 2, atol=1e-5)


def test_offsets_move_one_layer_alone(generator):
    info = generator.info
    point = point_from_seed(info, 3)
    offset = np.zeros(info.styles.shape, np.float32)
    offset[2, 0] = 0.5
    moved, plain = (generator.map([p])[0] for p in (point.with_value("w_offset", Vector(offset)), point))
    difference = (moved - plain).numpy()
    assert difference[2, 0] == pytest.approx(0.5, abs=1e-6)
    assert np.count_nonzero(difference) == 1
    assert not torch.equal(
        picture(generator, point.with_value("w_offset", Vector(offset))), picture(generator, point)
    )


def test_points_with_and_without_edits_render_together(generator):
    info = generator.info
    plain = point_from_seed(info, 0)
    edits = plain.with_value("w_offset", Vector(np.full(info.styles.shape, 0.1, np.float32)))
    fixed = plain.with_value("w", Vector(np.zeros(info.styles.shape, np.float32)))
    together = generator.map([plain, edits, fixed])
    for row, point in zip(together, (plain, edits, fixed), strict=True):
        assert torch.allclose(row, generator.map([point])[0], atol=1e-6)


def test_an_edit_of_a_wrong_shape_is_refused_or_dropped(two):
    point = point_from_seed(two.info, 0).with_value("w_offset", Vector(np.zeros((2, 2), np.float32)))
    api = igm_gui.load(str(DATA / "stylegan2-32-unconditional.pkl"))
    with pytest.raises(InputError, match="w_offset"):
        api.render(point)
    assert conform(point, two.info).get("w_offset") is None
    session = Session(SessionState(model="m"))
    session.learn(two.info, "m")
    with pytest.raises(InputError):
        session.set_input("w_offset", Vector(np.zeros((2, 2), np.float32)))


def test_edits_are_undone_and_survive_a_project(two):
    session = Session(SessionState(model="m", point=point_from_seed(two.info, 4)))
    session.learn(two.info, "m")
    before = session.state.point
    offset = Vector(np.random.RandomState(0).randn(*two.info.styles.shape) / 7)
    session.set_input("w_offset", offset)
    assert session.state.point.seed == 4  # z is still the seed's
    dropped: list[str] = []
    back = codec.state_from_json(codec.state_to_json(session.state), dropped)
    assert back.point.vector("w_offset") == offset
    assert not dropped
    session.undo()
    assert session.state.point == before


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 0.99))
def test_edits_grow_from_nothing_on_the_way(t):
    offset = Vector(np.array([[1.0, -2.0]], np.float32))
    a = igm_gui.latent.LatentPoint((("z", Vector([1.0, 0.0])),))
    b = (
        a.with_value("w_offset", offset)
        .with_value("mix", Vector([0.0, 3.0]))
        .with_value("mix_layers", Vector([1.0]))
    )
    there, back = between(a, b, t), between(b, a, 1 - t)
    assert np.allclose(there.vector("w_offset").array, offset.array * t, atol=1e-6)
    assert np.allclose(there.vector("mix_layers").array, t, atol=1e-6)
    assert there.vector("mix") == Vector([0.0, 3.0])
    assert np.allclose(back.vector("w_offset").array, there.vector("w_offset").array, atol=1e-6)


def test_offsets_and_w_go_straight_on_a_timeline():
    a, b = (
        igm_gui.latent.LatentPoint((("w", Vector([x, 1.0 - x])), ("w_offset", Vector([x, 0.0]))))
        for x in (0.0, 1.0)
    )
    middle = between(a, b, 0.5, "slerp")
    assert middle.vector("w") == Vector([0.5, 0.5])
    assert middle.vector("w_offset") == Vector([0.5, 0.0])


class Count:
    """How many layers ran since the last question."""

    def __init__(self, generator):
        self.runs = 0
        self.handles = [
            module.register_forward_hook(self.seen)
            for module in generator.network.modules()
            if isinstance(module, ModulatedConv | Layer3)
        ]

    def seen(self, *_):
        self.runs += 1

    def take(self):
        runs, self.runs = self.runs, 0
        return runs


@pytest.fixture
def count(generator):
    generator._forget()
    counter = Count(generator)
    yield counter
    for handle in counter.handles:
        handle.remove()


def test_only_the_layers_after_a_change_run(generator, count):
    info = generator.info
    rows = len(info.styles.layers)
    layers = rows - 1  # the last row of StyleGAN2 only colours; StyleGAN3's first one is the input
    point = point_from_seed(info, 6)
    first = picture(generator, point)
    assert count.take() == layers
    assert torch.equal(picture(generator, point), first)
    assert count.take() == 0
    for row in (rows - 1, rows // 2, 1):
        offset = np.zeros(info.styles.shape, np.float32)
        offset[row] = 0.3
        moved = point.with_value("w_offset", Vector(offset))
        seen = picture(generator, moved)
        runs = count.take()
        assert 0 <= runs <= rows - row
        generator._forget()
        assert torch.equal(picture(generator, moved), seen)
        assert count.take() == layers
        picture(generator, point)
        count.take()


def test_other_noise_or_another_place_runs_what_it_reaches(generator, count):
    point = point_from_seed(generator.info, 6)
    name, value = ("noise", 0.5) if generator.info.input("noise") else ("rotate", 30.0)
    picture(generator, point)
    count.take()
    seen = picture(generator, point.with_value(name, value))
    assert count.take() > 0
    generator._forget()
    assert torch.equal(picture(generator, point.with_value(name, value)), seen)


def test_a_thumbnail_in_between_does_not_cost_the_dragged_picture_its_start(generator, count):
    info = generator.info
    point, other = point_from_seed(info, 1), point_from_seed(info, 2)
    picture(generator, point)
    picture(generator, other)
    count.take()
    picture(generator, point)
    assert count.take() == 0


def test_a_trail_keeps_no_more_than_its_budget():
    trail = Trail(budget=8 * 4 * 3, runs=1)
    calls = []

    def step(i):
        def run(state):
            calls.append(i)
            return torch.full((8,), float(i)), None, None

        return Step(i, run)

    steps = [step(i) for i in range(5)]
    trail.run(steps)
    trail.run(steps)
    assert calls == [0, 1, 2, 3, 4, 3, 4]  # three of 32 bytes were kept


def test_principal_directions_are_those_of_the_samples():
    axes = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1))).Q
    scales = torch.tensor([5.0, 3.0, 2.0, 0.5, 0.2, 0.1])
    samples = torch.randn(20_000, 6, generator=torch.Generator().manual_seed(2)) * scales @ axes
    found = principal_directions(samples, 3)
    assert torch.allclose(found.norm(dim=1), scales[:3], rtol=0.03)
    for row, axis in zip(found, axes, strict=False):
        assert abs(float(row / row.norm() @ axis)) > 0.99


def test_the_first_principal_direction_changes_pictures_most(two):
    space = two.info.styles
    lengths = [np.linalg.norm(row) for row in space.principal]
    assert lengths == sorted(lengths, reverse=True)
    assert len(space.principal) <= space.size
