"""Writing a model folder: model.safetensors, card.json and preview.png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from igm_gui.formats.card import Card, Training, write_card
from igm_gui.formats.files import atomic_path, write_atomic

from .run import Run


def half_precision(network: nn.Module) -> dict[str, Tensor]:
    """The weights in float16, and the network itself rounded to them, so that what is looked at and
    measured from here on is what is on disk."""
    tensors = {
        key: value.detach().to(torch.float16).contiguous() for key, value in network.state_dict().items()
    }
    network.load_state_dict({key: value.float() for key, value in tensors.items()})
    return tensors


def sheet(pictures: NDArray[np.uint8], columns: int, scale: int = 1, gap: int = 0) -> Image.Image:
    """uint8 (N, H, W, C) -> one picture of rows of `columns`, each enlarged `scale` times without blur."""
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        canvas[top : top + height, left : left + width] = picture
    image = Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def training(run: Run, module: str) -> Training:
    """The card's account of a run: what to type, how long it took here, the seed."""
    threads = f"{run.args.threads} thread" + "s" * (run.args.threads > 1)
    machine = f"{threads}; {run.cpu_seconds / 60:.0f} min of processor time"
    return Training(
        command=f"python -m models.recipes.{module}", seconds=round(run.seconds), seed=run.args.seed,
        steps=run.args.steps, note=f"{machine}. {run.args.note}".strip(),
    )  # fmt: skip


def write_model(out: Path, card: Card, tensors: dict[str, Tensor], preview: Image.Image) -> Path:
    """Write `out/<card.name>/`; each file appears whole or not at all, the card last."""
    folder = out / card.name
    folder.mkdir(parents=True, exist_ok=True)
    if tensors:
        write_atomic(folder / "model.safetensors", save(tensors))
    with atomic_path(folder / "preview.png") as temporary:
        preview.save(temporary, optimize=True)
    write_card(folder, card)
    print(f"wrote {folder}", flush=True)
    return folder
