"""The project that is open: new, open, save, recent; autosave, and what an earlier crash left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from igm_gui.errors import IgmError
from igm_gui.formats.plain_folder import model_at
from igm_gui.gui import theme
from igm_gui.gui.drops import RESULTS, carries
from igm_gui.gui.find_place import PICTURES, SOUNDS, can_find, find_place
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.widgets.buttons import Button, accent_button, flat_button
from igm_gui.session import recipes
from igm_gui.session.autosave import Autosave, Recoverable, recoverable
from igm_gui.session.project import SUFFIX, Project, read_project, save_project
from igm_gui.session.state import SessionState


@dataclass(frozen=True)
class _Left:
    """What New or Open took the place of."""

    state: SessionState
    clean: SessionState
    path: Path | None
    unsaved: bool


class ProjectKeeper(QObject):
    """Knows which file the session belongs to and whether that file is behind.

    ``opened`` is told after another project took the session's place. ``may_leave`` is asked before that
    would lose work.
    """

    changed = Signal()  # path or unsaved
    autosaved = Signal()  # on the interface's thread, after a write
    opened = Signal()
    restored = Signal(str)  # what an exported result was: point, timeline, grid or compare
    _written = Signal()
    _failed = Signal(object)

    def __init__(self, studio: Studio, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self.path: Path | None = None
        self._clean: SessionState = studio.state
        self._unsaved = False
        self._recovered: Recoverable | None = None
        self._autosave: Autosave | None = None
        self._before: _Left | None = None
        self.may_leave: Callable[[], bool] = lambda: True
        self._written.connect(self.autosaved)
        self._failed.connect(self._autosave_failed)
        studio.changed.connect(self._on_changed)

    # -- life

    def start_autosave(self) -> None:
        """Begin to keep changes on disk."""
        if self._autosave is None:
            try:
                self._autosave = Autosave(
                    self._studio.session, failed=self._failed.emit, write=self._write_autosave
                )
            except OSError as error:
                reason = error.strerror or str(error)
                self._autosave_failed(
                    IgmError(f"Nothing can be written to {error.filename}: {reason}.", "", repr(error))
                )

    def close(self, keep: bool = False) -> None:
        """The window closes in order: nothing is to be recovered, unless ``keep``."""
        if self._autosave is not None:
            self._autosave.close(keep)
            self._autosave = None
        if self._recovered is not None:
            self._recovered.discard()
            self._recovered = None

    def _write_autosave(self, path: Path, state: SessionState, extras: Mapping[str, Any]) -> None:
        save_project(path, state, extras, dict(self._studio.session.infos))
        self._written.emit()

    def _autosave_failed(self, error: IgmError) -> None:
        hint = "A crash would lose what changes from now on: free some space, or save the project elsewhere."
        self._studio.notice.emit(Notice(f"Autosave failed. {error.message}", hint, error.details, "error"))

    # -- state

    @property
    def unsaved(self) -> bool:
        """Whether the session holds what the project file does not."""
        return self._unsaved

    @property
    def worth_asking(self) -> bool:
        """Whether closing now would lose work, and not only a place looked at."""
        if not self._unsaved:
            return False
        state, clean = self._studio.state, self._clean
        return self.path is not None or (state.saved, state.timeline) != (clean.saved, clean.timeline)

    @property
    def name(self) -> str:
        return self.path.stem if self.path else "Untitled"

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed <= {"info", "history"}:
            return
        unsaved = state != self._clean if "history" in changed else True
        if unsaved != self._unsaved:
            self._unsaved = unsaved
            self.changed.emit()

    def _settle(self, path: Path | None) -> None:
        self.path = path
        self._clean = self._studio.state
        self._unsaved = False
        if path is not None:
            self._settings.push("recent_projects", str(path))
        if self._autosave is not None:
            self._autosave.set_origin(path)
            self._autosave.clear()
        if self._recovered is not None:
            self._recovered.discard()
            self._recovered = None
        self.changed.emit()

    def may_be_left(self) -> bool:
        """Whether something else may take the place of what there is; about work the person is asked."""
        return not self.worth_asking or self.may_leave()

    def _now(self) -> _Left:
        return _Left(self._studio.state, self._clean, self.path, self._unsaved)

    @property
    def can_bring_back(self) -> bool:
        """Whether New, Open or Recover took the place of a project that held something."""
        return self._before is not None

    def _offer(self, before: _Left, text: str) -> None:
        """Keep what there was until the window closes, and say how it comes back."""
        if not (before.state.saved or before.state.timeline.keyframes):
            self._before = None
            return
        self._before = before
        name = before.path.stem if before.path else "The project before"
        self._studio.notice.emit(
            Notice(
                text,
                f"{name} can be brought back.",
                retry=self.bring_back,
                action="Bring it back",
                icon="history",
            )
        )

    def bring_back(self) -> bool:
        """Take up again what New, Open or Recover took the place of; what is there now waits in its turn.
        False where there is nothing."""
        before = self._before
        if before is None:
            return False
        self._before = self._now()
        self._offer_again()
        self._replace(before.state)
        self.path, self._clean, self._unsaved = before.path, before.clean, before.unsaved
        if self._autosave is not None:
            self._autosave.set_origin(before.path)
        self.changed.emit()
        self.opened.emit()
        return True

    # -- actions

    def new(self) -> None:
        """An empty project on the same model, if the one there is may be left."""
        if not self.may_be_left():
            return
        before = self._now()
        state = before.state
        self._replace(SessionState(model=state.model, point=state.point, device=state.device))
        self._settle(None)
        self.opened.emit()
        self._offer(before, "This is a new project.")

    def save(self, path: Path) -> bool:
        """Write the session to ``path``; False where that failed (the person is told)."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        try:
            save_project(path, self._studio.state, {}, dict(self._studio.session.infos))
        except IgmError as error:
            self._studio.fail(error, lambda: self.save(path))
            return False
        self._settle(path)
        self._studio.say(f"Saved {path.name}.", f"In {path.parent}", "good")
        return True

    def open(self, path: Path) -> bool:
        """Take the session from a project file; False where that failed, or where what there is may not be
        left, and all is as before."""
        try:
            project = read_project(path)
        except IgmError as error:
            self._settings.drop("recent_projects", str(path))
            self._studio.fail(error)
            return False
        if not self.may_be_left():
            return False
        before = self._now()
        self._take(project)
        self._settle(path)
        self.opened.emit()
        self._offer(before, f"{path.name} is open.")
        self._tell(project, f"{path.name} was opened as far as it goes.")
        return True

    def open_any(self, path: Path) -> bool:
        """Open whatever was dropped: a project, an exported result, or else a model."""
        path = model_at(path)
        ending = path.suffix.lower()
        if ending == SUFFIX:
            return self.open(path)
        if path.is_file() and (ending in RESULTS or ending in PICTURES or ending in SOUNDS):
            foreign = ending not in RESULTS or not carries(path)
            if foreign and can_find(self._studio, path):
                find_place(self._studio, path)
                return True
            return self.open_result(path)
        return self._studio.open_model(str(path))

    def open_result(self, path: Path) -> bool:
        """Bring back the state that an exported file carries (one step to undo)."""
        try:
            restored = recipes.open_result(self._studio.session, path)
        except IgmError as error:
            self._studio.fail(error)
            return False
        self.restored.emit(restored.recipe.kind)
        self._studio.say(
            f"This is what made {path.name}.", restored.warning, "info" if restored.warning else "good"
        )
        return True

    def recover(self, found: Recoverable) -> bool:
        """Take up what a killed process left; it stays on disk until the project is saved or closed."""
        try:
            project = found.load()
        except IgmError as error:
            found.release()
            self._studio.fail(error)
            return False
        before = self._now()
        self._take(project)
        self.path, self._clean, self._unsaved = found.origin, before.state, True
        if self._autosave is not None:
            self._autosave.set_origin(found.origin)
        self._offer_again()
        self._recovered = found
        self._offer(before, "The work is recovered.")
        self._tell(project, "The work was recovered as far as it goes.")
        self.changed.emit()
        self.opened.emit()
        return True

    def _offer_again(self) -> None:
        """What was recovered is not on show any more and was not saved: the next start offers it."""
        if self._recovered is not None:
            self._recovered.release()
            self._recovered = None

    def _take(self, project: Project) -> None:
        for model in {project.state.model, *project.state.compare} - {""}:
            info = self._studio.card_of(model)
            if info is not None:
                self._studio.session.infos.setdefault(model, info)
        self._replace(project.state)

    def _replace(self, state: SessionState) -> None:
        """Another state; where the timeline is on show, its start."""
        playing = self._studio.playhead is not None
        self._studio.set_playhead(0.0 if playing else None, render=False)
        self._studio.session.replace_state(state)
        self._studio.refresh()

    def _tell(self, project: Project, text: str) -> None:
        if project.problems:
            lost = "\n".join(project.problems)
            self._studio.notice.emit(Notice(text, project.problems[0], lost, "error"))


class RecoveryBar(QFrame):
    """Under the top bar after a crash: recover, discard, or later."""

    def __init__(self, keeper: ProjectKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.dress(self)
        self.setObjectName("topBar")
        self._keeper = keeper
        self._waiting: list[Recoverable] = []
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.recover = accent_button("Recover", "history", "Go on where it stopped")
        self.discard = Button("Discard", "trash-2", "Remove it; this can't be undone")
        self.later = flat_button("Later", tip="Ask again at the next start")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 12, 6)
        row.addWidget(self.text, 1)
        for button, action in (
            (self.recover, self._recover),
            (self.discard, self._discard),
            (self.later, self._later),
        ):
            button.clicked.connect(action)
            row.addWidget(button)
        self.hide()

    def look(self) -> None:
        """Look for what earlier processes left, and offer the newest."""
        try:
            self._waiting = recoverable()
        except OSError:
            return
        self._next()

    def close_all(self) -> None:
        """Leave what was not decided for the next start."""
        for found in self._waiting:
            found.release()
        self._waiting = []
        self.hide()

    def _next(self) -> None:
        if not self._waiting:
            self.hide()
            return
        found = self._waiting[0]
        when = time.strftime("%d %B, %H:%M", time.localtime(found.modified))
        of = f" of {found.origin.name}" if found.origin else ""
        model = f", on {Path(found.model).name}" if found.model else ""
        holds = [
            f"{count} {thing}{'' if count == 1 else 's'}"
            for count, thing in ((found.points, "saved point"), (found.keyframes, "keyframe"))
            if count
        ]
        what = f": {' and '.join(holds)}" if holds else ""
        others = len(self._waiting) - 1
        more = f" {others} more {'waits' if others == 1 else 'wait'} after it." if others else ""
        self.text.setText(f"The program ended before its work{of} was saved ({when}{model}){what}.{more}")
        self.show()

    def _take(self, act: Callable[[Recoverable], object]) -> None:
        if self._waiting:
            act(self._waiting.pop(0))
            self._next()

    def _recover(self) -> None:
        if self._keeper.may_be_left():
            self._take(self._keeper.recover)

    def _discard(self) -> None:
        self._take(Recoverable.discard)

    def _later(self) -> None:
        self.close_all()
