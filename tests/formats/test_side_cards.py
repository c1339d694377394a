"""Side-car cards and remembered hashes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from igm_gui.errors import ExportError
from igm_gui.formats import hashes, side_card
from igm_gui.formats.card import Card
from igm_gui.formats.files import sha256_of
from igm_gui.formats.hashes import cached_sha256, known_sha256
from igm_gui.info import InputSpec, OutputSpec

CARD = Card(
    name="net",
    family="dcgan",
    output=OutputSpec("image", 8, 8, 3, 0.0, 1.0),
    inputs=(InputSpec("z", "latent", shape=(4,)),),
)


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"a" * (hashes.SMALL + 1))
    seen: list[float] = []
    first = cached_sha256(path, seen.append)
    assert seen[-1] == 1.0
    assert first == known_sha256(path) == sha256_of(path)
    monkeypatch.setattr(hashes, "sha256_of", lambda *_: "computed anew")
    assert cached_sha256(path) == first
    was = path.stat()
    path.write_bytes(b"b" * (hashes.SMALL + 1))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # an old time on new content
    assert known_sha256(path) is None
    assert cached_sha256(path) == "computed anew"


def test_a_damaged_list_starts_anew(tmp_path: Path, igm_home: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"a" * (hashes.SMALL + 1))
    cached_sha256(path)
    (igm_home / "cache" / "hashes.json").write_text("{")
    assert cached_sha256(path) == sha256_of(path)


def test_a_card_beside_the_file_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"weights")
    assert side_card.read_side_card(path) is None
    assert side_card.write_side_card(path, CARD) == tmp_path / "net.pt.card.json"
    assert side_card.read_side_card(path) == CARD
    assert side_card.remove_side_card(path)
    assert side_card.read_side_card(path) is None
    assert not side_card.remove_side_card(path)


def test_a_read_only_folder_keeps_its_card_in_the_data_folder(
    tmp_path: Path, igm_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"weights")
    write = side_card.write_atomic

    def refuse(target: Path, text: bytes) -> None:
        if target.parent == tmp_path:
            raise ExportError("read-only")
        write(target, text)

    monkeypatch.setattr(side_card, "write_atomic", refuse)
    where = side_card.write_side_card(path, CARD)
    assert where == igm_home / "data" / "cards" / f"{sha256_of(path)}.card.json"
    assert side_card.read_side_card(path) == CARD
    assert side_card.remove_side_card(path)
    assert side_card.read_side_card(path) is None
