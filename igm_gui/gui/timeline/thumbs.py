"""The small pictures on the track: one of each keyframe, and a film strip of the way between."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import media_image
from igm_gui.latent.point import LatentPoint
from igm_gui.requests import RenderResult
from igm_gui.timeline import fitted

KEPT = 400
# The strip waits until a drag has paused for this long.
STRIP_DELAY_MS = 160


class KeyThumbs(QObject):
    """Pictures of points of the current model, kept by point; what is missing is rendered once."""

    changed = Signal()

    def __init__(self, studio: Studio, side: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._side = side
        self._kept: OrderedDict[tuple[str, LatentPoint], QImage] = OrderedDict()
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._take)
        self._pieces.finished.connect(self._more)
        self._asked: list[LatentPoint] = []
        self._wanted: list[LatentPoint] = []
        self._model = ""

    def want(self, model: str, points: list[LatentPoint]) -> None:
        """See that ``points`` of ``model`` get their pictures."""
        if model != self._model:
            self._pieces.stop()
            self._model, self._asked = model, []
        self._wanted = [p for p in dict.fromkeys(points) if (model, p) not in self._kept]
        if not self._pieces.running:
            self._more()

    def get(self, model: str, point: LatentPoint) -> QImage | None:
        """The picture of ``point``, or None while it is not there."""
        return self._kept.get((model, point))

    def stop(self) -> None:
        """Render nothing more; the next :meth:`want` goes on."""
        self._pieces.stop()
        self._wanted = []

    def _more(self) -> None:
        self._asked = [p for p in self._wanted if (self._model, p) not in self._kept]
        if self._asked:
            self._pieces.start(self._model, len(self._asked), lambda i: self._asked[i], self._side)

    def _take(self, first: int, result: RenderResult) -> None:
        for i in range(len(result.request.points)):
            key = (self._model, self._asked[first + i])
            self._kept[key] = media_image(result, i, self._side)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.changed.emit()


class FilmStrip(QObject):
    """Pictures of moments of the timeline, to lie side by side under the keyframes."""

    changed = Signal()

    def __init__(self, studio: Studio, side: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._side = side
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._take)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STRIP_DELAY_MS)
        self._timer.timeout.connect(self._begin)
        self._key: tuple[object, ...] = ()
        self._model = ""
        self.times: tuple[float, ...] = ()
        self.images: list[QImage | None] = []

    def show(self, times: tuple[float, ...]) -> None:
        """Fill the strip with the timeline at ``times``; what has not changed is not rendered again."""
        state = self._studio.state
        key = (state.model, state.device, state.timeline, times)
        if key == self._key:
            return
        self._key = key
        if times != self.times or state.model != self._model:  # another model's pictures go at once
            self._model = state.model
            self.times, self.images = times, [None] * len(times)
            self.changed.emit()
        self._timer.start()

    def stop(self) -> None:
        """Render nothing more; what is unfinished is asked for again at the next :meth:`show`."""
        if self._timer.isActive() or self._pieces.running:
            self._key = ()
        self._timer.stop()
        self._pieces.stop()

    def _begin(self) -> None:
        state, times = self._studio.state, self.times
        if not state.timeline.keyframes:
            self._pieces.stop()
            self.images = [None] * len(times)
            self.changed.emit()
            return
        timeline = fitted(state.timeline, self._studio.session.info)
        self._pieces.start(state.model, len(times), lambda i: timeline.sample(times[i]), self._side)

    def _take(self, first: int, result: RenderResult) -> None:
        for i in range(len(result.request.points)):
            self.images[first + i] = media_image(result, i, self._side)
        self.changed.emit()
