"""The window's upper edge: project menu, workspaces, command search, export."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QMenu, QWidget

from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.naming import in_menu, told_apart
from igm_gui.gui.settings import Settings
from igm_gui.gui.widgets.buttons import Button
from igm_gui.gui.workspaces import ENTRIES


class TopBar(QWidget):
    """Buttons that run commands; ``project_chosen`` and ``theme_chosen`` come from its menus."""

    project_chosen = Signal(str)
    theme_chosen = Signal(str)

    def __init__(self, commands: Commands, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.dress(self)
        self._commands = commands
        self._settings = settings
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(44)
        self.tabs: dict[str, Button] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 12, 0)
        row.setSpacing(8)
        self.brand = Button("IGM Studio", tip="Project, appearance, quit")
        self.brand.setObjectName("brand")
        self.brand.clicked.connect(self.show_menu)
        row.addWidget(self.brand)
        row.addWidget(self._make_tabs(), 0, Qt.AlignmentFlag.AlignVCenter)
        self.project = QLabel()
        self.project.setProperty("role", "quiet")
        row.addWidget(self.project)
        row.addStretch(1)
        self.search = Button("Search commands", "search", commands.tip("palette.open"))
        self.search.clicked.connect(lambda: commands.run("palette.open"))
        self.export = Button("Export…", "upload", commands.tip("export.open"))
        self.export.clicked.connect(lambda: commands.run("export.open"))
        row.addWidget(self.search)
        row.addWidget(self.export)

    def _make_tabs(self) -> QWidget:
        box = QWidget()
        box.setObjectName("tabs")
        box.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(box)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(2)
        group = QButtonGroup(self)
        for entry in ENTRIES:
            name = f"go.{entry.name}"
            button = Button(entry.title, tip=self._commands.tip(name, entry.tip))
            button.setAccessibleName(f"{entry.title} workspace")
            button.setCheckable(True)
            button.clicked.connect(partial(self._run, name))
            group.addButton(button)
            row.addWidget(button)
            self.tabs[entry.name] = button
        return box

    def free(self) -> QRect:
        """Where nothing is, between the project's name and Search, in the window's coordinates; an empty
        rectangle while the bar is hidden."""
        if self.isHidden():
            return QRect()
        left = self.project.geometry().left() + self.project.sizeHint().width() + 10
        right = self.search.geometry().left() - 10
        return QRect(
            self.mapTo(self.window(), QPoint(left, 2)), QSize(max(right - left, 0), self.height() - 5)
        )

    def _run(self, name: str, _checked: bool = False) -> None:
        self._commands.run(name)

    def set_project(self, text: str) -> None:
        """The project's name; a dot where the file is behind."""
        self.project.setText(text)

    def show_menu(self) -> None:
        """The project menu under the program's name."""
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.brand.mapToGlobal(QPoint(0, self.brand.height())))

    def menu(self) -> QMenu:
        """A fresh project menu."""
        menu = QMenu(self)
        for name in (
            "project.new",
            "project.back",
            "project.open",
            "project.open_folder",
            "",
            "project.save",
            "project.save_as",
        ):
            if name:
                self._add(menu, name)
            else:
                recent = menu.addMenu("Open recent")
                paths = self._settings.names("recent_projects")
                for path, title in zip(paths, told_apart(paths), strict=True):
                    recent.addAction(in_menu(title), partial(self.project_chosen.emit, path))
                recent.setEnabled(not recent.isEmpty())
        menu.addSeparator()
        self._add(menu, "edit.undo")
        self._add(menu, "edit.redo")
        menu.addSeparator()
        looks = menu.addMenu("Appearance")
        group = QActionGroup(looks)
        for choice in theme.CHOICES:
            action = looks.addAction({"system": "As the system"}.get(choice, choice.capitalize()))
            action.setCheckable(True)
            action.setChecked(choice == theme.choice())
            action.triggered.connect(partial(self._theme, choice))
            group.addAction(action)
        self._add(menu, "view.full")
        self._add(menu, "help.keys")
        self._add(menu, "help.hints")
        menu.addSeparator()
        self._add(menu, "window.quit")
        return menu

    def _theme(self, choice: str, _checked: bool = True) -> None:
        self.theme_chosen.emit(choice)

    def _add(self, menu: QMenu, name: str) -> None:
        command = self._commands.get(name)
        if command is None:
            return
        action = menu.addAction(f"{command.title}\t{command.shortcut}", partial(self._commands.run, name))
        action.setEnabled(command.enabled is None or command.enabled())
