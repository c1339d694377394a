"""What is read and tried before it is opened, how far it is, and Cancel. (While the network is built, the
canvas says so itself.)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QWidget

from igm_gui.gui import theme
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.gui.widgets.labels import ElidedLabel

WIDTH, NARROWEST = 700, 380
SHOWN_AFTER_MS = 300  # what is over sooner needs no words


class OpeningBar(QFrame):
    """In the top bar, where nothing is: what is being opened, how far it is, and Cancel. Where the window
    says that there is no ``free`` room, in the place of the status line, ``below`` pixels high. Nothing moves
    for it.

    ``placed`` tells that it came, went or moved.
    """

    placed = Signal()

    def __init__(self, studio: Studio, window: QWidget) -> None:
        super().__init__(window)
        theme.dress(self)
        self._studio = studio
        self.setObjectName("toast")
        self.label = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(130)
        self.bar.setAccessibleName("Opening a model")
        self.cancel = Button("Cancel", "x", "Keep the model that is open")
        self.cancel.clicked.connect(studio.opener.cancel)
        row = self._row = QHBoxLayout(self)
        row.setSpacing(12)
        row.addWidget(self.label, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)
        self._wait = QTimer(self, singleShot=True, interval=SHOWN_AFTER_MS)
        self._wait.timeout.connect(self._come)
        studio.opener.stepped.connect(self._on_step)
        self.on_top = False
        self.free: Callable[[], QRect] = QRect
        self.below: Callable[[], int] = lambda: 0
        self.hide()

    def _on_step(self, number: int, what: str, done: float) -> None:
        opener = self._studio.opener
        if number != opener.number:
            return
        if not opener.busy:
            self._away()
            return
        percent = f" {done * 100:.0f} %" if done >= 0 else "…"
        self._tell(f"Opening {Path(opener.model).name}: {what}{percent}", done)

    def _tell(self, text: str, done: float) -> None:
        self.label.set_full(text)
        self.bar.setRange(0, 1000 if done >= 0 else 0)
        self.bar.setValue(round(max(done, 0.0) * 1000))
        if self.isHidden() and not self._wait.isActive():
            self._wait.start()

    def _come(self) -> None:
        self.place()
        self.show()
        self.raise_()
        self.placed.emit()

    def _away(self) -> None:
        self._wait.stop()
        if not self.isHidden():
            self.hide()
            self.placed.emit()

    def place(self) -> None:
        """Where it covers nothing; the window calls it when its size changes."""
        window = self.parentWidget()
        if window is None:
            return
        free = self.free()
        self.on_top = free.width() >= NARROWEST
        self.setProperty("place", "" if self.on_top else "low")
        for piece in (self, self.cancel):
            piece.style().unpolish(piece)
            piece.style().polish(piece)
        if self.on_top:
            self._row.setContentsMargins(12, 3, 8, 3)
            self.setFixedSize(min(WIDTH, free.width()), free.height())
            self.move(free.x() + (free.width() - self.width()) // 2, free.y())
            return
        self._row.setContentsMargins(12, 0, 8, 0)
        self.setFixedSize(window.width(), self.below() or self.sizeHint().height())
        self.move(0, window.height() - self.height())
