"""A piano keyboard for the pitch input: by mouse, and by the computer's keys while it has the focus."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from igm_gui.engine.audio.analysis import note_hertz, note_name
from igm_gui.gui import theme
from igm_gui.gui.widgets.painted import Painted

WHITE = (0, 2, 4, 5, 7, 9, 11)
KEY_WIDTH = 32.0
HEIGHT = 84
BLACK_WIDTH = 0.58
BLACK_HEIGHT = 0.61
# The row of letters is the white keys, the row above it the black ones, from C.
LETTERS = {
    Qt.Key.Key_A: 0, Qt.Key.Key_W: 1, Qt.Key.Key_S: 2, Qt.Key.Key_E: 3, Qt.Key.Key_D: 4, Qt.Key.Key_F: 5,
    Qt.Key.Key_T: 6, Qt.Key.Key_G: 7, Qt.Key.Key_Y: 8, Qt.Key.Key_H: 9, Qt.Key.Key_U: 10, Qt.Key.Key_J: 11,
    Qt.Key.Key_K: 12, Qt.Key.Key_O: 13, Qt.Key.Key_L: 14, Qt.Key.Key_P: 15, Qt.Key.Key_Semicolon: 16,
}  # fmt: skip
OCTAVES = {Qt.Key.Key_Z: -12, Qt.Key.Key_X: 12}


def is_white(note: int) -> bool:
    return note % 12 in WHITE


class PianoKeyboard(Painted):
    """Keys from ``lowest`` to ``highest`` MIDI note, as many as there is room for; the wheel moves along.

    ``pressed`` and ``released`` carry the note. A drag across plays each key it meets. With the focus:
    A to ; are the white keys, W E T Y U O P the black ones, Z and X go an octave down and up, the arrows
    a semitone.
    """

    pressed = Signal(int)
    released = Signal(int)

    def __init__(self, lowest: int = 36, highest: int = 84, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lowest, self._highest = lowest, highest
        self._first = lowest  # the lowest white key that is shown
        self._note: float | None = None
        self._held: int | None = None
        self._hover: int | None = None
        self._down: dict[int, int] = {}  # key of the computer -> note
        self._base = 60  # the note of A
        self._wheel = 0
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Piano keyboard")
        self.setAccessibleDescription(
            "A to semicolon are the white keys, W E T Y U O P the black ones, Z and X change the octave, "
            "the arrows go by semitones"
        )
        self.set_range(lowest, highest)

    def sizeHint(self) -> QSize:
        return QSize(480, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    # -- what is shown

    @property
    def note(self) -> float | None:
        """The note that is marked."""
        return self._note

    def set_range(self, lowest: int, highest: int) -> None:
        """Allow notes from ``lowest`` to ``highest``."""
        self._lowest, self._highest = lowest, max(highest, lowest)
        self._base = min(max(60, lowest), highest) // 12 * 12
        self.show_note(self._note if self._note is not None else (lowest + highest) / 2)

    def set_note(self, note: float | None) -> None:
        """Mark the key nearest to ``note``, and move along until it is in view."""
        if note == self._note:
            return
        self._note = note
        if note is not None and self._held is None and not self._down:
            self.show_note(note)
        self.update()

    def show_note(self, note: float) -> None:
        """Move along, by octaves, until ``note`` is in view."""
        key = round(note)
        shown = self.shown_keys()
        if shown and shown[0][0] <= key <= shown[-1][0]:
            return
        count = self._white_count()
        half = int(count / 2 / 7 * 12)
        self._first = self._white_below(max(key - half, self._lowest))
        self._keep_full(count)
        self.update()

    def shown_keys(self) -> list[tuple[int, QRectF]]:
        """The keys in view, in order of pitch, with their places."""
        count = self._white_count()
        width = self.width() / max(count, 1)
        found: list[tuple[int, QRectF]] = []
        x, note, whites = 0.0, self._first, 0
        while whites < count and note <= self._top_white():
            if is_white(note):
                found.append((note, QRectF(x, 0, width, self.height())))
                x += width
                whites += 1
            elif whites:
                black = width * BLACK_WIDTH
                found.append((note, QRectF(x - black / 2, 0, black, self.height() * BLACK_HEIGHT)))
            note += 1
        return found

    def key_at(self, x: float, y: float) -> int | None:
        """The note under a point; None beside the keys or outside the range."""
        hit = None
        for note, place in self.shown_keys():
            if place.contains(x, y) and (hit is None or not is_white(note)):
                hit = note
        return hit if hit is not None and self._lowest <= hit <= self._highest else None

    def _white_below(self, note: int) -> int:
        while not is_white(note):
            note -= 1
        return note

    def _top_white(self) -> int:
        note = self._highest
        while not is_white(note):
            note += 1
        return note

    def _all_whites(self) -> int:
        return sum(is_white(n) for n in range(self._white_below(self._lowest), self._top_white() + 1))

    def _white_count(self) -> int:
        fits = max(7, round(self.width() / KEY_WIDTH))
        return min(fits, self._all_whites())

    def _keep_full(self, count: int) -> None:
        """Not so far up that keys would be missing at the right."""
        bottom = self._white_below(self._lowest)
        note, whites = self._top_white(), 1
        while whites < count and note > bottom:
            note -= 1
            whites += is_white(note)
        self._first = min(max(self._first, bottom), note)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = {round(self._note)} if self._note is not None else set()
        marked |= set(self._down.values())
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        keys = self.shown_keys()
        letters = {self._base + step: key for key, step in LETTERS.items()} if self.hasFocus() else {}
        for note, place in sorted(keys, key=lambda key: not is_white(key[0])):
            white = is_white(note)
            allowed = self._lowest <= note <= self._highest
            ground = "#f2f3f5" if white else "#16181c"
            if note in marked:
                ground = theme.tokens().accent
            elif not allowed:
                ground = theme.mix(ground, theme.tokens().canvas, 0.55)
            elif note == self._hover:
                ground = theme.mix(ground, theme.tokens().accent, 0.3)
            body = place.adjusted(0.75, -4, -0.75, -1)
            painter.setPen(QPen(theme.colour("canvas"), 1) if not white else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(body, 3, 3)
            ink = QColor("#5a606b" if white and note not in marked else "#1a1d22")
            text = f"C{note // 12 - 1}" if note % 12 == 0 else ""
            if note in letters and allowed:
                name = letters[note]
                text = ";" if name == Qt.Key.Key_Semicolon else chr(name)
                if not white and note not in marked:
                    ink = QColor("#c9ced8")
            if text:
                painter.setPen(ink)
                painter.drawText(
                    body.adjusted(0, 0, 0, -5),
                    Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom,
                    text,
                )
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)

    # -- pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._hold(self.key_at(event.position().x(), event.position().y()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        note = self.key_at(event.position().x(), event.position().y())
        if event.buttons() & Qt.MouseButton.LeftButton:
            if note is not None:
                self._hold(note)
        elif note != self._hover:
            self._hover = note
            if note is not None:
                tip = f"{note_name(note)} · {note_hertz(note):.1f} Hz"
                QToolTip.showText(event.globalPosition().toPoint(), tip, self)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._hold(None)

    def _hold(self, note: int | None) -> None:
        if note == self._held:
            return
        before, self._held = self._held, note
        if before is not None and note is None:
            self.released.emit(before)
        if note is not None:
            self.pressed.emit(note)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y() or -event.angleDelta().x()
        steps, self._wheel = int(self._wheel / 120), self._wheel - int(self._wheel / 120) * 120
        if steps:
            self._first = self._white_below(max(self._first + 12 * steps, 0))
            self._keep_full(self._white_count())
            self.update()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_full(self._white_count())
        if self._note is not None:
            self.show_note(self._note)

    # -- the computer's keys

    def claims(self, event: QKeyEvent) -> bool:
        # Letters are shortcuts of the window; while the keyboard has the focus they are notes.
        return self._meaning(event) is not None

    def _meaning(self, event: QKeyEvent) -> int | None:
        if event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            return None
        try:
            key = Qt.Key(event.key())
        except ValueError:
            return None
        if key in LETTERS:
            return LETTERS[key]
        return OCTAVES.get(key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        meaning = self._meaning(event)
        if meaning is None and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step(1 if event.key() == Qt.Key.Key_Right else -1)
            return
        if meaning is None:
            super().keyPressEvent(event)
            return
        if event.isAutoRepeat():
            return
        if event.key() in OCTAVES:
            base = self._base + meaning
            if self._lowest - 12 < base <= self._highest:
                self._base = base
                self.show_note(min(max(base, self._lowest), self._highest))
                self.update()
            return
        note = self._base + meaning
        if self._lowest <= note <= self._highest:
            self._down[event.key()] = note
            self.pressed.emit(note)
            self.update()

    def _step(self, by: int) -> None:
        note = round(self._note if self._note is not None else 60) + by
        if self._lowest <= note <= self._highest:
            self.pressed.emit(note)
            self.released.emit(note)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        note = self._down.pop(event.key(), None)
        if note is None:
            super().keyReleaseEvent(event)
            return
        if not self._down:
            self.released.emit(note)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if self._down:
            note = next(iter(self._down.values()))
            self._down.clear()
            self.released.emit(note)
        super().focusOutEvent(event)
