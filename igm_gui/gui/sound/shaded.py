"""A small picture of a sound that shows its timbre too: the outline, filled with the spectrum.

An outline alone tells held tones apart by nothing. Within it, each column is lit where the sound has energy
there and then: low frequencies along the middle line, high ones at the edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from igm_gui.engine.audio.analysis import colour_levels, outline
from igm_gui.gui import theme

FULL = 0.45  # of the height, for the loudest sample
SMALLEST_PEAK = 1e-4
COLUMNS, ROWS, MOST = 48, 40, 160  # of the spectrum: at least, and at most
DIM, PALE, DEEP = 0.55, 0.75, 0.5  # of the way to the canvas, to white, to black
ENVELOPE = 60  # part of the width on either side that its envelope looks at
TURN = 0.6  # the level that has the accent colour itself


def shaded_picture(samples: NDArray[Any], rate: int, width: int, height: int) -> QImage:
    """Float32 ``(channels, n)`` at ``rate`` Hz as ``width`` x ``height`` pixels on clear ground."""
    width, height = max(width, 1), max(height, 1)
    sound = np.nan_to_num(np.asarray(samples, np.float32), posinf=0.0, neginf=0.0)
    pixels = np.zeros((height, width, 4), np.uint8)
    if sound.size:
        low, high = outline(sound.mean(axis=0), width)
        scale = FULL * height / max(float(high.max()), -float(low.min()), SMALLEST_PEAK)
        above, below = (np.maximum(part * scale, 0.5) for part in (high, -low))
        y = height / 2 - 0.5 - np.arange(height, dtype=np.float32)[:, None]  # upwards from the middle line
        # The spectrum follows the envelope, not each period, or its lines would tremble.
        reach = np.where(y >= 0, above, below)
        place = np.abs(y) / np.where(y >= 0, _envelope(above), _envelope(below))
        columns, rows = min(max(width // 2, COLUMNS), MOST), min(max(height // 2, ROWS), MOST)
        levels = colour_levels(sound, rate, columns, rows)
        across = np.minimum(np.arange(width) * columns // width, columns - 1)
        row = np.minimum((place * rows).astype(np.int32), rows - 1)
        pixels[..., :3] = _palette()[levels[row, across]]
        cover = np.clip(reach - np.abs(y) + 0.5, 0.0, 1.0)
        pixels[..., 3] = np.round(cover * 255)
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _envelope(reach: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest of some neighbours, smoothed: never below ``reach (width,)`` by much."""
    half = max(1, len(reach) // ENVELOPE)
    padded = np.pad(reach, 2 * half, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).max(axis=1)
    return np.convolve(highest, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")


def _palette() -> NDArray[np.uint8]:
    """256 colours (256, 3): a dimmed accent, the accent, a pale one (on light ground a deep one)."""
    accent, canvas = theme.tokens().accent, theme.tokens().canvas
    last = theme.mix(accent, "#ffffff", PALE) if theme.is_dark() else theme.mix(accent, "#000000", DEEP)
    stops = (theme.mix(accent, canvas, DIM), accent, last)
    at = (0, TURN * 255, 255)
    rgb = [[int(stop[i : i + 2], 16) for stop in stops] for i in (1, 3, 5)]
    return np.stack([np.interp(np.arange(256), at, channel) for channel in rgb], 1).astype(np.uint8)
