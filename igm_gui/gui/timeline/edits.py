"""What can be done in the Timeline by name: its commands, and the edits behind them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from igm_gui.gui.commands import Commands
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.names import EASING_NAMES, WAYS
from igm_gui.gui.timeline.player import Player
from igm_gui.gui.timeline.points import tell_stranger
from igm_gui.gui.timeline.track import Track
from igm_gui.session import actions
from igm_gui.timeline import Easing, Way


class TimelineEdits:
    """Acts on the keyframes that are selected on ``track``, and at ``position``, where the playhead stands or
    last stood, in seconds."""

    def __init__(self, studio: Studio, track: Track, player: Player, position: Callable[[], float]) -> None:
        self._studio, self._track, self._player, self._position = studio, track, player, position

    def add_commands(self, commands: Commands) -> None:
        """Name every edit. Called while the workspace is built: so they are its own."""
        add, track, player = commands.add, self._track, self._player
        add("timeline.start", "Go to the start", lambda: player.seek(0.0), "Home")
        add("timeline.end", "Go to the end", lambda: player.seek(self._studio.state.timeline.length), "End")
        add("timeline.loop", "Loop", self._toggle_loop, "L")
        add("timeline.add", "Add the current point as a keyframe", lambda: track.add(self._position()), "A")
        add("timeline.update", "Give the keyframe the current point", self._update_keys, "U")
        add("timeline.edit", "Edit the keyframe's point in Explore", partial(self._edit_key, commands), "E")
        add("timeline.delete", "Delete the keyframe", track.delete, "Del")
        add("timeline.duplicate", "Duplicate the keyframe", track.duplicate, "Ctrl+D")
        add("timeline.next_key", "Next keyframe", lambda: track.step_key(1), "]")
        add("timeline.previous_key", "Previous keyframe", lambda: track.step_key(-1), "[")
        add("timeline.next_frame", "One frame on", lambda: self._step(1), ".")
        add("timeline.previous_frame", "One frame back", lambda: self._step(-1), ",")
        add("timeline.fill", "Start with four random points", self._fill)
        add("timeline.saved", "Start with the saved points of this model", self._fill_from_saved)
        add("timeline.spread", "Spread the keyframes evenly", self._spread)
        for how, name in EASING_NAMES.items():
            add(f"timeline.easing.{how}", f"Keyframe: {name.lower()}", partial(self._ease, how))
        for title, way in WAYS:
            add(f"timeline.way.{way}", f"Keyframe: {title.lower()} to the next", partial(self._go_by, way))
        add("timeline.way.same", "Keyframe: the timeline's way to the next", partial(self._go_by, None))

    def _toggle_loop(self) -> None:
        actions.set_timeline(self._studio.session, loop=not self._studio.state.timeline.loop)

    def _step(self, frames: int) -> None:
        timeline = self._studio.state.timeline
        self._player.seek((timeline.frame_at(self._position()) + frames) / timeline.fps)

    def _fill(self) -> None:
        actions.fill_timeline(self._studio.session)
        self._player.seek(0.0)

    def _fill_from_saved(self) -> None:
        if not actions.saved_here(self._studio.session):
            self._studio.say("No point of this model is saved.", "In Explore, K keeps what is on show.")
            return
        actions.fill_from_saved(self._studio.session)
        self._player.seek(0.0)

    def _spread(self) -> None:
        if actions.spread_keyframes(self._studio.session):
            self._show_selected()

    def _show_selected(self) -> None:
        """The playhead goes with the selected keyframe."""
        key = self._studio.state.timeline.keyframe(self._track.selected[-1]) if self._track.selected else None
        if key is not None:
            self._player.seek(key.time)

    def _chosen(self) -> tuple[str, ...]:
        """The selected keyframes; says what is missing where there is none."""
        if not self._track.selected:
            self._studio.say(
                "No keyframe is selected.", "Click one on the track first, or press ] for the next."
            )
        return self._track.selected

    def _ease(self, how: Easing) -> None:
        actions.set_easing(self._studio.session, self._chosen(), how)

    def _go_by(self, way: Way | None) -> None:
        actions.set_way(self._studio.session, self._chosen(), way)

    def _update_keys(self) -> None:
        if self._chosen():
            actions.update_keyframe(self._studio.session, self._track.selected[-1])

    def _edit_key(self, commands: Commands) -> None:
        id = self._track.selected[-1] if self._track.selected else ""
        key = self._studio.state.timeline.keyframe(id)
        if key is not None:
            actions.go_to(self._studio.session, key.point)
            commands.run("go.explore")

    def add_saved(self, id: str) -> None:
        """A saved point becomes a keyframe at the playhead."""
        saved = next((s for s in self._studio.state.saved if s.id == id), None)
        if saved is not None:
            tell_stranger(self._studio, saved)
            self._track.add(self._position(), saved.point)
