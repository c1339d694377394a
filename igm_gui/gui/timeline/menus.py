"""The menus of the timeline: what can be done with a keyframe, with a moment, and how a film is written."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.film import FilmChoice, FilmMenu
from igm_gui.gui.timeline.names import EASING_NAMES, WAYS
from igm_gui.gui.timeline.player import Player
from igm_gui.gui.timeline.track import Track
from igm_gui.session import actions


class TimelineMenus:
    """Builds them for ``parent``; what they do goes through the session and the commands."""

    def __init__(
        self,
        parent: QWidget,
        studio: Studio,
        commands: Commands,
        track: Track,
        player: Player,
        film_changed: object = None,
    ) -> None:
        self._parent, self._studio, self._commands = parent, studio, commands
        self._track, self._player = track, player
        self._film = FilmMenu(Settings(), film_changed if callable(film_changed) else lambda: None)

    def export(self, where: QPoint) -> QMenu:
        """Ways to write the timeline, and how films are written."""
        info, timeline = self._studio.session.info, self._studio.state.timeline
        menu = self._new()
        sound = info is not None and info.media == "sound"
        films = ("timeline.mp4", "timeline.webp", "timeline.gif", "timeline.frames")
        for name in ("timeline.wav",) if sound else films:
            self._entry(menu, name)
        menu.addSeparator()
        menu.addAction(FilmChoice.chosen(Settings()).text(info, timeline)).setEnabled(False)
        self._film.fill(menu, info, timeline)
        menu.popup(where)
        return menu

    def track(self, where: QPoint, id: str, seconds: float) -> QMenu:
        """What can be done with keyframe ``id``, or with a moment where it is empty."""
        menu = self._new()
        if id:
            self._keyframe(menu)
        else:
            menu.addAction("Add the current point here", lambda: self._track.add(seconds))
            if self._studio.state.timeline.keyframes:
                menu.addAction("Add the point between here", lambda: self._track.add_between(seconds))
            menu.addAction("Move the playhead here", lambda: self._player.seek(seconds))
            menu.addSeparator()
            self._entry(menu, "timeline.saved")
            self._entry(menu, "timeline.fill")
            self._entry(menu, "timeline.spread")
            self._entry(menu, "timeline.pace")
            self._entry(menu, "timeline.pace.drop")
        menu.popup(where)
        return menu

    def _keyframe(self, menu: QMenu) -> None:
        session, track = self._studio.session, self._track
        keys = [k for k in self._studio.state.timeline.keyframes if k.id in track.selected]
        for name in ("timeline.update", "timeline.edit", "timeline.duplicate"):
            self._entry(menu, name)
        easing = menu.addMenu("Easing to the next")
        for how, title in EASING_NAMES.items():
            entry = easing.addAction(title, lambda how=how: actions.set_easing(session, track.selected, how))
            entry.setCheckable(True)
            entry.setChecked({k.easing for k in keys} == {how})
        way = menu.addMenu("Way to the next")
        names = (("As the timeline", None), *WAYS)
        for title, value in names:
            entry = way.addAction(title, lambda value=value: actions.set_way(session, track.selected, value))
            entry.setCheckable(True)
            entry.setChecked({k.way for k in keys} == {value})
        menu.addSeparator()
        self._entry(menu, "timeline.delete")

    def _new(self) -> QMenu:
        menu = QMenu(self._parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _entry(self, menu: QMenu, name: str) -> None:
        command = self._commands.get(name)
        if command is not None:
            entry = menu.addAction(command.title, lambda: self._commands.run(name))
            entry.setShortcut(command.shortcut)
            entry.setEnabled(command.enabled is None or command.enabled())
