"""The Timeline workspace: what comes out on top, saved points beside it, transport and track below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSignalBlocker, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollBar, QSplitter, QVBoxLayout, QWidget

from igm_gui.engine.loop import Job, Work
from igm_gui.gui.commands import Commands
from igm_gui.gui.jobbar import JobBar
from igm_gui.gui.mediaview import MediaView
from igm_gui.gui.saving import ask_file, ask_folder, export_work, tell_written
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.axis import Axis, place_text
from igm_gui.gui.timeline.edits import TimelineEdits
from igm_gui.gui.timeline.empty import EmptyTrack
from igm_gui.gui.timeline.film import FilmChoice
from igm_gui.gui.timeline.menus import TimelineMenus
from igm_gui.gui.timeline.pacing import Pacing
from igm_gui.gui.timeline.player import Player
from igm_gui.gui.timeline.points import PointsPanel
from igm_gui.gui.timeline.sound import TimelineSound
from igm_gui.gui.timeline.track import Track
from igm_gui.gui.timeline.transport import Transport
from igm_gui.gui.widgets import accent_button
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState
from igm_gui.timeline import fitted, strangers

FILMS = {".mp4": "MP4", ".webp": "animated WebP", ".gif": "animated GIF"}


class TimelineWorkspace(QWidget):
    """Keyframes in time. While it is active the studio's playhead is set; leaving it shows the current
    point again and renders nothing more."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._commands = studio, commands
        self._position = 0.0
        self._active = False
        self._pace: tuple[Any, ...] = ()
        self.player = Player(studio, self)
        self.sound = TimelineSound(studio, self.player)
        self.track = Track(studio)
        self.edits = TimelineEdits(studio, self.track, self.player, lambda: self._position)
        self.jobs = JobBar(studio)
        self.pacing = Pacing(studio, self.player, self.jobs)
        self._add_commands()
        self.view = MediaView(studio)
        self.view.painted.connect(studio.painted)
        self.place = QLabel(self.view)
        self.place.setObjectName("overlay")
        self.place.setToolTip("Where the playhead is: frame, keyframes around it, and the way between them")
        self.points = PointsPanel(studio)
        self.transport = Transport(studio, self.player, self.track, commands)
        self.export = accent_button("Export MP4…", "download", "Write the timeline to a file")
        self.more = accent_button("", "chevron-down", commands.tip("timeline.film"))
        self.more.setFixedWidth(30)
        self._scroll = QScrollBar(Qt.Orientation.Horizontal)
        self._scroll.setAccessibleName("Time axis")
        policy = self._scroll.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._scroll.setSizePolicy(policy)
        self._empty = EmptyTrack(self.track, commands)
        self.menus = TimelineMenus(self, studio, commands, self.track, self.player, self._show_media)
        self._build()
        self.export.clicked.connect(self.open_export)
        self.more.clicked.connect(self._show_more)
        self.track.scrubbed.connect(self.player.seek)
        self.track.menu_asked.connect(self.menus.track)
        self.track.axis_changed.connect(self._on_axis)
        self._scroll.valueChanged.connect(self._on_scroll)
        self.points.chosen.connect(self.edits.add_saved)
        self.jobs.busy_changed.connect(self._on_busy)
        studio.rendered.connect(self._on_rendered)
        studio.playhead_changed.connect(self._on_playhead)
        studio.changed.connect(self._on_changed)
        self._on_axis(self.track.axis)
        self._show_media()

    def _build(self) -> None:
        top = QSplitter(Qt.Orientation.Horizontal)
        top.addWidget(self.view)
        top.addWidget(self.points)
        top.setStretchFactor(0, 1)
        top.setSizes([1000, 252])
        top.setChildrenCollapsible(False)
        for widget in (self.jobs, self.export, self.more):
            self.transport.append(widget)
        self.transport.keep_compact(self.export, self.jobs.cancel, spare=(self.jobs.bar,))
        bottom = self.bottom = QWidget()
        bottom.setObjectName("strip")
        bottom.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(bottom)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(0)
        column.addWidget(self.transport)
        column.addWidget(self.track)
        scroll_row = QHBoxLayout()
        scroll_row.setContentsMargins(8, 0, 8, 0)
        scroll_row.addWidget(self._scroll)
        column.addLayout(scroll_row)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(top, 1)
        whole.addWidget(bottom)

    # -- the window's side

    def activate(self) -> None:
        """Show the timeline at the place where it was left."""
        self._active = True
        self._position = min(self._position, self._studio.state.timeline.length)
        self._studio.set_playhead(self._position)
        self.track.set_active(True)
        self.points.set_active(True)
        self._show_media()
        self.view.picture.set_smooth(Settings().chosen("explore/smooth"))
        last = self._studio.last
        if last is not None:
            self._on_rendered(last)

    def deactivate(self) -> None:
        """Stop playing and rendering; the current point comes back."""
        self.player.pause()
        self.view.stop()
        self._active = False
        self.track.set_active(False)
        self.points.set_active(False)
        self._studio.set_playhead(None)

    def toggle_play(self) -> None:
        """Play or pause; says what is missing where there is nothing to play."""
        if not self._studio.state.timeline.keyframes:
            self._studio.say(
                "There is nothing to play yet.", "Press A to add the current point as a keyframe."
            )
            return
        self.player.toggle()

    def open_export(self) -> None:
        """Write what this model makes: an MP4, or a WAV."""
        self._ask_wav() if self._is_sound else self._ask_film(".mp4")

    def set_bare(self, bare: bool) -> None:
        """The picture alone, or everything."""
        for part in (self.points, self.bottom, self.place):
            part.setVisible(not bare)

    # -- exports (a path comes from the person; what is written, and how, is igm_gui.export's)

    @property
    def _is_sound(self) -> bool:
        info = self._studio.session.info
        return info is not None and info.media == "sound"

    def _stem(self) -> str:
        info = self._studio.session.info
        return f"{info.name if info else self._studio.state.model}-timeline"

    def _ask_film(self, ending: str) -> None:
        if self._ready():
            name = FILMS[ending]
            title = f"Export {name.removeprefix('animated ')} · {self._film_text(ending)}"
            kinds = f"{name[0].upper()}{name[1:]} (*{ending})"
            ask_file(self, title, f"{self._stem()}{ending}", kinds, self.export_film)

    def _ask_frames(self) -> None:
        if self._ready():
            ask_folder(self, "Where the PNG sequence goes", self._stem(), self.export_frames)

    def _ask_wav(self) -> None:
        if self._ready():
            title = f"Export WAV · {self._film_text()}"
            ask_file(self, title, f"{self._stem()}.wav", "Sound (*.wav)", self.export_wav)

    def _film_text(self, ending: str = ".mp4") -> str:
        film = FilmChoice.chosen(Settings())
        return film.text(self._studio.session.info, self._studio.state.timeline, ending)

    def _ready(self) -> bool:
        if not self._studio.state.timeline.keyframes:
            self._studio.say("The timeline is empty.", "Add a keyframe first.")
            return False
        return self.jobs.job is None

    def export_film(self, path: Path) -> Job:
        """Write the timeline as an MP4, an animated WebP or a GIF, with progress and a way to cancel."""
        s = self._studio.state
        film = FilmChoice.chosen(Settings()).film(self._studio.session.info, s.timeline, path.suffix.lower())
        return self._run(path, lambda e: e.save_film(path, s.model, s.timeline, s.device, film, s.point))

    def export_frames(self, folder: Path) -> Job:
        """Write ``frame-00000.png`` and so on into ``folder``, at the model's own size."""
        s = self._studio.state
        return self._run(folder, lambda e: e.save_frames(folder, s.model, s.timeline, s.device))

    def export_wav(self, path: Path) -> Job:
        """Write the timeline as sound."""
        s, samples = self._studio.state, FilmChoice.chosen(Settings()).samples
        return self._run(
            path, lambda e: e.save_timeline_sound(path, s.model, s.timeline, s.device, s.point, samples)
        )

    def _run(self, path: Path, make: Callable[[Any], Work]) -> Job:
        self.player.pause()

        def done(job: Job) -> None:
            if job.error is None:
                tell_written(self._studio, path)

        return self.jobs.watch(self._studio.run(f"Export {path.name}", export_work(make), done))

    def _on_busy(self, busy: bool) -> None:
        self.export.setVisible(not busy)
        self.more.setVisible(not busy)

    # -- what comes back

    def _on_rendered(self, result: RenderResult) -> None:
        if self._active and result.request.slot == "main":
            self.view.show_result(result)
            self._put_place()

    def _on_playhead(self, seconds: float) -> None:
        self._position = seconds
        self._put_place()

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "timeline" in changed:
            timeline = state.timeline
            pace = (timeline.fps, timeline.length, timeline.loop, bool(timeline.keyframes))
            if pace != self._pace:
                self._pace = pace
                self.player.retime()
            if self._active and self._position > timeline.length:
                self.player.seek(timeline.length)
            self._put_place()
            self._show_film()
        if changed & {"model", "info"}:
            self._show_media()

    def _show_media(self) -> None:
        self.export.setText("Export WAV…" if self._is_sound else "Export MP4…")
        self.export.setAccessibleName(self.export.text())
        self._show_film()
        self._put_place()

    def _show_film(self) -> None:
        self.export.setToolTip(f"Write the timeline to a file: {self._film_text()}.\nThe arrow changes that.")

    def _put_place(self) -> None:
        text = place_text(self._studio.state.timeline, self._position)
        if self.view.empty and self._studio.state.model:
            text = f"loading {self._studio.state.model}…"
        elif told := self._strangers_text():
            text += f" · {told}"
        self.place.setText(text)
        self.place.adjustSize()
        self.place.move(12, self.view.height() - self.place.height() - 12)
        self.place.raise_()

    def _strangers_text(self) -> str:
        """``key 2 is another model's``: what it shows here is what its seed draws."""
        timeline, info = self._studio.state.timeline, self._studio.session.info
        if fitted(timeline, info) is timeline:
            return ""
        numbers = [str(number) for number in strangers(timeline, info)]
        if len(numbers) == len(timeline.keyframes) > 1:
            return "all keys are another model's"
        if len(numbers) < 2:
            return f"key {numbers[0]} is another model's" if numbers else ""
        return f"keys {', '.join(numbers[:-1])} and {numbers[-1]} are another model's"

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._put_place()

    def _on_axis(self, axis: Axis) -> None:
        blocker = QSignalBlocker(self._scroll)
        self._scroll.setRange(0, round((axis.length - axis.span) * 1000))
        self._scroll.setPageStep(max(1, round(axis.span * 1000)))
        self._scroll.setSingleStep(max(1, round(axis.span * 50)))
        self._scroll.setValue(round(axis.start * 1000))
        self._scroll.setVisible(axis.zoom > 1)
        del blocker

    def _on_scroll(self, value: int) -> None:
        axis = self.track.axis
        self.track.set_axis(axis.scrolled(value / 1000 - axis.start))

    # -- actions

    def _add_commands(self) -> None:
        add = self._commands.add
        add("timeline.play", "Play or pause", self.toggle_play, "Space")
        self.edits.add_commands(self._commands)
        self.pacing.add_commands(self._commands)
        add("timeline.film", "How films are written: shape, size, quality, rounds…", self._show_more)
        for ending, name in FILMS.items():
            ask = partial(self._ask_film, ending)
            add(f"timeline{ending}", f"Export {name}…", ask, enabled=lambda: not self._is_sound)
        add("timeline.frames", "Export PNG sequence…", self._ask_frames, enabled=lambda: not self._is_sound)
        add("timeline.wav", "Export WAV…", self._ask_wav, enabled=lambda: self._is_sound)

    def _show_more(self) -> None:
        self.menus.export(self.more.mapToGlobal(QPoint(0, self.more.height())))
