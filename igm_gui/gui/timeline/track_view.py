"""What the track shows: the axis, the keyframes with their pictures, the playhead."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from igm_gui.gui import theme
from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline import track_paint
from igm_gui.gui.timeline.axis import Axis, clock, place_text
from igm_gui.gui.timeline.names import going_on
from igm_gui.gui.timeline.thumbs import FilmStrip, KeyThumbs
from igm_gui.gui.timeline.track_paint import HEIGHT, LEFT, RIGHT, RULER, STRIP, Look, key_rect
from igm_gui.gui.widgets.painted import Painted
from igm_gui.session.state import SessionState
from igm_gui.timeline.timeline import Keyframe


class TrackView(Painted):
    """Paints ``studio.state.timeline``; what the person does with it is :class:`Track`."""

    selection_changed = Signal()
    axis_changed = Signal(object)  # Axis

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studio = studio
        self._axis = Axis()
        self._selected: list[str] = []
        self._hovered = ""
        self._follow = True
        self._drop: float | None = None
        self._drop_key = ""
        self._playhead = 0.0
        self._active = False
        ratio = max(1.0, self.devicePixelRatioF())
        self.thumbs = KeyThumbs(studio, round(track_paint.THUMB * ratio), self)
        self.strip = FilmStrip(studio, round(STRIP * ratio), self)
        self.thumbs.changed.connect(self.update)
        self.strip.changed.connect(self.update)
        self.setFixedHeight(int(HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription("Arrows move the playhead or the chosen keyframes, Delete removes them")
        studio.changed.connect(self._on_changed)
        studio.playhead_changed.connect(self.show_playhead)
        self._fit_axis()

    # -- what is shown

    @property
    def axis(self) -> Axis:
        return self._axis

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the selected keyframes; the last one is the one that keys act on."""
        return tuple(self._selected)

    def set_active(self, active: bool) -> None:
        """Render small pictures only while the workspace is seen."""
        self._active = active
        if active:
            self._refresh()
        else:
            self.thumbs.stop()
            self.strip.stop()

    def select(self, ids: Iterable[str]) -> None:
        """Select keyframes; unknown ids are left out."""
        known = {k.id for k in self.studio.state.timeline.keyframes}
        chosen = [id for id in dict.fromkeys(ids) if id in known]
        if chosen != self._selected:
            self._selected = chosen
            self._describe()
            self.selection_changed.emit()
            self.update()

    def set_axis(self, axis: Axis) -> None:
        """Zoom and scroll."""
        axis = axis.clamped()
        if axis != self._axis:
            self._axis = axis
            self._ask_strip()
            self.axis_changed.emit(axis)
            self.update()

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Zoom about pixel ``x``, or about the playhead; a factor of 0 shows everything."""
        if factor <= 0:
            self.set_axis(Axis(self._axis.length, self._axis.width, LEFT))
        else:
            self.set_axis(self._axis.zoomed(factor, self._axis.x(self._playhead) if x is None else x))

    def show_playhead(self, seconds: float) -> None:
        """Move the red line; the view follows it."""
        before = self._axis.x(self._playhead)
        self._playhead = seconds
        if self._follow:
            self.set_axis(self._axis.showing(seconds))
        for x in (before, self._axis.x(seconds)):
            self.update(QRect(int(x) - 9, 0, 19, self.height()))

    def key_at(self, position: QPointF) -> Keyframe | None:
        """The keyframe whose thumbnail is under ``position``; the later one where two overlap."""
        order = sorted(self.studio.state.timeline.keyframes, key=lambda k: (k.id in self._selected, k.time))
        return next((k for k in reversed(order) if key_rect(self._axis, k.time).contains(position)), None)

    def _fit_axis(self) -> None:
        length = self.studio.state.timeline.length
        width = max(self.width() - LEFT - RIGHT, 1.0)
        axis = self._axis
        span = axis.span if axis.zoom > 1 else length  # a zoomed view keeps its scale
        self.set_axis(Axis(length, width, LEFT, max(length / span, 1.0), axis.start))

    def _refresh(self) -> None:
        state = self.studio.state
        if self._active:
            self.thumbs.want(state.model, [k.point for k in state.timeline.keyframes])
            self._ask_strip()
        self.update()

    def _ask_strip(self) -> None:
        if not self._active:
            return
        count = max(1, int(self._axis.width / STRIP))
        step = self._axis.span / count
        self.strip.show(tuple(self._axis.start + (i + 0.5) * step for i in range(count)))

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "timeline" in changed:
            self._fit_axis()
            self.select(self._selected)
            self._describe()
        if changed & {"timeline", "model", "device", "info"}:
            self._refresh()

    def _describe(self) -> None:
        keys = self.studio.state.timeline.keyframes
        places = {k.id: (i, k) for i, k in enumerate(keys, 1)}
        text = f"{len(keys)} keyframes."
        if self._selected:
            number, key = places[self._selected[-1]]
            text = f"Keyframe {number} of {len(keys)} at {clock(key.time)}, {going_on(key)}."
        self.setAccessibleDescription(text)

    # -- painting

    def sizeHint(self) -> QSize:
        return QSize(800, int(HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        state = self.studio.state
        wide = self._axis.width / max(len(self.strip.times), 1)
        look = Look(
            self._axis,
            state.timeline,
            self.width(),
            {k.id: self.thumbs.get(state.model, k.point) for k in state.timeline.keyframes},
            frozenset(self._selected),
            self._hovered,
            self._playhead,
            self.hasFocus(),
            self._drop,
            self._drop_key,
            [(LEFT + i * wide, wide, image) for i, image in enumerate(self.strip.images)]
            if state.timeline.keyframes
            else [],
        )
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme.colour("background"))
        track_paint.paint(painter, look)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_axis()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()

    def tip_at(self, place: QPointF) -> str:
        """What to say about the place under the pointer."""
        state = self.studio.state
        if place.y() < RULER:
            return "Drag to scrub. Ctrl+wheel zooms, the wheel scrolls."
        key = self.key_at(place)
        if key is None:
            at = self._axis.seconds(place.x())
            return f"{clock(at)} · {place_text(state.timeline, at)}\nDouble-click adds a keyframe here."
        number = [k.id for k in state.timeline.keyframes].index(key.id) + 1
        seed = "" if key.point.seed is None else f" · seed {key.point.seed}"
        return (
            f"Key {number} · {clock(key.time)} · {going_on(key)}{seed}\n"
            "Drag to move (Alt: no snapping), Delete removes, right-click for more."
        )
