"""Files dragged over the window: what letting go would do, which one is meant, and that it stays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from igm_gui.formats.image import write_png
from igm_gui.formats.recipe import Recipe
from igm_gui.gui.drops import promise
from igm_gui.gui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton


def test_what_letting_go_would_do_is_said(window: MainWindow) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/tmp/a.pkl"), QUrl.fromLocalFile("/tmp/b.pkl")])
    enter = QDragEnterEvent(
        QPoint(600, 300), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert window.veil.isVisible()
    assert window.veil.size() == window.size()
    assert window.veil.text.startswith("Open the model a.pkl\n1 more")
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.veil.isVisible()


@pytest.mark.parametrize(
    ("name", "finds", "words"),
    [
        ("a.igm", False, "Open the project a.igm"),
        ("made.png", False, "made.png: bring back what made it"),
        ("made.png", True, "made.png: bring back what made it"),
        ("foreign.png", True, "foreign.png: find its place in the latent space"),
        ("foreign.png", False, "foreign.png was not made here: nothing to bring back"),
        ("a.jpg", True, "a.jpg: find its place in the latent space"),
        ("a.jpg", False, "a.jpg: this model finds no places for it"),
        ("a.pkl", False, "Open the model a.pkl"),
        ("folder", False, "Open the model folder"),
        ("a.txt", False, "Open a.txt"),
    ],
)
def test_promise(name: str, finds: bool, words: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "card.json").write_text("{}")
    picture = np.zeros((2, 2, 3), np.uint8)
    write_png(tmp_path / "made.png", picture, Recipe("point", "toy", "", {}))
    write_png(tmp_path / "foreign.png", picture)
    assert promise([tmp_path / name], finds) == words


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    names = ["folder.png", "gone.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        names.append("pipe.png")
    for name in names:
        assert promise([tmp_path / name]) == f"{name} was not made here: nothing to bring back"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.webp", b"\xff\xd8\xff\xe0 a JPEG by another name", "is not a PNG"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0", "is cut short"),
        ("cut.gif", b"GIF89a", "is cut short"),
    ],
)
def test_a_result_that_can_not_be_read_is_a_sentence(
    name: str, content: bytes, words: str, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    before = window.studio.state
    assert not window.open_path(tmp_path / name)
    assert window.toast.notice is not None
    assert f"{name} {words}" in window.toast.notice.text
    assert window.studio.state == before


def test_of_several_the_one_that_can_be_opened_is_meant(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("read me.txt", "a.pkl", "b.pkl")]
    assert promise(files) == "Open the model a.pkl\n2 more are left out: one at a time"


def test_on_compare_a_model_is_put_beside_the_others(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.json").write_text("{}")
    window.show_workspace("compare")
    added: list[str] = []
    opened: list[Path] = []
    monkeypatch.setattr(window.stack.active(), "add_model", added.append)
    monkeypatch.setattr(window, "open_path", lambda path: opened.append(path) or True)
    none, copy = Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    for name, words in (
        ("mine/card.json", "Compare with the model mine"),
        ("a.onnx", "Compare with the model a.onnx"),
        ("a.igm", "Open the project a.igm"),
    ):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / name))])
        QApplication.sendEvent(window, QDragEnterEvent(QPoint(9, 9), copy, data, LEFT, none))
        assert window.veil.text == words
        QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, data, LEFT, none))
    assert added == [str(tmp_path / "mine"), str(tmp_path / "a.onnx")]
    assert opened == [tmp_path / "a.igm"]


def test_what_is_dropped_stays_where_it_is(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(window, "open_path", lambda path: opened.append(path) or True)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("read me.txt", "a.pkl")])
    actions_offered = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(9, 9), actions_offered, data, LEFT, none))
    drop = QDropEvent(QPointF(9, 9), actions_offered, data, LEFT, none)
    drop.setDropAction(Qt.DropAction.MoveAction)  # as a file manager proposes it
    QApplication.sendEvent(window, drop)
    assert drop.isAccepted()
    assert drop.dropAction() == Qt.DropAction.CopyAction
    assert opened == [tmp_path / "a.pkl"]
