"""How fast StyleGAN networks run here against the obvious implementation, in one process; medians.

The obvious implementation (stylegan_reference.py): modulated weights for each sample, grouped convolution,
float32, separate resampling filters. Both have random weights of the official layout and shapes
(stylegan_make.py), the same inputs and the same settings of memory and threads, and take turns.

    python -m benchmarks.stylegan [2 3t 3r] [--rounds 5] [--json OUT]

"late layers" is a slider that only changes the finest layers: what the network then still runs. "products
alone" is what the multiplications of StyleGAN2's convolutions would take at the rate of one large product of
matrices in the precision chosen: a bound for direct convolutions on this processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import stylegan_make as make
from benchmarks import stylegan_reference as reference
from igm_gui.engine.allocator import keep_freed_memory
from igm_gui.generators.stylegan.build2 import synthesis2
from igm_gui.generators.stylegan.generator import StyleGAN, StyleNetwork, inputs_of, output_of
from igm_gui.generators.stylegan.records import Node
from igm_gui.generators.stylegan.records import mapping as build_mapping
from igm_gui.generators.stylegan.styles import style_space
from igm_gui.generators.stylegan.synthesis2 import Synthesis2
from igm_gui.generators.stylegan.synthesis3 import Synthesis3
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent import styles
from igm_gui.latent.point import LatentPoint, point_from_seed

NETWORKS = {
    "2": "StyleGAN2 256x256, channel_base 16384",
    "3t": "StyleGAN3-T 256x256, channel_base 32768",
    "3r": "StyleGAN3-R 256x256, channel_base 65536",
}
TARGETS = {"2": 4.0, "3t": 5.0, "3r": 5.0}


def seconds(call: Callable[[], Any]) -> float:
    """One run."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def opened(kind: str) -> tuple[StyleGAN, Node]:
    """A generator as it comes from a file, tuned, and the nodes it was built from."""
    node = make.synthesis2() if kind == "2" else make.synthesis3(radial=kind == "3r")
    return built(kind, synthesis2(node) if kind == "2" else Synthesis3(node), 256), node


def built(name: str, synthesis: Synthesis2 | Synthesis3, side: int) -> StyleGAN:
    """A generator of ``side`` x ``side`` pictures around ``synthesis``, as it comes from a file, tuned."""
    network = StyleNetwork(build_mapping(make.mapping()), synthesis)
    network.eval().requires_grad_(False)
    info = GeneratorInfo(
        name,
        "stylegan",
        OutputSpec("image", side, side, 3),
        inputs_of(network),
        styles=style_space(network.mapping, synthesis.layer_names),
    )
    generator = StyleGAN(info, network)
    with torch.inference_mode():
        batch = generator.prepare([point_from_seed(info, 0)])
        start = time.perf_counter()
        picture = generator.forward(batch)
        took = time.perf_counter() - start
    assert output_of(picture) == info.output
    generator.tune(picture, took)
    return generator


def late_change(generator: StyleGAN, point: LatentPoint, step: int) -> LatentPoint:
    """``point`` with its fine layers somewhere else."""
    space = styles.space_of(generator.info)
    return styles.moved(space, point, styles.group(space, "fine"), {0: 0.01 * (step + 1)})


def products(node: Node) -> int:
    """Multiplications of StyleGAN2's convolutions for one picture; what resampling skips is not counted."""
    total = 0
    for name, block in node.children.items():
        for part, layer in block.children.items():
            side = int(name[1:]) // (2 if part == "conv0" else 1)
            total += layer.tensors["weight"].numel() * side**2
    return total


def peak(dtype: torch.dtype) -> float:
    """Multiplications in a second of one product of large matrices."""
    a, b = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
    return 2048**3 / statistics.median(seconds(lambda: a @ b) for _ in range(9))


def measure(kind: str, rounds: int) -> dict[str, Any]:
    """The figures of one network."""
    generator, node = opened(kind)
    plain = reference.synthesis2 if kind == "2" else reference.synthesis3
    times: dict[str, list[float]] = {"reference": [], "here": [], "late_layers": []}
    with torch.inference_mode():
        points = [point_from_seed(generator.info, seed) for seed in range(rounds + 1)]
        wanted = plain(node, generator.map(points[:1]))
        picture = generator.forward(generator.prepare(points[:1])).float()
        error = float((picture.clamp(-1, 1) - wanted.clamp(-1, 1)).square().mean())
        for step in range(rounds):
            point = points[step + 1]
            ws: Tensor = generator.map([point])
            times["reference"].append(seconds(lambda ws=ws: plain(node, ws)))  # type: ignore[misc]
            for name, used in (("here", point), ("late_layers", late_change(generator, point, step))):
                batch = generator.prepare([used])
                times[name].append(seconds(lambda batch=batch: generator.forward(batch)))  # type: ignore[misc]
    found: dict[str, Any] = {name: statistics.median(list_) for name, list_ in times.items()}
    found["times_as_fast"] = found["reference"] / found["here"]
    found["target"] = TARGETS[kind]
    found["psnr"] = 10 * torch.tensor(4.0 / max(error, 1e-20)).log10().item()
    found["arrangement"] = generator.tuned.arrangement._asdict()
    if kind == "2":
        found["products_alone"] = products(node) / peak(generator.tuned.arrangement.dtype)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", nargs="*", choices=[*NETWORKS, []], help=", ".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    keep_freed_memory()
    all_found: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    for kind in options.networks or NETWORKS:
        found = all_found[kind] = measure(kind, options.rounds)
        how = found["arrangement"]
        print(NETWORKS[kind])
        print(f"  obvious      {1000 * found['reference']:8.1f} ms")
        print(
            f"  here         {1000 * found['here']:8.1f} ms  {found['times_as_fast']:.2f} times as fast "
            f"(wanted {found['target']:g}), {found['psnr']:.1f} dB PSNR"
        )
        print("               " + ", ".join(f"{name}: {value}" for name, value in how.items()))
        if "products_alone" in found:
            print(f"  products alone {1000 * found['products_alone']:6.1f} ms")
        print(f"  late layers  {1000 * found['late_layers']:8.1f} ms", flush=True)
    if options.json:
        options.json.write_text(json.dumps(all_found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
