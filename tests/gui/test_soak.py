"""Twenty thousand updates through the whole window: nothing leaks, nothing breaks.

PySide6 6.12.0 loses one reference to None for each void call and aborts after some thousands
(``sys.getrefcount(None)`` falls by one per ``QLabel.setText``); this is the test that sees it.
"""

from __future__ import annotations

import gc
import sys

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.session import actions
from igm_gui.session.session import UNDO_LIMIT

UPDATES = 20_000
MOST_BYTES = 40_000_000


@pytest.mark.timeout(900)
def test_twenty_thousand_updates(studio: Studio, real_window: MainWindow, qtbot: QtBot) -> None:
    window = real_window
    window.resize(1000, 640)
    explore = window.stack.widget_of("explore")
    assert isinstance(explore, ExploreWorkspace)
    painted: list[int] = []
    explore.canvas.picture.painted.connect(lambda: painted.append(0))

    def update(i: int) -> None:
        actions.set_dimensions(studio.session, "z", {i % 700: (i % 200) / 100 - 1}, merge=f"soak:{i // 50}")
        window.status.set_saved(f"update {i}")
        QApplication.processEvents()

    for i in range(1000):
        update(i)
    gc.collect()
    nones, memory = sys.getrefcount(None), psutil.Process().memory_info().rss
    for i in range(1000, UPDATES):
        update(i)
    gc.collect()
    assert abs(sys.getrefcount(None) - nones) < 2000
    assert psutil.Process().memory_info().rss - memory < MOST_BYTES
    assert len(painted) > UPDATES / 20
    assert len(studio.session._undo) <= UNDO_LIMIT
    wanted = studio.session.request()
    qtbot.waitUntil(lambda: studio.last is not None and studio.last.request == wanted, timeout=20_000)
