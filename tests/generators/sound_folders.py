"""Model folders with random weights, for tests that need a loader but no training."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from igm_gui.formats.card import Card, write_card
from igm_gui.generators.ddsp.network import TimbreNetwork
from igm_gui.generators.drums.network import DrumNetwork
from igm_gui.generators.toy.network import ToyNetwork
from igm_gui.info import InputSpec, OutputSpec


def _scalar(name: str, low: float, high: float, default: float) -> InputSpec:
    return InputSpec(name, "scalar", minimum=low, maximum=high, default=default)


def _write(folder: Path, card: Card, network: torch.nn.Module) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, folder / "model.safetensors")
    write_card(folder, card)
    return folder


def timbre_folder(folder: Path) -> tuple[Path, TimbreNetwork]:
    """A ddsp model of four latent dimensions."""
    torch.manual_seed(0)
    network = TimbreNetwork(4, 48, 2)
    with torch.no_grad():
        network.decoder.out.bias[0] = -0.5
        network.basis.copy_(torch.linalg.qr(torch.randn(4, 4)).Q * 1.3)
        network.mean.copy_(torch.randn(4))
    inputs = (
        InputSpec("z", "latent", shape=(4,)),
        _scalar("pitch", 33, 96, 60),
        _scalar("loudness", -45, -9, -15),
        _scalar("hold", 0.05, 2, 1.4),
        _scalar("vibrato", 0, 100, 0),
        _scalar("noise", 0, 2, 1),
    )
    output = OutputSpec("sound", sample_rate=24_000, samples=48_000)
    card = Card(name="t", family="ddsp", output=output, inputs=inputs)
    return _write(folder, card, network), network


def drums_folder(folder: Path) -> tuple[Path, DrumNetwork]:
    """A drums model of three latent dimensions and two kinds."""
    torch.manual_seed(0)
    network = DrumNetwork(3, 2, 32)
    with torch.no_grad():
        network.basis.copy_(torch.linalg.qr(torch.randn(2, 3, 3)).Q * 0.7)
        network.mean.copy_(torch.randn(2, 3))
    inputs = (
        InputSpec("z", "latent", shape=(3,)),
        InputSpec("label", "label", classes=("low", "high")),
        _scalar("tune", -12, 12, 0),
        _scalar("length", 0.25, 2, 1),
        InputSpec("noise_seed", "seed"),
    )
    output = OutputSpec("sound", sample_rate=44_100, samples=44_100)
    card = Card(name="d", family="drums", output=output, inputs=inputs)
    return _write(folder, card, network.eval()), network


def toy_folder(folder: Path) -> tuple[Path, ToyNetwork]:
    """A toy that moves every point by (1, 0.5), with one training point at (-2, 2)."""
    network = ToyNetwork(16, 2, 1)
    with torch.no_grad():
        network.layers[-1].bias.copy_(torch.tensor([1.0, 0.5]))
        network.cloud.copy_(torch.tensor([[-2.0, 2.0]]))
    inputs = (
        InputSpec("z", "latent", shape=(2,)),
        _scalar("progress", 0, 1, 1),
        _scalar("data", 0, 1, 0),
        _scalar("grid", 0, 1, 1),
    )
    output = OutputSpec("image", height=384, width=384, channels=3, low=0.0, high=1.0)
    card = Card(name="y", family="toy", output=output, inputs=inputs)
    return _write(folder, card, network), network
