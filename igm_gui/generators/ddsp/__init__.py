"""The ``ddsp`` family: musical notes from a network that steers a synthesiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from igm_gui.generators.base import TorchGenerator, info_from_card, load_weights
from igm_gui.generators.ddsp.analysis import HARMONICS, HOP, SAMPLE_RATE, analyse
from igm_gui.generators.ddsp.hearing import estimate_pitch, onset, to_mono
from igm_gui.generators.ddsp.network import FULL, NOTE_FRAMES, SOFTEST, TimbreNetwork
from igm_gui.generators.ddsp.oscillators import BlockBuffer, ramp, soft_limit, start_phases
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.latent.vector import Vector

if TYPE_CHECKING:
    from igm_gui.formats.checkpoint import Checkpoint

SCALARS = ("pitch", "loudness", "hold", "vibrato", "noise")


def detect(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are those of a :class:`TimbreNetwork`."""
    return "decoder.release.weight" in checkpoint.shapes and "encoder.frame.weight" in checkpoint.shapes


def load(checkpoint: Checkpoint) -> TorchGenerator:
    """The generator; z's size, the width and the depth are read from the tensors' shapes."""
    info = info_from_card(checkpoint)
    width = checkpoint.shapes["decoder.out.weight"][1]
    depth = len({key.split(".")[2] for key in checkpoint.shapes if key.startswith("decoder.blocks.")})
    network = TimbreNetwork(checkpoint.shapes["mean"][0], width, depth)
    parameters = load_weights(network, checkpoint)
    info = info_from_card(checkpoint, parameters, ("encode", "stream"))
    return TimbreGenerator(info, network)


class TimbreGenerator(TorchGenerator):
    """Adds ``encode`` (a recorded note -> its point) and ``stream`` (the note struck every two seconds)."""

    network: TimbreNetwork

    def stream(self) -> TimbreStream:
        return TimbreStream(self)

    def encode(self, media: NDArray[Any], rate: int = 0) -> LatentPoint:
        """The point nearest to a recording of one note: float ``(channels, samples)`` at ``rate`` Hz.

        Pitch by YIN, level and timbre by the encoder. InputError where there is nothing to hear.
        """
        sound = to_mono(media, rate or SAMPLE_RATE, SAMPLE_RATE)
        sound = sound[onset(sound, SAMPLE_RATE) :]
        heard, _ = estimate_pitch(sound[: 2 * SAMPLE_RATE], SAMPLE_RATE)
        spec = self.info.input("pitch")
        low, high = (spec.minimum, spec.maximum) if spec else (33.0, 96.0)
        pitch = min(max(heard, low), high)
        with torch.inference_mode():
            note = analyse(sound, pitch)
            loudness = min(max(note.level, -45.0), -9.0)
            dynamics = torch.tensor([min(max(loudness - FULL, SOFTEST), 0.0)])
            inputs = (note.harmonic[None], note.noise[None], torch.tensor([pitch]), dynamics)
            code, _ = self.network.encoder(*(x.to(self.device) for x in inputs))
            z = torch.linalg.solve(self.network.basis.T.cpu(), (code.cpu() - self.network.mean.cpu())[0])
        point = point_from_seed(self.info, 0).with_value(
            "z", Vector(z.clamp(-4, 4).numpy().astype(np.float32))
        )
        point = point.with_value("pitch", float(pitch)).with_value("loudness", float(loudness))
        return LatentPoint(point.values, None)


class TimbreStream:
    """One voice. Blocks of any length; the point of a block is reached, gliding, by the block's end."""

    def __init__(self, generator: TimbreGenerator) -> None:
        self._generator = generator
        self._buffer = BlockBuffer(HOP)
        self._phases = start_phases(HARMONICS)[None]
        self._frame = 0
        self._controls: torch.Tensor | None = None  # z and SCALARS at the last boundary
        self._last: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def block(self, point: LatentPoint, samples: int) -> NDArray[np.float32]:
        """The next float32 ``(1, samples)`` in [-1, 1]."""
        with torch.inference_mode():
            batch = self._generator.prepare([point])
            wanted = torch.cat([batch["z"][0], *(batch[name] for name in SCALARS)])
            return self._buffer.take(samples, lambda frames: self._make(wanted, frames))

    def _make(self, wanted: torch.Tensor, frames: int) -> NDArray[np.float32]:
        before = wanted if self._controls is None else self._controls
        rows = ramp(before, wanted, frames)
        self._controls = wanted
        if self._last is None:
            self._last = self._voice(wanted[None], 0)
        fresh = self._voice(rows, self._frame + 1)
        pairs = zip(self._last, fresh, strict=True)
        harmonic, noise, hertz = (torch.cat([old, new])[None].cpu() for old, new in pairs)
        self._last = fresh[0][-1:], fresh[1][-1:], fresh[2][-1:]
        network = self._generator.network.on_cpu()
        sound, self._phases = network.synthesise(harmonic, noise, hertz, self._phases, self._frame)
        self._frame += frames
        return soft_limit(sound)[0].numpy()

    def _voice(self, rows: torch.Tensor, frame: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Harmonics, noise and fundamental at the boundaries from ``frame`` on, one for each row."""
        numbers = torch.arange(frame, frame + len(rows), device=rows.device) % NOTE_FRAMES
        pitch, loudness, hold, vibrato, noise = rows[:, -len(SCALARS) :].unbind(1)
        time = numbers * (HOP / SAMPLE_RATE)
        z = rows[:, : -len(SCALARS)]
        return self._generator.network.voice(z, pitch, loudness, hold, vibrato, noise, time)
