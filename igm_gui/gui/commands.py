"""Every action of the window by name: shortcuts, the command palette and tooltips come from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class Command:
    """``name`` is for the program (``explore.random``), ``title`` for the person.

    ``scope`` is a workspace's name; the shortcut then works only while that workspace is shown.
    ``words`` are what else a person may call it; the palette finds it by them.
    """

    name: str
    title: str
    callback: Callable[[], object]
    shortcut: str = ""
    group: str = ""
    scope: str = ""
    enabled: Callable[[], bool] | None = None
    words: str = ""


class Commands(QObject):
    """The registry of :class:`Command`.

    A shortcut may be used once in each scope; in a workspace, its own command goes before a general
    one of the same keys. Commands added while a workspace is built belong to it (:meth:`building`).
    """

    changed = Signal()

    def __init__(self, window: QWidget | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}
        self._sources: list[tuple[str, Callable[[], Iterable[Command]]]] = []
        self._scope = ""
        self._default_scope = ""
        self._building = False

    def add(
        self,
        name: str,
        title: str,
        callback: Callable[[], object],
        shortcut: str = "",
        group: str = "",
        scope: str | None = None,
        enabled: Callable[[], bool] | None = None,
        words: str = "",
    ) -> Command:
        """Register a command; one of the same name is replaced. ``shortcut`` is as in QKeySequence
        ("Ctrl+K", "R"), ``group`` a heading of the palette, ``words`` what else it is looked for by."""
        command = Command(
            name,
            title,
            callback,
            shortcut,
            group or name.split(".")[0].capitalize(),
            self._default_scope if scope is None else scope,
            enabled,
            words,
        )
        self._commands[name] = command
        action = self._actions.get(name)
        if action is None:
            action = QAction(self)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.triggered.connect(lambda *_: self.run(name))
            self._actions[name] = action
            if self._window is not None:
                self._window.addAction(action)
        action.setText(title)
        self._deal_shortcuts()
        self.changed.emit()
        return command

    def remove(self, name: str) -> None:
        """Forget a command; nothing happens where there is none."""
        if self._commands.pop(name, None) is None:
            return
        action = self._actions.pop(name)
        if self._window is not None:
            self._window.removeAction(action)
        action.deleteLater()
        self._deal_shortcuts()
        self.changed.emit()

    def add_source(self, source: Callable[[], Iterable[Command]]) -> None:
        """``source`` is asked for more commands whenever the palette opens: what there is to do depends on
        the model and on what was kept. They have no shortcuts and belong to the workspace being built."""
        self._sources.append((self._default_scope, source))

    def momentary(self) -> list[Command]:
        """What the sources offer here and now."""
        return [c for scope, source in self._sources if scope in ("", self._scope) for c in source()]

    def run(self, name: str) -> bool:
        """Run a command; False where it is unknown or can't run now."""
        command = self._commands.get(name)
        if command is None or (command.enabled is not None and not command.enabled()):
            return False
        command.callback()
        return True

    def refresh(self, name: str) -> None:
        """Whether ``name`` can be run has changed: where it can't, its key is left to what has the focus."""
        command = self._commands[name]
        self._actions[name].setEnabled(command.enabled is None or command.enabled())

    def get(self, name: str) -> Command | None:
        return self._commands.get(name)

    def available(self) -> list[Command]:
        """The commands that can be run here and now, in the order they were added."""
        return [
            c
            for c in self._commands.values()
            if c.scope in ("", self._scope) and (c.enabled is None or c.enabled())
        ]

    def tip(self, name: str, text: str = "") -> str:
        """A tooltip: ``text`` (or the title) and the shortcut."""
        command = self._commands[name]
        keys = QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        return f"{text or command.title}  ({keys})" if keys else text or command.title

    @property
    def scope(self) -> str:
        return self._scope

    def set_scope(self, scope: str) -> None:
        """The workspace that is shown now."""
        if scope != self._scope:
            self._scope = scope
            self._deal_shortcuts()
            self.changed.emit()

    @contextmanager
    def building(self, scope: str) -> Iterator[None]:
        """Commands added inside belong to the workspace ``scope``. Their keys are dealt at the end."""
        before = self._default_scope, self._building
        self._default_scope, self._building = scope, True
        try:
            yield
        finally:
            self._default_scope, self._building = before
            self._deal_shortcuts()

    def _deal_shortcuts(self) -> None:
        if self._building:
            return
        # Qt refuses a key that two actions of a window claim, so each goes to one winner.
        winners: dict[str, Command] = {}
        for command in self._commands.values():
            if not command.shortcut or command.scope not in ("", self._scope):
                continue
            key = QKeySequence(command.shortcut).toString()
            rival = winners.get(key)
            if rival is None or (not rival.scope and command.scope):
                winners[key] = command
        holders = {c.name for c in winners.values()}
        for name, action in self._actions.items():
            shortcut = self._commands[name].shortcut if name in holders else ""
            if action.shortcut() != QKeySequence(shortcut):
                action.setShortcut(QKeySequence(shortcut))
