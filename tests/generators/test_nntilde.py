"""nn~ exports (.ts): scripted modules with RAVE's interface play, stream, encode and are measured."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.card import Card
from igm_gui.formats.side_card import write_side_card
from igm_gui.generators import registry
from igm_gui.info import OutputSpec
from igm_gui.latent.point import Vector, check, point_from_seed
from tests.generators.nntilde_exports import (
    FULL,
    RATE,
    RATIO,
    SIZE,
    DiscreteExport,
    Export,
    Late,
    NoDecode,
    SphericalExport,
    VariationalExport,
    WithAttributes,
    save,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


def load(tmp_path, module):
    return registry.load(save(tmp_path, module))


def with_z(info, values):
    return point_from_seed(info, 0).with_value("z", Vector(np.asarray(values, np.float32)))


def streamed(generator, point, block, count):
    stream = generator.stream()
    return np.concatenate([stream.block(point, block) for _ in range(count)], 1)[0]


def test_it_is_asked_about_first(tmp_path):
    with pytest.raises(trust.TrustNeeded):
        registry.load(save(tmp_path, Export(), yes=False))


def test_without_a_decoder(tmp_path):
    with pytest.raises(ModelError, match="no decode"):
        load(tmp_path, NoDecode())


def test_latents_become_sound(tmp_path):
    g = load(tmp_path, Export())
    info = g.info
    assert (info.media, info.output.sample_rate, info.latent.size) == ("sound", RATE, SIZE)
    assert set(info.abilities) == {"stream", "encode"}
    assert not info.warnings
    point = point_from_seed(info, 3)
    sound = g.render([point])
    assert sound.shape == (1, 1, info.output.samples)
    assert (sound == g.render([point])).all()
    space = g.space
    raw = np.array(space.centre) + np.array(space.scale) * point.vector("z").array
    expected = torch.tanh(torch.from_numpy(raw.astype(np.float32)) @ g.network.waves)
    assert np.abs(sound[0, 0, 5 * RATIO : 6 * RATIO] - expected.numpy()).max() < 1e-5


def test_its_own_noise_follows_the_seed(tmp_path):
    g = load(tmp_path, Export(noisy=True))
    assert not g.info.warnings, "noise is no seam"
    point = point_from_seed(g.info, 0)
    state = torch.random.get_rng_state()
    first, again = g.render([point]), g.render([point])
    other = g.render([point.with_value("noise_seed", 5)])
    assert (first == again).all()
    assert (first != other).any()
    assert (streamed(g, point, 500, 8) == streamed(g, point, 500, 8)).all(), "an export is the same each time"
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize("block", [64, 256, 300, 1000])
def test_blocks_of_any_length_join_without_seams(tmp_path, block):
    g = load(tmp_path, Export())
    point = point_from_seed(g.info, 1)
    joined = streamed(g, point, block, 12)
    whole = g.render([point])[0, 0][: len(joined)]
    assert np.abs(joined - whole[: len(joined)]).max() < 1e-5


def test_a_rendering_between_two_blocks_does_not_disturb_the_stream(tmp_path):
    g = load(tmp_path, Export())
    point, other = point_from_seed(g.info, 1), point_from_seed(g.info, 9)
    quiet = streamed(g, point, RATIO, 6)
    stream = g.stream()
    parts = []
    for _ in range(6):
        parts.append(stream.block(point, RATIO))
        g.render([other])
        g.stream().block(other, RATIO)
    assert (np.concatenate(parts, 1)[0] == quiet).all()


def test_a_held_latent_is_there_from_the_start_without_a_click(tmp_path):
    g = load(tmp_path, Late())
    sound = g.render([point_from_seed(g.info, 3)])[0, 0]
    assert sound[0] == 0
    assert np.abs(sound[RATIO : 2 * RATIO] - sound[-RATIO:]).max() < 1e-5
    quiet = np.abs(streamed(g, point_from_seed(g.info, 3), 100, 20) - sound[:2000]).max()
    assert quiet < 1e-5


def test_a_move_glides(tmp_path):
    g = load(tmp_path, Export())
    stream = g.stream()
    a, b = point_from_seed(g.info, 1), point_from_seed(g.info, 2)
    stream.block(a, 2048)
    moved = stream.block(b, 2048)
    settled = stream.block(b, 2048)
    assert (moved != settled).any()
    assert np.abs(settled).max() <= 1


def test_an_offline_export_is_told(tmp_path):
    assert "seams" in load(tmp_path, Export(streaming=False)).info.warnings[0]


def test_the_delay_is_measured_and_told(tmp_path):
    g = load(tmp_path, Export(memory=4))
    assert g.info.delay == pytest.approx(0.0, abs=0.01), "half of the change comes at once"
    slow = load(tmp_path, Late())
    assert slow.info.delay == pytest.approx(20 * RATIO / RATE, abs=0.006)
    assert f"{slow.info.delay * 1000:.0f} ms" in slow.info.description


def test_sliders_span_the_latents_of_music(tmp_path):
    g = load(tmp_path, Export())
    scale = np.array(g.space.scale)
    assert (scale != 1).all()
    assert "encoding music" in g.info.latent.description
    # A latent of plus two deviations is what nn~ has as centre + 2 scale.
    raw = g.space.to_decoder(torch.full((SIZE, 1), 2.0))[:, 0].numpy()
    assert np.allclose(raw, np.array(g.space.centre) + 2 * scale)
    assert np.allclose(g.space.from_decoder(raw), 2.0, atol=1e-5)


def test_without_an_encoder_the_numbers_stay(tmp_path):
    g = load(tmp_path, Export(encodes=False))
    assert set(g.info.abilities) == {"stream"}
    assert (np.array(g.space.scale) == 1).all()
    with pytest.raises(ModelError, match="no encode"):
        g.encode(np.ones((1, RATE), np.float32), RATE)


def test_all_dimensions_of_a_variational_export_are_sliders(tmp_path):
    g = load(tmp_path, VariationalExport())
    latent = g.info.latent
    assert latent.size == FULL
    assert latent.dimensions[0] == "latent 0 · 50.0%"
    assert latent.dimensions[SIZE].startswith("residual")
    point = point_from_seed(g.info, 1)
    still, again = g.render([point]), g.render([point.with_value("noise_seed", 7)])
    assert (still == again).all(), "held still, nothing is left to chance"
    fresh = point.with_value("fresh_noise", 1.0)
    assert (g.render([fresh]) != still).any()
    assert (g.render([fresh]) == g.render([fresh])).all()
    other = point.vector("z").array.copy()
    other[SIZE:] = 0
    assert (
        np.abs(g.render([with_z(g.info, other).with_value("fresh_noise", 1.0)]) - g.render([fresh])).max()
        < 0.5
    )
    assert (g.render([point.with_value("z", Vector(other))]) != still).any()


def test_an_older_variational_export_keeps_its_noise(tmp_path):
    g = load(tmp_path, VariationalExport(tolerant=False))
    assert g.info.latent.size == SIZE
    assert g.info.input("fresh_noise") is None
    point = point_from_seed(g.info, 1)
    assert (g.render([point]) == g.render([point])).all()
    assert (g.render([point]) != g.render([point.with_value("noise_seed", 2)])).any()


def test_only_listed_methods_count(tmp_path):
    g = load(tmp_path, VariationalExport())
    assert "prior" not in g.info.description  # every RAVE export has the function; this one's does not work
    assert "encode, decode, forward" in g.info.description


def test_codes_of_a_discrete_export(tmp_path):
    g = load(tmp_path, DiscreteExport())
    assert (g.space.kind, g.space.codes, g.info.latent.prior) == ("codes", 64, "uniform")
    sound = g.render([with_z(g.info, [1.0, -1.0])])[0, 0, RATIO:]
    assert np.allclose(sound, 63 / 64 / 2)
    middle = g.render([with_z(g.info, [0.013, 0.013])])[0, 0, -1] * 64
    assert middle == round(float(middle)), "between two codes it jumps"
    found = g.encode(np.full((1, RATE), 0.5, np.float32), RATE)
    assert g.space.to_decoder(torch.from_numpy(found.vector("z").array.copy())[:, None])[0, 0] == 32


def test_angles_of_a_spherical_export(tmp_path):
    g = load(tmp_path, SphericalExport())
    assert (g.space.kind, g.info.latent.prior) == ("angles", "uniform")
    assert np.abs(point_from_seed(g.info, 2).vector("z").array).max() <= 1


def test_attributes_are_inputs(tmp_path):
    g = load(tmp_path, WithAttributes())
    names = [spec.name for spec in g.info.inputs]
    assert names == [
        "z", "attribute:gain", "attribute:muted", "attribute:count", "attribute:pair:0", "attribute:pair:1",
    ]  # fmt: skip
    assert "label" in g.info.warnings[0]
    assert "don't reach the decoder: idle" in g.info.description
    before = float(g.network.times_set)  # tried when it was opened first
    point = point_from_seed(g.info, 0)

    def level(p):
        return float(g.render([p])[0, 0, -1])

    assert level(point) == pytest.approx(0.5 * 2 / 8 + 0.03)
    assert level(point.with_value("attribute:gain", 0.9)) == pytest.approx(0.9 * 2 / 8 + 0.03)
    assert level(point.with_value("attribute:muted", 1.0)) == pytest.approx(0.03)
    assert level(point.with_value("attribute:pair:1", 5.0)) == pytest.approx(0.125 + 0.05)
    assert float(g.network.times_set) == before, "what was not changed was not set"
    louder = point.with_value("attribute:count", 4.0)
    assert level(louder) == level(louder) == pytest.approx(0.25 + 0.03)
    assert float(g.network.times_set) == before + 1
    assert g.stream().block(point, 640)[0, -1] == pytest.approx(0.125 + 0.03)


def test_encode_finds_the_latent_of_a_sound(tmp_path):
    g = load(tmp_path, Export())
    sound = np.random.RandomState(0).randn(1, RATE).astype(np.float32) * 0.1
    steps = RATE // RATIO
    frames = sound[0, : steps * RATIO].reshape(steps, RATIO)
    loud = np.sqrt(np.square(frames).mean(1))
    raw = np.average(frames @ g.network.waves.numpy().T, axis=0, weights=loud)
    expected = (raw - np.array(g.space.centre)) / np.array(g.space.scale)
    assert np.abs(g.encode(sound[:, : steps * RATIO], RATE).vector("z").array - expected).max() < 1e-3


def test_silence_around_a_sound_hardly_moves_its_place(tmp_path):
    g = load(tmp_path, Export())
    sound = np.random.RandomState(0).randn(1, 40 * RATIO).astype(np.float32) * 0.1
    padded = np.pad(sound, ((0, 0), (0, 40 * RATIO)))
    a, b = (g.encode(s, RATE).vector("z").array for s in (sound, padded))
    assert np.abs(a - b).max() < 1e-4


class Silent(Export):
    """Says its sample rate nowhere."""

    def __init__(self):
        super().__init__()
        del self.sr


def test_the_sample_rate_can_be_told(tmp_path):
    path = save(tmp_path, Silent())
    g = registry.load(path)
    assert g.info.output.sample_rate == 44_100
    assert "sample rate" in g.info.warnings[0]
    card = Card(
        name="model",
        family="nntilde",
        output=OutputSpec("sound", sample_rate=32_000),
        inputs=g.info.inputs,
    )
    write_side_card(tmp_path / "model.ts", card)
    told = registry.load(path)
    assert told.info.output.sample_rate == 32_000
    assert not told.info.warnings


class Nested(nn.Module):
    """Where the first RAVE exports kept the rate."""

    def __init__(self):
        super().__init__()
        self._rave = nn.Module()
        self._rave.register_buffer("sampling_rate", torch.tensor(48_000))
        self.register_buffer("decode_params", torch.tensor([3, 64, 1, 1]))

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return z.mean(1, keepdim=True).repeat_interleave(64, 2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.decode(z)


def test_the_rate_of_a_first_generation_export(tmp_path):
    assert load(tmp_path, Nested()).info.output.sample_rate == 48_000


def test_what_was_measured_is_remembered(tmp_path, monkeypatch):
    path = save(tmp_path, Export())
    first = registry.load(path)
    from igm_gui.generators.nntilde import measure

    def never(*args):
        raise AssertionError("measured twice")

    monkeypatch.setattr(measure, "measure", never)
    assert registry.load(path).info == first.info


def test_live_and_a_rendering_in_another_thread(tmp_path):
    """Both draw from torch's one generator: neither may see the other's numbers."""
    path = save(tmp_path, Export(noisy=True))
    g, live = registry.load(path), registry.load(path)
    point = point_from_seed(g.info, 0)
    alone, calm = g.render([point]), streamed(live, point, 256, 60)
    heard = []
    thread = threading.Thread(target=lambda: heard.append(streamed(live, point, 256, 60)))
    thread.start()
    beside = [g.render([point]) for _ in range(5)]
    thread.join()
    assert all((one == alone).all() for one in beside)
    assert (heard[0] == calm).all()


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 64)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(z)).reshape(-1, 1, 8, 8)


def test_a_plain_generator_with_the_same_ending_is_left_to_its_own_family(tmp_path):
    assert load(tmp_path, Plain()).info.family == "program"


@pytest.mark.parametrize("values", [[0, 1, 1, 1], [6, 256, 9, 1], [-3, 4, 1, 1], [6, 1 << 30, 1, 1]])
def test_absurd_declarations(tmp_path, values):
    module = Export()
    module.decode_params = torch.tensor(values)
    with pytest.raises(ModelError):
        load(tmp_path, module)


def test_a_latent_of_another_size_is_refused(tmp_path):
    g = load(tmp_path, Export())
    with pytest.raises(Exception, match="shape"):
        check(point_from_seed(g.info, 0).with_value("z", Vector(np.zeros(3))), g.info)


class FailsAtSilence(Export):
    """As a spherical RAVE's encoder does: no direction, no angle."""

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        frames = x.reshape(1, -1, self.waves.shape[1])
        z = torch.einsum("btr,dr->bdt", frames, self.waves)
        loud = (frames.abs().amax(2) > 0.02).float()[:, None]
        return z * loud / loud


def test_an_encoder_that_fails_at_silence(tmp_path):
    g = load(tmp_path, FailsAtSilence())
    sound = np.random.RandomState(0).randn(1, 40 * RATIO).astype(np.float32) * 0.1
    sound[:, : 10 * RATIO] = 0
    assert np.isfinite(g.encode(sound, RATE).vector("z").array).all()
    with pytest.raises(ModelError, match="no latent"):
        g.encode(sound * 0.01, RATE)


def test_a_prior_that_is_listed_gives_the_ranges(tmp_path):
    module = WithPrior()
    g = load(tmp_path, module)
    assert "prior" in g.info.latent.description
    assert np.allclose(g.space.centre, 3.0, atol=0.5)
    assert np.allclose(g.space.scale, 2.0, rtol=0.4)


class WithPrior(Export):
    def __init__(self):
        super().__init__(encodes=False)
        self.register_buffer("prior_params", torch.tensor([1, RATIO, SIZE, RATIO]))
        self._has_prior: bool = True

    @torch.jit.export
    def prior(self, temperature: torch.Tensor) -> torch.Tensor:
        return 3.0 + 2.0 * torch.randn(1, 6, temperature.shape[2]) * temperature
