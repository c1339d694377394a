"""The panel that says what the open model is made of, and lets guesses be corrected."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from igm_gui.engine.renderer import Renderer
from igm_gui.errors import Cancelled, IgmError
from igm_gui.formats.card import Card
from igm_gui.formats.contents import FileContents, describe
from igm_gui.formats.side_card import remove_side_card, write_side_card
from igm_gui.gui import theme
from igm_gui.gui.explore.about import facts
from igm_gui.gui.models.corrections import Corrections, correctable
from igm_gui.gui.models.facts import FactsView
from igm_gui.gui.models.layers import LayerView, shape_text
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button, IconButton
from igm_gui.gui.widgets.scrolling import ScrollColumn
from igm_gui.info import GeneratorInfo
from igm_gui.session.state import SessionState

WIDTH = 460
TOP, BOTTOM = 52, 34


class Reader(QObject):
    """Describes a file on a plain thread; what a newer call or :meth:`stop` overtook is not delivered."""

    progressed = Signal(int, float)
    finished = Signal(int, object)  # number, FileContents or IgmError

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.number = 0
        self._thread: threading.Thread | None = None

    def read(self, path: Path) -> None:
        """Begin with ``path``; the answer comes on ``finished``."""
        self.number += 1
        arguments = (self.number, path)
        self._thread = threading.Thread(target=self._run, args=arguments, name="describe", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give up what is being read, and wait for the thread to notice."""
        self.number += 1
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self, number: int, path: Path) -> None:
        def progress(done: float) -> None:
            if number != self.number:
                raise Cancelled()
            self.progressed.emit(number, done)

        answer: FileContents | IgmError
        try:
            answer = describe(path, progress)
        except IgmError as error:
            answer = error
        except Exception as error:
            answer = IgmError(f"{path.name} can't be read: {error}.", "Check that it still exists.")
        if number == self.number:
            self.finished.emit(number, answer)


def file_facts(found: FileContents) -> Iterator[tuple[str, str]]:
    """(name, text) of what the file itself says."""
    size = f"{found.bytes / 1e6:.1f} MB" if found.bytes >= 1e6 else f"{found.bytes / 1e3:.1f} kB"
    yield "Stored as", ", ".join(part for part in (found.kind_text, size, found.precision) if part)
    if found.kind in ("onnx", "torchscript", "export"):
        for text in found.inputs:
            yield "Declares input", text
        for text in found.outputs:
            yield "Declares output", text
    for text in found.warnings:
        yield "In the file", text


class ModelInformation(QFrame):
    """Lies over the right side of the window, without stopping what is under it.

    The window's Escape closes it, wherever the keys go; ``turned`` tells that it came or went.
    """

    turned = Signal()

    def __init__(self, studio: Studio, window: QWidget) -> None:
        super().__init__(window)
        theme.dress(self)
        self.setObjectName("popover")
        self._studio = studio
        self._window = window
        self._shown: GeneratorInfo | None = None
        self._rows: list[tuple[str, str]] = []
        self._before: QWidget | None = None  # what had the keys
        self.contents: FileContents | None = None
        self.form: Corrections | None = None
        self.reader = Reader(self)
        self.reader.progressed.connect(self._on_progress)
        self.reader.finished.connect(self._on_read)
        self.title = QLabel()
        self.title.setProperty("role", "big")
        self.title.setWordWrap(True)
        self.close_button = IconButton("x", "Close  (Esc)", role="flat")
        self.close_button.clicked.connect(self.hide)
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setProperty("role", "quiet")
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Reading the file")
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName("Parts of the model")
        self.tabs.setToolTip("Left and right arrows change the page")
        self.pages = QStackedWidget()
        self.facts = FactsView()
        self.layers = LayerView()
        self.globals = QPlainTextEdit()
        self.globals.setReadOnly(True)
        self.globals.setAccessibleName("Functions and classes that the file mentions")
        self.globals.setToolTip("Every function and class that its pickles name. None of them was run.")
        self.form_area = self._area()
        for name, page in (
            ("Model", self.facts),
            ("Layers", self.layers),
            ("Globals", self.globals),
            ("Correct", self.form_area),
        ):
            self.tabs.addTab(name)
            self.pages.addWidget(page)
        self.tabs.setTabToolTip(2, "Every function and class that its pickles name. None of them was run.")
        self.tabs.currentChanged.connect(self.pages.setCurrentIndex)
        self.copy = Button("Copy all", "copy", "Copy everything as text")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        foot = QHBoxLayout()
        foot.addWidget(self.progress, 1)
        foot.addStretch(1)
        foot.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 12, 10)
        column.addLayout(head)
        column.addWidget(self.about)
        column.addWidget(self.tabs)
        column.addWidget(self.pages, 1)
        column.addLayout(foot)
        studio.changed.connect(self._on_changed)
        studio.closing.connect(self.reader.stop)
        self.hide()

    def _area(self) -> QScrollArea:
        area = ScrollColumn()
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return area

    # -- showing

    def toggle(self) -> None:
        """Show the panel, or take it away."""
        if self.isVisible():
            self.hide()
            return
        self._before = QApplication.focusWidget()
        self._fill()
        self._place()
        self._window.installEventFilter(self)  # only while it is on show: it is called for every event
        self.show()
        self.raise_()
        self.tabs.setFocus()
        self.turned.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.isHidden() and isValid(self._window):  # and not the whole window with it
            self._window.removeEventFilter(self)
        self.turned.emit()
        # The keys go on where they were, rather than to whatever comes next by Tab.
        before, self._before = self._before, None
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus()

    def _on_changed(self, _state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"model", "info"} and self.isVisible():
            self._fill()

    def _fill(self) -> None:
        info = self._studio.session.info
        if info is None or info == self._shown:
            return
        self._shown, self.contents = info, None
        self.title.setText(info.title or info.name)
        self.about.setText(info.description)
        self.about.setVisible(bool(info.description))
        self._show_facts()
        self.layers.show_layers(())
        self._set_tab(1, "Layers", False)
        self._set_tab(2, "Globals", False)
        self.form = Corrections(info) if correctable(info) else None
        if self.form is not None:
            self.form.applied.connect(self._apply)
            self.form.reverted.connect(self._revert)
            self.form.setObjectName("panelBody")
            self.form_area.setWidget(self.form)
        self._set_tab(3, "Correct", self.form is not None)
        path = Path(info.path) if info.path else None
        self.progress.setVisible(False)
        if path is not None and path.exists():
            self.progress.setValue(0)
            self.progress.show()
            self.reader.read(path)

    def _set_tab(self, index: int, text: str, shown: bool) -> None:
        self.tabs.setTabText(index, text)
        if not shown and self.tabs.currentIndex() == index:
            self.tabs.setCurrentIndex(0)
        self.tabs.setTabVisible(index, shown)

    def _show_facts(self) -> None:
        if self._shown is None:
            return
        self._rows = list(facts(self._shown))
        if self.contents is not None:
            self._rows += file_facts(self.contents)
        self.facts.set_rows(self._rows)

    def _on_progress(self, number: int, done: float) -> None:
        if number == self.reader.number:
            self.progress.setValue(round(done * 1000))

    def _on_read(self, number: int, answer: FileContents | IgmError) -> None:
        if number != self.reader.number:
            return
        self.progress.hide()
        if isinstance(answer, IgmError):
            self._rows.append(("In the file", str(answer)))
            self.facts.set_rows(self._rows)
            return
        self.contents = answer
        self._show_facts()
        self.layers.show_layers(answer.layers)
        self._set_tab(1, f"Layers ({len(answer.layers):,})", bool(answer.layers))
        self.globals.setPlainText("\n".join(answer.globals))
        self._set_tab(2, f"Globals ({len(answer.globals):,})", bool(answer.globals))

    def text(self) -> str:
        """Everything as text: the facts, what is mentioned, the layers."""
        lines = [self.title.text(), self.about.text(), *(f"{name}: {text}" for name, text in self._rows)]
        if self.contents is not None:
            lines += [f"Mentions: {name}" for name in self.contents.globals]
            lines += [
                f"Layer: {layer.name}  {shape_text(layer)}  {layer.dtype}" for layer in self.contents.layers
            ]
        return "\n".join(line for line in lines if line)

    # -- corrections

    def _apply(self, card: Card) -> None:
        info = self._shown
        if info is None:
            return
        try:
            where = write_side_card(Path(info.path), card)
        except IgmError as error:
            self._studio.fail(error)
            return
        self._reload(f"Kept in {where}.")

    def _revert(self) -> None:
        info = self._shown
        if info is None:
            return
        try:
            remove_side_card(Path(info.path))
        except IgmError as error:
            self._studio.fail(error)
            return
        self._reload("The card is gone; guesses hold again.")

    def _reload(self, told: str) -> None:
        """Read the model again from disk, on the render thread; undo and the point stay."""
        model = self._studio.state.model

        def work(renderer: Renderer) -> Iterator[float]:
            renderer.forget(model)
            yield 1.0

        def done(_job: object) -> None:
            self._shown = None
            self._studio.say(told, kind="good")
            self._studio.refresh(force=True)
            if self.isVisible():
                self._fill()  # the same facts come back as a card's; the form must know of it

        self._studio.run("Reading the model again", work, done)

    # -- place

    def _place(self) -> None:
        size = self._window.size()
        width = min(WIDTH, size.width() - 40)
        self.setGeometry(size.width() - width - 10, TOP, width, max(200, size.height() - TOP - BOTTOM))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)
