"""The columns beside the picture: how wide each is by itself, and how its contents keep their width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from igm_gui.gui.widgets.scrolling import ScrollColumn

MARGIN = 12
BAR = 9  # a scroll bar's width, as the style sheet has it
NARROWEST, WIDEST = 250, 760
LEFT_WIDTHS = (290, 420)
HEADS = 132  # what stands over, between and under the two squares of the right column


def own_widths(width: int, height: int) -> tuple[int, int]:
    """(left, right) for a workspace of this size: sliders that can be aimed at, and two squares that
    fill the height of the right column, while the picture keeps most of the window."""
    left = min(max(round(width * 0.185), LEFT_WIDTHS[0]), LEFT_WIDTHS[1])
    squares = (height - HEADS) // 2 + 2 * MARGIN
    right = min(max(squares, NARROWEST), max(NARROWEST, round(width * 0.26)), WIDEST)
    return left, right


class SidePanel(ScrollColumn):
    """A column of widgets that scrolls where it is too low, and is never narrower than they are.

    The last widget takes the height that is left. The scroll bar appears in the margin, so that nothing
    moves sideways when it comes or goes.
    """

    def __init__(self, name: str, *widgets: QWidget, grows: bool = False) -> None:
        super().__init__()
        body = QWidget()
        body.setObjectName("panelBody")
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(MARGIN, 4, MARGIN, MARGIN)
        self._column.setSpacing(2)
        for widget in widgets:
            self._column.addWidget(widget, 1 if grows and widget is widgets[-1] else 0)
        if not grows:
            self._column.addStretch(1)
        self.setObjectName(name)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMaximumWidth(WIDEST)
        self.verticalScrollBar().rangeChanged.connect(self._make_room)

    def minimumSizeHint(self) -> QSize:
        body = self.widget()
        least = self._column.minimumSize().width() if body is not None else 0
        margins = self._column.contentsMargins()
        inner = least - margins.left() - margins.right()
        return QSize(max(NARROWEST, inner + 2 * MARGIN + 2), 80)

    def _make_room(self, _low: int, high: int) -> None:
        right = MARGIN - (BAR if high > 0 else 0)
        if self._column.contentsMargins().right() != right:
            self._column.setContentsMargins(MARGIN, 4, right, MARGIN)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()  # other contents, another least width
        return super().eventFilter(watched, event)
