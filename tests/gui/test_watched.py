"""Watched folders are looked through without opening anything, and the browser lists what is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.browser import ModelBrowser
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.models.watched import models_in, size_text
from igm_gui.gui.studio import Studio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "faces.pkl").write_bytes(b"x" * 2_000)
    (tmp_path / "deep" / "er" / "large.ONNX").write_bytes(b"x" * 12_000_000)
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "empty.pt").touch()
    model = tmp_path / "bells"
    model.mkdir()
    card = {
        "format": 1,
        "name": "bells",
        "title": "Small bells",
        "family": "additive",
        "output": {"media": "sound", "sample_rate": 24000, "samples": 24000},
        "inputs": [{"name": "z", "kind": "latent", "shape": [4]}],
    }
    (model / "card.json").write_text(json.dumps(card))
    (model / "model.safetensors").write_bytes(b"x" * 500)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "card.json").write_text("{")
    return tmp_path


def test_models_are_found_and_nothing_else(folder: Path) -> None:
    os.symlink(folder, folder / "deep" / "round", target_is_directory=True)
    found = {model.path.name: model for model in models_in(folder)}
    assert set(found) == {"faces.pkl", "large.ONNX", "bells"}
    assert found["bells"].info is not None
    assert found["bells"].info.media == "sound"
    assert found["bells"].bytes == 500
    assert size_text(found["large.ONNX"].bytes) == "12.0 MB"
    assert not list(models_in(folder / "nowhere"))


def titles(browser: ModelBrowser) -> list[str]:
    items = [browser.list.item(row) for row in range(browser.list.count())]
    return [item.text().splitlines()[0] for item in items if not item.isHidden()]


def test_the_browser_lists_and_filters_them(
    qtbot: QtBot, toy_studio: Studio, explore: ExploreWorkspace, folder: Path
) -> None:
    card = explore.model_card
    with qtbot.waitSignal(card.watched.scanned, timeout=30_000):
        card.watched.add(folder)
    assert card.watched.folders == [str(folder)]
    card.show_browser()
    browser = card.browser
    assert browser is not None
    assert {"faces.pkl", "large.ONNX", "Small bells"} <= set(titles(browser))
    browser.kind.setCurrentIndex(2)
    assert "Small bells" in titles(browser)
    assert "faces.pkl" not in titles(browser)
    browser.kind.setCurrentIndex(0)
    browser.size_box.setCurrentIndex(2)
    assert titles(browser) == ["large.ONNX"]
    browser.size_box.setCurrentIndex(0)
    QTest.keyClicks(browser.search, "faces")
    assert titles(browser) == ["faces.pkl"]
    browser.grab()
    browser.close()
    with qtbot.waitSignal(card.watched.scanned, timeout=30_000):
        card.watched.remove(str(folder))
    assert card.watched.models == ()
    assert card.watched.folders == []
