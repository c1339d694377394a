"""The Compare workspace in a window of its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.studio import Studio

MakeStudio = Callable[..., Studio]
LEFT = Qt.MouseButton.LeftButton


def make(qtbot: QtBot, studio: Studio) -> CompareWorkspace:
    window = theme.dress(QWidget())
    workspace = CompareWorkspace(studio, Commands(window), window)
    window.resize(1280, 720)
    workspace.resize(1280, 720)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    workspace.activate()
    return workspace
