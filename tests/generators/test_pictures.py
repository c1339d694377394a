"""From a network's numbers to bytes: rounding, range, and what is not a number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from igm_gui.generators.base import to_pictures
from igm_gui.info import OutputSpec

NUMBERS = st.floats(-4, 4, width=32) | st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 1.0])


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.sampled_from([1, 3, 4]), st.integers(1, 5), st.integers(1, 5)),
        elements=NUMBERS,
    ),
    st.sampled_from([(-1.0, 1.0), (0.0, 1.0)]),
)
def test_as_numpy_rounds(output: np.ndarray, span: tuple[float, float]) -> None:
    low, high = span
    _, channels, height, width = output.shape
    made = to_pictures(
        torch.from_numpy(output), OutputSpec("image", width, height, channels, low=low, high=high)
    )
    scale = np.float32(255 / (high - low))
    with np.errstate(invalid="ignore"):
        values = output * scale + np.float32(0.5 - low * 255 / (high - low))
    wanted = np.clip(np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(made.numpy(), wanted.transpose(0, 2, 3, 1))
    assert made.is_contiguous()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_and_layouts(dtype: torch.dtype) -> None:
    output = torch.tensor([-1.0, 0.0, 1.0, 2.0], dtype=dtype).reshape(1, 1, 2, 2).expand(2, 3, 2, 2)
    made = to_pictures(output.to(memory_format=torch.channels_last), OutputSpec("image", 2, 2, 3))
    assert made.shape == (2, 2, 2, 3)
    assert made[1, ..., 2].tolist() == [[0, 128], [255, 255]]
