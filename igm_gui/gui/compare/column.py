"""One model of the comparison: name, result, what drives it, how long it takes, samples."""

from __future__ import annotations

from collections import deque
from statistics import median

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from igm_gui.formats.trust import TrustNeeded, trust
from igm_gui.gui.compare.lineup import details, parameters_text, rate_text, sharing, time_text
from igm_gui.gui.compare.samples import Samples
from igm_gui.gui.mediaview import MediaView
from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.tokens import SERIES
from igm_gui.gui.widgets import Button, IconButton
from igm_gui.requests import RenderResult

TIMES = 31  # results that the median is taken over
ENOUGH = 3  # results without which a time is not told as the model's
FEW = 4  # a smaller batch says nothing about a model's rate


class Elided(QLabel):
    """A line that ends in … where there is no room for all of it; the tooltip has the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignVCenter)
        self.style().drawItemText(
            painter, self.rect(), flags, self.palette(), self.isEnabled(), text, self.foregroundRole()
        )


class Column(QFrame):
    """Place ``index`` of the comparison; ``0`` is the current model, which drives the others."""

    acted = Signal(str, int)  # "remove", "left", "right", "current", "replace"; its place
    picked = Signal(int, int)  # its place, number of the sample
    retry = Signal(int)
    untimed = Signal(int)  # the time is not known well yet: ask once more

    def __init__(self, studio: Studio, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self.index = index
        self.model = ""
        self._every = False
        self._last = False
        self._cold = True  # whether only the first result was timed
        self._asks: TrustNeeded | None = None  # what the person is asked about
        self._hears = False  # whether it listens to the sound output yet
        self._times: deque[float] = deque(maxlen=TIMES)
        self._batch, self._rates = 0, deque[float](maxlen=TIMES)  # of the samples
        self.setMinimumWidth(236)
        self._dot = QLabel("●")
        self._dot.setStyleSheet(f"color: {SERIES[index % len(SERIES)]}; font-size: 13px;")
        self.name = Elided()
        self.name.setProperty("role", "title")
        self.size_label = QLabel()
        self.size_label.setProperty("role", "quiet")
        self.size_label.setToolTip("Parameters")
        self.play = IconButton(
            "play", "Play this model's sound. While another is heard: hear this one from there (B)"
        )
        self.play.setAccessibleName("Play this model's sound")
        self.play.clicked.connect(self._toggle_sound)
        self.menu_button = IconButton("chevron-down", "Move, replace or remove this model", role="flat")
        self.menu_button.clicked.connect(self._menu)
        head = QWidget()
        head.setObjectName("panel")
        head.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        head.setFixedHeight(42)
        row = QHBoxLayout(head)
        row.setContentsMargins(12, 0, 8, 0)
        row.setSpacing(7)
        row.addWidget(self._dot)
        row.addWidget(self.name, 1)
        for widget in (self.size_label, self.play, self.menu_button):
            row.addWidget(widget)
        self.view = MediaView(studio, margin=18)
        self.view.compares = True
        if index == 0:
            self.view.painted.connect(studio.painted)
        self.message = QLabel(self.view)
        self.message.setWordWrap(True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setProperty("role", "quiet")
        self.again = Button("Try again", "refresh-cw", "Ask this model again", parent=self.view)
        self.again.clicked.connect(self._try_again)
        self.shares = Elided()
        self.time = QLabel("–")
        self.about = Elided()
        self.about.setProperty("role", "quiet")
        foot = QWidget()
        foot.setObjectName("panelBody")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        lines = QVBoxLayout(foot)
        lines.setContentsMargins(12, 6, 12, 6)
        lines.setSpacing(2)
        first = QHBoxLayout()
        first.addWidget(self.shares, 1)
        first.addWidget(self.time)
        lines.addLayout(first)
        lines.addWidget(self.about)
        self.samples = Samples(studio)
        self.samples.timed.connect(self._on_batch)
        self.samples.picked.connect(lambda number: self.picked.emit(self.index, number))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self.view, 1)
        column.addWidget(foot)
        column.addWidget(self.samples)
        self._say("")

    # -- what is shown

    def show_model(self, model: str, every_class: bool, last: bool) -> None:
        """Show ``model``; its picture comes with :meth:`show_result`."""
        self._every, self._last = every_class, last
        info = self._studio.card_of(model)
        if model != self.model:
            self.model = model
            self._times.clear()
            self._rates.clear()
            self._batch = 0
            self._cold = True
            self._show_time()
            self.view.stop()
            self.view.clear()
            self._say("Loading…")
        title = (info.title or info.name) if info else model.rstrip("/").rsplit("/", 1)[-1]
        self.name.setText(title)
        self.name.setToolTip(f"{title}\n{info.description if info else model}")
        self.setAccessibleName(f"Model {self.index + 1}: {title}")
        self.view.setAccessibleName(f"Result of {title}")
        self.play.setVisible(info is not None and info.media == "sound")
        if info is None:
            return
        self.size_label.setText(parameters_text(info.parameters))
        self.about.setText(details(info))
        self.about.setToolTip(details(info))
        words, why = sharing(self._studio.state.point, self._studio.session.info, info)
        if self.index == 0:
            words, why = "drives the others", "The current model: its point is given to all the others."
        self.shares.setText(words)
        self.shares.setToolTip(why)
        self.samples.show_model(model, info, every_class)

    def show_result(self, result: RenderResult) -> None:
        """Take a result of this column's model."""
        if result.error is not None:
            self.view.clear()
            self._asks = result.error if isinstance(result.error, TrustNeeded) else None
            self.again.setText("Open it" if self._asks else "Try again")
            self.again.setAccessibleName(self.again.text())
            self._say(f"{result.error.message}\n{result.error.hint}", failed=True)
            return
        if self.view.show_result(result):
            self._say("")
            if self.view.sound is not None and not self._hears:
                self._hears = True
                hub_of(self._studio).changed.connect(self._show_playing)
            if self._cold and self._times:
                # A network's first pass sets it up: it does not count once there is another.
                self._cold = False
                self._times.clear()
            self._times.append(result.model_seconds)
            self._show_time()
            if self._cold or len(self._times) < ENOUGH:
                self.untimed.emit(self.index)
        self.show_model(self.model, self._every, self._last)

    def stop(self) -> None:
        """Not seen any more: no sound, no samples."""
        self.view.stop()
        self.samples.stop()

    def _on_batch(self, count: int, seconds: float) -> None:
        """The samples come in batches: the largest tell what the network gets through."""
        if count < FEW or count < self._batch or seconds <= 0:
            return
        if count > self._batch:
            self._batch = count
            self._rates.clear()
        self._rates.append(count / seconds)
        self._show_time()

    def _show_time(self) -> None:
        if not self._times:
            self.time.setText("–")
            self.time.setToolTip("The network's own time for one result")
            return
        one = time_text(median(self._times))
        known = not self._cold and len(self._times) >= ENOUGH
        # The first pass of a network sets it up: it is no measure of the model.
        self.time.setText(one if known else f"first {one}")
        tip = f"The network's own time for one result: median of {len(self._times)}"
        if self._rates:
            tip += f"\nIn batches of {self._batch}: {rate_text(median(self._rates))}"
        self.time.setToolTip(tip)

    def _say(self, text: str, failed: bool = False) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.again.setVisible(failed)
        self._place()

    def _place(self) -> None:
        area = self.view.rect().adjusted(20, 10, -20, -10)
        self.message.setGeometry(area)
        size = self.again.sizeHint()
        self.again.setGeometry(
            area.center().x() - size.width() // 2, area.center().y() + 48, size.width(), size.height()
        )
        self.message.raise_()
        self.again.raise_()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()

    # -- what the person does

    def _try_again(self) -> None:
        if self._asks is not None:
            # The file is a program: this button is the person's yes to it.
            trust(self._asks.sha256, self.name.text())
            self._asks = None
        self.retry.emit(self.index)

    def _toggle_sound(self) -> None:
        if self.view.playing:
            self.view.stop()
        else:
            self.view.hear()

    def _show_playing(self) -> None:
        self.play.set_icon("square" if self.view.playing else "play")

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def entry(title: str, what: str, enabled: bool = True) -> None:
            menu.addAction(title, lambda: self.acted.emit(what, self.index)).setEnabled(enabled)

        entry("Make it the current model", "current", self.index > 0)
        entry("Replace it…", "replace")
        menu.addSeparator()
        entry("Move left", "left", self.index > 0)
        entry("Move right", "right", not self._last)
        if self.view.sound is not None:
            menu.addSeparator()
            match = menu.addAction("Hear all equally loud (−23 LUFS)")
            match.setCheckable(True)
            match.setChecked(hub_of(self._studio).matched)
            match.toggled.connect(hub_of(self._studio).set_matched)
        menu.addSeparator()
        entry("Remove", "remove", not (self._last and self.index == 0))
        menu.popup(self.menu_button.mapToGlobal(QPoint(0, self.menu_button.height())))
