"""docs/window.md names the keys that the commands really have."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtGui import QKeySequence

from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.session import actions

PAGE = Path(__file__).parents[2] / "docs" / "window.md"
MORE = {"Esc", "L", "Return", "Backspace", "Del", "F2", "Ctrl+Left", "Ctrl+Right", "Shift", "Alt", "Ctrl"}


def test_the_page_and_the_commands_agree(window: MainWindow, toy_studio: Studio) -> None:
    for _ in range(2):
        actions.randomize(toy_studio.session)
    toy_studio.session.undo()  # now both undo and redo can be run
    documented = {
        QKeySequence(key).toString()
        for key in re.findall(r"`([^`]+)`", PAGE.read_text(encoding="utf-8"))
        if key not in MORE
    }
    window.show_workspace("explore")
    there = {
        QKeySequence(command.shortcut).toString()
        for command in window.commands.available()
        if command.shortcut and command.group != "Sound"
    }
    assert documented - there == set()
    undocumented = there - documented
    assert undocumented == set()
