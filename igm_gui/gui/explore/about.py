"""What the open model is made of, from its GeneratorInfo and card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from igm_gui.info import GeneratorInfo, InputSpec


def input_text(spec: InputSpec) -> str:
    """Such as ``64 numbers, normal prior`` or ``0 to 1, default 0.7``."""
    if spec.kind == "latent":
        shape = " × ".join(str(side) for side in spec.shape)
        return f"{shape} numbers, {spec.prior} prior"
    if spec.kind == "label":
        names = ", ".join(spec.classes[:8]) + (", …" if len(spec.classes) > 8 else "")
        return f"{len(spec.classes)} classes: {names}"
    if spec.kind == "seed":
        return "a seed"
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.minimum:g} to {spec.maximum:g}{unit}, default {spec.default:g}"


def figure_lines(figures: Any, about: str = "") -> Iterator[str]:
    """A card's figures, one a line: ``precision 0.9455``, ``precision (training set) 0.883``."""
    for name, value in figures.items() if isinstance(figures, dict) else ():
        words = str(name).replace("_", " ")
        if isinstance(value, dict):
            yield from figure_lines(value, words)
        elif isinstance(value, int | float | str):
            yield f"{words}{f' ({about})' if about else ''}: {value}"


def facts(info: GeneratorInfo) -> Iterator[tuple[str, str]]:
    """(name, text) of everything known, in the order a person asks."""
    card: dict[str, Any] = dict(info.card)
    yield "Family", info.family
    yield "Output", info.output.text
    for spec in info.inputs:
        yield f"Input {spec.label_text}", input_text(spec)
    if info.directions:
        yield "Directions", ", ".join(d.name for d in info.directions)
    if info.parameters:
        yield "Parameters", f"{info.parameters:,}"
    yield "Precision", info.precision
    if info.abilities:
        yield "Can also", ", ".join(info.abilities)
    distance = card.get("distance") or {}
    if info.distance:
        paper = distance.get("paper", "") if isinstance(distance, dict) else ""
        yield "Made small", f"{info.distance}{f' ({paper})' if paper else ''}"
    if isinstance(distance, dict) and distance.get("formula"):
        yield "Formula", str(distance["formula"])
    data = card.get("data") or {}
    if isinstance(data, dict) and data.get("name"):
        licence = f", {data['licence']}" if data.get("licence") else ""
        yield "Trained on", f"{data['name']}{licence}"
        if data.get("attribution"):
            yield "Attribution", str(data["attribution"])
    training = card.get("training") or {}
    if isinstance(training, dict) and training.get("command"):
        yield "Trained by", str(training["command"])
    for name in ("quality", "speed"):
        if figures := "\n".join(figure_lines(card.get(name))):
            yield f"Measured {name}", figures
    for fault in card.get("faults") or ():
        yield "Known fault", str(fault)
    for warning in info.warnings:
        yield "Note", warning
    yield "Licence", info.licence or "not stated by the file; ask whoever made it before you publish"
    if info.path:
        yield "File", info.path
    if info.sha256:
        yield "SHA-256", info.sha256
