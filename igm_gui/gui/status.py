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
from igm_gui.requests import RenderResult
from igm_gui.session.state import SessionState

SHOW_SECONDS = 0.2  # figures that change faster than this can't be read
IDLE_SECONDS = 1.0
DEVICES = {
    "auto": "Choose by itself",
    "cpu": "CPU",
    "cuda": "NVIDIA or AMD GPU (cuda)",
    "mps": "Apple GPU (mps)",
}
DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


class Rate:
    """Frames per second over the last second; a pause of half a second begins anew."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def tick(self, now: float) -> None:
        """A frame was finished at ``now`` seconds."""
        if self._times and now - self._times[-1] > 0.5:
            self._times.clear()
        self._times.append(now)
        while now - self._times[0] > 1.0:
            self._times.popleft()

    @property
    def value(self) -> float:
        """Frames per second, 0 before there are two."""
        if len(self._times) < 2:
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
        self.model = QLabel()
        self.device = Button("device: …", tip="What computes. Click to choose.")
        self.device.clicked.connect(self._device_menu)
        self.model_time = QLabel()
        self.model_time.setToolTip("Time of the model's forward pass")
        self.total_time = QLabel()
        self.total_time.setToolTip("From the change of an input to painted pixels")
        self.rate = QLabel()
        self.rate.setObjectName("good")
        self.rate.setToolTip("Finished pictures in a second")
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
        self._idle = QTimer(self, singleShot=True, interval=round(IDLE_SECONDS * 1000))
        self._idle.timeout.connect(self._rest)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)
        studio.painted.connect(self.painted)
        studio.job_changed.connect(self._on_job)
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
        self._rate.tick(self._arrived_at)
        self._idle.start()
        self._show_later()

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
        point = self._studio.state.point
        parts = []
        if point.values and self._studio.session.info and self._studio.session.info.latent:
            parts.append(f"seed {point.seed}" if point.seed is not None else "no seed")
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
        rate = self._rate.value
        self.rate.setText(f"{rate:.0f} fps" if rate else "")

    def _rest(self) -> None:
        self.rate.setText("")

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
