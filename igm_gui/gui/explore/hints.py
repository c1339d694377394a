"""Three hints for the first start, one at a time, beside what they speak of. They go away for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QWidget

from igm_gui.gui import theme
from igm_gui.gui.settings import Settings
from igm_gui.gui.widgets.buttons import Button, flat_button

SEEN = "hints/seen"
WIDTH = 250  # of the text
SLIM, NARROWEST, BUTTONS = 640, 420, 190  # in one line: the whole, at most and at least; its buttons


@dataclass(frozen=True)
class Hint:
    """A sentence, and the widget it points at: asked for anew each time, for another model builds others."""

    text: str
    target: Callable[[], QWidget]


TAKE_OVER = (
    "The point wanders by itself, to show what the model makes. Drag across the bars to take over: "
    "each is one number of the latent. Space stops it, or lets it wander again."
)
AT_REST = "Drag across the bars: each is one number of the latent. Space lets the point wander by itself."
SOUND = "Drag across the bars: each is one number of the latent. Space plays the sound."


def first_hints(strip: Callable[[], QWidget], keep: QWidget, search: QWidget) -> list[Hint]:
    """The three of the first start, each beside what it speaks of; ``strip`` tells the one that is there."""
    return [
        Hint(TAKE_OVER, strip),
        Hint("Press K to keep a point you like. It waits in the strip below.", lambda: keep),
        Hint("Ctrl+K finds every command by name. R is random, M mutates, Space plays.", lambda: search),
    ]


class HintBubble(QFrame):
    """Shows :class:`Hint` after hint over the window, until the last one or "Skip"."""

    finished = Signal()

    def __init__(
        self,
        hints: list[Hint],
        settings: Settings,
        window: QWidget,
        free: Callable[[], QRect] = QRect,
    ) -> None:
        """``free`` tells where the window has room beside the buttons of its top bar."""
        super().__init__(window)
        theme.dress(self)
        self.setObjectName("hint")
        self._hints = hints
        self._free = free
        self._settings = settings
        self._index = 0
        self._held = False
        self._done: set[int] = set()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.count = QLabel()
        self.count.setProperty("role", "quiet")
        self.next = Button("Got it", tip="The next hint")
        self.skip = flat_button("Skip", tip="No more hints")
        self.next.clicked.connect(self.advance)
        self.skip.clicked.connect(self.end)
        self._lines = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._lines.addWidget(self.text)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.skip)
        row.addWidget(self.next)
        self._lines.addLayout(row)
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

    def reword(self, index: int, text: str) -> None:
        """Say something else in hint ``index``."""
        self._hints[index] = Hint(text, self._hints[index].target)
        if index == self._index:
            self._show()

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
        self.setVisible(not self._held)
        self.raise_()

    def hold(self, held: bool) -> None:
        """Stay out of sight until it is let go: what it points at is not on show."""
        self._held = held
        self.place()
        self.setVisible(not held and self._index < len(self._hints))

    def _shape(self, direction: QBoxLayout.Direction, width: int) -> None:
        beside = direction == QBoxLayout.Direction.LeftToRight
        self._lines.setDirection(direction)
        self._lines.setContentsMargins(12, 1 if beside else 10, 8 if beside else 10, 1 if beside else 8)
        self.text.setFixedWidth(width - BUTTONS if beside else width)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._index < len(self._hints):
            QTimer.singleShot(0, self, self.place)
        return False

    def place(self) -> None:
        """Right of the target, or below it, or above: wherever it is inside the window."""
        if self._index >= len(self._hints):
            return
        window, target = self.window(), self._hints[self._index].target()
        # A panel takes its width after the window does, and when its edge is pulled.
        target.installEventFilter(self)
        free = self._free()
        if free.contains(target.mapTo(window, target.rect().center() - QPoint(target.width(), 0))):
            # Beside a button of the top bar there is nothing that it could cover.
            self._shape(QBoxLayout.Direction.LeftToRight, min(free.width(), SLIM))
            if self.sizeHint().height() <= free.height() and free.width() >= NARROWEST:
                self.resize(min(free.width(), SLIM), free.height())
                self.move(free.right() + 1 - self.width(), free.y())
                return
        self._shape(QBoxLayout.Direction.TopToBottom, WIDTH)
        self.adjustSize()
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
