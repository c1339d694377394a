"""The track: keyframes to select, drag and drop, a ruler to scrub, an axis to zoom."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.axis import snapped
from igm_gui.gui.timeline.points import tell_stranger
from igm_gui.gui.timeline.track_paint import RULER, STRIP, STRIP_TOP, key_rect
from igm_gui.gui.timeline.track_view import TrackView
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from igm_gui.latent.point import LatentPoint
from igm_gui.session import actions
from igm_gui.timeline import fitted

DRAG_FROM = 4.0
_drags = itertools.count()


class Track(TrackView):
    """Shows ``studio.state.timeline`` and changes it as the person does.

    Click a keyframe to go to it (Ctrl or Shift for several), drag to move with snapping (Alt: only to
    frames), double click an empty place to add the point of that moment. In the ruler, drag to
    scrub. Ctrl+wheel zooms, the wheel scrolls.
    """

    scrubbed = Signal(float)
    menu_asked = Signal(object, str, float)  # QPoint (global), keyframe's id or "", seconds

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self._press: QPointF | None = None
        self._grabbed = ""
        self._moving: dict[str, float] = {}  # times before the drag
        self._still = 0.0  # the playhead before the drag
        self._merge = ""
        self._scrubbing = False
        self.setMouseTracking(True)
        self.setAcceptDrops(True)

    # -- pointer

    def _snap(self, seconds: float, on: bool = True) -> float:
        """Scrubbing finds the keyframes, a keyframe that is dragged the place where the playhead was."""
        timeline = self.studio.state.timeline
        marks = [self._still] if self._moving else [k.time for k in timeline.keyframes]
        return snapped(self._axis, timeline.fps, seconds, marks, on=on)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        position = event.position()
        self._press, self._follow = position, False
        self._still = self._playhead
        key = self.key_at(position) if position.y() >= RULER else None
        many = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        if key is None:
            if not many:
                self.select(())
            self._scrubbing = True
            self._scrub(position.x(), event.modifiers())
        elif many:
            others = [id for id in self._selected if id != key.id]
            self.select(others if key.id in self._selected else [*others, key.id])
        else:
            self._grabbed = key.id
            if key.id not in self._selected:
                self.select([key.id])
            else:
                self.select([*(id for id in self._selected if id != key.id), key.id])
            self.scrubbed.emit(key.time)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if self._scrubbing:
            self._scrub(position.x(), event.modifiers())
        elif self._grabbed and self._press is not None:
            if self._moving or abs(position.x() - self._press.x()) >= DRAG_FROM:
                self._drag(position.x(), not event.modifiers() & Qt.KeyboardModifier.AltModifier)
        else:
            key = self.key_at(position)
            hovered = key.id if key else ""
            if hovered != self._hovered:
                self._hovered = hovered
                self.update()
            shape = Qt.CursorShape.PointingHandCursor if key else Qt.CursorShape.ArrowCursor
            self.setCursor(Qt.CursorShape.SplitHCursor if position.y() < RULER else shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            if self._grabbed and not self._moving and self._press is not None and not event.modifiers():
                self.select([self._grabbed])
            self._let_go()

    def _let_go(self) -> None:
        self._press, self._grabbed, self._scrubbing, self._moving = None, "", False, {}
        self._follow = True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if event.button() != Qt.MouseButton.LeftButton or position.y() < RULER:
            return
        if self.key_at(position) is None and position.y() < STRIP_TOP + STRIP:
            self.add_between(self._snap(self._axis.seconds(position.x())))

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = ""
        self.update()
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            key = self.studio.state.timeline.keyframe(self._selected[-1]) if self._selected else None
            at = key.time if key else self._playhead
            spot = key_rect(self._axis, at).center().toPoint()
            self.menu_asked.emit(self.mapToGlobal(spot), key.id if key else "", at)
            return
        position = QPointF(event.pos())
        key = self.key_at(position)
        if key is not None and key.id not in self._selected:
            self.select([key.id])
        at = key.time if key else self._snap(self._axis.seconds(position.x()))
        self.menu_asked.emit(event.globalPos(), key.id if key else "", at)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.2 ** (delta.y() / 120), event.position().x())
        else:
            steps = (delta.x() or delta.y()) / 120
            self.set_axis(self._axis.scrolled(-steps * self._axis.span * 0.1))
        event.accept()

    def event(self, event: QEvent) -> bool:
        zooms = Qt.NativeGestureType.ZoomNativeGesture
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == zooms:
            self.zoom(1.0 + event.value(), event.position().x())
            return True
        return super().event(event)

    def _scrub(self, x: float, modifiers: Qt.KeyboardModifier) -> None:
        on = not modifiers & Qt.KeyboardModifier.AltModifier
        self.scrubbed.emit(self._snap(self._axis.seconds(x), on))

    def _drag(self, x: float, snap: bool) -> None:
        assert self._press is not None
        timeline = self.studio.state.timeline
        if not self._moving:
            self._merge = f"keyframe drag {next(_drags)}"
            chosen = [k for k in timeline.keyframes if k.id in self._selected]
            self._moving = {k.id: k.time for k in chosen}
        start = self._moving[self._grabbed]
        wanted = start + (x - self._press.x()) / self._axis.scale
        shift = self._snap(wanted, snap) - start
        # A group keeps its shape: it stops when its first or last reaches an end.
        shift = min(max(shift, -min(self._moving.values())), timeline.length - max(self._moving.values()))
        moved = {id: time + shift for id, time in self._moving.items()}
        actions.move_keyframes(self.studio.session, moved, self._merge)
        now = self.studio.state.timeline.keyframe(self._grabbed)
        if now is not None:
            self.scrubbed.emit(now.time)

    # -- keys

    _KEYS = frozenset(
        {
            Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home,
            Qt.Key.Key_End, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Plus, Qt.Key.Key_Equal,
            Qt.Key.Key_Minus, Qt.Key.Key_0, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter,
        }
    )  # fmt: skip

    def claims(self, event: QKeyEvent) -> bool:
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control:
            return event.key() in (Qt.Key.Key_A, Qt.Key.Key_D)
        return Qt.Key(event.key()) in self._KEYS

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, key = Qt.Key, Qt.Key(event.key())
        timeline = self.studio.state.timeline
        ids = [k.id for k in timeline.keyframes]
        step = (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1) / timeline.fps
        if not self.claims(event):
            super().keyPressEvent(event)
        elif key == keys.Key_A:
            self.select(ids)
        elif key == keys.Key_D:
            self.duplicate()
        elif key in (keys.Key_Left, keys.Key_Right):
            self.nudge(step if key == keys.Key_Right else -step)
        elif key in (keys.Key_Up, keys.Key_Down):
            self.step_key(1 if key == keys.Key_Down else -1)
        elif key in (keys.Key_Home, keys.Key_End):
            self.scrubbed.emit(0.0 if key == keys.Key_Home else timeline.length)
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self.delete()
        elif key == keys.Key_Escape:
            self._escape()
        elif key in (keys.Key_Return, keys.Key_Enter):
            self.add_between(self._playhead)
        else:
            self.zoom({keys.Key_Minus: 1 / 1.5, keys.Key_0: 0.0}.get(key, 1.5))

    def _escape(self) -> None:
        if self._moving:
            actions.move_keyframes(self.studio.session, self._moving, self._merge)
            self._let_go()
        else:
            self.select(())

    def nudge(self, seconds: float) -> None:
        """Move what is selected, or else the playhead."""
        timeline = self.studio.state.timeline
        chosen = {k.id: k.time for k in timeline.keyframes if k.id in self._selected}
        if not chosen:
            at = round((self._playhead + seconds) * timeline.fps) / timeline.fps
            self.scrubbed.emit(min(max(at, 0.0), timeline.length))
            return
        seconds = min(max(seconds, -min(chosen.values())), timeline.length - max(chosen.values()))
        moved = {id: time + seconds for id, time in chosen.items()}
        actions.move_keyframes(self.studio.session, moved, f"nudge {','.join(sorted(chosen))}")
        last = self.studio.state.timeline.keyframe(self._selected[-1])
        if last is not None:
            self.scrubbed.emit(last.time)

    def step_key(self, by: int) -> None:
        """Select the next or the previous keyframe and go to it."""
        keys = self.studio.state.timeline.keyframes
        if not keys:
            return
        ids = [k.id for k in keys]
        if self._selected:
            index = min(max(ids.index(self._selected[-1]) + by, 0), len(ids) - 1)
        elif by > 0:
            index = next((i for i, k in enumerate(keys) if k.time > self._playhead + 1e-6), len(ids) - 1)
        else:
            earlier = [i for i, k in enumerate(keys) if k.time < self._playhead - 1e-6]
            index = earlier[-1] if earlier else 0
        self.select([ids[index]])
        self.scrubbed.emit(keys[index].time)

    # -- changes

    def add_between(self, seconds: float) -> None:
        """A keyframe of the point that is on show at ``seconds``; selects it."""
        state = self.studio.state
        point = fitted(state.timeline, self.studio.session.info).sample(seconds) or state.point
        self.add(seconds, point)

    def add(self, seconds: float, point: LatentPoint | None = None) -> None:
        """A keyframe at ``seconds`` from ``point`` or the current one; selects it and goes there."""
        id = actions.add_keyframe(self.studio.session, seconds, point)
        self.select([id])
        self.scrubbed.emit(seconds)

    def delete(self) -> None:
        """Remove what is selected."""
        actions.delete_keyframes(self.studio.session, self._selected)

    def duplicate(self) -> None:
        """Copy what is selected, half a second later, and select the copies."""
        order = [k.id for k in self.studio.state.timeline.keyframes if k.id in self._selected]
        made = actions.duplicate_keyframes(self.studio.session, order, 0.5)
        if made:
            self.select(made)
            key = self.studio.state.timeline.keyframe(made[-1])
            self.scrubbed.emit(key.time if key else 0.0)

    # -- drop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(POINT_MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        key = self.key_at(event.position())
        self._drop_key = key.id if key else ""
        self._drop = None if key else self._snap(self._axis.seconds(event.position().x()))
        self.update()
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop, self._drop_key = None, ""
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        id = bytes(event.mimeData().data(POINT_MIME).data()).decode(errors="replace")
        saved = next((s for s in self.studio.state.saved if s.id == id), None)
        key, at = self._drop_key, self._drop
        self._drop, self._drop_key = None, ""
        self.update()
        if saved is None:
            return
        tell_stranger(self.studio, saved)
        if key:
            # Dropped on a keyframe: that one takes the point.
            actions.update_keyframe(self.studio.session, key, saved.point)
        else:
            self.add(at if at is not None else self._axis.seconds(event.position().x()), saved.point)
        event.acceptProposedAction()
