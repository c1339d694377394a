"""What model is open: preview, name, kind; a click opens the browser."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.dialogs import ask_folder
from igm_gui.gui.explore.browser import ModelBrowser, model_line
from igm_gui.gui.models.watched import WatchedFolders
from igm_gui.gui.naming import in_menu, told_apart
from igm_gui.gui.previews import Previews
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button, IconButton, flat_button
from igm_gui.gui.widgets.labels import ElidedLabel
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.thumbnail import Thumbnail
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState


class ModelCard(QWidget):
    """``MODEL   Open…  Recent ▾`` and a card that shows the model and opens the browser."""

    def __init__(
        self, studio: Studio, commands: Commands, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self.previews = Previews(studio, self)
        self.watched = WatchedFolders(studio, settings, self)
        self.browser: ModelBrowser | None = None
        self._shown: tuple[object, ...] = ()
        head = SectionHead("Model")
        open_button = flat_button("Open…", tip=commands.tip("project.open"))
        open_button.clicked.connect(lambda: commands.run("project.open"))
        self.recent = flat_button("Recent ▾", tip="Models opened before")
        self.recent.clicked.connect(self.show_recent)
        self.about_button = IconButton("info", commands.tip("model.information"), role="flat")
        self.about_button.clicked.connect(lambda: commands.run("model.information"))
        head.add(self.about_button)
        head.add(open_button)
        head.add(self.recent)
        self.button = Button("", tip="Choose a model", role="card")
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.button.setMinimumHeight(64)
        self.button.clicked.connect(self.show_browser)
        row = QHBoxLayout(self.button)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(9)
        self.preview = Thumbnail(46)
        self.preview.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.title = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.title.setProperty("role", "title")
        self.line = QLabel()
        self.line.setProperty("role", "quiet")
        self.line.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.line)
        words.addStretch(1)
        row.addWidget(self.preview)
        row.addLayout(words, 1)
        for part in (self.preview, self.title, self.line):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(head)
        column.addWidget(self.button)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)
        self.previews.ready.connect(self._on_preview)
        self._show()

    def sizeHint(self) -> QSize:
        return QSize(266, 96)

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"model", "info"}:
            self._show()

    def _on_rendered(self, result: RenderResult) -> None:
        # The preview waits for the first picture, so that it does not hold it up.
        if result.ok and result.request.slot == "main" and self.preview.image.isNull():
            self._on_preview(self._studio.state.model)

    def _on_preview(self, model: str) -> None:
        if model == self._studio.state.model:
            image = self.previews.get(model)
            if not image.isNull():
                self.preview.set_image(image)

    def _show(self) -> None:
        model = self._studio.state.model
        info = self._studio.session.info
        if (model, info) == self._shown:
            return
        other = not self._shown or self._shown[0] != model
        self._shown = (model, info)
        name = (info.title or info.name) if info else Path(model).name or "No model"
        self.title.set_full(name)
        self.line.setText(model_line(info) if info else "opening…" if model else "Open one, or choose here")
        about = f"{info.description}\n" if info and info.description else ""
        self.button.setToolTip(f"{about}Click to choose another model")
        self.button.setAccessibleName(f"Model {name}. {self.line.text()}. Press to choose another.")
        if other:
            self.preview.set_image(QImage())  # what stood there was another model's
            if self._studio.last is not None:
                self._on_preview(model)

    def show_browser(self) -> None:
        """Open the popover under the card."""
        recent = self._settings.names("recent_models")
        browser = ModelBrowser(self.previews, recent, self._studio.state.model, self, self.watched)
        browser.chosen.connect(self._choose)
        browser.folders_asked.connect(lambda: self.show_folders(browser))
        if self.watched.folders:
            self.watched.scan()
        self.browser = browser
        where = self.button.mapToGlobal(QPoint(0, self.button.height() + 4))
        browser.popup(where, max(200, self.window().height() - 150))

    def show_folders(self, browser: ModelBrowser) -> None:
        """The menu of watched folders: one more, or one less."""
        menu = QMenu(browser)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Watch a folder…", partial(self._ask_folder, browser))
        for folder in self.watched.folders:
            remove = menu.addAction(
                f"Stop watching {Path(folder).name}", partial(self._unwatch, browser, folder)
            )
            remove.setToolTip(folder)
        menu.popup(browser.folders.mapToGlobal(QPoint(0, browser.folders.height())))

    def _ask_folder(self, browser: ModelBrowser) -> None:
        browser.close()
        ask_folder(self, self._settings, "watch", "Watch a folder of models", self._watch)

    def _watch(self, folder: Path) -> None:
        self.watched.add(folder)
        self.show_browser()

    def _unwatch(self, browser: ModelBrowser, folder: str) -> None:
        self.watched.remove(folder)
        browser.close()
        self.show_browser()

    def show_recent(self) -> None:
        """The models opened last, newest first."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        models = self._settings.names("recent_models")
        for model, name in zip(models, told_apart(models), strict=True):
            menu.addAction(in_menu(name), lambda model=model: self._choose(model))
        if menu.isEmpty():
            menu.addAction("Nothing opened yet").setEnabled(False)
        menu.popup(self.recent.mapToGlobal(QPoint(0, self.recent.height())))

    def _choose(self, model: str) -> None:
        self._studio.open_model(model)
