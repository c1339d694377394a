"""Models are refused that need more memory than there is; loaded ones stay within a budget."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ModelError
from igm_gui.generators import memory, registry
from igm_gui.info import GeneratorInfo, OutputSpec


def test_this_computer_says_how_much_it_has() -> None:
    assert memory.physical() > 1 << 28
    assert memory.available() > 0


def test_half_precision_needs_its_size_and_twice_that(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1000, dtype=torch.float16)}, path)
    assert memory.needed(path) == path.stat().st_size + 4000


def test_too_large_a_model_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"0.weight": torch.zeros(100, 100), "2.weight": torch.zeros(768, 100)}, path)
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(ModelError, match="of memory"):
        registry.load(str(path))


def test_the_least_recently_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(model: str) -> SimpleNamespace:
        info = GeneratorInfo(model, "none", OutputSpec("image", 1, 1), (), parameters=100)
        return SimpleNamespace(info=info, to=lambda _device: None)

    monkeypatch.setattr(registry, "load", load)
    renderer = Renderer(budget=1000)
    first = renderer.generator("a", "cpu")[0]
    second = renderer.generator("b", "cpu")[0]
    assert renderer.bytes_held == 800
    assert renderer.generator("a", "cpu")[0] is first
    renderer.generator("c", "cpu")
    assert renderer.bytes_held == 800
    assert renderer.generator("a", "cpu")[0] is first
    assert renderer.generator("b", "cpu")[0] is not second
    small = Renderer(budget=1)
    small.generator("a", "cpu")
    assert small.bytes_held == 400
