"""All hostile cases by name. ``opens`` says that nothing is wrong with a file that only looks so."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hostile_archives as archives
import hostile_cards as cards
import hostile_files as files
import hostile_good as whole
import hostile_onnx as onnx_files
import hostile_pickles as pickles


@dataclass(frozen=True)
class Entry:
    """``write(folder)`` makes the files and answers what is opened. ``may_open``: damage that does not show
    is no fault. ``trial``: opened through the child process."""

    write: Callable[[Path], Path]
    may_open: bool = False
    trial: bool = False


def _pickle(made: pickles.Made) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        data = made if isinstance(made, bytes) else made(folder / "ran")
        (folder / "network.pkl").write_bytes(data)
        return folder / "network.pkl"

    return write


def _content(made: bytes | Callable[[], bytes], name: str) -> Callable[[Path], Path]:
    return lambda folder: whole.file(name, made if isinstance(made, bytes) else made())(folder)


def _archived(made: pickles.Made) -> Callable[[Path], Path]:
    """A pickle as the data.pkl of a torch archive."""

    def write(folder: Path) -> Path:
        data = made if isinstance(made, bytes) else made(folder / "ran")
        (folder / "m.pt").write_bytes(archives.with_pickle(data))
        return folder / "m.pt"

    return write


# What a file that got through would do: the watch must see it.
CANARIES: dict[str, Callable[[Path], object]] = {
    "canary/leaves the mark": lambda folder: (folder / "ran").touch(),
    "canary/runs a program": lambda _: os.system("true"),
    "canary/writes elsewhere": lambda _: Path(os.environ["IGM_HOME"]).parents[1].joinpath("x").write_text(""),
    "canary/takes memory": lambda _: bytearray(b"x") * 1_100_000_000,
    "canary/ends the program": lambda _: os._exit(7),
}


def table() -> dict[str, Entry]:
    """Name -> case."""
    made: dict[str, Entry] = {}
    for name, content in files.JUNK.items():
        for ending in files.ENDINGS:
            made[f"junk/{name}.{ending}"] = Entry(whole.file(f"model.{ending}", content))
    for name in pickles.CALLS:
        for protocol in pickles.PROTOCOLS:
            for inside in (False, True):
                where = "inside" if inside else "bare"
                made[f"pickle/{name}, protocol {protocol}, {where}"] = Entry(
                    _pickle(pickles.called(name, protocol, inside))
                )
        made[f"archive/data.pkl with {name}"] = Entry(_archived(pickles.called(name, 2, True)))
    for name in pickles.DILL:
        for protocol in pickles.PROTOCOLS:
            made[f"dill/{name}, protocol {protocol}"] = Entry(_pickle(pickles.dilled(name, protocol)))
    for name, data in pickles.RAW.items():
        made[f"opcodes/{name}"] = Entry(_pickle(data))
        made[f"archive/opcodes, {name}"] = Entry(_archived(data))
    for name, value in pickles.EMPTY.items():
        made[f"pickle/holds {name}"] = Entry(_pickle(pickle.dumps(value, 4)))
    for name, content in files.HEADERS.items():
        made[f"safetensors/{name}"] = Entry(whole.file("model.safetensors", content))
    for name, data in archives.ARCHIVES.items():
        made[f"archive/{name}"] = Entry(_content(data, "m.pt"))
    for name, data in archives.LEGACY.items():
        made[f"old torch file/{name}"] = Entry(_content(data, "m.pth"))
    for legacy in (False, True):
        kind = "old torch file" if legacy else "archive"
        made[f"{kind}/os.system beside weights"] = Entry(archives.evil_beside_weights(legacy))
    for protocol in pickles.PROTOCOLS:
        made[f"archive/os.system, protocol {protocol}"] = Entry(archives.evil_archive(protocol))
    for kind in whole.SUFFIX:
        for part in whole.PARTS:
            made[f"cut/{kind} at {part}"] = Entry(
                lambda folder, kind=kind, part=part: whole.damaged(kind, whole.cut(kind, part))(folder)
            )
        for seed in range(16):
            for change in (whole.flipped, whole.stuffed):
                made[f"{change.__name__}/{kind} {seed}"] = Entry(
                    lambda folder, kind=kind, seed=seed, change=change: whole.damaged(
                        kind, change(kind, seed)
                    )(folder),
                    may_open=True,
                )
    for kind in ("safetensors", "zip", "legacy"):
        for number in ("nan", "inf", "-inf"):
            content = lambda kind=kind, number=number: archives.bad_numbers(kind, float(number))  # noqa: E731
            made[f"weights/{number} in {kind}"] = Entry(_content(content, f"m.{whole.SUFFIX[kind]}"))
    for name, card in cards.CARDS.items():
        made[f"card/{name}"] = Entry(cards.folder_of(card))
    beside = (
        "not json", "a list", "deep", "no name", "unknown field", "name of controls", "two of a name",
        "nine megabytes", "unknown family", "size huge",
    )  # fmt: skip
    for name in beside:
        for kind in ("zip", "onnx"):
            made[f"side card/{name}, of {kind}"] = Entry(cards.side_card(cards.CARDS[name], kind))
    made["side card/of another family"] = Entry(cards.side_card(cards.CARD, "zip"))
    for name, card in cards.HARMLESS_CARDS.items():
        made[f"card/{name}"] = Entry(cards.folder_of(card), may_open=True)
    for model in cards.BUNDLED:
        for damage in cards.DAMAGES:
            made[f"bundled/{model}, {damage}"] = Entry(cards.bundled(model, damage))
    places = {**files.PLACES, **(files.UNIX if os.name == "posix" else {})}
    for name, write in places.items():
        made[f"place/{name}"] = Entry(write)
    for name, write in (files.UNIX_HARMLESS if os.name == "posix" else {}).items():
        made[f"place/{name}"] = Entry(write, may_open=True)
    for name, write in {**onnx_files.EXTERNAL, **(onnx_files.LINKS if os.name == "posix" else {})}.items():
        made[f"onnx/data in {name}"] = Entry(write)
    for name, graph in onnx_files.GRAPHS.items():
        made[f"onnx/{name}"] = Entry(onnx_files.written(graph))
    for name, write in onnx_files.FRAMES.items():
        made[f"onnx/{name}"] = Entry(write)
    for name, graph in onnx_files.TRIALS.items():
        made[f"trial/{name}"] = Entry(onnx_files.written(graph), trial=True)
    return made
