"""The status line: model, latent, device, times, frames per second; seed and autosave."""

from __future__ import annotations

import time
from collections import deque

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QWidget

from igm_gui.engine.loop import Job
from igm_gui.gui import theme
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState

SHOW_SECONDS = 0.2  # figures that change faster than this can't be read
IDLE_SECONDS = 1.0
PAUSE = 0.25  # seconds without a picture after which those before are another matter
FEWEST = 5  # pictures one after the other make a rate
FLUENT = 24.0  # a second: as many pictures are seen as a movement
DEVICES = {
    "auto": "Choose by itself",
    "cpu": "CPU",
    "cuda": "NVIDIA or AMD GPU (cuda)",
    "mps": "Apple GPU (mps)",
}
DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


class Rate:
    """Pictures per second over the last second, while one follows the other."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def tick(self, now: float, took: float = 0.0) -> None:
        """A picture was finished at ``now`` seconds, made in ``took``. One that was not asked for soon after
        the one before begins anew: its rate would be that of the person's key presses."""
        if self._times and now - self._times[-1] > PAUSE + took:
            self._times.clear()
        self._times.append(now)
        while now - self._times[0] > 1.0 and len(self._times) > FEWEST:
            self._times.popleft()

    def clear(self) -> None:
        """What comes next has nothing to do with what was."""
        self._times.clear()

    @property
    def value(self) -> float:
        """Pictures per second, 0 before there are enough of them to tell."""
        if len(self._times) < FEWEST:
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-6)


class StatusLine(QWidget):
    """Figures change with results, five times a second at most; at rest nothing runs."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.dress(self)
        self.setObjectName("statusBar")
        self.setFixedHeight(26)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._studio = studio
        self._rate = Rate()
        self._last: RenderResult | None = None
        self._painted_seconds = 0.0
        self._painted_model = ""
        self._arrived_at = 0.0
        self._shown_at = 0.0
        self._wanted = 0.0  # pictures per second that are aimed at while something plays
        self.model = QLabel()
        self.device = Button("device: …", tip="What computes. Click to choose.")
        self.device.clicked.connect(self._device_menu)
        self.model_time = QLabel()
        self.model_time.setToolTip("Time of the model's forward pass")
        self.total_time = QLabel()
        self.total_time.setToolTip("From the change of an input to painted pixels")
        self.rate = QLabel()
        self.job = QLabel()
        self.job.setToolTip("A long piece of work; where it was started it can be cancelled")
        self.job.hide()
        self.point = QLabel()
        self.saved = QLabel()
        self.saved.setToolTip("Changes are kept every few seconds, and offered again after a crash")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(14)
        for widget in (self.model, self.device, self.model_time, self.total_time, self.rate):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.job)
        row.addWidget(self.point)
        row.addWidget(self.saved)
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._show)
        self._idle = QTimer(self, singleShot=True)
        self._idle.timeout.connect(self._rest)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)
        studio.painted.connect(self.painted)
        studio.job_changed.connect(self._on_job)
        studio.pace_changed.connect(self._on_pace)
        studio.playhead_changed.connect(self._show_later)
        self._on_changed(studio.state, frozenset({"model", "point"}))

    def painted(self) -> None:
        """The newest picture has been painted: end-to-end time is known."""
        last = self._studio.last
        model = last.request.model if last is not None else ""
        if model != self._painted_model:
            # The first picture of a model carries its loading.
            self._painted_model, self._painted_seconds = model, 0.0
        elif self._studio.asked_at:
            now = time.perf_counter()
            # A picture that came while it could not be seen is painted whenever it is shown again.
            if now - self._arrived_at < IDLE_SECONDS:
                self._painted_seconds = now - self._studio.asked_at

    def set_saved(self, text: str) -> None:
        """What the autosave says."""
        self.saved.setText(text)

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "model" in changed:
            self._painted_seconds = 0.0  # the figure was another model's
            self.total_time.setText("")
        if changed & {"model", "info"}:
            info = self._studio.session.info
            name = info.name if info else state.model.replace("\\", "/").rsplit("/", 1)[-1]
            latent = info.latent_text if info else ""
            self.model.setText(f"{name} · {latent}" if latent else name or "no model")
        if changed & {"model", "point", "info"}:
            self._show_later()

    def _on_rendered(self, result: RenderResult) -> None:
        if result.request.slot != "main" or result.media is None:
            return
        self._last = result
        self._arrived_at = time.perf_counter()
        self._rate.tick(self._arrived_at, result.render_seconds)
        self._idle.start(round(1000 * (IDLE_SECONDS + result.render_seconds)))
        self._show_later()

    def _on_pace(self, wanted: float) -> None:
        self._wanted = wanted
        self._rate.clear()
        self._show_rate()

    def _on_job(self, _job: Job) -> None:
        """The work that runs, from whatever workspace it was started."""
        job = next((job for job in self._studio.jobs if not job.done), None)
        self.job.setVisible(job is not None)
        if job is not None:
            name = job.name if len(job.name) <= 40 else f"{job.name[:37]}…"
            text = f"{name} · {job.progress * 100:.0f} %"
            if text != self.job.text():
                self.job.setText(text)

    def _show_later(self) -> None:
        if not self._soon.isActive():
            wait = self._shown_at + SHOW_SECONDS - time.perf_counter()
            self._soon.start(max(0, round(wait * 1000)))

    def _show(self) -> None:
        self._shown_at = time.perf_counter()
        point = self._point()
        parts = []
        if point.values and self._studio.session.info and self._studio.session.info.latent:
            parts.append(self._seed_text(point))
        if point.get("truncation") is not None:
            parts.append(f"ψ {point.scalar('truncation'):.2f}")
        self.point.setText(" · ".join(parts))
        result = self._last
        if result is None:
            return
        self.device.setText(f"device: {DEVICE_NAMES.get(result.device, result.device)}")
        self.model_time.setText(f"model {milliseconds(result.model_seconds)}")
        if self._painted_seconds:
            self.total_time.setText(f"end-to-end {milliseconds(self._painted_seconds)}")
        self._show_rate()

    def _point(self) -> LatentPoint:
        """The one on show: the current one, or the timeline's at the playhead."""
        points = self._studio.session.request(at=self._studio.playhead).points
        return points[0] if points else self._studio.state.point

    def _seed_text(self, point: LatentPoint) -> str:
        """``seed 7``, and on the way from one keyframe to the next ``seed 7 → 12``."""
        if point.seed is not None:
            return f"seed {point.seed}"
        at, timeline = self._studio.playhead, self._studio.state.timeline
        if at is not None and timeline.keyframes:
            seeds = [timeline.keyframes[i].point.seed for i in timeline.segment(timeline.wrapped(at))[:2]]
            if None not in seeds and seeds[0] != seeds[1]:
                return f"seed {seeds[0]} → {seeds[1]}"
        return "no seed"

    def _show_rate(self) -> None:
        """Green where it is as quick as it should be: as a film, or as the timeline that plays."""
        rate, wanted = self._rate.value, self._wanted
        text = f"{rate:.0f} fps" if rate else ""
        fluent = rate >= 0.9 * (wanted or FLUENT)
        if rate and wanted and not fluent:
            text = f"{rate:.0f} of {wanted:g} fps"
        self.rate.setText(text)
        self.rate.setToolTip(
            "Pictures finished in a second" + (f"; the timeline wants {wanted:g}" if wanted else "")
        )
        role = "good" if fluent else "quiet"
        if role != self.rate.property("role"):
            self.rate.setProperty("role", role)
            self.rate.style().unpolish(self.rate)
            self.rate.style().polish(self.rate)

    def _rest(self) -> None:
        self._rate.clear()
        self._show_rate()

    def _device_menu(self) -> None:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for name, title in DEVICES.items():
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(name == self._studio.state.device)
            action.triggered.connect(lambda _=False, name=name: self._studio.session.update(device=name))
            group.addAction(action)
        # Windows are made rarely enough; the menu goes with its popup.
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.device.mapToGlobal(QPoint(0, -menu.sizeHint().height())))


def milliseconds(seconds: float) -> str:
    """``4.9 ms``, ``120 ms``, ``2.1 s``."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    ms = seconds * 1000
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"
