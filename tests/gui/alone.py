"""One workspace in a window of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.studio import Studio

Workspace = TypeVar("Workspace", bound=Any)


def alone(kind: Callable[..., Workspace], qtbot: QtBot, studio: Studio) -> Workspace:
    """A workspace of ``kind``, shown and made active."""
    window = theme.dress(QWidget())
    workspace = kind(studio, Commands(window), window)
    window.resize(1280, 720)
    workspace.resize(1280, 720)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    workspace.activate()
    return workspace
