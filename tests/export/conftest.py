"""A renderer on which small generators are already loaded, and what exports need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from igm_gui.engine.renderer import Renderer
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import LatentPoint, point_from_seed
from igm_gui.timeline import Keyframe, Timeline


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture(scope="session")
def pixels(renderer: Renderer) -> GeneratorInfo:
    return renderer.generator("uniform-pixels")[0].info


@pytest.fixture
def timeline(pixels: GeneratorInfo) -> Timeline:
    frames = tuple(Keyframe(float(t), point_from_seed(pixels, t), f"k{t}") for t in range(2))
    return Timeline(frames, length=2.0, fps=6.0)


class OneShot:
    """A sound generator that does not stream: a click at the start, then a tone of the seed's pitch."""

    RATE, LENGTH = 8000, 4000
    reentrant = False

    def __init__(self) -> None:
        self.info = GeneratorInfo(
            "one-shot",
            "fake",
            OutputSpec("sound", sample_rate=self.RATE, samples=self.LENGTH),
            (InputSpec("z", "latent", shape=(2,)),),
        )
        self.device = type("Device", (), {"type": "cpu"})()
        self.model_seconds = 0.0

    def render(self, points: Sequence[LatentPoint]) -> np.ndarray:
        time = np.arange(self.LENGTH) / self.RATE
        tones = [0.5 * np.sin(2 * np.pi * (200 + 50 * float(p.vector("z")[0])) * time) for p in points]
        sounds = np.stack(tones).astype(np.float32)[:, None]
        sounds[..., 8] = 0.9
        return sounds


@pytest.fixture
def one_shot(renderer: Renderer) -> str:
    generator = OneShot()
    renderer._loaded["one-shot", "cpu"] = generator  # type: ignore[assignment]
    renderer._resolved["auto"] = "cpu"
    return "one-shot"


def nothing_but(folder: Path, *names: str) -> bool:
    """Whether ``folder`` holds these files and nothing else, hidden ones counted."""
    return sorted(path.name for path in folder.iterdir()) == sorted(names)
