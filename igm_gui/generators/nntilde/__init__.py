"""RAVE and other nn~ exports (TorchScript ``.ts``): latents as sliders, live decoding, encoding.

The interface is nn~'s (Caillon and Esling 2021, "RAVE"; 2022, "Streamable neural audio synthesis"): a
method ``decode`` (1, D, T) -> (1, channels, T * ratio) described by an integer buffer ``decode_params``
[channels in, ratio in, channels out, ratio out], and perhaps ``encode`` the other way.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import ModelError
from igm_gui.formats import trust
from igm_gui.formats.checkpoint import Checkpoint
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.ddsp.hearing import to_mono
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector

__all__ = ["NnTildeGenerator", "NnTildeStream", "detect", "load"]

SECONDS = 3.0
WARM_UP = 3
STREAMS_BELOW = 1e-3  # relative difference between decoding in chunks and at once
HINT = "Supported are nn~ exports with a decode method, such as RAVE's."


def detect(checkpoint: Checkpoint) -> bool:
    """Whether a TorchScript declares nn~'s buffers; its code is read as text."""
    if checkpoint.kind != "torchscript":
        return False
    with zipfile.ZipFile(checkpoint.path) as archive:
        code = [name for name in archive.namelist() if "/code/" in name and name.endswith(".py")]
        return any(b"decode_params" in archive.read(name) for name in code)


def load(checkpoint: Checkpoint) -> NnTildeGenerator:
    """Open an nn~ export after the person's yes. TrustNeeded before it; ModelError says why not."""
    trust.require(checkpoint.path, checkpoint.sha256, "an nn~ export in TorchScript")
    try:
        program = torch.jit.load(str(checkpoint.path), map_location="cpu").eval()
    except Exception as error:
        raise ModelError(
            f"{checkpoint.path.name} can't be opened as TorchScript.", HINT, str(error)
        ) from error
    decode = _parameters_of(program, "decode")
    if decode is None:
        raise ModelError(f"{checkpoint.path.name} has no decode method.", HINT)
    size, _, channels, ratio = decode
    rate, warnings = _sample_rate(program)
    steps = max(1, round(SECONDS * rate / ratio))
    encode = _parameters_of(program, "encode")
    info = GeneratorInfo(
        name=checkpoint.name,
        title=checkpoint.name,
        family="nntilde",
        output=OutputSpec("sound", channels=channels, sample_rate=rate, samples=steps * ratio),
        inputs=(
            InputSpec("z", "latent", shape=(size,), dimensions=_labels(program, size)),
            InputSpec(
                "noise_seed", "seed", title="Noise seed",
                description="Fixes the noise that the decoder adds by itself when a sound is rendered.",
            ),
        ),
        description=f"An nn~ export: {rate / ratio:.1f} latent steps a second, {ratio} samples each.",
        path=str(checkpoint.path),
        sha256=checkpoint.sha256,
        parameters=sum(p.numel() for p in program.parameters()),
        abilities=("stream", "encode") if encode else ("stream",),
        preview_seeds=tuple(range(8)),
    )  # fmt: skip
    generator = NnTildeGenerator(info, program, ratio, encode is not None)
    difference = generator.warm_up()
    if difference > STREAMS_BELOW:
        warnings.append(
            "This export was not made for streaming: live sound will have seams where blocks meet "
            f"({difference:.0%} difference). Export it again with --streaming."
        )
    generator.info = replace(info, warnings=tuple(warnings))
    return generator


class NnTildeGenerator(TorchGenerator):
    """Renders a held latent as a sound of a few seconds; streams and encodes where the export can."""

    def __init__(self, info: GeneratorInfo, program: Any, ratio: int, encodes: bool) -> None:
        super().__init__(info, program)
        self.ratio = ratio
        self._encodes = encodes

    def forward(self, batch: Batch) -> Tensor:
        steps = self.info.output.samples // self.ratio
        rows = [
            self.decode(z[None, :, None].expand(1, -1, steps), int(seed))
            for z, seed in zip(batch["z"], batch["noise_seed"], strict=True)
        ]
        return torch.cat(rows)

    def decode(self, latents: Tensor, seed: int | None = None, fresh: bool = True) -> Tensor:
        """(1, D, T) -> (1, channels, T * ratio). ``fresh`` starts from silence; ``seed`` fixes the noise
        that the decoder draws (its generator is torch's global one, so that is set and put back)."""
        if fresh:
            self.reset()
        with torch.inference_mode():
            if seed is None:
                given = self.network.decode(latents.contiguous())
            else:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(seed)
                    given = self.network.decode(latents.contiguous())
        return given.float()

    def reset(self) -> None:
        """Forget what was decoded before: the caches and paddings of the streaming layers."""
        for name, buffer in self.network.named_buffers():
            if name.rpartition(".")[2] in ("pad", "cache"):
                buffer.zero_()

    def warm_up(self) -> float:
        """Decode a few times, as TorchScript compiles itself in its first runs; answers the relative
        difference between decoding in two chunks and at once."""
        shape = (1, self.info.inputs[0].size, 8)
        latents = torch.from_numpy(np.random.RandomState(0).randn(*shape).astype(np.float32))
        try:
            for _ in range(WARM_UP):
                whole = self.decode(latents, 0)
            self.reset()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                halves = [self.decode(part, fresh=False) for part in latents.split(4, 2)]
        except Exception as error:
            raise ModelError(f"{self.info.name}'s decoder does not run.", HINT, str(error)) from error
        if whole.shape != (1, self.info.output.channels, 8 * self.ratio):
            raise ModelError(f"{self.info.name}'s decoder gives the shape {tuple(whole.shape)}.", HINT)
        if not bool(torch.isfinite(whole).all()):
            raise ModelError(f"{self.info.name}'s decoder gives values that are not numbers.", HINT)
        # Half of each compared: a decoder's own noise differs at the seam's far side only by its seed.
        joined = torch.cat(halves, 2)
        scale = float(whole.square().mean().sqrt()) or 1.0
        return float((joined - whole)[..., : 5 * self.ratio].square().mean().sqrt()) / scale

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:
        """The point whose latent is the average over time of a sound's. ``media`` is float32
        ``(channels, samples)`` at ``rate`` Hz. ModelError where the export can't encode."""
        if not self._encodes:
            raise ModelError(f"{self.info.name} has no encode method.", HINT)
        target = self.info.output.sample_rate
        mono = to_mono(media, rate or target, target).reshape(-1)
        steps = max(1, mono.numel() // self.ratio)
        mono = torch.nn.functional.pad(mono, (0, max(0, steps * self.ratio - mono.numel())))[
            : steps * self.ratio
        ]
        self.reset()
        with torch.inference_mode():
            latents = self.network.encode(mono[None, None])
        size = self.info.inputs[0].size
        point = point_from_seed(self.info, 0)
        mean = latents[0, :size].float().mean(1).numpy()
        return LatentPoint(tuple((k, Vector(mean) if k == "z" else v) for k, v in point.values), None)

    def stream(self) -> NnTildeStream:
        """One voice; it uses this generator's own state, so one stream at a time."""
        self.reset()
        return NnTildeStream(self)


class NnTildeStream:
    """Sound in blocks of any length: the decoder runs in whole latent steps, the rest is kept."""

    def __init__(self, generator: NnTildeGenerator) -> None:
        self._generator = generator
        self._left = np.zeros((generator.info.output.channels, 0), np.float32)
        self._z: Tensor | None = None

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]:
        """The next float32 ``(channels, samples)``; the latent glides to ``point`` within the block."""
        missing = samples - self._left.shape[1]
        if missing > 0:
            ratio = self._generator.ratio
            steps = -(-missing // ratio)
            target = torch.from_numpy(point.vector("z").array.copy())
            start = target if self._z is None else self._z
            glide = torch.linspace(1 / steps, 1, steps)
            latents = (start[:, None] + (target - start)[:, None] * glide)[None]
            self._z = target
            made = self._generator.decode(latents, fresh=False)[0].clamp(-1, 1).numpy()
            self._left = np.concatenate([self._left, made], 1)
        given, self._left = self._left[:, :samples], self._left[:, samples:]
        return np.ascontiguousarray(given)


def _parameters_of(program: Any, method: str) -> tuple[int, int, int, int] | None:
    """[channels in, ratio in, channels out, ratio out] of a method; None where there is none."""
    buffer = getattr(program, f"{method}_params", None)
    if not isinstance(buffer, Tensor) or buffer.numel() != 4 or not hasattr(program, method):
        return None
    a, b, c, d = (int(v) for v in buffer.tolist())
    sane = 1 <= a <= 4096 and 1 <= c <= 4096 and 1 <= b <= 1 << 20 and 1 <= d <= 1 << 20
    if not sane or (method == "decode" and c not in (1, 2)):
        raise ModelError(f"The {method} method declares {[a, b, c, d]}.", HINT)
    return a, b, c, max(d, 1) if method == "encode" else max(b // max(d, 1), 1)


def _sample_rate(program: Any) -> tuple[int, list[str]]:
    for name in ("sr", "sampling_rate"):
        value = getattr(program, name, None)
        number = (
            int(value)
            if isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
            else 0
        )
        if 1000 <= number <= 384_000:
            return number, []
    for name, buffer in program.named_buffers():
        if name.endswith("sampling_rate") and buffer.numel() == 1 and 1000 <= int(buffer) <= 384_000:
            return int(buffer), []
    return 44_100, ["The export does not say its sample rate; 44100 Hz is assumed."]


def _labels(program: Any, size: int) -> tuple[str, ...]:
    labels = getattr(program, "decode_input_labels", None)
    if isinstance(labels, list | tuple) and len(labels) == size and all(isinstance(x, str) for x in labels):
        return tuple(labels)
    return ()
