"""StyleGAN networks of full size with random weights, as nodes: what the benchmark runs.

Layer sizes, cutoffs and filters follow the papers (Karras et al. 2020; Karras et al. 2021, section 3.2
and appendix C).
"""

from __future__ import annotations

import math

import numpy as np
import scipy.signal
import scipy.special
import torch
from torch import Tensor

from igm_gui.generators.stylegan.records import Node


def _affine(path: str, w_dim: int, channels: int, generator: torch.Generator) -> Node:
    return Node(
        f"{path}affine.",
        "FullyConnectedLayer",
        {"weight_gain": w_dim**-0.5, "bias_gain": 1.0, "activation": "linear"},
        {"weight": torch.randn(channels, w_dim, generator=generator), "bias": torch.ones(channels)},
    )


def mapping(z_dim: int = 512, w_dim: int = 512, layers: int = 8) -> Node:
    """An unconditional mapping network."""
    g = torch.Generator().manual_seed(1)
    node = Node(
        "mapping.",
        "MappingNetwork",
        {"z_dim": z_dim, "c_dim": 0, "w_dim": w_dim},
        {"w_avg": torch.zeros(w_dim)},
    )
    for i in range(layers):
        size = z_dim if i == 0 else w_dim
        node.children[f"fc{i}"] = Node(
            f"mapping.fc{i}.",
            "FullyConnectedLayer",
            {"weight_gain": 0.01 * size**-0.5, "bias_gain": 0.01, "activation": "lrelu"},
            {"weight": torch.randn(w_dim, size, generator=g) * 100, "bias": torch.zeros(w_dim)},
        )
    return node


def synthesis2(
    resolution: int = 256, channel_base: int = 16384, channel_max: int = 512, w_dim: int = 512
) -> Node:
    """StyleGAN2's skip architecture."""
    g = torch.Generator().manual_seed(2)
    root = Node("synthesis.", "SynthesisNetwork")
    before = 0
    for level in range(2, int(math.log2(resolution)) + 1):
        size = 2**level
        channels = min(channel_base // size, channel_max)
        block = Node(f"synthesis.b{size}.", "SynthesisBlock", {"architecture": "skip"})
        if level == 2:
            block.tensors["const"] = torch.randn(channels, 4, 4, generator=g)
        for name in ("conv0", "conv1"):
            if level == 2 and name == "conv0":
                continue
            into = before if name == "conv0" else channels
            path = f"{block.path}{name}."
            block.children[name] = Node(
                path,
                "SynthesisLayer",
                {
                    "up": 2 if name == "conv0" else 1,
                    "use_noise": True,
                    "activation": "lrelu",
                    "conv_clamp": None,
                },
                {
                    "weight": torch.randn(channels, into, 3, 3, generator=g),
                    "bias": torch.zeros(channels),
                    "noise_const": torch.randn(size, size, generator=g),
                    "noise_strength": torch.tensor(0.1),
                },
                {"affine": _affine(path, w_dim, into, g)},
            )
        path = f"{block.path}torgb."
        block.children["torgb"] = Node(
            path,
            "ToRGBLayer",
            {"conv_clamp": None},
            {"weight": torch.randn(3, channels, 1, 1, generator=g) * 0.3, "bias": torch.zeros(3)},
            {"affine": _affine(path, w_dim, channels, g)},
        )
        root.children[f"b{size}"] = block
        before = channels
    return root


def _lowpass(taps: int, cutoff: float, width: float, rate: float, radial: bool) -> Tensor | None:
    if taps == 1:
        return None
    if not radial:
        return torch.from_numpy(scipy.signal.firwin(taps, cutoff, width=width, fs=rate)).float()
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(x, x))
    kernel = scipy.special.j1(2 * cutoff * np.pi * r) / (np.pi * r)
    beta = scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2)))
    window = np.kaiser(taps, beta)
    kernel = kernel * np.outer(window, window)
    return torch.from_numpy(kernel / kernel.sum()).float()


def synthesis3(
    resolution: int = 256,
    channel_base: int = 32768,
    channel_max: int = 512,
    w_dim: int = 512,
    radial: bool = False,
) -> Node:
    """StyleGAN3-T, or -R with ``radial``: 14 layers and a colour layer."""
    g = torch.Generator().manual_seed(3)
    layers, critical, first_cutoff, first_stop, margin = 14, 2, 2.0, 2**2.1, 10
    if radial:
        channel_base, channel_max = channel_base * 2, channel_max * 2
    exponent = np.minimum(np.arange(layers + 1) / (layers - critical), 1)
    cutoffs = first_cutoff * (resolution / 2 / first_cutoff) ** exponent
    stops = first_stop * (resolution / 2 * 2**0.3 / first_stop) ** exponent
    rates = 2 ** np.ceil(np.log2(np.minimum(stops * 2, resolution)))
    halves = np.maximum(stops, rates / 2) - cutoffs
    sizes = rates + margin * 2
    sizes[-2:] = resolution
    channels = np.rint(np.minimum(channel_base / 2 / cutoffs, channel_max))
    channels[-1] = 3
    first = int(channels[0])
    root = Node("synthesis.", "SynthesisNetwork", {"output_scale": 0.25})
    freqs = torch.randn(first, 2, generator=g)
    radii = freqs.square().sum(1, keepdim=True).sqrt()
    freqs = freqs / (radii * radii.square().exp().pow(0.25)) * cutoffs[0]
    affine = _affine("synthesis.input.", w_dim, 4, g)
    affine.tensors = {"weight": torch.zeros(4, w_dim), "bias": torch.tensor([1.0, 0, 0, 0])}
    root.children["input"] = Node(
        "synthesis.input.",
        "SynthesisInput",
        {
            "size": (int(sizes[0]), int(sizes[0])),
            "sampling_rate": float(rates[0]),
            "bandwidth": float(cutoffs[0]),
        },
        {
            "weight": torch.randn(first, first, generator=g),
            "freqs": freqs,
            "phases": torch.rand(first, generator=g) - 0.5,
            "transform": torch.eye(3),
        },
        {"affine": affine},
    )
    for i in range(layers + 1):
        prev = max(i - 1, 0)
        colour = i == layers
        kernel = 1 if colour or radial else 3
        rate = max(rates[prev], rates[i]) * (1 if colour else 2)
        up, down = round(rate / rates[prev]), round(rate / rates[i])
        up_taps = 6 * up if up > 1 and not colour else 1
        down_taps = 6 * down if down > 1 and not colour else 1
        is_radial = radial and i < layers - critical
        total = (sizes[i] - 1) * down + 1 - (sizes[prev] + kernel - 1) * up + up_taps + down_taps - 2
        low = int((total + up) // 2)
        high = int(total - low)
        path = f"synthesis.L{i}."
        tensors = {
            "weight": torch.randn(int(channels[i]), int(channels[prev]), kernel, kernel, generator=g),
            "bias": torch.zeros(int(channels[i])),
            "magnitude_ema": torch.tensor(1.0),
        }
        for name, taps, cutoff, width, round_ in (
            ("up_filter", up_taps, cutoffs[prev], halves[prev] * 2, False),
            ("down_filter", down_taps, cutoffs[i], halves[i] * 2, is_radial),
        ):
            kernel_taps = _lowpass(taps, cutoff, width, rate, round_)
            if kernel_taps is not None:
                tensors[name] = kernel_taps
        root.children[f"L{i}"] = Node(
            path,
            "SynthesisLayer",
            {
                "is_torgb": colour,
                "up_factor": up,
                "down_factor": down,
                "padding": [low, high, low, high],
                "in_size": (int(sizes[prev]),) * 2,
                "conv_clamp": 256,
            },
            tensors,
            {"affine": _affine(path, w_dim, int(channels[prev]), g)},
        )
    return root
