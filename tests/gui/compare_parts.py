"""The Compare workspace in a window of its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.studio import Studio
from tests.gui.alone import alone

MakeStudio = Callable[..., Studio]
LEFT = Qt.MouseButton.LeftButton


def make(qtbot: QtBot, studio: Studio) -> CompareWorkspace:
    return alone(CompareWorkspace, qtbot, studio)
