"""Says once that a latent set by hand went along to another model, where its numbers mean something else."""

from __future__ import annotations

from PySide6.QtCore import QObject

from igm_gui.gui.studio import Studio
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState


class CarriedNote(QObject):
    """A seed stands for a point of every model, so nothing is said of those."""

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._before: SessionState | None = None
        self._told = False
        studio.rendered.connect(self._on_rendered)

    def _on_rendered(self, result: RenderResult) -> None:
        if self._told or result.request.slot != "main" or result.media is None:
            return
        before, state, info = self._before, self._studio.state, self._studio.session.info
        self._before = state
        spec = info.latent if info is not None else None
        if before is None or before.model == state.model or info is None or spec is None:
            return
        held = before.point.get(spec.name)
        by_hand = before.point.seed is None and isinstance(held, Vector)
        if by_hand and state.point.get(spec.name) == held:
            self._told = True
            self._studio.say(
                f"{info.title or info.name} has as many numbers in {spec.name}, and got the same ones.",
                "What each does there is its own. R draws others.",
            )
