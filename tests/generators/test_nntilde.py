"""nn~ exports (.ts): a scripted module with RAVE's interface plays, streams and encodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.files import sha256_of
from igm_gui.generators import registry
from igm_gui.latent.point import Vector, point_from_seed

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
RATIO, SIZE, RATE = 256, 6, 16_000


class Memory(nn.Module):
    """One latent step of memory, as a streaming export's cached padding has."""

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("pad", torch.zeros(1, size, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole = torch.cat([self.pad, x], 2)
        self.pad.copy_(whole[:, :, -1:])
        return 0.5 * (whole[:, :, 1:] + whole[:, :, :-1])


class NoDecode(nn.Module):
    """The declaration without the method."""

    def __init__(self):
        super().__init__()
        self.register_buffer("decode_params", torch.tensor([SIZE, RATIO, 1, 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.decode_params.sum()


def test_without_a_decoder(tmp_path):
    with pytest.raises(ModelError, match="no decode"):
        registry.load(save(tmp_path, NoDecode()))


class Export(nn.Module):
    def __init__(self, streaming: bool = True, noisy: bool = False):
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("decode_params", torch.tensor([SIZE, RATIO, 1, 1]))
        self.register_buffer("encode_params", torch.tensor([1, 1, SIZE, RATIO]))
        self.sr: int = RATE
        self.streaming = streaming
        self.noisy = noisy
        self.memory = Memory(SIZE)
        self.register_buffer("waves", torch.randn(SIZE, RATIO) * 0.2)

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        x = self.memory(z) if self.streaming else z + z.mean(2, keepdim=True) * 3
        y = torch.einsum("bdt,dr->btr", x, self.waves).reshape(1, 1, -1)
        if self.noisy:
            y = y + 0.05 * torch.randn_like(y)
        return torch.tanh(y)

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("btr,dr->bdt", x.reshape(1, -1, self.waves.shape[1]), self.waves)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


def save(tmp_path, module, yes=True):
    path = tmp_path / "model.ts"
    torch.jit.script(module.eval()).save(str(path))
    if yes:
        trust.trust(sha256_of(path))
    return str(path)


def test_it_is_asked_about_first(tmp_path):
    with pytest.raises(trust.TrustNeeded):
        registry.load(save(tmp_path, Export(), yes=False))


def test_latents_become_sound(tmp_path):
    g = registry.load(save(tmp_path, Export()))
    info = g.info
    assert (info.media, info.output.sample_rate, info.latent.size) == ("sound", RATE, SIZE)
    assert set(info.abilities) == {"stream", "encode"}
    assert not info.warnings
    point = point_from_seed(info, 3)
    sound = g.render([point])
    assert sound.shape == (1, 1, info.output.samples)
    assert (sound == g.render([point])).all()
    expected = torch.tanh(torch.from_numpy(point.vector("z").array.copy()) @ g.network.waves)
    assert np.abs(sound[0, 0, 5 * RATIO : 6 * RATIO] - expected.numpy()).max() < 1e-5


def test_its_own_noise_follows_the_seed(tmp_path):
    g = registry.load(save(tmp_path, Export(noisy=True)))
    point = point_from_seed(g.info, 0)
    state = torch.random.get_rng_state()
    first, again = g.render([point]), g.render([point])
    other = g.render([point.with_value("noise_seed", 5)])
    assert (first == again).all()
    assert (first != other).any()
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize("block", [64, 256, 300, 1000])
def test_blocks_of_any_length_join_without_seams(tmp_path, block):
    g = registry.load(save(tmp_path, Export()))
    point = point_from_seed(g.info, 1)
    stream = g.stream()
    joined = np.concatenate([stream.block(point, block) for _ in range(12)], 1)[0]
    whole = g.render([point])[0, 0][: len(joined)]
    assert np.abs(joined[RATIO:] - whole[RATIO : len(joined)]).max() < 1e-5


def test_a_move_glides(tmp_path):
    g = registry.load(save(tmp_path, Export()))
    stream = g.stream()
    a, b = point_from_seed(g.info, 1), point_from_seed(g.info, 2)
    stream.block(a, 2048)
    moved = stream.block(b, 2048)
    settled = stream.block(b, 2048)
    assert (moved != settled).any()
    assert np.abs(settled).max() <= 1


def test_an_offline_export_is_told(tmp_path):
    g = registry.load(save(tmp_path, Export(streaming=False)))
    assert "seams" in g.info.warnings[0]


def test_encode_finds_the_latent_of_a_sound(tmp_path):
    g = registry.load(save(tmp_path, Export()))
    sound = np.random.RandomState(0).randn(1, RATE).astype(np.float32) * 0.1
    point = g.encode(sound, RATE)
    steps = RATE // RATIO
    expected = (
        np.einsum("tr,dr->d", sound[0, : steps * RATIO].reshape(steps, RATIO), g.network.waves.numpy())
        / steps
    )
    assert np.abs(point.vector("z").array - expected).max() < 1e-4


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 64)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(z)).reshape(-1, 1, 8, 8)


def test_a_plain_generator_with_the_same_ending_is_left_to_its_own_family(tmp_path):
    assert registry.load(save(tmp_path, Plain())).info.family == "program"


@pytest.mark.parametrize("values", [[0, 1, 1, 1], [6, 256, 9, 1], [-3, 4, 1, 1], [6, 1 << 30, 1, 1]])
def test_absurd_declarations(tmp_path, values):
    module = Export()
    module.decode_params = torch.tensor(values)
    with pytest.raises(ModelError):
        registry.load(save(tmp_path, module))


def test_a_latent_of_another_size_is_refused(tmp_path):
    g = registry.load(save(tmp_path, Export()))
    from igm_gui.latent.point import check

    with pytest.raises(Exception, match="shape"):
        check(point_from_seed(g.info, 0).with_value("z", Vector(np.zeros(3))), g.info)
