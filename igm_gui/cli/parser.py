"""The commands and their options. Importing this imports nothing that renders."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from igm_gui.version import PROGRAM

MAX_SEED = 2**32 - 1
MAX_SAMPLES = 100_000
# Shapes of film by name, in their usual sizes.
FRAMES = {"16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1080, 1080), "4:5": (1080, 1350)}
MAX_SIDE = 8192
DEVICES = ("auto", "cpu", "cuda", "mps")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help shows what is possible)\n")


def _later(module: str, name: str) -> Callable[[argparse.Namespace], None]:
    """A command's function, imported when it runs: ``igm --help`` needs none of them."""

    def run(options: argparse.Namespace) -> None:
        getattr(import_module(f"igm_gui.cli.{module}"), name)(options)

    return run


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}")
        return value

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {low:g} to {high:g}")
        return value

    return read


def _name(text: str) -> str:
    """A model, file or folder: an empty text is a shell's variable that was never set."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name")
    return text


def _setting(text: str) -> tuple[str, float]:
    name, equals, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (name and equals and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not of the form name=number, such as pitch=60")
    return name, value


def _inputs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed", type=_whole(0, MAX_SEED), default=0, metavar="S", help="first seed (default 0)"
    )
    command.add_argument("--label", metavar="L", help="class, by number or name")
    command.add_argument(
        "--truncation", type=_number(-10, 10), metavar="T", help="truncation psi, where the model has it"
    )
    command.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        dest="settings",
        help="another input of the model, such as pitch=60; may be given again",
    )
    _styles(command)


def _styled(text: str) -> tuple[int, str, float]:
    """``NUMBER:LAYERS`` or ``NUMBER:LAYERS:AMOUNT``; the layers are read when the model is known."""
    parts = text.split(":")
    try:
        first, amount = int(parts[0]), float(parts[2]) if len(parts) == 3 else 1.0
    except ValueError:
        first, amount = -1, math.nan
    if not (len(parts) in (2, 3) and 0 <= first <= MAX_SEED and math.isfinite(amount)):
        raise argparse.ArgumentTypeError(f"{text} is not of the form NUMBER:LAYERS:AMOUNT, as 7:fine:0.5")
    return first, parts[1], amount


def _styles(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mix",
        type=_styled,
        action="append",
        default=[],
        metavar="SEED:LAYERS[:AMOUNT]",
        help="StyleGAN: layers that follow the style of another seed, as 7:8-13 or 7:fine:0.5; one seed only",
    )
    command.add_argument(
        "--direction",
        type=_styled,
        action="append",
        default=[],
        metavar="K:LAYERS:AMOUNT",
        help="StyleGAN: move layers along principal direction K of w, in standard deviations, as 0:middle:2",
    )
    command.add_argument("--w", metavar="FILE", help="StyleGAN: w from an .npz or .npy in place of z")


def _engine(command: argparse.ArgumentParser, batch: bool = True) -> None:
    command.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default auto)")
    if batch:
        command.add_argument(
            "--batch",
            type=_whole(1, 4096),
            default=0,
            metavar="N",
            help="renderings in one go (default: as fits the model)",
        )


def _frame(text: str) -> tuple[int, int] | tuple[()]:
    """A film's width and height; nothing for the picture's own."""
    if text == "own":
        return ()
    if text in FRAMES:
        return FRAMES[text]
    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not (cross and width.isascii() and width.isdecimal() and height.isascii() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(FRAMES)}, WIDTHxHEIGHT, own")
    size = int(width[:9]), int(height[:9])
    if not all(2 <= side <= MAX_SIDE and side % 2 == 0 for side in size):
        raise argparse.ArgumentTypeError(f"a frame's sides are even, 2 to {MAX_SIDE} pixels, not {text}")
    return size


def _colour(text: str) -> str:
    if not re.fullmatch("#?[0-9a-fA-F]{6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no colour such as #1e2a3c")
    return "#" + text.lstrip("#").lower()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="igm",
        description="Explore what an implicit generative model has learnt, from the command line.",
        epilog="MODEL is the name of a bundled model (igm models) or the path of one.",
    )
    parser.add_argument("--version", action="version", version=PROGRAM)
    parser.set_defaults(run=lambda _: parser.print_help())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, text: str, module: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=_later(module, name))
        return command

    _looking(add)
    _making(add)
    _measuring(add)
    return parser


Add = Callable[[str, str, str], Any]


def _looking(add: Add) -> None:
    models = add("models", "List the bundled models.", "look")
    models.add_argument("--json", action="store_true", help="as a JSON list")

    info = add("info", "Say what a model is: inputs, output, size, terms.", "look")
    info.add_argument("model", metavar="MODEL", type=_name)
    info.add_argument("--json", action="store_true", help="as a JSON object, layers and all")
    info.add_argument("--layers", action="store_true", help="every layer, not only the first")

    allow = add("trust", "Allow a program (TorchScript, torch.export) to be opened from now on.", "look")
    allow.add_argument("file", metavar="FILE", type=_name)
    allow.add_argument("--undo", action="store_true", help="take the yes back")

    half = add("half", "Allow a model that does not fit into memory to be opened in half precision.", "look")
    half.add_argument("model", metavar="MODEL", type=_name)
    half.add_argument("--undo", action="store_true", help="open it whole again, or ask")

    show = add(
        "open", "Open a model, a project, or a picture, sound or film made here, in the window.", "look"
    )
    show.add_argument("file", metavar="FILE", type=_name)


def _making(add: Add) -> None:
    sample = add("sample", "Write samples: one PNG or WAV for each seed, with its recipe.", "make")
    sample.add_argument("model", metavar="MODEL", type=_name)
    sample.add_argument(
        "-n", type=_whole(1, MAX_SAMPLES), default=1, metavar="N", help="how many (default 1)"
    )
    sample.add_argument("--out", required=True, metavar="DIR", type=_name, help="folder to write to")
    sample.add_argument(
        "--seconds", type=_number(0.1, 36_000), help="length of a sound that streams (default: the model's)"
    )
    _inputs(sample)
    _engine(sample)

    grid = add("grid", "Write a sheet of pictures as one PNG, with its recipe.", "make")
    grid.add_argument("model", metavar="MODEL", type=_name)
    grid.add_argument("--rows", type=_whole(1, 256), default=6, metavar="R", help="default 6")
    grid.add_argument(
        "--cols", "--columns", type=_whole(1, 256), default=8, metavar="C", dest="columns", help="default 8"
    )
    grid.add_argument("--out", required=True, metavar="FILE.png", type=_name)
    grid.add_argument(
        "--mode",
        choices=("seeds", "plane", "classes"),
        default="seeds",
        help="seeds row by row; a plane between four seeds; a row for each class (default seeds)",
    )
    grid.add_argument(
        "--scale", type=_whole(1, 64), default=1, metavar="K", help="magnify K times (default 1)"
    )
    grid.add_argument("--gap", type=_whole(0, 256), default=2, help="pixels between pictures (default 2)")
    _inputs(grid)
    _engine(grid)

    render = add(
        "render",
        "Render a project: .png its point; .mp4, .webp, .gif or .wav its timeline; a folder numbered frames.",
        "make",
    )
    render.add_argument(
        "project", metavar="PROJECT", type=_name, help="a project (.igm), or a result made here"
    )
    render.add_argument(
        "--out", required=True, metavar="FILE", type=_name, help="its ending says what to write"
    )
    render.add_argument(
        "--at", type=_number(0, 36_000), metavar="SECONDS", help="for a PNG: the timeline at this time"
    )
    render.add_argument("--scale", type=_whole(1, 64), default=0, metavar="K", help="magnify K times")
    render.add_argument(
        "--smooth",
        action=argparse.BooleanOptionalAction,
        help="magnify smoothly (Lanczos) or by blocks (default: as a film given was, else by blocks)",
    )
    render.add_argument(
        "--rounds",
        type=_whole(1, 1000),
        metavar="N",
        help="go through a film N times (default: as a film given does, else 1)",
    )
    render.add_argument(
        "--crf",
        type=_whole(0, 51),
        help="a film's quality, 0 lossless to 51 (default: as a film given has, else 16)",
    )
    render.add_argument(
        "--frame",
        type=_frame,
        metavar="SHAPE",
        help="a film's frame, with the picture in its middle: 16:9 (1920x1080), 9:16, 1:1, 4:5, WIDTHxHEIGHT,"
        " or own, the picture's (default: as a film given has, else own)",
    )
    render.add_argument(
        "--background",
        type=_colour,
        metavar="#RRGGBB",
        help="the colour around the picture (default: as a film given has, else #000000)",
    )
    _engine(render, batch=False)


def _measuring(add: Add) -> None:
    compare = add("compare", "Compare models over samples from shared seeds.", "measure")
    compare.add_argument("models", metavar="MODEL", nargs="+", type=_name)
    compare.add_argument(
        "--samples", type=_whole(1, MAX_SAMPLES), default=64, metavar="N", help="for each model (default 64)"
    )
    compare.add_argument(
        "--seed", type=_whole(0, MAX_SEED), default=0, metavar="S", help="first seed (default 0)"
    )
    compare.add_argument("--json", metavar="FILE", type=_name, help="write the measures here; - is stdout")
    _engine(compare)

    bench = add("bench", "Measure a model's speed here, and what the program adds to it.", "measure")
    bench.add_argument("model", metavar="MODEL", type=_name)
    bench.add_argument("--json", action="store_true", help="as a JSON object")
    bench.add_argument(
        "--runs", type=_whole(3, 10_000), default=30, metavar="N", help="renderings (default 30)"
    )
    _engine(bench)
