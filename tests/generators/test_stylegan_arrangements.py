"""However a network computes, the picture stays: memory order, folded filters, half precision, odd shapes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from benchmarks import stylegan_reference as reference
from igm_gui.errors import ModelError
from igm_gui.formats.unpickle import load_pickle
from igm_gui.generators import registry
from igm_gui.generators.base import TorchGenerator
from igm_gui.generators.stylegan import convolve, tuning
from igm_gui.generators.stylegan import generator as stylegan
from igm_gui.generators.stylegan.build2 import synthesis2
from igm_gui.generators.stylegan.records import node_from_record
from igm_gui.generators.stylegan.synthesis2 import FOLDED_CHANNELS
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.generators.stylegan.tuning import Arrangement, Tuned, peak_psnr, tune
from igm_gui.latent.point import point_from_seed
from igm_gui.paths import cache_folder

DATA = Path(__file__).parent.parent / "data" / "stylegan"
NETWORKS = sorted(path.stem for path in DATA.glob("*.pkl"))
ARRANGEMENTS = [
    Arrangement(p, last, folded)
    for p in ("float32", "bfloat16", "float16")
    for last in (False, True)
    for folded in (False, True)
]
ARRANGEMENTS += [Arrangement(p, True, winograd=True) for p in ("float32", "bfloat16", "float16")]


def root(name):
    return node_from_record(load_pickle((DATA / f"{name}.pkl").read_bytes())["G_ema"])


@pytest.fixture(scope="module", params=NETWORKS)
def opened(request):
    return registry.load(str(DATA / f"{request.param}.pkl"))


def pictures(generator, *seeds):
    with torch.inference_mode():
        points = [point_from_seed(generator.info, seed) for seed in seeds]
        return generator.forward(generator.prepare(points)).clone()


@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=str)
def test_every_arrangement_gives_the_picture(monkeypatch, opened, arrangement):
    monkeypatch.setattr(convolve, "WINOGRAD_CHANNELS", 1)  # these networks are narrow
    monkeypatch.setattr(convolve, "WINOGRAD_SIDE", 4)
    opened._arrange(Arrangement())
    plain = pictures(opened, 0, 1)
    opened._arrange(arrangement)
    seen = pictures(opened, 0, 1)
    opened._arrange(Arrangement())
    assert seen.dtype == torch.float32
    if arrangement.precision == "float32":
        assert (seen - plain).abs().max() < 1e-4
    else:
        assert peak_psnr(seen, plain) > (38 if arrangement.precision == "bfloat16" else 50)


def test_float16_serves_only_what_was_trained_in_it(opened):
    opened._arrange(Arrangement("float16", True))
    used = (
        {layer.dtype for layer in opened.network.synthesis.layers()}
        if hasattr(opened.network.synthesis, "layers")
        else set()
    )
    trained = [b.trained_half for b in getattr(opened.network.synthesis, "blocks", ())]
    opened._arrange(Arrangement())
    if used:
        assert (torch.float16 in used) == any(trained)


@pytest.mark.parametrize("name", ["stylegan2-32-unconditional", "stylegan3-t-32"])
@pytest.mark.parametrize("trained", [False, True])
def test_a_gpu_runs_it_in_float16_where_it_was_trained_so(monkeypatch, name, trained):
    generator = registry.load(str(DATA / f"{name}.pkl"))
    plain = pictures(generator, 4)
    parts = getattr(generator.network.synthesis, "blocks", None) or generator.network.synthesis.layers3
    for number, part in enumerate(parts):
        part.trained_half = trained and number >= len(parts) - 2

    def pretend(self, device):
        self.device = torch.device(device)

    monkeypatch.setattr(TorchGenerator, "to", pretend)  # the weights stay where they are: there is no GPU
    generator.to("cuda")
    assert generator.info.precision == ("float16" if trained else "float32")
    assert any("float16" in text for text in generator.info.warnings) == trained
    generator.device = torch.device("cpu")
    assert peak_psnr(pictures(generator, 4), plain) > (50 if trained else 100)
    generator.to("cpu")
    assert generator.info.precision == "float32"
    assert (pictures(generator, 4) - plain).abs().max() == 0


def test_a_picture_in_float16_does_not_leave_its_range():
    """Activations at their clamp and strong styles: float16 ends at 65504."""
    node = root("stylegan2-32-unconditional").child("synthesis")
    for block in node.children.values():
        block.values["use_fp16"] = True
        block.tensors = {k: v * 200 if k == "const" else v for k, v in block.tensors.items()}
        for layer in block.children.values():
            layer.tensors["weight"] = layer.tensors["weight"] * (100 if layer.values.get("up") else 1)
            layer.values["conv_clamp"] = 256
    network = synthesis2(node).eval()
    ws = 3 * torch.randn(1, network.num_ws, 32, generator=torch.Generator().manual_seed(0))
    noise = [None] * len(network.layers())
    with torch.inference_mode():
        plain = network(ws, noise)
        network.arrange(torch.float16, torch.contiguous_format)
        half = network(ws, noise)
    assert torch.isfinite(half).all()
    assert float((half - plain).abs().max()) < 0.02 * float(plain.abs().max())


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("shape", [(4, 4), (4, 7), (5, 3)])
def test_other_channels_and_pictures_that_are_not_square(channels, shape):
    node = root("stylegan2-32-unconditional").child("synthesis")
    source = torch.Generator().manual_seed(7)
    for name, block in node.children.items():
        scale = int(name[1:]) // 4
        if "const" in block.tensors:
            block.tensors["const"] = torch.randn(len(block.tensors["const"]), *shape, generator=source)
        for part, layer in block.children.items():
            if part == "torgb":
                layer.tensors["weight"] = torch.randn(
                    channels, layer.tensors["weight"].shape[1], 1, 1, generator=source
                )
                layer.tensors["bias"] = torch.randn(channels, generator=source)
            else:
                size = (shape[0] * scale, shape[1] * scale)
                layer.tensors["noise_const"] = torch.randn(*size, generator=source)
    network = synthesis2(node).eval()
    ws = torch.randn(2, network.num_ws, 32, generator=source)
    noise = [layer.noise_const[None, None] * layer.noise_gain for layer in network.layers()]
    with torch.inference_mode():
        seen, wanted = network(ws, noise), reference.synthesis2(node, ws)
    assert seen.shape == (2, channels, 8 * shape[0], 8 * shape[1])
    assert (seen - wanted).abs().max() < 1e-3


@pytest.mark.parametrize(
    "arrangement", [Arrangement(), Arrangement(last=True), Arrangement(folded=True)], ids=str
)
def test_the_original_architecture_colours_once(arrangement):
    """StyleGAN2's "orig": features all the way, one colour layer at the end."""
    node = root("stylegan2-32-unconditional").child("synthesis")
    for name, block in node.children.items():
        block.values["architecture"] = "orig"
        if name != "b32":
            del block.children["torgb"]
    network = synthesis2(node).eval()
    assert network.num_ws == len(network.layers()) + 1 == len(network.layer_names)
    network.arrange(arrangement.dtype, arrangement.layout, arrangement.folded)
    ws = torch.randn(2, network.num_ws, 32, generator=torch.Generator().manual_seed(5))
    noise = [layer.noise_const[None, None] * layer.noise_gain for layer in network.layers()]
    with torch.inference_mode():
        seen, wanted = network(ws, noise), reference.synthesis2(node, ws)
    assert seen.shape == (2, 3, 32, 32)
    assert (seen - wanted).abs().max() < 1e-3


def test_only_narrow_layers_are_folded():
    network = synthesis2(root("stylegan2-32-unconditional").child("synthesis"))
    network.arrange(torch.float32, torch.contiguous_format, True)
    for layer in network.layers():
        narrow = layer.weight.shape[1] <= FOLDED_CHANNELS
        assert layer.folded == (layer.up == 2 and narrow) == layer.foldable
    assert any(layer.folded for layer in network.layers())
    assert Arrangement("bfloat16", True, True) not in tuning.candidates(True, folds=False)


def test_a_network_without_any_colour_layer_is_refused():
    node = root("stylegan2-32-unconditional").child("synthesis")
    for block in node.children.values():
        block.children.pop("torgb")
    with pytest.raises(ModelError, match="colour"):
        synthesis2(node)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith("stylegan3")])
def test_stylegan3_is_the_obvious_implementation(name):
    node = root(name).child("synthesis")
    network = Synthesis3(node).eval()
    ws = torch.randn(2, network.num_ws, network.input.affine.weight.shape[1])
    with torch.inference_mode():
        assert (network(ws) - reference.synthesis3(node, ws)).abs().max() < 1e-3


# -- choosing


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def choose(costs, psnrs, seconds=1.0, tried=None):
    """What ``tune`` makes of arrangements with these costs and distances."""
    clock = Clock()
    wanted = torch.zeros(1, 3, 8, 8)
    drawn = []

    def draw(arrangement):
        drawn.append(arrangement)
        cost = costs[arrangement]
        clock.now += cost.pop(0) if isinstance(cost, list) else cost
        return wanted + math.sqrt(4.0 / 10 ** (psnrs.get(arrangement, 100.0) / 10))

    return tune(draw, wanted, seconds, tried or tuple(costs), clock), drawn


FAST, FOLDED, LAST = (
    Arrangement("bfloat16", True),
    Arrangement("bfloat16", True, True),
    Arrangement(last=True),
)


def test_the_fastest_close_enough_is_taken():
    (arrangement, psnr, steady), drawn = choose({FAST: 0.4, FOLDED: 0.3}, {FAST: 52.0, FOLDED: 45.0})
    assert arrangement == FOLDED
    assert psnr == pytest.approx(45.0, abs=0.1)
    assert steady
    assert drawn == 3 * [FAST] + 3 * [FOLDED]  # the first of each prepares the weights


def test_slow_networks_are_drawn_once_for_each_arrangement():
    (arrangement, *_), drawn = choose({FAST: 4.0, FOLDED: 6.0}, {}, seconds=9.0)
    assert arrangement == FAST
    assert drawn == [FAST, FOLDED]


def test_what_falls_below_40_db_is_not_taken():
    (arrangement, *_), drawn = choose({FAST: 0.1, LAST: 0.4}, {FAST: 39.9}, tried=(FAST,))
    assert arrangement == LAST
    assert drawn == [FAST, LAST, LAST, LAST]


def test_what_is_slower_is_not_taken():
    (arrangement, psnr, _), _ = choose({FAST: 2.0, LAST: 1.5}, {}, tried=(FAST,))
    assert arrangement == Arrangement()
    assert psnr == math.inf


@pytest.mark.parametrize(
    ("fast", "last", "expected"),
    [
        ([0.4, 0.2, 0.21], [0.3, 0.29, 0.3], True),
        ([0.4, 0.2, 0.45], [0.3, 0.29, 0.3], False),
        ([0.9], [0.3, 0.29, 0.9], False),  # found on the way to float32
    ],
)
def test_what_was_found_on_a_busy_machine_is_tried_again_the_next_time(fast, last, expected):
    found, _ = choose({FAST: fast, LAST: last}, {}, seconds=0.8, tried=(FAST,))
    assert found.steady is expected
    if len(fast) > 1:  # where times say nothing the likeliest is taken, not float32
        assert found.arrangement == FAST
    tuning.remember("c" * 64, found)
    assert (tuning.remembered("c" * 64) is not None) is expected


def test_what_was_found_is_remembered_and_damage_forgotten():
    assert tuning.remembered("a" * 64) is None
    tuning.remember("a" * 64, Tuned(FAST, 51.5))
    tuning.remember("b" * 64, Tuned())
    assert tuning.remembered("a" * 64) == Tuned(FAST, 51.5)
    assert tuning.remembered("b" * 64) == Tuned()
    file = cache_folder() / "arrangements.json"
    known = json.loads(file.read_text())
    for damage in (
        dict.fromkeys(known, "x"),
        {k: ["float99", 1, 0, 0, 3] for k in known},
        {k: [] for k in known},
    ):
        file.write_text(json.dumps(damage))
        assert tuning.remembered("a" * 64) is None
    file.write_bytes(b"\xff{")
    assert tuning.remembered("a" * 64) is None
    tuning.remember("a" * 64, Tuned(FAST, 50.0))
    assert tuning.remembered("a" * 64) == Tuned(FAST, 50.0)


def test_a_network_opened_again_is_not_tried_again(monkeypatch):
    path = str(DATA / "stylegan2-64-conditional-resnet.pkl")
    monkeypatch.setattr(stylegan, "SMALLEST", 32)
    tried = []

    def count(draw, picture, seconds, candidates):
        tried.append(candidates)
        draw(LAST)
        return Tuned(LAST, 77.0)

    monkeypatch.setattr(stylegan, "tune", count)
    first = registry.load(path)
    again = registry.load(path)
    assert len(tried) == 1
    assert first.tuned == again.tuned == Tuned(LAST, 77.0)
    assert first.network.synthesis.layout == torch.channels_last
    assert (pictures(first, 3) - pictures(again, 3)).abs().max() == 0
