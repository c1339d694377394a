"""What is read and tried before it is opened, how far it is, and Cancel. (While the network is built, the
canvas says so itself.)"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button

SHOWN_AFTER_MS = 300  # what is over sooner needs no words


class OpeningBar(QFrame):
    """A line over the status bar: what is being opened, how far it is, and Cancel."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self.setObjectName("panelBody")
        self.label = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.bar.setAccessibleName("Opening a model")
        self.cancel = Button("Cancel", "x", "Keep the model that is open")
        self.cancel.clicked.connect(studio.opener.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.addWidget(self.label)
        row.addWidget(self.bar)
        row.addStretch(1)
        row.addWidget(self.cancel)
        self._wait = QTimer(self, singleShot=True, interval=SHOWN_AFTER_MS)
        self._wait.timeout.connect(self.show)
        studio.opener.stepped.connect(self._on_step)
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
        self.label.setText(text)
        self.bar.setRange(0, 1000 if done >= 0 else 0)
        self.bar.setValue(round(max(done, 0.0) * 1000))
        if self.isHidden() and not self._wait.isActive():
            self._wait.start()

    def _away(self) -> None:
        self._wait.stop()
        self.hide()
