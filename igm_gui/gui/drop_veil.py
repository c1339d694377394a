"""What lies over the window while files are dragged over it, and says what letting go would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from igm_gui.gui import theme
from igm_gui.gui.find_place import PICTURES, SOUNDS

RESULTS = (".png", ".wav", ".mp4")
MARGIN = 14


def promise(files: Sequence[Path], finds: bool = False) -> str:
    """What dropping ``files`` does; ``finds`` where the model finds the place of a picture or a sound."""
    first = files[0]
    ending = first.suffix.lower()
    if ending == ".igm":
        text = f"Open the project {first.name}"
    elif ending in RESULTS or ending in PICTURES + SOUNDS:
        parts = ["bring back what made it"] if ending in RESULTS else []
        parts += ["find its place in the latent space"] if finds else []
        text = f"{first.name}: {' or '.join(parts)}" if parts else f"Open {first.name}"
    elif ending in (".npz", ".npy"):
        text = f"Go to the w in {first.name}"
    else:
        text = f"Open the model {first.name}"
    more = len(files) - 1
    return f"{text}\n{more} more {'is' if more == 1 else 'are'} left out: one at a time" if more else text


class DropVeil(QWidget):
    """Dims the window and shows a sentence; the drop itself goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def lower_over(self, text: str) -> None:
        """Cover the window with ``text``."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.text = text
        self.setAccessibleName(text)
        self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("background", 0.78))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.colour("accent"), 2)
        pen.setDashPattern([5.0, 4.0])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), 12, 12)
        font = painter.font()
        font.setPixelSize(20)
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        room = self.rect().adjusted(60, 60, -60, -60)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.text)
        painter.end()
