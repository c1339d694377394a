"""preview.wav and preview.png of a sound model: a few sounds in a row and their spectrogram."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from igm_gui.formats.card import Card, write_card
from igm_gui.formats.files import write_atomic

# The house's dark palette from silence to full scale.
_STOPS = (
    (0.00, (15, 17, 20)),
    (0.30, (27, 46, 84)),
    (0.55, (75, 139, 214)),
    (0.80, (227, 181, 87)),
    (1.00, (255, 246, 220)),
)


def colours(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Values from 0 to 1 -> uint8 ``(..., 3)``."""
    places = [place for place, _ in _STOPS]
    channels = [np.interp(values, places, [colour[i] for _, colour in _STOPS]) for i in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def spectrogram(sound: NDArray[np.float32], rate: int, width: int = 640, height: int = 256) -> Image.Image:
    """Log-frequency spectrogram of mono ``sound``, from 40 Hz to Nyquist, 80 dB deep."""
    size = 2048
    hop = max(1, len(sound) // width)
    signal = torch.from_numpy(np.asarray(sound, np.float32))
    spectrum = torch.stft(signal, size, hop, window=torch.hann_window(size), return_complex=True).abs()
    level = 20 * torch.log10(spectrum / (size / 4) + 1e-7)
    rows = np.geomspace(40.0, rate / 2, height) * size / rate
    low = np.clip(np.floor(rows).astype(int), 0, level.shape[0] - 2)
    mix = torch.from_numpy((rows - low).astype(np.float32)).clamp(0, 1)[:, None]
    picture = (level[low] * (1 - mix) + level[low + 1] * mix).numpy()[::-1]
    picture = np.clip((picture + 80) / 80, 0, 1)
    return Image.fromarray(colours(picture)).resize((width, height), Image.Resampling.LANCZOS)


def write_preview(folder: Path, sounds: list[NDArray[np.float32]], rate: int) -> None:
    """Write ``preview.wav`` (the sounds one after another) and ``preview.png`` in ``folder``."""
    joined = np.concatenate(sounds)
    data = io.BytesIO()
    soundfile.write(data, joined, rate, subtype="PCM_16", format="WAV")
    write_atomic(folder / "preview.wav", data.getvalue())
    data = io.BytesIO()
    spectrogram(joined, rate).save(data, "PNG", optimize=True)
    write_atomic(folder / "preview.png", data.getvalue())


def write_sound_model(out: Path, card: Card, tensors: dict[str, Tensor]) -> Path:
    """Write ``out/<card.name>/`` with weights and card, each file whole or not at all."""
    folder = out / card.name
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "model.safetensors", save(tensors))
    write_card(folder, card)
    print(f"wrote {folder}", flush=True)
    return folder
