"""A file's tensors as a table that is searched as one types; thousands of rows cost nothing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from igm_gui.formats.contents import Layer

HEADS = ("Name", "Shape", "Type")
Index = QModelIndex | QPersistentModelIndex
NOTHING = QModelIndex()


def shape_text(layer: Layer) -> str:
    """``64 × 3 × 3``, or ``one number``."""
    return " × ".join(map(str, layer.shape)) or "one number"


class LayerTable(QAbstractTableModel):
    """The rows; Qt asks only for those on screen."""

    def __init__(self, layers: tuple[Layer, ...] = ()) -> None:
        super().__init__()
        self.layers = layers

    def show(self, layers: tuple[Layer, ...]) -> None:
        """Put ``layers`` in the place of what was there."""
        self.beginResetModel()
        self.layers = layers
        self.endResetModel()

    def rowCount(self, parent: Index = NOTHING) -> int:
        return 0 if parent.isValid() else len(self.layers)

    def columnCount(self, parent: Index = NOTHING) -> int:
        return 0 if parent.isValid() else len(HEADS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        layer = self.layers[index.row()]
        return (layer.name, shape_text(layer), layer.dtype)[index.column()]

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        return None


class LayerView(QWidget):
    """The table under a search field, and how many of its rows are shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = LayerTable()
        self.found = QSortFilterProxyModel()
        self.found.setSourceModel(self.table)
        self.found.setFilterKeyColumn(-1)
        self.found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search layers: a name, a shape, a type")
        self.search.setAccessibleName("Search layers")
        self.search.setToolTip("Shows the rows that have these letters in them")
        self.search.setClearButtonEnabled(True)
        self.view = QTableView()
        self.view.setModel(self.found)
        self.view.setAccessibleName("Layers")
        self.view.setToolTip("Every tensor of the file")
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(22)
        head = self.view.horizontalHeader()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Interactive)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.resizeSection(1, 130)
        head.resizeSection(2, 72)
        self.count = QLabel()
        self.count.setProperty("role", "quiet")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self.view, 1)
        column.addWidget(self.count)
        self.search.textChanged.connect(self._filter)

    def show_layers(self, layers: tuple[Layer, ...]) -> None:
        """Show these; the search stays as it is."""
        self.table.show(layers)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:

        self.found.setFilterFixedString(text.strip())
        self.count.setText(f"{self.found.rowCount():,} of {self.table.rowCount():,} tensors")
