"""The command line run in this process: what it answered, and what a refusal looks like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


class Answer:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


def refused(answer: Answer, *words: str) -> None:
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("igm")
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)
