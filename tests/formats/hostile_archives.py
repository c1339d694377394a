"""torch archives and old torch files that are made to do harm or hold what no network has."""

# ruff: noqa: E501 - a table reads better in long lines
from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from hostile_good import Case, generator, good
from safetensors.torch import save


def rewrite(
    change: Callable[[str, bytes], tuple[str, bytes] | None], method: int = zipfile.ZIP_STORED
) -> bytes:
    """A torch archive with ``change(name, data)`` applied; None drops an entry."""
    made = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(io.BytesIO(good("zip"))) as archive,
        zipfile.ZipFile(made, "w", method) as target,
    ):
        warnings.simplefilter("ignore")  # names that are there twice
        for info in archive.infolist():
            kept = change(info.filename, archive.read(info))
            if kept is not None:
                target.writestr(*kept)
    return made.getvalue()


def with_pickle(data: bytes) -> bytes:
    """A torch archive with another data.pkl."""
    return rewrite(lambda n, d: (n, data if n.endswith("data.pkl") else d))


def saved(value: Any, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def fan_out() -> bytes:
    """Six levels of dictionaries, each naming the one below two hundred times."""
    inner: dict[str, Any] = {"w": torch.zeros(2, 2)}
    for _ in range(6):
        inner = {f"n{i}": inner for i in range(200)}
    return saved(inner)


def deep(levels: int) -> bytes:
    inner: Any = {"w": torch.zeros(2, 2)}
    for _ in range(levels):
        inner = {"n": inner}
    sys.setrecursionlimit(20_000)
    try:
        return saved(inner, legacy=True)
    except RecursionError:
        return saved({}, legacy=True)


def claims(legacy: bool) -> bytes:
    """A storage that is said to hold 2^40 numbers."""
    data = saved({"0.weight": torch.zeros(5, 3), "1.weight": torch.zeros(64, 5)}, legacy)
    if not legacy:
        return rewrite(
            lambda n, d: (n, d.replace(b"K \x74", b"\x8a\x06\0\0\0\0\0\x01t") if n.endswith(".pkl") else d)
        )
    return data.replace(b"K\x0fNt", b"\x8a\x06\0\0\0\0\0\x01Nt")


def views() -> bytes:
    """A thousand names for one storage of eight megabytes."""
    base = torch.zeros(2_000_000)
    return saved({f"l{i}.weight": base.view(1000, 2000) for i in range(1000)})


class Evil:
    """Pickles as a call, with its canary in the open folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def evil_beside_weights(legacy: bool) -> Case:
    def write(folder: Path) -> Path:
        value = {"G": generator().state_dict(), "extra": Evil(folder / "ran")}
        (folder / "m.pt").write_bytes(saved(value, legacy))
        return folder / "m.pt"

    return write


def evil_archive(protocol: int) -> Case:
    def write(folder: Path) -> Path:
        data = pickle.dumps({"0.weight": Evil(folder / "ran")}, protocol)
        (folder / "m.pt").write_bytes(with_pickle(data))
        return folder / "m.pt"

    return write


def overlapped() -> bytes:
    """A directory that names the same bytes ten thousand times (Fifield 2019, "A better zip bomb")."""
    body = b"\0" * 100_000
    local = (
        struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, len(body), len(body), 1, 0)
        + b"a"
        + body
    )
    central = b"".join(
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            b"PK\x01\x02",
            20,
            20,
            0,
            0,
            0,
            0,
            0,
            len(body),
            len(body),
            6,
            0,
            0,
            0,
            0,
            0,
            0,
        )
        + f"m/{i:04}".encode()
        for i in range(10_000)
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 10_000, 10_000, len(central), len(local), 0)
    return local + central + end


def many_entries(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for i in range(count):
            archive.writestr(f"m/{i}", b"")
    return made.getvalue()


def encrypted() -> bytes:
    data = bytearray(good("zip"))
    data[6] |= 1  # the flag of the first entry, and of the first in the directory
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


BIG = lambda n, d: (n, bytes(100_000_000) if n.endswith("data/0") else d)  # noqa: E731
ARCHIVES: dict[str, bytes | Callable[[], bytes]] = {
    "no data.pkl": lambda: rewrite(lambda n, d: None if n.endswith("data.pkl") else (n, d)),
    "two data.pkl": lambda: rewrite(lambda n, d: (n.replace("version", "data.pkl"), d)),
    "empty data.pkl": lambda: with_pickle(b""),
    "data.pkl is text": lambda: with_pickle(b"hello"),
    "data.pkl is a list": lambda: with_pickle(pickle.dumps([1, 2], 2)),
    "data.pkl is a list in itself": lambda: with_pickle(b"\x80\x02]q\x00h\x00a."),
    "data.pkl is deep": lambda: with_pickle(b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."),
    "data.pkl hashes for ever": lambda: with_pickle(b"\x80\x02)" + b"2\x86" * 60 + b"q\x00}h\x00Ns."),
    "data.pkl collides": lambda: with_pickle(__import__("hostile_pickles").colliding(60_000)),
    "data.pkl has a huge memo": lambda: with_pickle(b"\x80\x02Nr\x00\x00\x00\x70."),
    "data.pkl is cut": lambda: rewrite(lambda n, d: (n, d[: len(d) // 2] if n.endswith("data.pkl") else d)),
    "no storages": lambda: rewrite(lambda n, d: None if "/data/" in n else (n, d)),
    "storages cut": lambda: rewrite(lambda n, d: (n, d[: len(d) // 2] if "/data/" in n else d)),
    "storages of nothing": lambda: rewrite(lambda n, d: (n, b"" if "/data/" in n else d)),
    "leaves its folder": lambda: rewrite(lambda n, d: ("../" + n, d)),
    "leaves it in the middle": lambda: rewrite(lambda n, d: (n.replace("/", "/../../", 1), d)),
    "absolute": lambda: rewrite(lambda n, d: ("/" + n, d)),
    "backslashes": lambda: rewrite(lambda n, d: ("..\\" + n, d)),
    "a drive": lambda: rewrite(lambda n, d: ("C:\\" + n, d)),
    "a name with a zero": lambda: rewrite(lambda n, d: (n.replace("data", "da\0ta"), d)),
    "a bomb": lambda: rewrite(BIG, zipfile.ZIP_DEFLATED),
    "a bomb in bzip2": lambda: rewrite(BIG, zipfile.ZIP_BZIP2),
    "a bomb in lzma": lambda: rewrite(BIG, zipfile.ZIP_LZMA),
    "a zip in the zip": lambda: rewrite(lambda n, d: (n, good("zip") if n.endswith("data.pkl") else d)),
    "overlapping entries": overlapped,
    "ten thousand entries": lambda: many_entries(10_000),
    "encrypted": encrypted,
    "claims two to the forty": lambda: claims(legacy=False),
    "fan-out": fan_out,
    "one storage a thousand times": views,
    "a tensor over no bytes": lambda: saved({"a": torch.zeros(1).expand(1 << 20, 1 << 20), "b": torch.zeros(2, 2)}),
    "a tensor on no device": lambda: saved({"0.weight": torch.zeros(1 << 20, 1 << 20, device="meta")}),
    "sparse": lambda: saved({"0.weight": torch.sparse_coo_tensor([[0], [0]], [1.0], (1 << 20, 1 << 20))}),
    "complex": lambda: saved({"0.weight": torch.zeros(8, 4, dtype=torch.complex64), "1.weight": torch.zeros(64, 8)}),
    "whole numbers": lambda: saved({"0.weight": torch.zeros(8, 4, dtype=torch.int64)}),
    "no numbers": lambda: saved({"0.weight": torch.zeros(0, 4), "1.weight": torch.zeros(64, 0)}),
    "nine axes": lambda: saved({"0.weight": torch.zeros([1] * 9), "1.weight": torch.zeros(4, 4)}),
    "keys that are no names": lambda: saved({1: torch.zeros(2, 2), (1, 2): torch.zeros(3, 2), None: torch.ones(4, 3)}),
    "a picture of gigabytes": lambda: saved(
        {f"{i}.weight": torch.zeros(64, 64, 4, 4) for i in range(9)} | {"9.weight": torch.zeros(64, 3, 4, 4)}
    ),
    "ten thousand layers": lambda: saved({f"{i}.weight": torch.zeros(1, 1) for i in range(10_000)}),
    "layers in no order": lambda: saved(
        {f"{'abcdefghij'[i]}.weight": torch.zeros(4 + (7 * i) % 5, 4 + i % 7) for i in range(10)}
    ),
}  # fmt: skip
LEGACY: dict[str, bytes | Callable[[], bytes]] = {
    "claims two to the forty": lambda: claims(legacy=True),
    "deep": lambda: deep(3000),
    "hashes for ever": lambda: good("legacy")[:137] + b"\x80\x02)" + b"2\x86" * 60 + b"q\x00}h\x00Ns.",
    "a huge memo": lambda: good("legacy")[:137] + b"\x80\x02Nr\x00\x00\x00\x70.",
    "another number at the start": lambda: good("legacy").replace(b"l\xfc\x9cF", b"l\xfc\x9cG", 1),
    "a whole module": lambda: saved(generator(), legacy=True),
}


def bad_numbers(kind: str, value: float) -> bytes:
    state = generator().state_dict()
    state["0.weight"][3, 1] = value
    return save(state) if kind == "safetensors" else saved(state, kind == "legacy")
