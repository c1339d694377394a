"""Constant pace: measured on the render thread, then one step to undo."""

from __future__ import annotations

from collections.abc import Iterator

from igm_gui.engine.loop import Job
from igm_gui.engine.renderer import Renderer
from igm_gui.gui.commands import Commands
from igm_gui.gui.jobbar import JobBar
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.player import Player
from igm_gui.session import actions
from igm_gui.session.state import SessionState
from igm_gui.timeline import Timeline


class Pacing:
    """Gives the timeline a constant pace, and takes it away; ``jobs`` shows how far the measuring is."""

    def __init__(self, studio: Studio, player: Player, jobs: JobBar) -> None:
        self._studio, self._player, self._jobs = studio, player, jobs

    def add_commands(self, commands: Commands) -> None:
        """Name both. Called while the workspace is built: so they are its own."""
        commands.add(
            "timeline.pace",
            "Constant pace: every second changes as much",
            self.measure,
            enabled=lambda: self._pictures and self._jobs.job is None,
        )
        commands.add(
            "timeline.pace.drop",
            "Pace as the keyframes say",
            lambda: actions.drop_pace(self._studio.session),
            enabled=lambda: any(key.pace for key in self._studio.state.timeline.keyframes),
        )

    @property
    def _pictures(self) -> bool:
        info = self._studio.session.info
        return info is not None and info.media == "image"

    def measure(self) -> Job | None:
        """Render the ways between the keyframes, and set them to one pace. None where there is no way yet."""
        state = self._studio.state
        before = state.timeline
        if len(before.keyframes) < 2:
            self._studio.say("There is no way between keyframes yet.", "Add a second keyframe first.")
            return None
        self._player.pause()
        found: list[Timeline | None] = []

        def work(renderer: Renderer) -> Iterator[float]:
            from igm_gui import export  # its writers are imported on the render thread

            paced = export.Paced()
            yield from export.constant_pace(state.model, before, state.device, paced)(renderer)
            found.append(paced.timeline)

        def done(job: Job) -> None:
            if job.error is None and found and found[0] is not None:
                self._take(state, found[0])

        return self._jobs.watch(self._studio.run("Constant pace", work, done))

    def _take(self, before: SessionState, paced: Timeline) -> None:
        """``paced``, measured on the model and timeline of ``before``, where both are there still."""
        now = self._studio.state
        if (now.model, now.timeline) != (before.model, before.timeline):
            what = "model" if now.model != before.model else "timeline"
            self._studio.say(f"The {what} was changed meanwhile: no pace was set.", "Try it again.")
        elif self._studio.session.update(timeline=paced):
            self._studio.say(
                "Every second changes as much as any other now.", "Undo brings the times before back.", "good"
            )
        else:
            self._studio.say("Every second changes as much as any other already.")
