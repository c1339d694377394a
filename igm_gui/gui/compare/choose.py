"""Choosing a model to stand beside the others: from the list, or by its file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from igm_gui.formats.plain_folder import model_at
from igm_gui.gui.dialogs import ask_open
from igm_gui.gui.explore.browser import ModelBrowser
from igm_gui.gui.previews import Previews
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio

MODEL_FILES = (
    "Models (card.json *.safetensors *.pt *.pth *.pt2 *.ts *.onnx *.pkl *.ckpt *.bin);;All files (*)"
)
WIDTH, LEAST_HEIGHT = 410, 360


class ModelChooser:
    """``taken`` gets a bundled name or a path, and the place that it was chosen for."""

    def __init__(self, parent: QWidget, studio: Studio, taken: Callable[[str, int], object]) -> None:
        self._parent, self._studio, self._taken = parent, studio, taken
        self._previews: Previews | None = None
        self.browser: ModelBrowser | None = None

    def ask_model(self, button: QWidget, shown: Collection[str] = (), place: int = -1) -> None:
        """Choose one of the bundled and recent models under ``button``, without those ``shown`` already.

        Those most like the current one come first."""
        parent = self._parent
        if self._previews is None:
            self._previews = Previews(self._studio, parent)
        browser = ModelBrowser(
            self._previews,
            Settings().names("recent_models"),
            "",
            parent,
            beside=self._studio.session.info,
            without=shown,
        )
        browser.chosen.connect(lambda model: self._taken(model, place))
        # The popup keeps within the window: under the button, or as high as it needs to be.
        where = button.mapToGlobal(QPoint(0, button.height() + 4))
        first = parent.mapToGlobal(QPoint(0, 0))
        last = parent.mapToGlobal(QPoint(parent.width(), parent.height()))
        where.setX(max(min(where.x(), last.x() - WIDTH), first.x()))
        where.setY(max(min(where.y(), last.y() - LEAST_HEIGHT), first.y()))
        browser.popup(where, max(last.y() - where.y() - 8, 200))
        self.browser = browser

    def ask_file(self) -> None:
        """Choose a model by its file."""

        def taken(path: Path) -> None:
            self._taken(str(model_at(path)), -1)

        ask_open(self._parent, Settings(), "model", "Open a model to compare", MODEL_FILES, taken)
