"""Small TorchScript modules with the interface that nn~ and RAVE exports have."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from igm_gui.formats import trust
from igm_gui.formats.files import sha256_of

RATIO, SIZE, RATE = 256, 6, 16_000
FULL = 9


def save(folder: Path, module: nn.Module, yes: bool = True, name: str = "model") -> str:
    """Write the export; ``yes`` is the person's yes to it."""
    path = folder / f"{name}.ts"
    torch.jit.script(module.eval()).save(str(path))
    if yes:
        trust.trust(sha256_of(path))
    return str(path)


class Memory(nn.Module):
    """Steps of memory, as a streaming export's cached padding has: half now, half ``steps`` ago."""

    def __init__(self, size: int, steps: int = 1):
        super().__init__()
        self.register_buffer("pad", torch.zeros(1, size, steps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole = torch.cat([self.pad, x], 2)
        steps = self.pad.shape[2]
        self.pad.copy_(whole[:, :, -steps:])
        return 0.5 * (whole[:, :, steps:] + whole[:, :, :-steps])


class NoDecode(nn.Module):
    """The declaration without the method."""

    def __init__(self):
        super().__init__()
        self.register_buffer("decode_params", torch.tensor([SIZE, RATIO, 1, 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.decode_params.sum()


class Export(nn.Module):
    """Each latent is the loudness of one wave that a step is long."""

    def __init__(self, streaming: bool = True, noisy: bool = False, encodes: bool = True, memory: int = 1):
        super().__init__()
        torch.manual_seed(0)
        self.register_buffer("decode_params", torch.tensor([SIZE, RATIO, 1, 1]))
        if encodes:
            self.register_buffer("encode_params", torch.tensor([1, 1, SIZE, RATIO]))
        self.sr: int = RATE
        self.streaming = streaming
        self.noisy = noisy
        self.memory = Memory(SIZE, memory)
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


class Late(Export):
    """A decoder that answers twenty steps late."""

    def __init__(self):
        super().__init__()
        self.register_buffer("cache", torch.zeros(1, SIZE, 20))

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        whole = torch.cat([self.cache, z], 2)
        self.cache.copy_(whole[:, :, -20:])
        return torch.einsum("bdt,dr->btr", whole[:, :, :-20], self.waves).reshape(1, 1, -1).tanh()


class VariationalExport(nn.Module):
    """As RAVE's: PCA coordinates, the least telling dimensions cut off and filled with noise at decoding.

    ``tolerant`` takes all of them too (newer exports), else noise is added to whatever comes (older ones).
    """

    def __init__(self, tolerant: bool = True):
        super().__init__()
        torch.manual_seed(1)
        self._methods = ["encode", "decode", "forward"]
        self.register_buffer("decode_params", torch.tensor([SIZE, RATIO, 1, 1]))
        self.register_buffer("encode_params", torch.tensor([1, 1, SIZE, RATIO]))
        self.register_buffer("prior_params", torch.tensor([1, RATIO, SIZE, RATIO]))
        self.decode_input_labels = [f"(signal) Latent dimension {i}" for i in range(SIZE)]
        self.register_buffer("latent_pca", torch.linalg.qr(torch.randn(FULL, FULL))[0])
        self.register_buffer("latent_mean", torch.randn(FULL))
        self.register_buffer(
            "fidelity", torch.cumsum(torch.tensor([0.5, 0.2, 0.1, 0.1, 0.05, 0.05, 0, 0, 0]), 0)
        )
        self.sampling_rate: int = RATE
        self.full_latent_size: int = FULL
        self.latent_size: int = SIZE
        self.tolerant = tolerant
        self.register_buffer("waves", torch.linalg.qr(torch.randn(RATIO, FULL))[0].T.contiguous())

    @torch.jit.export
    def get_methods(self):
        return self._methods

    @torch.jit.export
    def prior(self, temperature: torch.Tensor) -> torch.Tensor:
        return temperature.expand(1, 6, temperature.shape[2]) * 1000

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        z = torch.einsum("btr,dr->bdt", x.reshape(1, -1, 256), self.waves) * 4 + self.latent_mean[:, None]
        z = z - self.latent_mean[:, None]
        return torch.einsum("ed,bdt->bet", self.latent_pca, z)[:, : self.latent_size]

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        missing = self.full_latent_size - (z.shape[1] if self.tolerant else self.latent_size)
        z = torch.cat([z, torch.randn(z.shape[0], missing, z.shape[2])], 1)
        z = torch.einsum("ed,bet->bdt", self.latent_pca, z)
        return torch.tanh(torch.einsum("bdt,dr->btr", z, self.waves).reshape(1, 1, -1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


class Quantizer(nn.Module):
    def __init__(self, n_codes: int):
        super().__init__()
        self.n_codes: int = n_codes

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.clamp(z, 0, self.n_codes - 1).long().float() / self.n_codes


class DiscreteExport(nn.Module):
    """Latents are code indices."""

    def __init__(self):
        super().__init__()
        self.register_buffer("decode_params", torch.tensor([2, RATIO, 1, 1]))
        self.register_buffer("encode_params", torch.tensor([1, 1, 2, RATIO]))
        self.sr: int = RATE
        self.quantizer = Quantizer(64)

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        steps = self.quantizer(z)
        return steps.mean(1, keepdim=True).repeat_interleave(256, 2)

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        level = x.reshape(1, 1, -1, 256).abs().amax(3)
        return torch.cat([(level * 63).round(), torch.zeros_like(level)], 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


class SphericalExport(Export):
    """Latents are angles; told by the class's name."""


class WithAttributes(nn.Module):
    """Settings of every type; setting ``count`` twice would be noticed."""

    def __init__(self):
        super().__init__()
        self.register_buffer("decode_params", torch.tensor([2, RATIO, 1, 1]))
        self._methods = ["decode"]
        self._attributes = ["gain", "muted", "count", "pair", "label", "idle"]
        self.sr: int = RATE
        self.gain = (0.5,)
        self.muted = (False,)
        self.count = (2,)
        self.pair = (1.0, 3)
        self.label = ("hall",)
        self.register_buffer("gain_params", torch.tensor([2]))
        self.register_buffer("muted_params", torch.tensor([0]))
        self.register_buffer("count_params", torch.tensor([1]))
        self.register_buffer("pair_params", torch.tensor([2, 1]))
        self.register_buffer("label_params", torch.tensor([3]))
        self.idle = (False,)
        self.register_buffer("idle_params", torch.tensor([0]))
        self.register_buffer("times_set", torch.zeros(1))

    @torch.jit.export
    def get_methods(self):
        return self._methods

    @torch.jit.export
    def get_attributes(self):
        return self._attributes

    @torch.jit.export
    def get_gain(self) -> float:
        return self.gain[0]

    @torch.jit.export
    def set_gain(self, value: float) -> int:
        self.gain = (value,)
        return 0

    @torch.jit.export
    def get_muted(self) -> bool:
        return self.muted[0]

    @torch.jit.export
    def set_muted(self, value: bool) -> int:
        self.muted = (value,)
        return 0

    @torch.jit.export
    def get_count(self) -> int:
        return self.count[0]

    @torch.jit.export
    def set_count(self, value: int) -> int:
        self.count = (value,)
        self.times_set += 1
        return 0

    @torch.jit.export
    def get_pair(self) -> tuple[float, int]:
        return self.pair

    @torch.jit.export
    def set_pair(self, a: float, b: int) -> int:
        self.pair = (a, b)
        return 0

    @torch.jit.export
    def get_idle(self) -> bool:
        return self.idle[0]

    @torch.jit.export
    def set_idle(self, value: bool) -> int:
        self.idle = (value,)
        return 0

    @torch.jit.export
    def get_label(self) -> str:
        return self.label[0]

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        level = 0.0 if self.muted[0] else self.gain[0] * float(self.count[0]) / 8.0
        y = z.mean(1, keepdim=True).repeat_interleave(256, 2) * 0 + level
        return y + self.pair[0] * float(self.pair[1]) / 100.0

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.decode(z)
