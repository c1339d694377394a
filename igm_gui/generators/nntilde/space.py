"""The latent that the sliders show and the coordinates that a decoder takes.

A slider's unit is the standard deviation of the model's own latents: 0 is their middle, and +-2 is where
nineteen of twenty lie. What they are is measured by encoding music (percentiles: a few wild frames don't
count), or taken from the export's prior; without either the decoder's numbers are taken as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import IgmError
from igm_gui.formats.audio import read_sound
from igm_gui.generators.ddsp.hearing import to_mono
from igm_gui.generators.nntilde.declared import Declared, Kind
from igm_gui.generators.nntilde.decoder import Decoder, Noise
from igm_gui.paths import models_folder

HEARD = ("timbre", "drums", "additive")  # bundled previews: notes, hits, tones
HEARD_SECONDS = 2.5
FEWEST_STEPS, PRIOR_STEPS = 12, 400
TAILS = (2.5, 97.5)  # percent; 1.96 standard deviations of a normal distribution
SMALLEST = 0.02  # a dimension that hardly moves is one that the decoder ignores: left as it is


@dataclass(frozen=True)
class Space:
    """``kind`` plain: decoder = centre + scale * z. Codes: z from -1 to 1 is spread over 0 to ``codes`` - 1
    and rounded. Angles: as they are, from -1 to 1."""

    kind: Kind
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    codes: int = 0
    source: str = ""  # what was measured, for the person

    @property
    def size(self) -> int:
        return len(self.centre)

    def to_decoder(self, z: Tensor) -> Tensor:
        """(D, T) -> (D, T)."""
        if self.kind == "codes":
            return ((z.clamp(-1, 1) + 1) * (0.5 * (self.codes - 1))).round()
        if self.kind == "angles":
            return z
        return torch.tensor(self.centre)[:, None] + torch.tensor(self.scale)[:, None] * z

    def from_decoder(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(D,) -> (D,), the other way."""
        if self.kind == "codes":
            return np.asarray(2.0 * values / max(self.codes - 1, 1) - 1.0, np.float32)
        if self.kind == "angles":
            return values
        centre, scale = (np.asarray(part, np.float32) for part in (self.centre, self.scale))
        return np.asarray((values - centre[: len(values)]) / scale[: len(values)], np.float32)

    def text(self, names: tuple[str, ...]) -> str:
        """What a slider means, for a tool tip; ``names`` are the first dimensions'."""
        if self.kind == "codes":
            return f"Each slider chooses one of {self.codes} codes of a quantiser; between them it jumps."
        if self.kind == "angles":
            return "Angles on a sphere, from -1 to 1 as nn~ has them."
        if not self.source:
            return "The decoder's own numbers, as nn~ has them; most lie within -3 and 3."
        ranges = [f"{c - 2 * s:.3g} to {c + 2 * s:.3g}" for c, s in zip(self.centre, self.scale, strict=True)]
        shown = "; ".join(f"{name} {text}" for name, text in zip(names[:16], ranges, strict=False))
        return f"-2 to 2 is where nineteen of twenty latents lie ({self.source}). In nn~'s numbers, {shown}."


def plain(size: int) -> Space:
    """The decoder's numbers as they are."""
    return Space("plain", (0.0,) * size, (1.0,) * size)


def calibrate(decoder: Decoder, declared: Declared, size: int) -> Space:
    """Measure the space of an export whose decoder takes ``size`` channels."""
    if declared.kind == "angles":
        return Space("angles", (0.0,) * size, (1.0,) * size)
    found, source = _latents(decoder, declared)
    if declared.kind == "codes" or _whole_numbers(found):
        codes = declared.codes or _power_above(found)
        return Space("codes", (0.0,) * size, (1.0,) * size, codes)
    if found is None:
        return plain(size)
    low, high = np.percentile(found, TAILS, axis=1)
    scale = (high - low) / (2 * 1.96)
    dead = scale < SMALLEST
    centre = np.where(dead, 0.0, (low + high) / 2)
    scale = np.where(dead, 1.0, scale)
    # What an encoder leaves out is drawn from N(0, 1) by the export itself.
    missing = size - len(scale)
    return Space(
        "plain",
        (*(float(v) for v in centre[:size]), *(0.0,) * missing),
        (*(float(v) for v in scale[:size]), *(1.0,) * missing),
        source=source,
    )


def _latents(decoder: Decoder, declared: Declared) -> tuple[NDArray[np.float32] | None, str]:
    """Many latents of the model's own, float32 (D, T), and where they are from."""
    try:
        if declared.encode is not None:
            sound = _music(declared.rate)
            steps = len(sound) // declared.encode.out_ratio
            given = sound[: steps * declared.encode.out_ratio].expand(1, declared.encode.in_channels, -1)
            return _usable(decoder.encode(given, Noise(0)), declared.size), "measured by encoding music"
        if "prior" in declared.methods:
            channels = int(decoder.program.prior_params.flatten()[0])
            with torch.inference_mode(), Noise(0):
                drawn = decoder.program.prior(torch.ones(1, channels, PRIOR_STEPS))
            return _usable(drawn.float(), declared.size), "drawn from the export's prior"
    except Exception:  # an export's own fault: its numbers are taken as they are
        return None, ""
    return None, ""


def _usable(latents: Tensor, size: int) -> NDArray[np.float32] | None:
    array = np.asarray(latents[0].numpy(), np.float32)
    if array.ndim != 2 or array.shape[0] != size:
        return None
    array = array[:, np.isfinite(array).all(axis=0)]  # an encoder may fail at silence
    return array if array.shape[1] >= FEWEST_STEPS else None


def _music(rate: int) -> Tensor:
    """A few seconds of notes, hits and tones, float32 (samples,) at ``rate`` Hz."""
    parts = []
    for name in HEARD:
        try:
            sound, own = read_sound(models_folder() / name / "preview.wav")
        except IgmError:
            continue
        parts.append(to_mono(sound[:, : int(HEARD_SECONDS * own)], own, rate))
    if not parts:  # an installation without the bundled models: a sweep under a changing loudness
        t = torch.arange(int(4 * rate)) / rate
        phase = 2 * np.pi * 55 * (2 ** (1.5 * t) - 1) / (1.5 * np.log(2))
        parts.append(0.5 * torch.sin(phase) * (0.55 + 0.45 * torch.sin(2 * np.pi * 1.7 * t)))
    return torch.cat(parts)


def _whole_numbers(found: Any) -> bool:
    return found is not None and bool((found == np.round(found)).all()) and float(np.ptp(found)) > 1


def _power_above(found: NDArray[np.float32] | None) -> int:
    top = int(found.max()) if found is not None else 1
    return max(2, 1 << int(np.ceil(np.log2(max(top, 1) + 1))))
