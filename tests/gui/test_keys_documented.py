"""docs/window.md names the keys that the commands really have."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.session import actions

PAGE = (Path(__file__).parents[2] / "docs" / "window.md").read_text(encoding="utf-8")
WITH_SOUNDS = re.search(r"\| key \| with sounds \|\n(?:\|.*\n)+", PAGE)
MORE = {
    "Esc",
    "L",
    "Return",
    "Backspace",
    "Del",
    "F2",
    "Ctrl+Left",
    "Ctrl+Right",
    "Shift",
    "Alt",
    "Ctrl",
    "+",
    "-",
}


def keys_in(text: str) -> set[str]:
    """The keys among the words in backquotes; models and commands have no name as a key."""
    keys = {QKeySequence(word).toString() for word in re.findall(r"`([^`]+)`", text) if word not in MORE}
    return keys - {""}


def keys_of(window: MainWindow, workspace: str, sounds: bool) -> set[str]:
    window.show_workspace(workspace)
    return {
        QKeySequence(command.shortcut).toString()
        for command in window.commands.available()
        if command.shortcut and (sounds or command.group != "Sound")
    }


def test_the_page_and_the_commands_agree(window: MainWindow, toy_studio: Studio) -> None:
    assert WITH_SOUNDS is not None
    for _ in range(2):
        actions.randomize(toy_studio.session)
    toy_studio.session.undo()  # now both undo and redo can be run
    documented = keys_in(PAGE.replace(WITH_SOUNDS[0], ""))
    there = keys_of(window, "explore", sounds=False)
    assert documented - there == set()
    undocumented = there - documented
    assert undocumented == set()


def test_the_keys_with_sounds_are_there(
    qtbot: QtBot, make_studio: Callable[..., Studio], make_window: Callable[[Studio], MainWindow]
) -> None:
    assert WITH_SOUNDS is not None
    studio = make_studio("additive")
    window = make_window(studio)
    studio.session.update(compare=("timbre",))
    documented = keys_in(WITH_SOUNDS[0])
    assert documented

    def missing() -> set[str]:
        return documented - keys_of(window, "explore", True) - keys_of(window, "compare", True)

    qtbot.waitUntil(lambda: not missing(), timeout=20_000)
