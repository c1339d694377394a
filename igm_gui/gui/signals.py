"""Ctrl+C in the terminal and a polite kill close the window in order."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier


class SignalWatch(QObject):
    """Calls ``asked`` on the interface's thread when the process gets SIGINT or SIGTERM.

    Qt waits outside of Python, where Python's handlers don't run; a byte through a socket wakes it.
    """

    def __init__(self, asked: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked = asked
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before = {name: signal.signal(name, self._noted) for name in (signal.SIGINT, signal.SIGTERM)}
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._wake)

    @staticmethod
    def _noted(_number: int, _frame: object) -> None:
        """The byte in the socket does the work."""

    def _wake(self) -> None:
        self._read.recv(64)
        self._asked()

    def close(self) -> None:
        """Put back what was there before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before_fd)
        for name, handler in self._before.items():
            signal.signal(name, handler)
        self._read.close()
        self._write.close()
