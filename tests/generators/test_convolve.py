"""Convolutions with packed weights, and Winograd's, are the plain ones."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from igm_gui.generators.stylegan.convolve import Winograd, ordered

sizes = st.integers(1, 9)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(1, 3), sizes, sizes, sizes, sizes)
def test_winograd_is_the_convolution(seed, count, channels, made, half_height, half_width):
    x = drawn(seed, count, channels, 2 * half_height, 2 * half_width)
    weight, style = drawn(seed + 1, made, channels, 3, 3), drawn(seed + 2, count, channels)
    seen = Winograd(weight, torch.float32)(x, style)
    wanted = F.conv2d(x * style[:, :, None, None], weight, padding=1)
    assert seen.shape == wanted.shape
    assert (seen - wanted).abs().max() < 1e-4
    assert seen.is_contiguous(memory_format=torch.channels_last)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(1, 3), sizes, sizes, sizes, st.booleans(), st.sampled_from([1, 3]))
def test_packed_weights_are_the_convolution_for_any_number_of_pictures(
    seed, count, channels, made, side, up, kernel
):
    up = up and kernel == 3
    weight = drawn(seed, *((channels, made) if up else (made, channels)), kernel, kernel)
    run = ordered(weight, torch.Size((1, channels, side, side)), up)
    x = drawn(seed + 1, count, channels, side, side).contiguous(memory_format=torch.channels_last)
    wanted = F.conv_transpose2d(x, weight, stride=2) if up else F.conv2d(x, weight, padding=kernel // 2)
    assert (run(x) - wanted).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["_reorder_convolution_weight", "_convolution_pointwise"])
@pytest.mark.parametrize("error", [AttributeError, RuntimeError, NotImplementedError])
def test_a_torch_without_packed_weights_convolves_plainly(monkeypatch, name, error):
    def missing(*_):
        raise error("not in this release")

    monkeypatch.setattr(torch.ops.mkldnn, name, missing)
    weight, x = drawn(0, 4, 3, 3, 3), drawn(1, 1, 3, 6, 6)
    assert torch.equal(ordered(weight, x.shape, False)(x), F.conv2d(x, weight, padding=1))


def test_winograd_serves_wide_3x3_layers_of_even_sides():
    wide = torch.empty(8, 256, 3, 3)
    assert Winograd.serves(wide, 32, 64)
    assert not Winograd.serves(wide, 33, 64)
    assert not Winograd.serves(wide, 16, 64)
    assert not Winograd.serves(wide[:, :128], 32, 64)
    assert not Winograd.serves(wide[..., :1, :1], 32, 64)
