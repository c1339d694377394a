"""What stands over the picture while a model is opened, or when there is none."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState

PATIENCE_MS = 250  # a model that is there sooner needs no announcement


class OpeningNote(QFrame):
    """``Opening Fashion, GAN…  [Stay with Toy]``: in the middle of ``parent``, hidden when all is well.

    The model before stays on screen and can be returned to at once; what is being read is then not shown.
    """

    def __init__(self, studio: Studio, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("overlay")
        self._studio = studio
        self._before: SessionState | None = None  # the state that gave the last picture
        self._error = ""
        self.text = QLabel()
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stay = Button("", "x", "Do not wait; go on with the model before")
        self.stay.clicked.connect(self.go_back)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(self.text)
        row.addWidget(self.stay)
        self._soon = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._soon.timeout.connect(self._show)
        self.hide()
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)
        if studio.last is not None and studio.last.request.model == studio.state.model:
            self._before = studio.state
        else:
            self._show()

    @property
    def opening(self) -> bool:
        """Whether the state's model has not given anything yet."""
        return self._before is None or self._before.model != self._studio.state.model

    def go_back(self) -> None:
        """Return to the model and point before."""
        before = self._before
        if before is not None and self.opening:
            self._studio.session.update(model=before.model, point=before.point, locks=before.locks)

    def place(self) -> None:
        """In the middle of the parent."""
        parent = self.parentWidget()
        if parent is not None and not self.isHidden():
            self.adjustSize()
            self.move((parent.width() - self.width()) // 2, (parent.height() - self.height()) // 2)

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "model" in changed:
            self._error = ""
            if not self.opening:
                self._soon.stop()
                self.hide()
            elif not self._soon.isActive():
                self._soon.start()

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot != "main":
            return
        if result.error is not None:
            self._error = result.error.message
            self._show()
        elif result.media is not None:
            self._before, self._error = self._studio.state, ""
            self._soon.stop()
            self.hide()

    def _show(self) -> None:
        model, before = self._studio.state.model, self._before
        if not self.opening:
            self.hide()  # an error while running is told elsewhere, over a picture that stays
            return
        if self._error and before is None:
            text = self._error
        elif not model:
            text = "No model is open. Choose one on the left, or drop one here."
        else:
            text = f"Opening {self._title(model)}…"
        self.text.setText(text)
        self.stay.setVisible(before is not None)
        if before is not None:
            self.stay.setText(f"Stay with {self._title(before.model)}")
            self.stay.setAccessibleName(self.stay.text())
        self.show()
        self.raise_()
        self.place()

    def _title(self, model: str) -> str:
        info = self._studio.session.infos.get(model)
        return (info.title or info.name) if info else Path(model).name
