"""Colours, sizes and fonts of the window, named by their use. Two themes share the names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """One theme. Text on background and panel keeps a contrast of 4.5:1 or better."""

    canvas: str  # behind the output, the darkest
    background: str
    panel: str
    raised: str
    hover: str
    line: str
    text: str
    quiet: str
    accent: str  # the one active thing
    on_accent: str
    value: str  # bars and fills
    good: str
    bad: str  # playhead and errors
    shadow: str


DARK = Tokens(
    canvas="#0f1114",
    background="#14161a",
    panel="#1a1d22",
    raised="#23272f",
    hover="#2b303a",
    line="#262a31",
    text="#d7dae0",
    quiet="#9299a6",
    accent="#e3b557",
    on_accent="#1a1d22",
    value="#4b8bd6",
    good="#7ec77e",
    bad="#ff6a55",
    shadow="#000000",
)
LIGHT = Tokens(
    canvas="#dfe2e7",
    background="#eceef1",
    panel="#f7f8fa",
    raised="#ffffff",
    hover="#e6e9ee",
    line="#d0d5dc",
    text="#1d2127",
    quiet="#565e6b",
    accent="#8a5a00",
    on_accent="#ffffff",
    value="#2563b0",
    good="#27702a",
    bad="#c0301c",
    shadow="#8a8f98",
)
# Okabe and Ito (2008), without black and yellow: told apart by colour-blind eyes on either theme.
SERIES = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2")
BASE_PX = 12
HEAD_PX = 11
