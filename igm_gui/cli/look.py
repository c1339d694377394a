"""``igm models``, ``igm info``, ``igm open``: what there is, and the way to the window."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from igm_gui.errors import IgmError, ModelError, ProjectError
from igm_gui.formats import library
from igm_gui.formats.card import card_info
from igm_gui.info import GeneratorInfo, InputSpec

if TYPE_CHECKING:
    from igm_gui.formats.contents import FileContents

FIXED_PRECISION = ("onnx", "torchscript", "export")  # programs: their arithmetic is inside the file
LAYERS_SHOWN = 6  # of a longer list: the card above them stays on the screen


def print_json(value: Any) -> None:
    """Indented JSON on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def trust(options: Namespace) -> None:
    """Remember a yes to one file, by its content, or take it back."""
    from igm_gui.formats import trust as trusting
    from igm_gui.formats.files import sha256_of

    path = library.find(options.file)
    if (path / "model.pt2").is_file():  # a folder that export_generator wrote
        path /= "model.pt2"
    if not path.is_file():
        raise ModelError(f"{path.name} is not a file.", "Only single files can be programs.")
    sha256 = sha256_of(path)
    if options.undo:
        was = trusting.distrust(sha256)
        print(f"{path.name} is asked about again." if was else f"{path.name} had no yes to take back.")
        return
    trusting.trust(sha256, path.name)
    print(f"{path.name} may be opened from now on (SHA-256 {sha256}).")


def half(options: Namespace) -> None:
    """Remember that a model may be opened in half precision, by its content, or that it may not."""
    from igm_gui.formats.checkpoint import open_checkpoint
    from igm_gui.formats.known_models import content_hash
    from igm_gui.generators.memory import allow_half, forbid_half

    path = library.find(options.model)
    checkpoint = open_checkpoint(path)  # says so where it is no model
    if checkpoint.kind in FIXED_PRECISION and not options.undo:
        raise ModelError(
            f"{path.name} computes in the precision that it was exported with.",
            "Export it in half precision (module.half()); such a file opens as any other.",
        )
    if options.undo:
        was = forbid_half(content_hash(path))
        print(
            f"{path.name} is opened whole again, or asked about where it does not fit."
            if was
            else f"{path.name} was not allowed to be opened in half precision."
        )
        return
    allow_half(content_hash(path), path.name)
    print(f"{path.name} is opened in half precision from now on when it does not fit into memory otherwise.")


def models(options: Namespace) -> None:
    """The bundled models, from their cards alone."""
    infos = [card_info(card, path) for path, card in library.cards()]
    if options.json:
        print_json(
            [
                {
                    "name": info.name,
                    "title": info.title,
                    "media": info.media,
                    "family": info.family,
                    "path": info.path,
                    "output": msgspec.to_builtins(info.output),
                    "distance": info.distance,
                    "licence": info.licence,
                    "description": info.description,
                }
                for info in infos
            ]
        )
        return
    if not infos:
        print("No models are bundled.")
        return
    width = max(len(info.name) for info in infos)
    for info in infos:
        print(f"{info.name:<{width}}  {info.output.text:<20}  {info.title}")


def info(options: Namespace) -> None:
    """Everything known of a model; it is loaded for that, so a model that can't run is found here.

    What the file is made of is told even then, before the error that says why it can't be opened.
    """
    from igm_gui.engine.renderer import Renderer
    from igm_gui.formats.contents import describe

    try:
        known = Renderer().generator(options.model, "cpu")[0].info
    except ModelError as error:
        try:
            made_of = describe(library.find(options.model))
        except ModelError:
            raise error from None
        # Reading it and opening it often fail alike; the error is told once, below.
        again = [text for text in made_of.warnings if text.startswith(error.message)]
        made_of = replace(made_of, warnings=tuple(w for w in made_of.warnings if w not in again))
        if options.json:
            print_json({**_made_of(made_of), "error": error.message, "hint": error.hint})
        else:
            for line in _rows(_contents_rows(made_of, options.layers, whole=True)):
                print(line)
        raise
    made_of = describe(library.find(options.model))
    if options.json:
        raw = {**_made_of(made_of), **msgspec.to_builtins(known)}
        raw["media"] = known.media
        # A direction's vector is as long as the latent; its name is what a reader looks for.
        raw["directions"] = [{**d, "vector": len(d["vector"])} for d in raw["directions"]]
        if known.styles is not None:
            raw["styles"]["principal"] = len(known.styles.principal)
        print_json(raw)
        return
    for line in (*_lines(known), *_rows(_contents_rows(made_of, options.layers))):
        print(line)


def _made_of(found: FileContents) -> dict[str, Any]:
    """The fields that ``igm info --json`` adds from the file itself."""
    return {
        "path": found.path,
        "kind": found.kind,
        "family": found.family,
        "bytes": found.bytes,
        "sha256": found.sha256,
        "licence": found.licence,
        "parameters": found.parameters,
        "stored_precision": found.precision,
        "declared_inputs": list(found.inputs),
        "declared_outputs": list(found.outputs),
        "layers": [
            {"name": layer.name, "shape": list(layer.shape), "dtype": layer.dtype} for layer in found.layers
        ],
        "globals": list(found.globals),
        "file_warnings": list(found.warnings),
    }


def _contents_rows(found: FileContents, every_layer: bool, whole: bool = False) -> list[tuple[str, str]]:
    rows = [("stored as", f"{found.kind_text}, {found.bytes:,} bytes, {found.precision}".rstrip(", "))]
    if whole:
        rows += [
            ("family", found.family),
            ("parameters", f"{found.parameters:,}" if found.parameters else ""),
            ("licence", found.licence),
            ("sha256", found.sha256),
            ("path", found.path),
        ]
    rows += [("file", text) for text in found.warnings]
    rows += [("declares", f"input {text}") for text in found.inputs if whole]
    rows += [("declares", f"output {text}") for text in found.outputs if whole]
    rows += [("mentions", name) for name in found.globals]
    # One more than are shown is shown as well: the line that counts it would be as long.
    all_shown = every_layer or len(found.layers) <= LAYERS_SHOWN + 1
    shown = found.layers if all_shown else found.layers[:LAYERS_SHOWN]
    rows += [
        ("layer", f"{layer.name}  {'×'.join(map(str, layer.shape)) or 'one number'}  {layer.dtype}")
        for layer in shown
    ]
    if not all_shown:
        rows.append(("layer", f"… and {len(found.layers) - len(shown)} more; --layers lists them all"))
    return rows


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    return [f"{name:<10}  {text}" for name, text in rows if text]


def _lines(known: GeneratorInfo) -> list[str]:
    card = known.card
    data: Any = card.get("data") or {}
    rows = [
        ("name", known.name),
        ("title", known.title),
        ("about", known.description),
        ("family", known.family),
        ("output", known.output.text),
        ("parameters", f"{known.parameters:,} ({known.precision})"),
        ("distance", known.distance),
        ("data", f"{data['name']} ({data['licence']})" if data else ""),
        ("licence", known.licence),
        ("abilities", ", ".join(known.abilities)),
        ("sha256", known.sha256),
        ("path", known.path),
        *(("fault", str(fault)) for fault in card.get("faults") or ()),  # type: ignore[attr-defined]
        *(("warning", text) for text in known.warnings),
        *(("input", _input_line(spec)) for spec in known.inputs),
        *(("direction", direction.name) for direction in known.directions),
        *(("styles", text) for text in _styles(known)),
    ]
    return _rows(rows)


def _styles(known: GeneratorInfo) -> list[str]:
    space = known.styles
    if space is None:
        return []
    layers = "; ".join(f"{i} {name}" for i, name in enumerate(space.layers))
    return [f"w of {space.size} numbers for each of {len(space.layers)} layers: {layers}"]


def _input_line(spec: InputSpec) -> str:
    if spec.kind == "latent":
        return f"{spec.name}: latent {'×'.join(map(str, spec.shape))}, {spec.prior} prior"
    if spec.kind == "label":
        return f"{spec.name}: one of {', '.join(spec.classes)}"
    if spec.kind == "seed":
        return f"{spec.name}: a noise seed"
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.name}: {spec.minimum:g} to {spec.maximum:g}{unit}, default {spec.default:g}"


def open(options: Namespace) -> None:
    """Start the window on a file. The only way from here to Qt, and only when it is asked for."""
    file = str(options.file)
    if file not in library.bundled():
        try:
            file = str(Path(file).expanduser().resolve(strict=True))
        except (OSError, ValueError, RuntimeError):
            raise ProjectError(f"There is no file or folder {file}.", "Check the name.") from None
    try:
        app = import_module("igm_gui.gui.app")
    except ImportError as error:
        raise IgmError(
            f"The window can't start here: {error}.",
            "It needs PySide6 and its system libraries; python3 main.py sets them up. "
            "All other igm commands work without.",
        ) from error
    status = app.main([file])
    if status:
        sys.exit(int(status))
