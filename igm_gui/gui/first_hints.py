"""When the three hints of the first start are shown, kept out of sight, and done with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QMetaObject, QObject
from PySide6.QtWidgets import QWidget

from igm_gui.gui.explore.hints import AT_REST, SEEN, SOUND, TAKE_OVER, HintBubble, first_hints
from igm_gui.gui.settings import Settings
from igm_gui.gui.topbar import TopBar
from igm_gui.gui.workspaces import WorkspaceStack


class FirstHints:
    """They point at pieces of the window and of Explore; nothing is built before they are wanted."""

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        stack: WorkspaceStack,
        top: TopBar,
        show_workspace: Callable[[str], bool],
    ) -> None:
        self._window, self._settings, self._stack, self._top = window, settings, stack, top
        self._show_workspace = show_workspace
        self._full = False
        self.bubble: HintBubble | None = None
        self._wandering: QMetaObject.Connection | None = None
        self._drawing: QMetaObject.Connection | None = None

    @property
    def wanted(self) -> bool:
        """Whether they were never finished or skipped."""
        return HintBubble.wanted(self._settings)

    def show(self, still: bool = False, undoable: bool = True) -> None:
        """The three hints, over a picture that moves until the person takes over; ``still`` where that has
        happened before. A sound waits to be played. ``undoable`` unless there is nothing to come back to."""
        explore = self._stack.widget_of("explore")
        if explore is None or self.bubble is not None or not self._show_workspace("explore"):
            return
        canvas, inputs, drift, can_wander = (
            getattr(explore, name) for name in ("canvas", "inputs", "drift", "can_wander")
        )

        def strip() -> QWidget:
            """The one of the model that is open now."""
            return next(iter(inputs.strips.values()), inputs)

        hints = first_hints(strip, canvas.keep, self._top.search)
        self._settings.put(SEEN, False)
        self.bubble = HintBubble(hints, self._settings, self._window, self._top.free)
        self.bubble.finished.connect(self._over)
        self.hold(self._full)
        self._drawing = inputs.drawn.connect(partial(self.done, 0))
        if still:
            self.done(0)  # the hand is at work already: what it made stays
        elif can_wander():
            self._wandering = drift.running_changed.connect(self._wanders)
            drift.start(undoable=undoable)
        else:
            self.bubble.reword(0, SOUND)

    def _wanders(self, running: bool) -> None:
        if self.bubble is not None:
            self.bubble.reword(0, TAKE_OVER if running else AT_REST)

    def hold(self, full: bool) -> None:
        """Out of sight while the window is ``full`` or what they point at is not on show."""
        self._full = full
        if self.bubble is not None:
            self.bubble.hold(full or self._stack.current != "explore")

    def done(self, index: int, *_: object) -> None:
        """The person did what hint ``index`` speaks of."""
        if self.bubble is not None:
            self.bubble.done(index)

    def place(self) -> None:
        """Beside what it points at, after the window's size has changed."""
        if self.bubble is not None:
            self.bubble.place()

    def _over(self) -> None:
        self.bubble = None
        for connection in (self._wandering, self._drawing):
            if connection is not None:
                QObject.disconnect(connection)
        self._wandering = self._drawing = None
