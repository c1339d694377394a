"""Beside a sheet of classes by seeds: the name of each row's class, over each column its seed."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter

from igm_gui.gui import theme
from igm_gui.info import GeneratorInfo
from igm_gui.session.grid import MAX_ROWS
from igm_gui.session.state import GridSpec

GAP = 10  # between the words and the sheet
WIDEST = 140
CLOSE = 4  # between two seeds


class Labels:
    """Of the preview alone: the file holds only pictures. None where the output stands alone on black."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.seed = 0
        self.columns = 0
        self._widths: dict[str, int] = {}  # by font: a thousand names take milliseconds to measure

    def show(self, info: GeneratorInfo, grid: GridSpec) -> None:
        """Those of ``grid``; none where its rows are no classes."""
        label = next(iter(info.of_kind("label")), None) if grid.mode == "classes" else None
        names = label.classes[:MAX_ROWS] if label is not None else ()
        if names != self.names:
            self.names = names
            self._widths.clear()
        self.seed, self.columns = grid.seed, grid.columns

    def width(self, font: QFont) -> int:
        """Pixels they take left of the sheet."""
        if not self.names or theme.is_bare():
            return 0
        key = font.toString()
        if key not in self._widths:
            widest = max(map(QFontMetrics(font).horizontalAdvance, self.names))
            self._widths[key] = min(widest, WIDEST) + GAP
        return self._widths[key]

    def paint(self, painter: QPainter, frame: QRectF, cell: QSizeF, gap: float) -> None:
        """Paint them around ``frame``, the sheet, whose cells have this size and gap."""
        metrics = painter.fontMetrics()
        room = self.width(painter.font())
        if not room:
            return
        painter.setPen(theme.colour("quiet"))
        middle, right = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight
        line = metrics.height()
        if cell.height() + gap >= line:  # names on top of each other tell nothing
            for row, name in enumerate(self.names):
                words = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room - GAP)
                top = frame.top() + row * (cell.height() + gap)
                place = QRectF(frame.left() - room, top, room - GAP, cell.height())
                painter.drawText(place, int(middle | right), words)
        last = self.seed + self.columns - 1
        across = cell.width() + gap
        if across >= metrics.horizontalAdvance(str(last)) + CLOSE:
            for column in range(self.columns):
                place = QRectF(frame.left() + column * across, frame.top() - line - 2, cell.width(), line)
                painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), str(self.seed + column))
