"""The ``additive`` family: a sound generator that needs no weights and no training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.generators.additive import network as synth
from igm_gui.generators.base import TorchGenerator, info_from_card
from igm_gui.generators.ddsp.oscillators import (
    BlockBuffer,
    decibels,
    oscillate,
    ramp,
    soft_limit,
    start_phases,
)

if TYPE_CHECKING:
    from igm_gui.formats.checkpoint import Checkpoint
    from igm_gui.latent.point import LatentPoint


def detect(checkpoint: Checkpoint) -> bool:  # noqa: ARG001
    """Never true: there are no weights to recognise."""
    return False


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The generator that a card of family ``additive`` describes."""
    return AdditiveGenerator(info_from_card(checkpoint, abilities=("stream",)), synth.AdditiveNetwork())


class AdditiveGenerator(TorchGenerator):
    """Adds ``stream``: the note struck again every two seconds, gliding when the point moves."""

    def stream(self) -> AdditiveStream:
        return AdditiveStream(self)


class AdditiveStream:
    """One voice. Blocks of any length; the point of a block is reached by the block's end."""

    def __init__(self, generator: AdditiveGenerator) -> None:
        self._generator = generator
        self._buffer = BlockBuffer(synth.HOP)
        self._phases = start_phases(synth.HARMONICS)[None]
        self._frame = 0
        self._controls: torch.Tensor | None = None  # z, pitch and loudness of the last boundary
        self._last: tuple[torch.Tensor, torch.Tensor] | None = None

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]:
        """The next float32 ``(1, samples)`` in [-1, 1]."""
        with torch.inference_mode():
            batch = self._generator.prepare([point])
            wanted = torch.cat([batch["z"][0], batch["pitch"], batch["loudness"]]).cpu()
            return self._buffer.take(samples, lambda frames: self._make(wanted, frames))

    def _make(self, wanted: torch.Tensor, frames: int) -> NDArray[np.float32]:
        before = wanted if self._controls is None else self._controls
        controls = ramp(before, wanted, frames)
        self._controls = wanted
        if self._last is None:
            self._last = self._at(wanted[None], 0)
        freqs, amps = self._at(controls, self._frame + 1)
        freqs = torch.cat([self._last[0], freqs])
        amps = torch.cat([self._last[1], amps])
        sound, self._phases = oscillate(freqs[None], amps[None], self._phases, synth.SAMPLE_RATE, synth.HOP)
        self._last = freqs[-1:], amps[-1:]
        self._frame += frames
        return soft_limit(sound)[0].numpy()

    @staticmethod
    def _at(controls: torch.Tensor, frame: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Frequencies and amplitudes at the boundaries from ``frame`` on, one for each row."""
        z, pitch, loudness = controls[:, :-2], controls[:, -2], controls[:, -1]
        period = synth.SAMPLES // synth.HOP
        numbers = (torch.arange(frame, frame + len(controls)) % period).to(z.dtype)
        time = numbers * (synth.HOP / synth.SAMPLE_RATE)
        gain = decibels(loudness)[:, None] * math.sqrt(2.0)
        return synth.frequencies(z, pitch, time), gain * synth.amplitudes(z, pitch, time)
