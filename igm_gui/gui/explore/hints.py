"""Three hints for the first start, one at a time, beside what they speak of. They go away for good."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from igm_gui.gui import theme
from igm_gui.gui.settings import Settings
from igm_gui.gui.widgets.buttons import Button, flat_button

SEEN = "hints/seen"


@dataclass(frozen=True)
class Hint:
    """A sentence, and the widget it points at."""

    text: str
    target: QWidget


def first_hints(strip: QWidget, keep: QWidget, search: QWidget) -> list[Hint]:
    """The three of the first start, each beside what it speaks of."""
    return [
        Hint("Drag across the bars: each is one number of the latent that the model turns into this.", strip),
        Hint("Press K to keep a point you like. It waits in the strip below.", keep),
        Hint("Ctrl+K finds every command by name. R is random, M mutates, Space plays.", search),
    ]


class HintBubble(QFrame):
    """Shows :class:`Hint` after hint over the window, until the last one or "Skip"."""

    finished = Signal()

    def __init__(self, hints: list[Hint], settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        theme.dress(self)
        self.setObjectName("hint")
        self._hints = hints
        self._settings = settings
        self._index = 0
        self._done: set[int] = set()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setFixedWidth(250)
        self.count = QLabel()
        self.count.setProperty("role", "quiet")
        self.next = Button("Got it", tip="The next hint")
        self.skip = flat_button("Skip", tip="No more hints")
        self.next.clicked.connect(self.advance)
        self.skip.clicked.connect(self.end)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 8)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.skip)
        row.addWidget(self.next)
        column.addLayout(row)
        self._show()

    @staticmethod
    def wanted(settings: Settings) -> bool:
        """Whether the hints were never finished or skipped."""
        return not settings.flag(SEEN)

    @property
    def index(self) -> int:
        """Which hint is shown, from 0."""
        return self._index

    def advance(self) -> None:
        """The next hint; after the last one the hints are over."""
        self._index += 1
        while self._index in self._done:
            self._index += 1
        if self._index >= len(self._hints):
            self.end()
        else:
            self._show()

    def done(self, index: int) -> None:
        """The person did what hint ``index`` speaks of: it need not be said any more."""
        self._done.add(index)
        if index == self._index and self._index < len(self._hints):
            self.advance()

    def end(self) -> None:
        """Go away, for good."""
        self._index = len(self._hints)
        self._settings.put(SEEN, True)
        self._settings.save()
        self.hide()
        self.finished.emit()
        self.deleteLater()

    def _show(self) -> None:
        self.text.setText(self._hints[self._index].text)
        self.setAccessibleName(f"Hint: {self.text.text()}")
        self.count.setText(f"{self._index + 1} of {len(self._hints)}")
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """Right of the target, or below it, or above: wherever it is inside the window."""
        if self._index >= len(self._hints):
            return
        self.adjustSize()
        window, target = self.window(), self._hints[self._index].target
        corner = target.mapTo(window, QPoint(0, 0))
        room = window.rect().adjusted(8, 8, -8, -8)
        beside = corner + QPoint(target.width() + 12, 0)
        below = corner + QPoint(0, target.height() + 10)
        above = corner + QPoint(0, -self.height() - 10)
        # Beside a large target; below a button, whose neighbours stay in sight.
        places = (beside, below, above) if target.height() > 60 else (below, above, beside)
        size = self.size()
        for place in places:
            if room.contains(place) and room.contains(place + QPoint(size.width(), size.height())):
                self.move(place)
                return
        last = below
        self.move(
            min(max(last.x(), room.left()), room.right() - size.width()),
            min(max(last.y(), room.top()), room.bottom() - size.height()),
        )
