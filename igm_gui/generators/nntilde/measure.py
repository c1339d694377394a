"""What can only be learnt of an export by running it, once for each file: how many channels its decoder
takes, whether it streams, how late it answers, whether it draws noise, where its latents lie.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats.files import write_atomic
from igm_gui.generators.nntilde.declared import BOOL, HINT, INT, Attribute, Declared
from igm_gui.generators.nntilde.decoder import Decoder, Noise, Voice
from igm_gui.generators.nntilde.space import Space, calibrate
from igm_gui.paths import cache_folder

VERSION = 3
WARM_UP = 3  # TorchScript compiles itself in its first runs
STREAMS_BELOW = 1e-3  # relative difference between decoding in chunks and at once
SETTLE, AFTER = 0.4, 0.8  # seconds before and after the step that the delay is measured by
AUDIBLE, HALF = 0.1, 0.5  # parts of the whole change


class Measured(msgspec.Struct, frozen=True):
    """``seam`` is the relative difference between decoding in chunks and at once; ``audible`` and ``half``
    are samples from a latent's step until that part of the change is heard; ``settings`` names the attributes
    that change what the decoder gives."""

    size: int
    space: Space
    noisy: bool
    seam: float
    audible: int
    half: int
    settings: tuple[str, ...] = ()
    version: int = VERSION

    @property
    def streams(self) -> bool:
        return self.seam <= STREAMS_BELOW


def remembered(sha256: str, declared: Declared) -> Measured | None:
    """What was measured of this file before; None where nothing was, or by another version."""
    try:
        found = msgspec.json.decode((_folder() / f"{sha256}.json").read_bytes(), type=Measured)
    except (OSError, msgspec.MsgspecError):
        return None
    fits = found.version == VERSION and found.size in (declared.size, declared.full_size)
    return found if fits and found.size == found.space.size == len(found.space.scale) else None


def remember(sha256: str, measured: Measured) -> None:
    """Keep it for the next opening. A folder that can't be written only means measuring again."""
    try:
        _folder().mkdir(exist_ok=True)
        write_atomic(_folder() / f"{sha256}.json", msgspec.json.encode(measured))
    except (IgmError, OSError):
        return


def _folder() -> Path:
    return cache_folder() / "nntilde"


def warm_up(decoder: Decoder, size: int, steps: int = 1) -> None:
    """Decode a few times with the length that will be used: the first runs take up to a second."""
    voice = Voice()
    for _ in range(WARM_UP):
        decoder.run(voice, torch.zeros(1, size, steps))


def measure(decoder: Decoder, declared: Declared, name: str) -> Measured:
    """Run the export called ``name`` and look. ModelError where its decoder does not run."""
    size = declared.size
    if declared.full_size > size and _takes(decoder, declared, declared.full_size):
        size = declared.full_size
    space = calibrate(decoder, declared, size)

    def draw(steps: int) -> Tensor:
        z = np.random.RandomState(0).randn(size, steps).astype(np.float32) * 0.5
        return space.to_decoder(torch.from_numpy(z))[None]

    try:
        warm_up(decoder, size, 8)
        latents = draw(8)
        whole = _decode(decoder, [latents], 0)
        halves = _decode(decoder, list(latents.split(4, 2)), 0)
        other = _decode(decoder, [latents], 1)
    except Exception as error:
        raise ModelError(f"{name}'s decoder does not run.", HINT, str(error)) from error
    if whole.shape != (declared.channels, 8 * declared.ratio):
        raise ModelError(f"{name}'s decoder gives the shape {tuple(whole.shape)}.", HINT)
    if not np.isfinite(whole).all():
        raise ModelError(f"{name}'s decoder gives values that are not numbers.", HINT)
    level = _rms(whole) or 1.0
    noise = _rms(other - whole) / level
    seam = _rms(halves - whole) / level
    # Where the decoder draws noise, chunks draw it in another order: only more than that is a seam.
    seam = 0.0 if noise > 0 and seam < 2 * noise else seam
    audible, half = _delay(decoder, declared, space)
    settings = tuple(a.name for a in declared.attributes if _matters(decoder, a, latents))
    return Measured(size, space, noise > 0, seam, audible, half, settings)


def _takes(decoder: Decoder, declared: Declared, size: int) -> bool:
    try:
        given = _decode(decoder, [torch.zeros(1, size, 2)], 0)
    except Exception:  # an older export that always adds the missing channels
        return False
    return given.shape == (declared.channels, 2 * declared.ratio)


def _matters(decoder: Decoder, attribute: Attribute, latents: Tensor) -> bool:
    """Whether another value changes the sound: RAVE's own attributes only steer its way from sound to sound.
    One that can't be set back counts as one that matters."""
    before = _decode(decoder, [latents], 0)
    other = [
        1 - value if kind == BOOL else value + 1 if kind == INT else value + 0.5 * (1 + abs(value))
        for kind, value in zip(attribute.kinds, attribute.values, strict=True)
    ]
    try:
        attribute.set(decoder.program, other)
        changed = _decode(decoder, [latents], 0)
        attribute.set(decoder.program, list(attribute.values))
        return not np.array_equal(before, changed) or not np.array_equal(
            before, _decode(decoder, [latents], 0)
        )
    except Exception:  # a value that the export refuses: the person may know a better one
        return True


def _decode(decoder: Decoder, parts: list[Tensor], seed: int) -> NDArray[np.float32]:
    """(channels, samples) of latents that follow each other, from silence."""
    voice, noise = Voice(), Noise(seed)
    made = [decoder.run(voice, part, noise)[0] for part in parts]
    return np.asarray(torch.cat(made, 1).numpy(), np.float32)


def _delay(decoder: Decoder, declared: Declared, space: Space) -> tuple[int, int]:
    """Samples until a tenth and until half of a latent's step is heard."""
    ratio, rate = declared.ratio, declared.rate
    before, after = (max(2, round(s * rate / ratio)) for s in (SETTLE, AFTER))
    # Not to the ends: angles of -1 and 1 are the same.
    a = 0.7 * np.clip(np.random.RandomState(1).randn(space.size), -1, 1).astype(np.float32)
    held = space.to_decoder(torch.from_numpy(np.repeat(a[:, None], before + after, 1)))[None]
    moved = held.clone()
    moved[..., before:] = space.to_decoder(torch.from_numpy(-a[:, None]))[None]
    difference = _decode(decoder, [moved], 2) - _decode(decoder, [held], 2)
    window = max(1, rate // 200)
    heard = np.square(difference[:, before * ratio :]).mean(0)
    heard = heard[: len(heard) // window * window].reshape(-1, window).mean(1)
    level = np.sqrt(heard)
    final = float(np.sqrt(heard[-max(1, len(heard) // 3) :].mean())) if len(heard) else 0.0
    if final <= 1e-6:
        return 0, 0
    times = [int(np.argmax(level >= part * final)) * window for part in (AUDIBLE, HALF)]
    return times[0], times[1]


def _rms(values: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.square(values, dtype=np.float64).mean()))
