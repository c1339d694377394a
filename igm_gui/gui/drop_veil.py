"""What lies over the window while files are dragged over it, and says what letting go would do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from igm_gui.gui import theme

MARGIN = 14


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
