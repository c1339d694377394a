"""WAV files, with their recipe."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from igm_gui.errors import ExportError, ModelError
from igm_gui.formats.files import atomic_path, claimed
from igm_gui.formats.metadata import append_wav_text
from igm_gui.formats.recipe import Recipe, encode

SampleFormat = Literal["PCM_16", "PCM_24", "FLOAT"]
BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}
ROOM_BYTES = 1 << 20  # less than this is a full disk
# A RIFF chunk's length is 32 bits; the rest is room for the header and the recipe.
MAX_WAV_BYTES = 2**32 - 40_000_000


class WavWriter:
    """Takes blocks of sound; the file appears when the ``with`` block of :func:`wav_writer` ends well."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.samples = 0

    def write(self, block: NDArray[np.float32]) -> None:
        """Append float32 ``(channels, samples)`` in [-1, 1]; ExportError where the file gets too long."""
        self.samples += block.shape[1]
        if self.samples > self._limit:
            raise ExportError(
                "A WAV file holds at most 4 GB.", "Export a shorter timeline, or 16-bit samples."
            )
        self._file.write(np.ascontiguousarray(block.T))


@contextmanager
def wav_writer(
    path: Path, rate: int, channels: int, recipe: Recipe | None = None, samples: SampleFormat = "PCM_16"
) -> Iterator[WavWriter]:
    """Write a WAV block by block: all of it or nothing. ``rate`` in Hz. ExportError where that fails."""
    import soundfile

    text = None if recipe is None else encode(recipe)
    with atomic_path(Path(path)) as temporary, claimed(temporary):
        try:
            with soundfile.SoundFile(temporary, "w", rate, channels, subtype=samples, format="WAV") as file:
                yield WavWriter(file, MAX_WAV_BYTES // (channels * BYTES[samples]))
        except soundfile.SoundFileError as error:
            # The library only knows that the system refused; mostly the disk is full.
            full = shutil.disk_usage(temporary.parent).free < ROOM_BYTES
            reason = os.strerror(errno.ENOSPC) if full else str(error).rstrip(". ")
            raise ExportError(
                f"{Path(path).name} could not be written to {Path(path).parent}: {reason}.",
                "Choose another folder, or free some space and try again. "
                "Nothing that was there has changed.",
                repr(error),
            ) from error
        if recipe is not None and text is not None:
            append_wav_text(temporary, text, recipe.program)


def write_wav(
    path: Path,
    sound: NDArray[np.float32],
    rate: int,
    recipe: Recipe | None = None,
    samples: SampleFormat = "PCM_16",
) -> None:
    """Write float32 ``(channels, samples)`` in [-1, 1] at ``rate`` Hz. ExportError where that fails."""
    with wav_writer(path, rate, sound.shape[0], recipe, samples) as writer:
        writer.write(sound)


def read_sound(path: Path, seconds: float = 60.0) -> tuple[NDArray[np.float32], int]:
    """A sound of the person's own: float32 ``(channels, samples)``, at most ``seconds`` of it, and its
    rate in Hz. ModelError where it can't be read or holds nothing."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            frames = file.read(int(seconds * rate), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"{path.name} can't be read as a sound.", "WAV, FLAC, Ogg, AIFF and MP3 are read.", str(error)
        ) from error
    if not len(frames):
        raise ModelError(f"{path.name} holds no sound.", "Choose another file.")
    return np.ascontiguousarray(np.nan_to_num(frames.T)), rate
