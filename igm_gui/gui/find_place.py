"""A picture or a sound of the person's own finds its place in the latent space, where the model encodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from igm_gui.engine.loop import Job
from igm_gui.engine.renderer import Renderer
from igm_gui.formats.audio import read_sound
from igm_gui.formats.image import read_picture
from igm_gui.gui.studio import Studio
from igm_gui.latent.point import LatentPoint, conform

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SOUNDS = (".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3")


def can_find(studio: Studio, path: Path) -> bool:
    """Whether the current model has an encoder for this kind of file."""
    info = studio.session.info
    if info is None or "encode" not in info.abilities:
        return False
    return path.suffix.lower() in (PICTURES if info.media == "image" else SOUNDS)


def find_place(studio: Studio, path: Path) -> Job:
    """Encode the file on the render thread and go to the point found (one step to undo)."""
    model, device = studio.state.model, studio.state.device
    image = path.suffix.lower() in PICTURES
    found: list[LatentPoint] = []

    def work(renderer: Renderer) -> Iterator[float]:
        media: NDArray[Any]
        media, rate = (read_picture(path), 0) if image else read_sound(path)
        yield 0.2
        generator, _ = renderer.generator(model, device)
        found.append(generator.encode(media, rate))  # type: ignore[attr-defined]
        yield 1.0

    def done(job: Job) -> None:
        if job.error is not None or not found or studio.state.model != model:
            return
        info = studio.session.info
        studio.session.update(point=conform(found[0], info) if info else found[0])
        studio.say(
            f"This is {path.name} as {info.title if info else model} knows it.",
            "The nearest the encoder finds, not a copy. Undo brings you back.",
            "good",
        )

    return studio.run(f"Find {path.name}", work, done)
