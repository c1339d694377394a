"""Python's cycle collector, on the interface's thread alone.

It runs on whatever thread happens to allocate. On the render thread it would destroy widgets that only a
cycle still held, and Qt aborts the program when a widget goes on another thread than its own.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 500
YOUNG = 700  # new containers that make a look worth while, as Python's own threshold
WHOLE_EVERY = 20  # looks at the young ones for one at all


class Collector(QObject):
    """Takes the collector over until :meth:`end`; at rest, when nothing is allocated, it does nothing.

    The first look comes after :meth:`settle`: what is imported before, torch with it, stays anyway, and a
    look at it would hold the window for longer than a few frames.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._looks = 0
        self._settled = False
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect, where there is anything new."""
        if not self._settled or gc.get_count()[0] < YOUNG:
            return
        self._looks += 1
        gc.collect(2 if self._looks % WHOLE_EVERY == 0 else 1)

    def settle(self) -> None:
        """What is there now stays for good (the libraries, the window) and is not looked at again: with torch
        imported, a look at everything would take longer than a frame."""
        self._settled = True
        gc.freeze()

    def end(self) -> None:
        """Hand it back to Python."""
        self._timer.stop()
        gc.enable()
