"""A StyleGAN2 or StyleGAN3 network as a generator: inputs, caches, precision."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.stylegan.mapping import Mapping, truncate
from igm_gui.generators.stylegan.synthesis2 import Synthesis2
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint

MIN_PSNR = 40.0


class StyleNetwork(torch.nn.Module):
    """Mapping and synthesis together, so that they move between devices as one."""

    def __init__(self, mapping: Mapping, synthesis: Synthesis2 | Synthesis3) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis


def inputs_of(network: StyleNetwork, classes: Sequence[str] = ()) -> tuple[InputSpec, ...]:
    """The inputs that a network of this shape has."""
    mapping, synthesis = network.mapping, network.synthesis
    layers = synthesis.num_ws
    specs = []
    if mapping.z_dim:
        specs.append(
            InputSpec("z", "latent", shape=(mapping.z_dim,), description="Drawn as the official tools do.")
        )
    if mapping.c_dim:
        names = (
            tuple(classes)
            if len(classes) == mapping.c_dim
            else tuple(f"class {i}" for i in range(mapping.c_dim))
        )
        specs.append(InputSpec("label", "label", title="Class", classes=names))
    specs.append(
        InputSpec(
            "truncation",
            "scalar",
            title="Truncation ψ",
            minimum=-1.0,
            maximum=2.0,
            default=1.0,
            description="Pulls w to its average: 0 is the average, 1 the network itself, -1 the opposite.",
        )
    )
    specs.append(
        InputSpec(
            "cutoff",
            "scalar",
            title="Truncated layers",
            minimum=0,
            maximum=layers,
            default=layers,
            step=1,
            description="How many layers, from the coarsest, the truncation reaches.",
        )
    )
    if isinstance(synthesis, Synthesis2):
        specs.append(
            InputSpec(
                "noise",
                "scalar",
                title="Noise",
                minimum=0.0,
                maximum=3.0,
                default=1.0,
                description="Strength of the noise inputs: 0 is none, 1 as trained.",
            )
        )
        specs.append(
            InputSpec(
                "noise_seed",
                "seed",
                title="Noise seed",
                description="0 is the noise stored in the network; any other number draws new noise.",
            )
        )
    else:
        for name, title in (("translate_x", "Move right"), ("translate_y", "Move down")):
            specs.append(
                InputSpec(name, "scalar", title=title, minimum=-1.0, maximum=1.0, unit="of the picture")
            )
        specs.append(InputSpec("rotate", "scalar", title="Turn", minimum=-180.0, maximum=180.0, unit="°"))
    return tuple(specs)


def input_transform(x: Tensor, y: Tensor, degrees: Tensor) -> Tensor:
    """(N,) shifts in picture sizes and turns in degrees -> (N, 3, 3), inverted as the input layer wants."""
    angle = degrees * (math.pi / 180)
    matrix = torch.eye(3, device=x.device).repeat(x.shape[0], 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
    matrix[:, 0, 1], matrix[:, 1, 0] = angle.sin(), -angle.sin()
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return torch.linalg.inv(matrix)


class StyleGAN(TorchGenerator):
    """Abilities: ``map`` (z -> w). The last w and the last noise are kept, so that a change of
    truncation, noise or transform does not run the mapping network again."""

    network: StyleNetwork

    def __init__(self, info: GeneratorInfo, network: StyleNetwork) -> None:
        super().__init__(info, network)
        self._w_key: tuple[bytes, bytes] | None = None
        self._w: Tensor | None = None
        self._noise_key: tuple[Any, ...] | None = None
        self._noise: list[Tensor | None] = []
        self.precision = "float32"
        self.psnr = math.inf

    def to(self, device: str) -> None:
        super().to(device)
        self._w_key = self._noise_key = None
        if self.device.type == "cuda":
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def map(self, points: Sequence[LatentPoint]) -> Tensor:
        """float32 (N, num_ws, w_dim), truncation applied."""
        with torch.inference_mode():
            return self._ws(self.prepare(points))

    def _ws(self, batch: Batch) -> Tensor:
        z, c = batch.get("z"), batch.get("label")
        key = (
            b"" if z is None else z.cpu().numpy().tobytes(),
            b"" if c is None else c.cpu().numpy().tobytes(),
        )
        if key != self._w_key:
            first = next(iter(batch.values()))
            empty = torch.zeros(first.shape[0], 0, device=self.device)
            self._w = self.network.mapping(empty if z is None else z, c)
            self._w_key = key
        assert self._w is not None
        synthesis = self.network.synthesis
        return truncate(
            self._w, self.network.mapping.w_avg, batch["truncation"], batch["cutoff"], synthesis.num_ws
        )

    def forward(self, batch: Batch) -> Tensor:
        ws = self._ws(batch)
        synthesis = self.network.synthesis
        if isinstance(synthesis, Synthesis2):
            return synthesis(ws, self._noise_for(synthesis, batch["noise"], batch["noise_seed"]))
        transform = None
        moves = [batch[name] for name in ("translate_x", "translate_y", "rotate")]
        if any(bool(move.any()) for move in moves):
            transform = input_transform(*moves)
        return synthesis(ws, transform)

    def _noise_for(self, synthesis: Synthesis2, strength: Tensor, seeds: Tensor) -> list[Tensor | None]:
        key = (*strength.tolist(), *seeds.tolist())
        if key == self._noise_key:
            return self._noise
        made: list[Tensor | None] = []
        for index, layer in enumerate(synthesis.layers()):
            if not layer.has_noise or layer.noise_strength == 0.0 or not bool(strength.any()):
                made.append(None)
                continue
            rows = []
            for seed in seeds.tolist():
                if seed == 0:
                    rows.append(layer.noise_const)
                    continue
                state = np.random.RandomState((seed * 31 + index) % 2**32)
                rows.append(
                    torch.from_numpy(state.randn(*layer.noise_const.shape).astype(np.float32)).to(self.device)
                )
            noise = torch.stack(rows)[:, None] * (layer.noise_strength * strength[:, None, None, None])
            made.append(noise)
        self._noise_key, self._noise = key, made
        return made

    def tune(self) -> None:
        """Choose the fastest arithmetic whose picture stays within 40 dB PSNR of float32.

        Times one seed's picture in float32 and bfloat16, in both memory layouts; keeps the best and
        notes precision and PSNR. Small networks stay in float32.
        """
        if self.info.output.height < 128 or self.device.type != "cpu":
            return
        from igm_gui.latent.point import point_from_seed

        synthesis = self.network.synthesis
        with torch.inference_mode():
            batch = self.prepare([point_from_seed(self.info, 0)])
            reference = self.forward(batch)
            best = self._timed(batch)
            choice: tuple[torch.dtype, torch.memory_format, float] = (
                torch.float32,
                torch.contiguous_format,
                math.inf,
            )
            for dtype, layout in (
                (torch.float32, torch.channels_last),
                (torch.bfloat16, torch.channels_last),
            ):
                synthesis.arrange(dtype, layout)
                psnr = peak_psnr(self.forward(batch), reference)
                if psnr >= MIN_PSNR and (seconds := self._timed(batch)) < best:
                    best, choice = seconds, (dtype, layout, psnr)
                synthesis.arrange(torch.float32, torch.contiguous_format)
            synthesis.arrange(choice[0], choice[1])
        self.precision = "bfloat16" if choice[0] == torch.bfloat16 else "float32"
        self.psnr = choice[2]

    def _timed(self, batch: Batch) -> float:
        best = math.inf
        for _ in range(2):
            start = time.perf_counter()
            self.forward(batch)
            best = min(best, time.perf_counter() - start)
        return best


def peak_psnr(picture: Tensor, reference: Tensor) -> float:
    """PSNR in dB of two pictures in [-1, 1] (peak 2); infinite where they are equal."""
    error = float((picture.clamp(-1, 1) - reference.clamp(-1, 1)).square().mean())
    return math.inf if error == 0 else 10 * math.log10(4.0 / error)


def output_of(picture: Tensor) -> OutputSpec:
    """The output spec of a rendered picture (N, C, H, W)."""
    return OutputSpec("image", picture.shape[2], picture.shape[3], picture.shape[1], -1.0, 1.0)
