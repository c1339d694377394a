"""The window: top bar, workspaces, status line, notices."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.gui.workspaces import ENTRIES, WorkspaceStack


class MainWindow(QMainWindow):
    """Everything on screen. Owns the commands and the workspaces, not the studio."""

    def __init__(self, studio: Studio, settings: Settings | None = None) -> None:
        super().__init__()
        self.studio = studio
        self.settings = settings or Settings()
        self.commands = Commands(self)
        self.stack = WorkspaceStack(studio, self.commands)
        self.tabs: dict[str, Button] = {}
        root = QWidget()
        root.setObjectName("root")
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top_bar())
        column.addWidget(self.stack, 1)
        self.setCentralWidget(root)
        self.setWindowTitle("IGM Studio")
        self.resize(1440, 900)

    def show_workspace(self, name: str) -> bool:
        """Change to a workspace by its name; False where it can't be shown."""
        shown = self.stack.show_workspace(name)
        self.tabs[self.stack.current or name].setChecked(True)
        return shown

    def _tab_clicked(self, name: str, _checked: bool = True) -> None:
        self.show_workspace(name)

    def _top_bar(self) -> QWidget:
        bar = QWidget()
        bar.setObjectName("topBar")
        bar.setFixedHeight(44)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        brand = Button("IGM Studio", tip="Project")
        brand.setObjectName("brand")
        row.addWidget(brand)
        tabs = QWidget()
        tabs.setObjectName("tabs")
        tabs.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        tab_row = QHBoxLayout(tabs)
        tab_row.setContentsMargins(3, 3, 3, 3)
        tab_row.setSpacing(2)
        group = QButtonGroup(self)
        for number, entry in enumerate(ENTRIES, 1):
            name = entry.name
            self.commands.add(
                f"go.{name}",
                f"Go to {entry.title}",
                partial(self.show_workspace, name),
                str(number),
                "Go",
                scope="",
            )
            button = Button(entry.title, tip=self.commands.tip(f"go.{name}", entry.tip))
            button.setCheckable(True)
            button.clicked.connect(partial(self._tab_clicked, name))
            group.addButton(button)
            tab_row.addWidget(button)
            self.tabs[name] = button
        row.addWidget(tabs)
        row.addStretch(1)
        return bar

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.save()
        super().closeEvent(event)
