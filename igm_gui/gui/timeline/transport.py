"""The bar over the track: play, loop, time, frame rate, interpolation, easing, keyframes, zoom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from igm_gui.gui.commands import Commands
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.axis import clock, parse_clock
from igm_gui.gui.timeline.names import EASING_NAMES, WAYS
from igm_gui.gui.timeline.player import Player
from igm_gui.gui.timeline.track import Track
from igm_gui.gui.widgets import Button, IconButton, accent_button
from igm_gui.gui.widgets.compact import CompactRow
from igm_gui.gui.widgets.scrolling import Combo
from igm_gui.session import actions
from igm_gui.session.state import SessionState
from igm_gui.timeline.timeline import Timeline

RATES = (12, 15, 24, 25, 30, 50, 60)


class LengthEdit(QLineEdit):
    """The timeline's length as ``mm:ss.cc``; Escape gives up."""

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setModified(False)
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class ShortCombo(Combo):
    """Where its words don't fit it shows those in brackets alone: ``Slerp`` for ``Spherical (slerp)``."""

    @property
    def shown(self) -> str:
        """The words that there is room for."""
        option = QStyleOptionComboBox()
        super().initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        text = self.currentText()
        return text if self.fontMetrics().horizontalAdvance(text) <= room else self._short(text)

    @staticmethod
    def _short(text: str) -> str:
        return text.partition("(")[2].rstrip(")").capitalize() or text

    def minimumSizeHint(self) -> QSize:
        hint, advance = super().minimumSizeHint(), self.fontMetrics().horizontalAdvance
        texts = [self.itemText(i) for i in range(self.count())]
        long, short = (max(map(advance, names)) for names in (texts, [self._short(text) for text in texts]))
        return QSize(hint.width() - long + short, hint.height())

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        option.currentText = self.shown


class Transport(QWidget):
    """Everything about the timeline that is not on the track itself."""

    def __init__(
        self,
        studio: Studio,
        player: Player,
        track: Track,
        commands: Commands,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio, self._player, self._track = studio, player, track
        self._playhead = 0.0
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 7, 12, 7)
        self._row.setSpacing(6)
        tip = commands.tip
        self.start = IconButton("skip-back", tip("timeline.start"))
        self.start.clicked.connect(lambda: commands.run("timeline.start"))
        self.play = accent_button("Play", "play", tip("timeline.play"))
        self.play.setMinimumWidth(84)  # of the longer word: the bar does not move when it plays
        self.play.clicked.connect(lambda: commands.run("timeline.play"))
        self.loop = Button("Loop", "repeat", tip("timeline.loop", "Go back to the first keyframe at the end"))
        self.loop.setCheckable(True)
        self.loop.clicked.connect(lambda: commands.run("timeline.loop"))
        self.time = QLabel()
        self.time.setToolTip("Where the playhead is (minutes:seconds)")
        self.length = LengthEdit()
        self.length.setFixedWidth(72)
        self.length.setToolTip("Length of the timeline; type minutes:seconds, or seconds.")
        self.length.setAccessibleName("Length")
        self.length.editingFinished.connect(self._take_length)
        self.rate = Combo()
        self.rate.addItems([f"{rate} fps" for rate in RATES])
        self.rate.setEditable(True)
        self.rate.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.rate.setFixedWidth(96)
        self.rate.setToolTip("Frames in a second, for playing and for files; 1 to 240 can be typed.")
        self.rate.setAccessibleName("Frames per second")
        self.rate.activated.connect(lambda _: self._take_rate())
        line = self.rate.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._take_rate)
        self.way = self._combo(
            WAYS, "Interpolation", "How latents go from one keyframe to the next: slerp keeps the length"
            " that samples have,\nlerp goes straight, the spline also passes each keyframe without a jolt"
            " (with even easing).\nA keyframe's menu can choose another way for its own stretch."
        )  # fmt: skip
        self.way.activated.connect(
            lambda i: actions.set_timeline(studio.session, interpolation=self.way.itemData(i))
        )
        self.easing = self._combo(
            [(title, easing) for easing, title in EASING_NAMES.items()],
            "Easing of the selected keyframes",
            "How the way from the selected keyframes to the next is paced.\nSelect a keyframe first.",
        )
        self.easing.setPlaceholderText("Easing")
        self.easing.activated.connect(
            lambda i: actions.set_easing(studio.session, track.selected, self.easing.itemData(i))
        )
        self.add = Button("Keyframe", "diamond-plus", tip("timeline.add"))
        self.add.clicked.connect(lambda: commands.run("timeline.add"))
        self.update_key = IconButton("refresh-cw", tip("timeline.update"))
        self.update_key.clicked.connect(lambda: commands.run("timeline.update"))
        self.delete = IconButton("trash-2", tip("timeline.delete"))
        self.delete.clicked.connect(lambda: commands.run("timeline.delete"))
        self._zooms = [
            self._zoom_button("zoom-out", "See more of the time (−)", 1 / 1.5),
            self._zoom_button("expand", "See all of the time (0)", 0.0),
            self._zoom_button("zoom-in", "See it closer (+)", 1.5),
        ]
        slash = QLabel("/")
        slash.setProperty("role", "quiet")
        for widget in (self.start, self.play, self.loop, self.time, slash, self.length, self.rate, self.way):
            self._row.addWidget(widget)
        for widget in (self.easing, self.add, self.update_key, self.delete):
            self._row.addWidget(widget)
        self._row.addStretch(1)
        for widget in self._zooms:
            self._row.addWidget(widget)
        studio.changed.connect(self._on_changed)
        studio.playhead_changed.connect(self._show_time)
        player.playing_changed.connect(self._on_playing)
        track.selection_changed.connect(self._on_selection)
        self._show(studio.state.timeline)
        self._on_selection()

    def append(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._row.addWidget(widget)

    def keep_compact(self, *last: QPushButton, spare: Sequence[QWidget] = ()) -> None:
        """In a narrow window buttons show their icons alone, ``last`` after the others; then the zoom
        buttons go (the wheel zooms too), what is to ``spare``, and what keys do as well."""
        keys = (self.update_key, self.delete)
        CompactRow(self, (self.add, self.loop, *last), [*self._zooms, *spare, *keys])

    @staticmethod
    def _combo(items: Any, name: str, tip: str) -> ShortCombo:
        combo = ShortCombo()
        for title, value in items:
            combo.addItem(title, value)
        combo.setAccessibleName(name)
        combo.setToolTip(tip)
        combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return combo

    def _zoom_button(self, icon: str, tip: str, factor: float) -> Button:
        button = IconButton(icon, tip, role="flat")
        button.clicked.connect(partial(self._track.zoom, factor))
        return button

    # -- from the person

    def _take_length(self) -> None:
        if self.length.isModified():
            self.length.setModified(False)
            seconds = parse_clock(self.length.text())
            if seconds is not None:
                length = min(max(seconds, 0.1), 36_000.0)
                keys = self._studio.state.timeline.keyframes
                actions.set_timeline(self._studio.session, length=length)
                if keys and length < keys[-1].time:
                    self._studio.say(
                        "The timeline ends at its last keyframe.", "Move or delete it to make it shorter."
                    )
        self._show(self._studio.state.timeline)

    def _take_rate(self) -> None:
        digits = self.rate.currentText().split()[0:1]
        try:
            fps = min(max(float(digits[0].replace(",", ".")), 1.0), 240.0)
        except (IndexError, ValueError):
            fps = self._studio.state.timeline.fps
        if fps == fps:  # not a NaN
            actions.set_timeline(self._studio.session, fps=fps)
        self._show(self._studio.state.timeline)

    # -- to the person

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "timeline" in changed:
            self._show(state.timeline)
            self._on_selection()

    def _show(self, timeline: Timeline) -> None:
        blockers = [QSignalBlocker(w) for w in (self.loop, self.rate, self.way)]
        self.loop.setChecked(timeline.loop)
        self.rate.setCurrentText(f"{timeline.fps:g} fps")
        self.way.setCurrentIndex(max(self.way.findData(timeline.interpolation), 0))
        del blockers
        if not (self.length.hasFocus() and self.length.isModified()):
            self.length.setText(clock(timeline.length))
        self.play.setEnabled(bool(timeline.keyframes))
        self._show_time(self._playhead)

    def _show_time(self, seconds: float) -> None:
        self._playhead = seconds
        self.time.setText(clock(seconds))

    def _on_selection(self) -> None:
        timeline = self._studio.state.timeline
        keys = [timeline.keyframe(id) for id in self._track.selected]
        easings = {key.easing for key in keys if key is not None}
        for widget in (self.easing, self.update_key, self.delete):
            widget.setEnabled(bool(easings))
        self.easing.setCurrentIndex(self.easing.findData(easings.pop()) if len(easings) == 1 else -1)

    def _on_playing(self, playing: bool) -> None:
        self.play.setText("Pause" if playing else "Play")
        self.play.set_icon("pause" if playing else "play")
