"""Widgets that only a cycle holds are destroyed on the interface's thread, whoever allocates."""

from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.garbage import YOUNG, Collector


class Knot(QWidget):
    """Holds itself, and notes on which thread it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self


def test_a_knot_of_widgets_goes_on_the_interfaces_thread(qtbot: QtBot) -> None:
    collector = Collector()
    collector.settle()
    try:
        where: list[threading.Thread] = []
        knot = Knot()
        ref = weakref.ref(knot, lambda _: where.append(threading.current_thread()))
        del knot

        def allocate() -> None:
            kept = [[i] for i in range(200_000)]
            assert len(kept) == 200_000

        worker = threading.Thread(target=allocate)
        worker.start()
        worker.join()
        assert ref() is not None
        kept = [[i] for i in range(2 * YOUNG)]
        collector.look()
        assert ref() is None
        assert where == [threading.main_thread()]
        assert kept
    finally:
        collector.end()
        gc.unfreeze()
        gc.disable()  # as all tests here


def test_nothing_is_looked_at_while_the_libraries_come_in(qtbot: QtBot) -> None:
    collector = Collector()
    try:
        knot = Knot()
        ref = weakref.ref(knot)
        del knot
        kept = [[i] for i in range(2 * YOUNG)]
        collector.look()
        assert ref() is not None
        assert kept
    finally:
        collector.end()
        gc.collect()
        gc.disable()  # as all tests here
