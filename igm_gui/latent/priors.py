"""Drawing latents: the same seed gives the same latent everywhere, for ever."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from igm_gui.info import InputSpec

MAX_SEED = 2**32 - 1


_local = threading.local()


def _random_state(seed: int) -> np.random.RandomState:
    """``RandomState(seed)``, one for each thread: making one gathers entropy that seeding throws away,
    which takes ten times as long as a small latent."""
    state = getattr(_local, "state", None)
    if not isinstance(state, np.random.RandomState):
        state = _local.state = np.random.RandomState()
    state.seed(seed)
    return state


def draw(spec: InputSpec, seed: int) -> NDArray[np.float32]:
    """The latent of ``spec.shape`` that ``seed`` (0 to 2**32 - 1) stands for, float32.

    A normal prior follows the field's tools, ``np.random.RandomState(seed).randn``, so that a
    seed found elsewhere gives the same picture here.
    """
    state = _random_state(int(seed) % (MAX_SEED + 1))
    if spec.prior == "uniform":
        return state.uniform(-1.0, 1.0, spec.shape).astype(np.float32)
    values = state.randn(*spec.shape)
    if spec.prior == "sphere":
        # Uniform on the sphere where a normal vector's length concentrates.
        values = values / max(float(np.linalg.norm(values)), 1e-12) * np.sqrt(spec.size)
    return np.asarray(values, dtype=np.float32)


def clip_range(spec: InputSpec) -> tuple[float, float]:
    """The range a latent's slider covers: three standard deviations, or the prior's support."""
    return (-1.0, 1.0) if spec.prior == "uniform" else (-3.0, 3.0)
