"""Models are refused that need more memory than there is; loaded ones stay within a budget."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import igm_gui
from igm_gui.cli import main
from igm_gui.engine.renderer import Renderer
from igm_gui.errors import ModelError
from igm_gui.generators import half, memory, registry
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent.point import point_from_seed
from igm_gui.paths import models_folder


def test_this_computer_says_how_much_it_has() -> None:
    assert memory.physical() > 1 << 28
    assert memory.available() > 0


@pytest.mark.parametrize("stored", [torch.float16, torch.float32])
def test_weights_are_there_twice_for_a_moment(tmp_path: Path, stored: torch.dtype) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1000, dtype=stored)}, path)
    assert memory.needed(path) == 2 * 4000
    assert memory.needed(path, half=True) == 2 * 2000


def folder_of(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(models_folder() / name, folder / name))


def plain_weights(folder: Path, ending: str) -> Path:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 784), nn.Tanh())
    path = folder / f"net{ending}"
    if ending == ".pt":
        torch.save(network.state_dict(), path)
    else:
        save_file(network.state_dict(), path)
    return path


MODELS = ("fashion-gan", "emoji-64", "drums", ".pt", ".safetensors")


@pytest.mark.parametrize("model", MODELS)
def test_what_does_not_fit_is_offered_in_half_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    path = plain_weights(tmp_path, model) if model.startswith(".") else folder_of(model, tmp_path)
    whole = igm_gui.load(str(path))
    wanted = memory.needed(path)
    monkeypatch.setattr(memory, "available", lambda: wanted - 1)
    with pytest.raises(memory.TooLarge, match="of memory") as offer:
        registry.load(str(path))
    assert "half precision" in offer.value.hint
    memory.allow_half(offer.value.sha256)
    small = igm_gui.load(str(path))
    assert small.info.precision.startswith("float16")
    given, expected = small.sample(seed=1, n=2), whole.sample(seed=1, n=2)
    error = float(np.abs(given.astype(np.float64) - expected).mean())
    assert error < (1.0 if whole.info.media == "image" else 0.01)
    generator = registry.load(str(path))
    stored = [p for p in (*generator.network.parameters(), *generator.network.buffers()) if p.numel() > 100]
    bytes_held = sum(p.numel() * p.element_size() for p in stored)
    assert bytes_held <= 0.55 * 4 * sum(p.numel() for p in stored)
    assert memory.held(generator) == 2 * generator.info.parameters
    # With enough memory the whole is opened again.
    monkeypatch.setattr(memory, "available", lambda: wanted)
    assert igm_gui.load(str(path)).info.precision == "float32"


NETWORKS = sorted((Path(__file__).parent.parent / "data" / "stylegan").glob("*.pkl"))


@pytest.mark.parametrize("network", NETWORKS, ids=lambda path: path.stem)
def test_a_stylegan_pickle_is_offered_in_half_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: Path
) -> None:
    monkeypatch.setattr(half, "SMALLEST", 64)  # these networks are small
    monkeypatch.setattr(memory, "FEATURES", 0)
    path = Path(shutil.copy(network, tmp_path))
    whole = registry.load(str(path))
    monkeypatch.setattr(memory, "available", lambda: memory.needed(path) - 1)
    with pytest.raises(memory.TooLarge, match="of memory") as offer:
        registry.load(str(path))
    memory.allow_half(offer.value.sha256)
    small = registry.load(str(path))
    points = [point_from_seed(whole.info, seed) for seed in range(3)]
    expected = whole.render(points)
    given = small.render(points)
    assert np.abs(given.astype(float) - expected).mean() < 1.0
    assert np.array_equal(given, small.render(points))
    held = [b for b in small.network.buffers() if b.ndim > 1 and b.numel() > 1000]
    assert sum(b.numel() for b in held if b.dtype == torch.float16) > 0.6 * sum(b.numel() for b in held)
    assert small.info.precision == half.PRECISION
    small.to("cpu")
    assert small.info.precision == half.PRECISION
    assert memory.held(small) == 2 * small.info.parameters
    assert not any(getattr(m, "_ready", None) for m in small.network.modules())  # no wide copies stay
    monkeypatch.setattr(memory, "available", lambda: memory.needed(path))
    assert registry.load(str(path)).info.precision == "float32"


def test_a_network_whose_pictures_have_no_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in NETWORKS[0], NETWORKS[-1]:
        network = registry.load(str(path)).network
        side = 32 * 32 if "32" in path.stem else 64 * 64
        assert network.synthesis.largest >= side * 16
        monkeypatch.setattr(memory, "FEATURES", 1e9)
        with pytest.raises(ModelError, match="memory for one picture"):
            registry.load(str(path))
        monkeypatch.undo()


def test_a_pickle_is_there_three_times_for_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "network.pkl"
    path.write_bytes(bytes(1000))
    assert memory.needed(path) == 3000
    assert memory.needed(path, half=True) == 2500


def test_what_does_not_even_fit_in_half_precision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plain_weights(tmp_path, ".safetensors")
    monkeypatch.setattr(memory, "available", lambda: memory.needed(path, half=True) - 1)
    with pytest.raises(ModelError, match="of memory") as refusal:
        registry.load(str(path))
    assert not isinstance(refusal.value, memory.TooLarge)


def test_the_command_line_opens_in_half_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = plain_weights(tmp_path, ".pt")
    monkeypatch.setattr(memory, "available", lambda: memory.needed(path) - 1)
    command = ["sample", str(path), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    assert "igm half" in capsys.readouterr().err
    assert main(["half", str(path)]) == 0
    assert main(command) == 0
    assert len(list((tmp_path / "out").iterdir())) == 1


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
        return SimpleNamespace(
            try_threads=False, info=info, network=None, device=torch.device("cpu"), to=lambda _device: None
        )

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


def test_half_precision_is_for_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert main(["half", str(text)]) == 2
    assert "is not a model" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_a_program_keeps_its_precision_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / f"model.{'onnx' if kind == 'onnx' else 'pt'}"
    if kind == "onnx":
        path.write_bytes(b"\x08\x09" + bytes(500_000))
    else:
        with pytest.warns(DeprecationWarning, match="jit"):
            torch.jit.script(nn.Linear(300, 300)).save(str(path))
    assert main(["half", str(path)]) == 2
    assert "export it in half precision" in capsys.readouterr().err.lower()
    monkeypatch.setattr(memory, "available", lambda: int(1.5 * path.stat().st_size))
    monkeypatch.setattr(memory, "physical", lambda: 1 << 34)
    with pytest.raises(ModelError, match="of memory") as refusal:
        registry.load(str(path))
    assert not isinstance(refusal.value, memory.TooLarge)
    assert "exported with" in refusal.value.hint
