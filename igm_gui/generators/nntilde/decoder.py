"""Running an export's decoder and encoder: its memory, and the random numbers that it draws by itself."""

from __future__ import annotations

import contextlib
import threading
import weakref
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from igm_gui.generators.nntilde import declared

# torch's global generator is the only one a TorchScript draws from, and threads share it.
_one_at_a_time = threading.Lock()


class Noise:
    """Random numbers from ``seed`` on, whatever others draw in between: within ``with`` torch's global
    generator is in this one's state, afterwards in its own again."""

    def __init__(self, seed: int) -> None:
        self._state = torch.Generator().manual_seed(seed).get_state()
        self._theirs = self._state

    def __enter__(self) -> None:
        _one_at_a_time.acquire()
        try:
            self._theirs = torch.random.get_rng_state()
            torch.random.set_rng_state(self._state)
        except BaseException:
            _one_at_a_time.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state = torch.random.get_rng_state()
        torch.random.set_rng_state(self._theirs)
        _one_at_a_time.release()


class Voice:
    """One sound's memory in a decoder that several share; a new one begins in silence."""

    def __init__(self) -> None:
        self.memory: list[Tensor] = []


class Decoder:
    """``program`` with its memory in hand. Voices take turns: each finds what it left, so that a rendering
    between two blocks of a stream does no harm."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self._holder: weakref.ref[Voice] | None = None

    def run(self, voice: Voice, latents: Tensor, noise: Noise | None = None) -> Tensor:
        """Float32 (1, D, T) in the decoder's own coordinates -> (1, channels, T * ratio)."""
        with torch.inference_mode():
            self._give_to(voice)
            return self._call(self.program.decode, latents, noise)

    def encode(self, sound: Tensor, noise: Noise | None = None) -> Tensor:
        """(1, C, N) -> float32 (1, D, T)."""
        with torch.inference_mode():
            self._give_to(Voice())
            return self._call(self.program.encode, sound, noise)

    @staticmethod
    def _call(method: Any, given: Tensor, noise: Noise | None) -> Tensor:
        with noise or contextlib.nullcontext():
            answer: Tensor = method(given.contiguous())
        return answer.float()

    def _give_to(self, voice: Voice) -> None:
        before = self._holder() if self._holder is not None else None
        if before is voice:
            return
        buffers = declared.state(self.program)
        if before is not None:
            before.memory = [buffer.clone() for buffer in buffers]
        shapes = [buffer.shape for buffer in buffers]
        known = [kept.shape for kept in voice.memory] == shapes
        for buffer, kept in zip(buffers, voice.memory if known else [None] * len(buffers), strict=True):
            buffer.zero_() if kept is None else buffer.copy_(kept)
        self._holder = weakref.ref(voice)
