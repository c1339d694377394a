"""Progress of one long piece of work, with a button that ends it, beside what started it."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from igm_gui.engine.loop import Job
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import Button

SURE_SECONDS = 1.0  # before that, what is left is a guess


def left_text(progress: float, elapsed: float) -> str:
    """Such as ``42 %``, and once it can be told ``42 % · 0:12``: minutes and seconds that are left."""
    text = f"{progress * 100:.0f} %"
    if elapsed >= SURE_SECONDS and 0.01 < progress < 1:
        left = math.ceil(elapsed * (1 - progress) / progress)
        hours, rest = divmod(left, 3600)
        clock = f"{rest // 60}:{rest % 60:02d}"
        text += f" · {hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f" · {clock}"
    return text


class JobBar(QWidget):
    """Hidden until :meth:`watch` gives it a job; hides again when that ends."""

    busy_changed = Signal(bool)

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._since = 0.0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._label = QLabel()
        self._label.setProperty("role", "quiet")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(48)
        self.bar.setAccessibleName("Progress")
        self.cancel = Button("Cancel", "x", "Stop this. What was not finished is not written.")
        self.cancel.clicked.connect(self._stop)
        for widget in (self.bar, self._label, self.cancel):
            row.addWidget(widget)
        self.hide()
        studio.job_changed.connect(self._on_job)

    @property
    def job(self) -> Job | None:
        """The job that runs, or None."""
        return self._job

    def watch(self, job: Job) -> Job:
        """Show the progress of ``job``."""
        self._job, self._since = job, time.monotonic()
        self.bar.setValue(0)
        self._label.setText("0 %")
        # As wide as it will be: the bar beside it must not jump.
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance("100 % · 00:00"))
        self.setToolTip(f"{job.name}: how much is done, and how long it still takes")
        self.bar.setAccessibleName(job.name)
        self.cancel.setEnabled(True)
        self.show()
        self.busy_changed.emit(True)
        return job

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self.cancel.setEnabled(False)

    def _on_job(self, job: Job) -> None:
        if job is not self._job:
            return
        self.bar.setValue(round(job.progress * 1000))
        self._label.setText(left_text(job.progress, time.monotonic() - self._since))
        if job.done:
            self._job = None
            self.hide()
            self.busy_changed.emit(False)
