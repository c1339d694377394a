"""The head of a panel's section: capitals, a quiet remark, and a click that folds what is under it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from igm_gui.gui.widgets.buttons import Button


class SectionHead(QWidget):
    """``TITLE            remark [extra widgets]``. With ``body``, a click on the title folds it."""

    folded = Signal(bool)

    def __init__(
        self, title: str, remark: str = "", body: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._body = body
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 2)
        row.setSpacing(4)
        self.title = title
        if body is None:
            label = QLabel(title.upper())
            label.setProperty("role", "head")
            row.addWidget(label)
        else:
            self.button = Button(title.upper(), tip=f"Fold or unfold {title}", role="head")
            self.button.setAccessibleName(title)
            self.button.clicked.connect(lambda: self.set_folded(not self.is_folded))
            row.addWidget(self.button)
        row.addStretch(1)
        self.remark = QLabel(remark)
        self.remark.setProperty("role", "quiet")
        row.addWidget(self.remark)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(widget)

    def set_remark(self, text: str) -> None:
        if text != self.remark.text():
            self.remark.setText(text)

    @property
    def is_folded(self) -> bool:
        return self._body is not None and self._body.isHidden()

    def holds(self, widget: QWidget) -> bool:
        """Whether ``widget`` is somewhere in the body."""
        return self._body is not None and self._body.isAncestorOf(widget)

    def set_folded(self, folded: bool) -> None:
        """Hide or show the body."""
        if self._body is not None and folded != self.is_folded:
            self._body.setVisible(not folded)
            self.button.setText(self.title.upper() + ("  ▸" if folded else ""))
            self.folded.emit(folded)
