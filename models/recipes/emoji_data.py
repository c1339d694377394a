"""The pictures of emoji-64: Noto emoji at 64x64 on white, with a visual category each.

The npm package `emoji-datasource-google` holds Google's Noto emoji (Apache-2.0) as 64x64 PNG
files with transparency, and a table with each emoji's category and subcategory.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = "emoji-datasource-google@16.0.0"
LABELS = (
    "face", "heart", "hand", "person", "animal", "plant", "food", "place",
    "sky", "transport", "clock", "activity", "clothing", "object", "sign", "flag",
)  # fmt: skip
HELD_OUT = 0.1
# Flags, clock faces and signs are many and alike: half the weight keeps them from taking over.
LESS_OFTEN = frozenset({"flag", "clock", "sign"})


@dataclass(frozen=True)
class Emoji:
    """`pictures`: (N, 64, 64, 3) uint8 on white; `cut_out`: (N, 64, 64, 4) uint8, the same with transparency;
    `labels`: (N,) int64; `held_out`: (N,) bool."""

    pictures: np.ndarray
    cut_out: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    held_out: np.ndarray


def visual_label(category: str, subcategory: str) -> str:
    """The label of an emoji: its Unicode category, parted where one holds things that look unlike."""
    if category == "Smileys & Emotion":
        if subcategory == "heart":
            return "heart"
        return "sign" if subcategory == "emotion" else "face"
    if category == "People & Body":
        return "hand" if subcategory.startswith(("hand", "body-parts")) else "person"
    if category == "Animals & Nature":
        return "animal" if subcategory.startswith("animal") else "plant"
    if category == "Travel & Places":
        if subcategory.startswith("transport"):
            return "transport"
        return {"sky & weather": "sky", "time": "clock"}.get(subcategory, "place")
    if category == "Objects" and subcategory == "clothing":
        return "clothing"
    return {
        "Food & Drink": "food",
        "Activities": "activity",
        "Objects": "object",
        "Symbols": "sign",
        "Flags": "flag",
    }[category]


def is_repeat(entry: dict[str, object]) -> bool:
    """Skin-tone swatches, mirrored "facing right" variants, and the many silhouettes of families."""
    code = str(entry["unified"])
    if entry["category"] == "Component" or code.endswith("27A1-FE0F"):
        return True
    children = ("1F466", "1F467", "1F9D2")
    return entry["subcategory"] == "family" and any(child in code for child in children)


def fetch(folder: Path) -> Path:
    """The package's archive in `folder`, fetched with `npm pack` if it is not there yet."""
    archive = folder / (PACKAGE.replace("@", "-") + ".tgz")
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True)
    return archive


def _read_package(folder: Path) -> tuple[list[dict[str, object]], dict[str, bytes]]:
    """The table and the PNG files by name, in one pass: seeking in a compressed archive is slow."""
    table: list[dict[str, object]] = []
    files: dict[str, bytes] = {}
    with tarfile.open(fetch(folder), "r|gz") as archive:
        for member in archive:
            is_picture = member.name.startswith("package/img/google/64/")
            if not is_picture and member.name != "package/emoji.json":
                continue
            opened = archive.extractfile(member)
            assert opened is not None
            if is_picture:
                files[Path(member.name).name] = opened.read()
            else:
                table = json.load(opened)
    return table, files


def read_png(png: bytes) -> np.ndarray:
    """A PNG file with its transparency: (H, W, 4) uint8."""
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGBA"))


def on_white(cut_out: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 composited on white: (H, W, 3) uint8."""
    picture = Image.fromarray(cut_out)
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture)
    return np.asarray(white.convert("RGB"))


def load(folder: Path) -> Emoji:
    """All emoji, in Unicode's order, and which of them no training step may see.

    Pictures that are equal byte for byte are kept once. One in ten of each label is held out,
    chosen by a fixed seed.
    """
    table, files = _read_package(folder)
    pictures: dict[bytes, np.ndarray] = {}
    cut_outs: list[np.ndarray] = []
    labels: list[int] = []
    names: list[str] = []
    for entry in sorted(table, key=lambda entry: entry["sort_order"]):
        if not entry["has_img_google"] or is_repeat(entry):
            continue
        cut_out = read_png(files[str(entry["image"])])
        picture = on_white(cut_out)
        if picture.tobytes() in pictures:
            continue
        pictures[picture.tobytes()] = picture
        cut_outs.append(cut_out)
        labels.append(LABELS.index(visual_label(str(entry["category"]), str(entry["subcategory"]))))
        names.append(str(entry["short_name"]))
    label_array = np.asarray(labels, dtype=np.int64)
    held_out = np.zeros(len(labels), dtype=bool)
    rng = np.random.default_rng(0)
    for label in range(len(LABELS)):
        members = rng.permutation(np.flatnonzero(label_array == label))
        held_out[members[: round(HELD_OUT * len(members))]] = True
    stacked = np.stack(list(pictures.values()))
    return Emoji(stacked, np.stack(cut_outs), label_array, tuple(names), held_out)
