"""Small pictures of models: read off the interface's thread, and never by opening a file that is new."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from igm_gui.gui.previews import SIDE, Previews, corner
from igm_gui.gui.studio import Studio
from tests.gui.fakes import PaintingRenderer


def sheet(width: int, height: int) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("blue"))
    for x in range(28):
        for y in range(28):
            image.setPixelColor(x, y, QColor("red"))
    return image


def test_a_corner_of_a_sheet_is_shown() -> None:
    part = corner(sheet(112, 112), 28, 28)
    assert (part.width(), part.height()) == (56, 56)
    assert part.pixelColor(27, 27) == QColor("red")
    assert corner(sheet(28, 28), 28, 28).width() == 28
    whole = corner(sheet(640, 256), 28, 28)
    assert max(whole.width(), whole.height()) == SIDE


def test_a_folder_s_own_picture_comes_later_and_nothing_is_rendered(
    qtbot: QtBot, toy_studio: Studio, painter: PaintingRenderer, tmp_path: Path
) -> None:
    sheet(56, 56).save(str(tmp_path / "preview.png"))
    rendered = len(painter.rendered)
    previews = Previews(toy_studio)
    with qtbot.waitSignal(previews.ready, timeout=10_000) as ready:
        assert previews.kept("mine", tmp_path, (28, 28)).isNull()
    assert ready.args == ["mine"]
    assert previews.known("mine").size().width() == 28
    assert previews.kept("mine", tmp_path).size().width() == 28
    assert previews.kept("nothing there", tmp_path / "away").isNull()
    assert len(painter.rendered) == rendered


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
def test_a_name_that_is_no_text_has_a_place_for_its_preview(toy_studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.safetensors")
    path.write_bytes(b"weights")
    assert Previews(toy_studio).get(str(path)).isNull()
