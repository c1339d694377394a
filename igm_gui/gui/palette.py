"""Every action by name: type a few letters, Return runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from igm_gui.formats import library
from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.naming import told_apart

ROW_HEIGHT = 26
HIGHEST, PAD, EDGE = 420, 8, 1  # pixels; the edge is the style sheet's
LETTERS_ONLY = 100  # scores from here on: the letters are there, the words are not
NOTHING = (
    "Nothing here has such a name. Commands are called what they do: random, keep, grid, export, light; "
    "so are this model's inputs and classes, and the models themselves."
)


@dataclass(frozen=True)
class Choice:
    """One row of the palette."""

    title: str
    group: str
    shortcut: str
    run: Callable[[], object]
    words: str = ""  # what else it may be called


def score(query: str, text: str) -> int | None:
    """How well ``query``'s letters fit ``text``, lower is better; None where they are not all there in order.

    Whole words and beginnings of words count most.
    """
    query, text = query.lower().strip(), text.lower()
    if not query:
        return 0
    words = query.split()
    if all(word in text for word in words):
        starts = sum(text.startswith(word) or f" {word}" in text for word in words)
        return 10 - min(starts, 9) + text.index(words[0]) // 8
    position, gaps = -1, 0
    for letter in query.replace(" ", ""):
        found = text.find(letter, position + 1)
        if found < 0:
            return None
        gaps += found - position - 1
        position = found
    return LETTERS_ONLY + gaps if gaps <= 2 * len(query) else None


def choice_score(query: str, choice: Choice) -> int | None:
    """:func:`score` of what is read, and behind its whole words the other words for the same."""
    text = f"{choice.title} {choice.group}"
    rank = score(query, text)
    if choice.words and (rank is None or rank >= LETTERS_ONLY):
        known = f"{text} {choice.words}".lower()
        if all(word in known for word in query.lower().split()):
            return LETTERS_ONLY // 2
    return rank


class ChoiceDelegate(QStyledItemDelegate):
    """A row: what it does, where it belongs, its keys."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        choice: Choice = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(1, 1, -1, -1)
        state = option.state
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover" if state & QStyle.StateFlag.State_Selected else "raised"))
            painter.drawRoundedRect(area, 4, 4)
        painter.setFont(option.font)
        room = area.adjusted(9, 0, -9, 0)
        keys = QKeySequence(choice.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        metrics = QFontMetricsF(option.font)
        right = metrics.horizontalAdvance(keys) + 16 if keys else 0.0
        middle = Qt.AlignmentFlag.AlignVCenter
        title = metrics.elidedText(choice.title, Qt.TextElideMode.ElideRight, room.width() - right)
        painter.setPen(theme.colour("text"))
        painter.drawText(room, middle, title)
        painter.setPen(theme.colour("quiet"))
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, keys)
        left = metrics.horizontalAdvance(title) + 10
        group = metrics.elidedText(
            choice.group, Qt.TextElideMode.ElideRight, max(room.width() - left - right, 0)
        )
        painter.drawText(room.adjusted(left, 0, 0, 0), middle, group)
        painter.restore()


class CommandPalette(QFrame):
    """A popup over the window's upper part."""

    def __init__(
        self,
        commands: Commands,
        open_model: Callable[[str], object],
        window: QWidget,
        recent: Sequence[str] = (),
    ) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        theme.dress(self)
        self.setObjectName("popover")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._choices = [
            Choice(c.title, c.group, c.shortcut, partial(commands.run, c.name), c.words)
            for c in commands.available()
            if c.name not in ("palette.open", "help.keys")
        ]
        self._choices += [
            Choice(f"Open {card.title or card.name}", "Model", "", partial(open_model, path.name), path.name)
            for path, card in library.cards()
        ]
        self._choices += [
            Choice(f"Open {name}", "Recent model", "", partial(open_model, model))
            for model, name in zip(recent, told_apart(recent), strict=True)
            if Path(model).is_absolute() and Path(model).exists()
        ]
        self._choices += [Choice(c.title, c.group, "", c.callback) for c in commands.momentary()]
        self._room = HIGHEST
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search commands and models")
        self.search.setAccessibleName("Search commands and models")
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setItemDelegate(ChoiceDelegate(self.list))
        self.search.setToolTip("Letters in order are enough: “expg” finds Export the sheet")
        self.list.setToolTip("Return or a click runs it")
        self.nothing = QLabel(NOTHING)
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("role", "quiet")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(8, 6, 8, 6)
        column = QVBoxLayout(self)
        column.setContentsMargins(PAD, PAD, PAD, PAD)
        column.setSpacing(PAD)
        column.addWidget(self.search)
        column.addWidget(self.list)
        column.addWidget(self.nothing, 1)
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._run())
        self._fill("")

    def popup(self) -> None:
        """Show in the upper middle of the window."""
        window = self.parentWidget()
        assert window is not None
        self._room = min(HIGHEST, window.height() - 80)
        self.setFixedWidth(min(560, window.width() - 40))
        self._fit()
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 52)))
        self.show()
        self.search.setFocus()

    def _fit(self) -> None:
        """As high as what is listed, so that a few lines hide no more of the window than they need."""
        rows = self.list.count() * ROW_HEIGHT + 2 * self.list.frameWidth()
        inner = self.width() - 2 * (PAD + EDGE)
        body = rows if self.list.count() else self.nothing.heightForWidth(inner)
        self.setFixedHeight(min(self._room, self.search.sizeHint().height() + body + 3 * PAD + 2 * EDGE))

    def titles(self) -> list[str]:
        """What is listed now, best first."""
        return [self.list.item(i).data(Qt.ItemDataRole.UserRole).title for i in range(self.list.count())]

    def _fill(self, query: str) -> None:
        ranked = []
        for order, choice in enumerate(self._choices):
            rank = choice_score(query, choice)
            if rank is not None:
                ranked.append((rank, order, choice))
        ranked.sort(key=lambda row: row[:2])
        if ranked and ranked[0][0] < LETTERS_ONLY:
            # Scattered letters are for those who type initials; beside whole words they are chance.
            ranked = [row for row in ranked if row[0] < LETTERS_ONLY]
        self.list.clear()
        for _, _, choice in ranked:
            item = QListWidgetItem(choice.title)
            item.setData(Qt.ItemDataRole.UserRole, choice)
            item.setSizeHint(QSize(200, ROW_HEIGHT))
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"{choice.title}, {choice.shortcut}".rstrip(", ")
            )
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(ranked))
        self.nothing.setVisible(not ranked)
        self._fit()

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        choice: Choice = item.data(Qt.ItemDataRole.UserRole)
        self.close()
        choice.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
            key = Qt.Key(event.key())
            if key in steps:
                row = min(max(self.list.currentRow() + steps[key], 0), self.list.count() - 1)
                self.list.setCurrentRow(row)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)
