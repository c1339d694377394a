"""A StyleGAN2 or StyleGAN3 network as a generator: inputs, caches, precision."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igm_gui.generators import half, memory
from igm_gui.generators.base import Batch, TorchGenerator
from igm_gui.generators.graphs import Graphs
from igm_gui.generators.stylegan.mapping import Mapping, truncate
from igm_gui.generators.stylegan.styles import edited
from igm_gui.generators.stylegan.synthesis2 import Synthesis2
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.generators.stylegan.trail import BUDGET, Trail
from igm_gui.generators.stylegan.tuning import (
    SMALLEST,
    Arrangement,
    Tuned,
    candidates,
    remember,
    remembered,
    tune,
)
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed

KEPT_MAPPED = 8
NOTE = "Runs in"
MAX_TRAILED = 4  # pictures at once whose layers are kept: what is dragged is one


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
        for name, title, side in (
            ("translate_x", "Move right", "widths"),
            ("translate_y", "Move down", "heights"),
        ):
            specs.append(
                InputSpec(
                    name,
                    "scalar",
                    title=title,
                    minimum=-1.0,
                    maximum=1.0,
                    description=f"In picture {side}: 1 is a whole picture.",
                )
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
    """Abilities: ``map`` (z -> w) and ``styles`` (what :class:`igm_gui.info.StyleSpace` lists).

    What was mapped, the noise, and what each layer gave are kept: a change runs only what it reaches.
    """

    network: StyleNetwork

    def __init__(self, info: GeneratorInfo, network: StyleNetwork) -> None:
        super().__init__(info, network)
        self._mapped: OrderedDict[tuple[bytes, bytes], Tensor] = OrderedDict()
        self._noise_key: tuple[Any, ...] | None = None
        self._noise: tuple[list[Tensor | None], list[Hashable]] = ([], [])
        self._trail = Trail(min(BUDGET, memory.available() // 8 or BUDGET))
        self.tuned = Tuned()
        self.halved = False  # weights kept in half because memory is short (half.py)

    @property
    def precision(self) -> str:
        return self.tuned.arrangement.precision

    @property
    def psnr(self) -> float:
        """Of the arithmetic chosen against float32, in dB; infinite where it is float32."""
        return self.tuned.psnr

    def to(self, device: str) -> None:
        super().to(device)
        # Half precision on a GPU is the network's own choice: it was trained so or it was not.
        arrangement = Arrangement("float16", True) if self.device.type == "cuda" else self.tuned.arrangement
        self._arrange(arrangement if self.device.type != "mps" else Arrangement())
        self._tell()

    def _tell(self) -> None:
        """Let ``info`` say in which precision the network runs where it is now."""
        used = self.network.synthesis.precisions
        precision = next((name for name in ("bfloat16", "float16") if name in used), "float32")
        notes = [text for text in self.info.warnings if not text.startswith(NOTE)]
        if precision == "bfloat16":
            notes.append(f"{NOTE} {precision}, {self.psnr:.0f} dB PSNR against float32.")
        elif precision == "float16":
            notes.append(f"{NOTE} {precision} where it was trained so.")
        if self.halved:
            precision = half.PRECISION
        self.info = replace(self.info, precision=precision, warnings=tuple(notes))

    def _arrange(self, arrangement: Arrangement) -> None:
        synthesis = self.network.synthesis
        synthesis.arrange(arrangement.dtype, arrangement.layout, arrangement.folded, arrangement.winograd)
        self._forget()

    def _forget(self) -> None:
        self._mapped.clear()
        self._noise_key = None
        self._trail.clear()
        if self.accelerator is not None:
            self.accelerator.clear()

    def map(self, points: Sequence[LatentPoint]) -> Tensor:
        """float32 (N, num_ws, w_dim): truncation, second style and offsets applied."""
        with torch.inference_mode():
            return self._ws(self.prepare(points))

    def _map(self, z: Tensor | None, c: Tensor | None, count: int) -> Tensor:
        """w (N, w_dim) without truncation, as kept where it was mapped before."""
        parts = (z, c)
        key = tuple(b"" if part is None else part.cpu().numpy().tobytes() for part in parts)
        found = self._mapped.get((key[0], key[1]))
        if found is None:
            empty = torch.zeros(count, 0, device=self.device)
            found = self.network.mapping(empty if z is None else z, c)
            self._mapped[key[0], key[1]] = found
            while len(self._mapped) > KEPT_MAPPED:
                self._mapped.popitem(last=False)
        else:
            self._mapped.move_to_end((key[0], key[1]))
        return found

    def _ws(self, batch: Batch) -> Tensor:
        c, psi, cutoff = batch.get("label"), batch["truncation"], batch["cutoff"]
        count, layers = len(psi), self.network.synthesis.num_ws
        average = self.network.mapping.average(c)
        ws = truncate(self._map(batch.get("z"), c, count), average, psi, cutoff, layers)
        if (fixed := batch.get("w")) is not None:
            ws = torch.where(fixed.isnan(), ws, fixed)
        amounts = batch.get("mix_layers")
        second = None
        if amounts is not None and bool((amounts > 0).any()) and "mix" in batch:
            second = truncate(self._map(batch["mix"].nan_to_num(0.0), c, count), average, psi, cutoff, layers)
        return edited(ws, second, amounts, batch.get("w_offset"))

    def forward(self, batch: Batch) -> Tensor:
        return self._synthesize(batch, None)

    def accelerated(self, batch: Batch, graphs: Graphs) -> Tensor:
        return self._synthesize(batch, graphs)

    def _synthesize(self, batch: Batch, graphs: Graphs | None) -> Tensor:
        """Only the synthesis network is recorded: what goes before it looks at its inputs. Where a replay
        wins, starting kernels is what takes the time, and running all layers costs no more than some."""
        ws = self._ws(batch)
        synthesis = self.network.synthesis
        trail = self._trail if len(ws) <= MAX_TRAILED else None
        inputs = {"ws": ws}
        if isinstance(synthesis, Synthesis2):
            noise, keys = self._noise_for(synthesis, batch["noise"], batch["noise_seed"])
            if graphs is None:
                return synthesis(ws, noise, keys, trail)
            inputs |= {f"noise {i}": picture for i, picture in enumerate(noise) if picture is not None}

            def network(given: Batch) -> Tensor:
                return synthesis(given["ws"], [given.get(f"noise {i}") for i in range(len(noise))])

            return graphs.run(network, inputs, lambda: synthesis(ws, noise, keys, trail))
        moves = [batch[name] for name in ("translate_x", "translate_y", "rotate")]
        if any(bool(move.any()) for move in moves):
            inputs["transform"] = input_transform(*moves)
        transform = inputs.get("transform")
        if graphs is None:
            return synthesis(ws, transform, trail)
        return graphs.run(
            lambda given: synthesis(given["ws"], given.get("transform")),
            inputs,
            lambda: synthesis(ws, transform, trail),
        )

    def _noise_for(
        self, synthesis: Synthesis2, strength: Tensor, seeds: Tensor
    ) -> tuple[list[Tensor | None], list[Hashable]]:
        """The noise of each convolution, scaled, and a key that tells it from other noise."""
        numbers = (*strength.tolist(), *seeds.tolist())
        if numbers == self._noise_key:
            return self._noise
        made: list[Tensor | None] = []
        keys: list[Hashable] = []
        for index, layer in enumerate(synthesis.layers()):
            if not layer.has_noise or layer.noise_strength == 0.0 or not bool(strength.any()):
                made.append(None)
                keys.append(None)
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
            noise = torch.stack(rows)[:, None] * (layer.noise_gain * strength[:, None, None, None])
            made.append(noise.to(layer.dtype))
            keys.append(numbers)
        self._noise_key, self._noise = numbers, (made, keys)
        return self._noise

    def tune(self, reference: Tensor, seconds: float) -> None:
        """Choose the fastest arithmetic whose picture stays within 40 dB PSNR of float32 (see ``tuning``).

        ``reference`` is seed 0's picture in float32, which took ``seconds``. Small networks stay as they are.
        """
        if min(reference.shape[2:]) < SMALLEST or self.device.type != "cpu":
            return
        tuned = remembered(self.info.sha256) if self.info.sha256 else None
        if tuned is None:
            with torch.inference_mode():
                batch = self.prepare([point_from_seed(self.info, 0)])

                def draw(arrangement: Arrangement) -> Tensor:
                    if arrangement != drawn[0]:
                        self._arrange(arrangement)
                        drawn[0] = arrangement
                    self._forget()
                    return self.forward(batch)

                drawn = [Arrangement()]

                synthesis = self.network.synthesis
                stylegan2 = isinstance(synthesis, Synthesis2)
                folds = isinstance(synthesis, Synthesis2) and any(one.foldable for one in synthesis.layers())
                tuned = tune(draw, reference, seconds, candidates(stylegan2, folds))
            if self.info.sha256:
                remember(self.info.sha256, tuned)
        self.tuned = tuned
        self._arrange(tuned.arrangement)
        self._tell()


def output_of(picture: Tensor) -> OutputSpec:
    """The output spec of a rendered picture (N, C, H, W)."""
    return OutputSpec("image", picture.shape[2], picture.shape[3], picture.shape[1], -1.0, 1.0)
