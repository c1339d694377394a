"""An nn~ export as a generator: renders a held latent, streams, encodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.ddsp.hearing import to_mono
from igm_gui.generators.nntilde.declared import HINT, Declared
from igm_gui.generators.nntilde.decoder import Decoder, Noise, Voice
from igm_gui.generators.nntilde.measure import Measured
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector

FRESH_NOISE = "fresh_noise"  # not "noise": another model's strength would be carried over
LEAD_IN = 0.4  # seconds decoded and dropped, until the held latent is what is heard
ATTACK = 0.004  # seconds of fade-in after that
CHUNK = 4  # steps that a rendering with noise decodes at once: live sound wants the noise in between


class NnTildeGenerator(TorchGenerator):
    """Renders a held latent as a sound of a few seconds; streams and encodes where the export can."""

    try_threads = False  # a pass is seconds of sound, and a stream has one thread anyway

    def __init__(
        self, info: GeneratorInfo, program: Any, decoder: Decoder, declared: Declared, measured: Measured
    ) -> None:
        super().__init__(info, program)
        self.declared = declared
        self.measured = measured
        self.space = measured.space
        self.decoder = decoder
        self._attributes = {a.name: [float(v) for v in a.values] for a in declared.attributes}

    def to(self, device: str) -> None:
        """Stays on the CPU: a stream is a second of work, and its memory would travel at every block."""

    def forward(self, batch: Batch) -> Tensor:
        steps = self.lead_in + self.info.output.samples // self.declared.ratio
        rows = []
        for row in range(len(batch["z"])):

            def number(name: str, row: int = row) -> float:
                return float(batch[name][row])  # exact for seeds below 2**32

            self.set_attributes(number)
            seed = int(number("noise_seed")) if "noise_seed" in batch else 0
            z = batch["z"][row].reshape(-1, 1).expand(-1, steps)
            latents = self.coordinates(z, self.residual(number), torch.Generator().manual_seed(seed))
            voice, noise = Voice(), self.noise(seed)
            parts = latents.split(CHUNK, 2) if noise and self.measured.streams else [latents]
            made = [self.decoder.run(voice, part, noise) for part in parts]
            sound = torch.cat(made, 2)[..., self.lead_in * self.declared.ratio :]
            rows.append(sound * self.rise(0, sound.shape[2]))
        return torch.cat(rows)

    @property
    def lead_in(self) -> int:
        """Steps until a decoder that starts from silence has come to the latent it is given."""
        return max(2, round(LEAD_IN * self.declared.rate / self.declared.ratio))

    def rise(self, begun: int, count: int) -> Tensor:
        """``count`` samples of a short fade-in after ``begun``: a sound does not begin with a click."""
        samples = torch.arange(begun, begun + count)
        return (samples / (ATTACK * self.declared.rate)).clamp_max(1.0)

    def noise(self, seed: int) -> Noise | None:
        """What a decoder that draws noise by itself gets; None for one that doesn't."""
        return Noise(seed) if self.measured.noisy else None

    def residual(self, number: Callable[[str], float]) -> float:
        """How much of the least telling dimensions is fresh noise, 0 to 1."""
        if self.measured.size == self.declared.size:
            return 0.0
        return min(max(number(FRESH_NOISE), 0.0), 1.0)

    def coordinates(self, z: Tensor, residual: float, generator: torch.Generator) -> Tensor:
        """Slider values (D, T) -> what the decoder takes, (1, D, T)."""
        if residual > 0:
            kept = self.declared.size
            fresh = torch.randn(z[kept:].shape, generator=generator)
            z = torch.cat([z[:kept], (1 - residual**2) ** 0.5 * z[kept:] + residual * fresh])
        return self.space.to_decoder(z)[None]

    def set_attributes(self, number: Callable[[str], float]) -> None:
        """Bring the export's settings to a point's; one that has not changed is left alone, for setting it
        may start something."""
        for attribute in self.declared.attributes:
            values = [number(name) for name in attribute.names()]
            if values == self._attributes[attribute.name]:
                continue
            try:
                attribute.set(self.network, values)
            except Exception as error:
                raise ModelError(
                    f"{self.info.name} does not take {values} for {attribute.name}.",
                    "Choose another value, or its default by a double click.",
                    str(error),
                ) from error
            self._attributes[attribute.name] = values

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:
        """The point whose latent is a sound's, averaged over time by loudness (codes: the commonest).

        ``media`` is float32 ``(channels, samples)`` at ``rate`` Hz. ModelError where the export can't encode.
        """
        method = self.declared.encode
        if method is None:
            raise ModelError(f"{self.info.name} has no encode method.", HINT)
        mono = to_mono(media, rate or self.declared.rate, self.declared.rate).reshape(-1)
        ratio = method.out_ratio
        steps = max(1, -(-mono.numel() // ratio))
        mono = torch.nn.functional.pad(mono, (0, steps * ratio - mono.numel()))
        given = mono.expand(1, method.in_channels, -1)
        latents = self.decoder.encode(given, Noise(0))[0, : self.declared.size].numpy()
        loudness = mono.reshape(steps, ratio).square().mean(1).sqrt().numpy()[: latents.shape[1]] + 1e-9
        loudness = loudness * np.isfinite(latents).all(axis=0)  # an encoder may fail at silence
        if not loudness.any():
            raise ModelError(f"{self.info.name} finds no latent for this sound.", "Try another one.")
        latents = np.nan_to_num(latents)
        if self.space.kind == "codes":
            values = _commonest(latents, loudness)
        else:
            values = np.average(latents, axis=1, weights=loudness).astype(np.float32)
        z = np.zeros(self.space.size, np.float32)  # what the encoder leaves out stays in the middle
        z[: len(values)] = self.space.from_decoder(values)
        point = point_from_seed(self.info, 0)
        return LatentPoint(tuple((k, Vector(z) if k == "z" else v) for k, v in point.values), None)

    def stream(self) -> NnTildeStream:
        """A voice with a memory of its own."""
        return NnTildeStream(self)


class NnTildeStream:
    """Sound in blocks of any length: the decoder runs in whole latent steps, the rest is kept."""

    def __init__(self, generator: NnTildeGenerator) -> None:
        self._generator = generator
        self._left = np.zeros((generator.info.output.channels, 0), np.float32)
        self._z: Tensor | None = None
        self._noise: Noise | None = None
        self._random = torch.Generator()
        self._voice = Voice()
        self._made = 0

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]:
        """The next float32 ``(channels, samples)``; the latent glides to ``point`` within the block."""
        missing = samples - self._left.shape[1]
        if missing > 0:
            made = self._decode(point, -(-missing // self._generator.declared.ratio))
            self._left = np.concatenate([self._left, made], 1)
        given, self._left = self._left[:, :samples], self._left[:, samples:]
        return np.ascontiguousarray(given)

    def _decode(self, point: LatentPoint, steps: int) -> NDArray[np.float32]:
        generator = self._generator
        generator.set_attributes(lambda name: point.scalar(name, _default(generator.info, name)))
        target = torch.from_numpy(point.vector("z").array.reshape(-1).copy())
        if self._z is None:
            # The noise of one stream goes on: moving its seed while it sounds would change nothing heard.
            seed = int(point.scalar("noise_seed"))
            self._noise = generator.noise(seed)
            self._random.manual_seed(seed)
            self._z = target
            self._run(target[:, None].expand(-1, generator.lead_in), point)
        glide = torch.linspace(1 / steps, 1, steps)
        z = self._z[:, None] + (target - self._z)[:, None] * glide
        self._z = target
        sound = self._run(z, point).nan_to_num().clamp(-1, 1)
        count = sound.shape[1]
        if self._made < ATTACK * generator.declared.rate:
            sound = sound * generator.rise(self._made, count)
        self._made += count
        return np.asarray(sound.numpy(), np.float32)

    def _run(self, z: Tensor, point: LatentPoint) -> Tensor:
        generator = self._generator
        latents = generator.coordinates(z, generator.residual(point.scalar), self._random)
        return generator.decoder.run(self._voice, latents, self._noise)[0]


def _default(info: GeneratorInfo, name: str) -> float:
    spec = info.input(name)
    return spec.default if spec is not None else 0.0


def _commonest(codes: NDArray[np.float32], weights: Sequence[float] | NDArray[np.float32]) -> NDArray[Any]:
    rows = np.maximum(np.round(codes), 0).astype(np.int64)
    return np.array(
        [np.bincount(row, weights=np.asarray(weights) + 1e-9).argmax() for row in rows], np.float32
    )
