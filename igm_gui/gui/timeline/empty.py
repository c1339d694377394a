"""What the track says while it is empty: how to begin."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.timeline.track import Track
from igm_gui.gui.timeline.track_paint import LANE, LANE_TOP
from igm_gui.gui.widgets import Button, accent_button
from igm_gui.session import actions
from igm_gui.session.state import SessionState

FIRST = "No keyframes yet: the timeline moves from one point to the next."
FOREIGN = (
    "No keyframes yet. The saved points were found in other models: drag one here to see what this one "
    "makes of it, or begin with its own."
)


class EmptyTrack(QWidget):
    """Lies on the keyframe lane of ``track`` for as long as there is no keyframe."""

    def __init__(self, track: Track, commands: Commands) -> None:
        super().__init__(track)
        self._track = track
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 20, 0)
        row.setSpacing(10)
        self.text = text = QLabel()
        text.setProperty("role", "quiet")
        text.setWordWrap(True)
        text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.saved = accent_button("", "star", commands.tip("timeline.saved"))
        self.saved.clicked.connect(lambda: commands.run("timeline.saved"))
        fill = accent_button("Start with four random points", "shuffle", commands.tip("timeline.fill"))
        fill.clicked.connect(lambda: commands.run("timeline.fill"))
        add = Button("Add the current point", "diamond-plus", commands.tip("timeline.add"))
        add.clicked.connect(lambda: commands.run("timeline.add"))
        row.addWidget(text, 1)
        for widget in (self.saved, fill, add):
            row.addWidget(widget)
        track.installEventFilter(self)
        track.studio.changed.connect(self._on_changed)
        self._place()
        self.setVisible(not track.studio.state.timeline.keyframes)
        self._offer_saved()

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "timeline" in changed:
            self.setVisible(not state.timeline.keyframes)
        if changed & {"saved", "model"}:
            self._offer_saved()

    def _offer_saved(self) -> None:
        """What was kept in this model is the film that is wanted, mostly."""
        session = self._track.studio.session
        count, strangers = len(actions.saved_here(session)), len(session.state.saved)
        self.text.setText(FOREIGN if strangers and not count else FIRST)
        self.saved.setVisible(count > 1)
        self.saved.setText(f"Use the {count} saved points")
        self.saved.setAccessibleName(self.saved.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        self.setGeometry(8, int(LANE_TOP) + 2, max(self._track.width() - 16, 10), int(LANE) - 4)
