"""Rows of controls in narrow windows: buttons that have an icon give up their words, then what can be spared
goes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QPushButton, QWidget

ICON_GAP = 4  # between an icon and its words


class CompactRow(QObject):
    """Takes the words from ``buttons`` of ``row``, the first of them first, for as long as the row's controls
    don't fit into its width; then it hides ``spare`` ones. Each button has an icon, a tooltip and an
    accessible name, which stay; nothing else may show or hide the spare ones."""

    def __init__(self, row: QWidget, buttons: Sequence[QPushButton], spare: Sequence[QWidget] = ()) -> None:
        super().__init__(row)
        self._row = row
        self._buttons, self._spare = list(buttons), list(spare)
        self._words: dict[QPushButton, str] = {}  # of those that show their icon alone
        row.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self.fit()
        return False

    @staticmethod
    def _width(button: QPushButton, words: str) -> int:
        return button.fontMetrics().horizontalAdvance(words) + ICON_GAP

    def fit(self) -> None:
        """Show as much as there is room for."""
        layout = self._row.layout()
        if layout is None:
            return
        for button in [b for b in self._words if b.text()]:
            del self._words[button]  # somebody has given it others
        room, gap = self._row.width(), max(layout.spacing(), 0)
        needed = layout.minimumSize().width()
        seen = [b for b in self._buttons if b.isVisibleTo(self._row)]
        needed += sum(self._width(b, words) for b, words in self._words.items() if b in seen)
        needed += sum(w.minimumSizeHint().width() + gap for w in self._spare if w.isHidden())
        for button in self._buttons:
            words = self._words.get(button, button.text())
            if needed > room and button in seen:
                needed -= self._width(button, words)
                if button not in self._words:
                    self._words[button] = words
                    button.setText("")
            elif button in self._words:
                del self._words[button]
                button.setText(words)
        for widget in self._spare:
            spared = needed > room
            needed -= widget.minimumSizeHint().width() + gap if spared else 0
            if spared != widget.isHidden():
                widget.setHidden(spared)
