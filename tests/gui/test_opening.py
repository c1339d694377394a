"""A file not seen before is tried in the background; the old model stays live, and Cancel keeps it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from torch import nn

from igm_gui.errors import Cancelled, ModelError
from igm_gui.formats.files import sha256_of
from igm_gui.generators import probe
from igm_gui.gui.commands import Commands
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.models.opening import ready
from igm_gui.gui.models.opening_bar import OpeningBar
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    network = nn.Sequential(nn.ConvTranspose2d(64, 128, 4), nn.ReLU(), nn.ConvTranspose2d(128, 3, 4, 2, 1))
    path = tmp_path / "net.pt"
    torch.save(network.state_dict(), path)
    monkeypatch.delenv("IGM_PROBE", raising=False)
    return path


def test_the_trial_comes_first_and_only_once(
    qtbot: QtBot, studio: Studio, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr(probe, "probe", lambda path, **_: tried.append(path))
    steps: list[str] = []
    studio.opener.stepped.connect(lambda _number, what, _done: steps.append(what))
    before = studio.state.model
    assert studio.open_model(str(weights))
    assert studio.state.model == before
    qtbot.waitUntil(lambda: studio.state.model == str(weights), timeout=30_000)
    assert tried == [weights]
    assert "reading" in steps
    assert "trying it in a process of its own" in steps
    assert probe.seen(sha256_of(weights))
    assert ready(weights)
    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=lambda r: r.media is not None):
        studio.refresh(force=True)
    studio.open_model(before)
    assert studio.open_model(str(weights))
    assert studio.state.model == str(weights)
    assert len(tried) == 1


def test_cancel_keeps_the_old_model(
    qtbot: QtBot, studio: Studio, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def slow(_path: Path, stop: threading.Event) -> None:
        begun.set()
        stop.wait(30)
        raise Cancelled()

    monkeypatch.setattr(probe, "probe", slow)
    window = QWidget()
    qtbot.addWidget(window)
    bar = OpeningBar(studio, window)
    before = studio.state.model
    studio.open_model(str(weights))
    qtbot.waitUntil(lambda: begun.is_set() and not bar.isHidden(), timeout=30_000)
    assert "net.pt" in bar.label.full
    bar.cancel.click()
    assert bar.isHidden()
    assert not studio.opener.busy
    assert studio.state.model == before
    assert not probe.seen(sha256_of(weights))


def test_a_crash_in_the_trial_is_a_sentence(
    qtbot: QtBot, studio: Studio, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path, **_: object) -> None:
        raise ModelError(f"{path.name} ended the process that tried to open it.")

    monkeypatch.setattr(probe, "probe", crash)
    before = studio.state.model
    with qtbot.waitSignal(studio.notice, timeout=30_000) as told:
        studio.open_model(str(weights))
    assert "ended the process" in told.args[0].text
    assert told.args[0].retry is not None
    assert studio.state.model == before


def test_a_running_child_is_ended(weights: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Cancelled):
        probe.probe(weights, 60, ["sleep", "50"], stop)


def test_a_model_to_compare_is_tried_first_too(
    qtbot: QtBot, studio: Studio, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def crash(path: Path, **_: object) -> None:
        tried.append(path)
        raise ModelError(f"{path.name} ended the process that tried to open it.")

    monkeypatch.setattr(probe, "probe", crash)
    window = QWidget()
    qtbot.addWidget(window)
    compare = CompareWorkspace(studio, Commands(window))
    qtbot.addWidget(compare)
    before = studio.state
    with qtbot.waitSignal(studio.notice, timeout=30_000) as told:
        compare.add_model(str(weights))
    assert "ended the process" in told.args[0].text
    assert studio.state == before
    monkeypatch.setattr(probe, "probe", lambda path, **_: tried.append(path))
    with qtbot.waitSignal(studio.changed, timeout=30_000):
        told.args[0].retry()
    assert compare.models == (before.model, str(weights))
    assert tried == [weights, weights]


def test_a_folder_without_a_model_says_so(qtbot: QtBot, studio: Studio, tmp_path: Path) -> None:
    def failed(result: RenderResult) -> bool:
        return result.error is not None

    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=failed) as told:
        studio.open_model(str(tmp_path))
    assert "holds no model" in str(told.args[0].error)
