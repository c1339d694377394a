"""Names and texts in two columns, as one text: it costs one widget, however many rows there are."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from igm_gui.gui import theme

NAMES_WIDTH = 108


class FactsView(QTextBrowser):
    """Rows of (name, text) that can be selected, copied and read by a screen reader."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[tuple[str, str], ...] = ()
        self.setObjectName("facts")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A hash and a path are one word each.
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        self.setAccessibleName("Facts about the model")
        self.setToolTip("Facts about the model. Select to copy.")

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """What is shown."""
        return self._rows

    def set_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show these; the place that was scrolled to stays."""
        self._rows = tuple(rows)
        self._write()

    def _write(self) -> None:
        quiet = theme.tokens().quiet
        lines = [
            f'<tr><td width="{NAMES_WIDTH}" style="color:{quiet}; padding:0 10px 6px 0">{escape(name)}</td>'
            f'<td style="padding-bottom:6px">{escape(text).replace(chr(10), "<br>")}</td></tr>'
            for name, text in self._rows
        ]
        place = self.verticalScrollBar().value()
        self.setHtml(f'<table width="100%" cellspacing="0" cellpadding="0">{"".join(lines)}</table>')
        self.verticalScrollBar().setValue(place)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._rows:
            self._write()  # the quiet colour is another theme's
