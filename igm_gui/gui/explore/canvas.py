"""The middle of Explore: the picture (or the sound's view) with what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from igm_gui.engine.loop import Job
from igm_gui.gui.commands import Commands
from igm_gui.gui.dialogs import ask_save
from igm_gui.gui.explore.opening import OpeningNote
from igm_gui.gui.saving import export_work, tell_written
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.widgets.buttons import Button, accent_button
from igm_gui.gui.widgets.compact import CompactRow
from igm_gui.gui.widgets.picture import PictureView
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from igm_gui.session.state import SessionState

if TYPE_CHECKING:
    from igm_gui.gui.sound.view import SoundView

WANDER = "Wander"


class Canvas(QWidget):
    """Shows the newest result of the main slot; sound goes to the sound view, made when first needed."""

    def __init__(
        self, studio: Studio, commands: Commands, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._studio = studio
        self._commands = commands
        self._settings = settings
        self.sound_view: SoundView | None = None
        self._bare = False
        self.picture = PictureView()
        self.picture.setAcceptDrops(False)
        self.picture.set_smooth(settings.chosen("explore/smooth"))
        self.picture.view_changed.connect(self._show_view)
        self.picture.painted.connect(studio.painted)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.picture)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.tools = self._toolbar()
        column.addWidget(self.tools)
        column.addWidget(self.stack, 1)
        self.view_button = Button("", parent=self.picture, tip="How the picture is shown")
        self.view_button.setObjectName("overlay")
        self.view_button.clicked.connect(self._view_menu)
        self._add_commands()
        studio.rendered.connect(self._on_rendered)
        studio.changed.connect(self._on_changed)
        self.show_wandering(False)
        self._show_media()
        if studio.last is not None:
            self._on_rendered(studio.last)
        self._show_view()
        self.opening = OpeningNote(studio, self)

    def _toolbar(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(10, 9, 10, 3)
        row.setSpacing(5)
        self.wander = Button(WANDER, "sparkles")
        self.wander.clicked.connect(lambda: self._commands.run("explore.wander"))
        row.addWidget(self.wander)
        row.addStretch(1)
        self.keep = Button("Keep", "star")
        self.keyframe = Button("Keyframe", "plus")
        self.copy = Button("Copy", "copy")
        self.save = accent_button("Save PNG", "download")
        for button, name in (
            (self.keep, "explore.keep"),
            (self.keyframe, "explore.keyframe"),
            (self.copy, "explore.copy"),
            (self.save, "explore.save"),
        ):
            button.clicked.connect(lambda _=False, name=name: self._commands.run(name))
            row.addWidget(button)
        CompactRow(tools, (self.wander, self.copy, self.keyframe, self.keep))
        return tools

    def _add_commands(self) -> None:
        add = self._commands.add
        add("explore.keep", "Keep this point", self._keep, "K")
        add("explore.keyframe", "Add a keyframe at the end of the timeline", self._add_keyframe, "Shift+K")
        add("explore.copy", "Copy the picture", self.copy_picture, "Ctrl+C")
        add("explore.save", "Save the picture or sound…", self.ask_save, "Ctrl+E", "Export")
        add("explore.fit", "Fit the picture", self.picture.fit, "Ctrl+0", "View")
        add("explore.actual", "Picture at 1:1", self.picture.actual_size, "Ctrl+1", "View")
        add("explore.smooth", "Smooth or exact pixels", self._toggle_smooth, "P", "View")
        self.keep.setToolTip(self._commands.tip("explore.keep"))
        self.keyframe.setToolTip(self._commands.tip("explore.keyframe"))
        self.copy.setToolTip(self._commands.tip("explore.copy"))
        self.save.setToolTip(self._commands.tip("explore.save", "Save, with what made it in the file"))

    # -- showing

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if changed & {"model", "info"}:
            self._show_media()

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot != "main":
            return
        if result.info is not None and result.media is not None and result.info.media == "image":
            self.picture.set_picture(result.media[0])

    def _show_media(self) -> None:
        info = self._studio.session.info
        sound = info is not None and info.media == "sound"
        if sound and self.sound_view is None:
            from igm_gui.gui.sound.view import SoundView

            with self._commands.building("explore"):
                self.sound_view = SoundView(self._studio, self._commands)
            self.stack.addWidget(self.sound_view)
            row = self.tools.layout()
            assert isinstance(row, QHBoxLayout)
            row.insertWidget(0, self.sound_view.transport)  # one line of buttons, not two
        if sound and self.sound_view is not None:
            self.stack.setCurrentWidget(self.sound_view)
        else:
            self.stack.setCurrentWidget(self.picture)
        if self.sound_view is not None:
            self.sound_view.transport.setVisible(sound)
        self.copy.setVisible(not sound)
        self.wander.setVisible(not sound and info is not None and info.latent is not None)
        self.save.setText("Save WAV" if sound else "Save PNG")
        self.save.setAccessibleName(self.save.text())

    def show_wandering(self, running: bool) -> None:
        """Say on the button that the point moves by itself, and what ends that."""
        self.wander.setText("Stop wandering" if running else WANDER)
        self.wander.setAccessibleName(self.wander.text())
        self.wander.set_icon("square" if running else "sparkles")
        self.wander.setToolTip(
            "The latent moves by itself, from one random place to the next, to show what the model makes.\n"
            "Click or press Space to stop; so does anything you change."
            if running
            else "Let the latent move by itself from one random place to the next (Space)\n"
            "Locked dimensions stay. All of it is one step to undo."
        )

    def _show_view(self) -> None:
        text = self.picture.info_text()
        self.view_button.setText(f"{text} ▾" if text else "")
        self.view_button.setVisible(bool(text) and not self._bare)
        self._place()

    def set_bare(self, bare: bool) -> None:
        """The picture with nothing over it, or all that belongs to it."""
        self._bare = bare
        self.tools.setHidden(bare)
        self._show_view()

    def _place(self) -> None:
        self.view_button.adjustSize()
        self.view_button.move(12, self.picture.height() - self.view_button.height() - 10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()
        self.opening.place()

    def _view_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in ("explore.fit", "explore.actual", "explore.smooth", "view.full"):
            command = self._commands.get(name)
            if command is not None:
                title = command.title
                if name == "explore.smooth":
                    title = "Exact pixels" if self.picture.smooth else "Smooth"
                menu.addAction(f"{title}\t{command.shortcut}", command.callback)
        for zoom in (2, 4, 8, 16):
            menu.addAction(f"{zoom}00 %", lambda zoom=zoom: self.picture.set_zoom(float(zoom)))
        size = menu.sizeHint()
        menu.popup(self.view_button.mapToGlobal(QPoint(0, -size.height() - 2)))

    def _toggle_smooth(self) -> None:
        self.picture.set_smooth(not self.picture.smooth)
        self._settings.put("explore/smooth", self.picture.smooth)

    # -- what the person does

    def _keep(self) -> None:
        state = self._studio.state
        if not state.point.values:
            return
        for saved in state.saved:
            if saved.model == state.model and saved.point == state.point:
                # A second thumbnail of the same would only have to be deleted.
                self._studio.notice.emit(Notice(f"This point is kept already: {saved.name}."))
                return
        actions.keep(self._studio.session)

    def _add_keyframe(self) -> None:
        """Behind the last keyframe; the timeline grows where that is beyond its end."""
        if not self._studio.state.point.values:
            return
        seconds = actions.append_keyframe(self._studio.session)
        count = len(self._studio.state.timeline.keyframes)
        self._studio.say(f"Keyframe {count} at {seconds:g} s.", "Play them in Timeline (2).")

    def copy_picture(self) -> None:
        """Put the picture on the clipboard at its own size."""
        if not self.picture.picture_size.isEmpty():
            QGuiApplication.clipboard().setImage(self.picture.image())
            self._studio.say("Copied the picture.")

    def ask_save(self) -> None:
        """Ask for a file and write the current picture or sound with its recipe."""
        info = self._studio.session.info
        if info is None:
            return
        seed = self._studio.state.point.seed
        name = f"{info.name}-{seed}" if seed is not None else info.name
        kind = "PNG picture (*.png)" if info.media == "image" else "WAV sound (*.wav)"
        title = "Save the picture" if info.media == "image" else "Save the sound"
        ending = ".png" if info.media == "image" else ".wav"
        ask_save(self, self._settings, "export", title, name + ending, kind, self.save_to)

    def save_to(self, path: Path) -> Job | None:
        """Write the current picture or sound to ``path`` on the render thread."""
        info, state = self._studio.session.info, self._studio.state
        if info is None:
            return None
        work = export_work(
            lambda export: (export.save_picture if info.media == "image" else export.save_sound)(
                path, state.model, state.point, state.device
            )
        )

        def done(job: Job) -> None:
            if job.error is None:
                tell_written(self._studio, path)

        return self._studio.run(f"Save {path.name}", work, done)
