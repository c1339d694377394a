"""How the track looks: ruler, keyframes, the way between them, film strip, playhead."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from igm_gui.gui import theme
from igm_gui.gui.timeline.axis import Axis, tick_text
from igm_gui.timeline.timeline import Keyframe, Timeline

LEFT = 14.0
RIGHT = 72.0  # room for a keyframe at the very end
RULER = 26.0
LANE = 78.0
THUMB = 58.0
GAP = 6.0
STRIP = 46.0
HEIGHT = RULER + LANE + GAP + STRIP + 8

LANE_TOP = RULER
STRIP_TOP = RULER + LANE + GAP


@dataclass
class Look:
    """What is to be painted."""

    axis: Axis
    timeline: Timeline
    width: float
    images: dict[str, QImage | None] = field(default_factory=dict)
    selected: frozenset[str] = frozenset()
    hovered: str = ""
    playhead: float = 0.0
    focused: bool = False
    drop: float | None = None
    drop_key: str = ""
    strip: list[tuple[float, float, QImage | None]] = field(default_factory=list)  # x, width, picture


def key_rect(axis: Axis, seconds: float) -> QRectF:
    """Where the thumbnail of a keyframe at ``seconds`` lies: its left edge is its moment."""
    return QRectF(axis.x(seconds), LANE_TOP + (LANE - THUMB) / 2, THUMB, THUMB)


def paint(painter: QPainter, look: Look) -> None:
    """Paint the whole track."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    _lanes(painter, look)
    _ruler(painter, look)
    _strip(painter, look)
    _ways(painter, look)
    _keys(painter, look)
    if look.drop is not None:
        painter.setPen(QPen(theme.colour("accent"), 2))
        x = look.axis.x(look.drop)
        painter.drawLine(QLineF(x, LANE_TOP + 3, x, LANE_TOP + LANE - 3))
    _playhead(painter, look)


def _lanes(painter: QPainter, look: Look) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("canvas"))
    for top, height in ((LANE_TOP, LANE), (STRIP_TOP, STRIP)):
        painter.drawRoundedRect(QRectF(6, top, look.width - 12, height), 5, 5)
    end = look.axis.x(look.axis.length)
    if end < look.width - 6:
        # What lies after the end is not played.
        painter.setBrush(theme.colour("background", 0.65))
        painter.drawRect(QRectF(end, LANE_TOP, look.width - 6 - end, LANE + GAP + STRIP))
    if look.focused:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("accent", 0.75), 1))
        painter.drawRoundedRect(QRectF(6.5, LANE_TOP + 0.5, look.width - 13, LANE - 1), 5, 5)


def _ruler(painter: QPainter, look: Look) -> None:
    step = look.axis.step()
    quiet, line = theme.colour("quiet"), theme.colour("line")
    for seconds, numbered in look.axis.ticks():
        x = look.axis.x(seconds)
        if not LEFT - 2 <= x <= look.width:
            continue
        painter.setPen(QPen(quiet if numbered else line, 1))
        painter.drawLine(QLineF(x, RULER - (7 if numbered else 4), x, RULER - 1))
        if numbered:
            painter.drawText(QPointF(x + 4, RULER - 9), tick_text(seconds, step))
            painter.setPen(QPen(theme.colour("line", 0.5), 1))
            painter.drawLine(QLineF(x, LANE_TOP + 1, x, LANE_TOP + LANE - 1))


def _strip(painter: QPainter, look: Look) -> None:
    painter.save()
    painter.setClipRect(QRectF(LEFT, STRIP_TOP, look.width - LEFT - 6, STRIP))
    for x, width, image in look.strip:
        cell = QRectF(x, STRIP_TOP + 2, width - 1, STRIP - 4)
        if image is None or image.isNull():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("panel"))
            painter.drawRect(cell)
        else:
            painter.setOpacity(0.8)
            draw_fitted(painter, cell, image)
            painter.setOpacity(1.0)
    painter.restore()


def draw_fitted(painter: QPainter, frame: QRectF, image: QImage) -> None:
    """``image`` as large as ``frame`` has room for, in its middle; small pictures keep their pixels."""
    scale = min(frame.width() / image.width(), frame.height() / image.height())
    width, height = image.width() * scale, image.height() * scale
    target = QRectF(
        frame.x() + (frame.width() - width) / 2, frame.y() + (frame.height() - height) / 2, width, height
    )
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
    painter.drawImage(target, image)


def _ways(painter: QPainter, look: Look) -> None:
    """The easing from each keyframe to the next, drawn as the curve it is."""
    keys = look.timeline.keyframes
    for i, key in enumerate(keys):
        last = i + 1 == len(keys)
        if last and not (look.timeline.loop and len(keys) > 1):
            break
        until = look.timeline.length if last else keys[i + 1].time
        x1, x2 = look.axis.x(key.time) + THUMB + 6, look.axis.x(until) - 6
        if x2 - x1 < 14:
            continue
        bright = key.id in look.selected
        pen = QPen(theme.colour("accent" if bright else "quiet", 0.9 if bright else 0.45), 1.5)
        if last:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        low, high = LANE_TOP + LANE / 2 + 16, LANE_TOP + LANE / 2 - 16
        path = QPainterPath(QPointF(x1, low))
        if key.easing == "hold":
            path.lineTo(x2, low)
            path.lineTo(x2, high)
        else:
            steps = 2 if key.easing == "linear" and not key.pace else 24
            for n in range(1, steps + 1):
                path.lineTo(x1 + (x2 - x1) * n / steps, low + (high - low) * key.fraction(n / steps))
        painter.drawPath(path)
    if look.timeline.loop and len(keys) > 1:
        image = look.images.get(keys[0].id)
        end = key_rect(look.axis, look.timeline.length)
        if image is not None and keys[-1].time < look.timeline.length and end.left() < look.width:
            painter.setOpacity(0.3)
            draw_fitted(painter, end.adjusted(3, 3, -3, -3), image)
            painter.setOpacity(1.0)


def _keys(painter: QPainter, look: Look) -> None:
    # The selected ones last, so that they lie on top.
    for key in sorted(look.timeline.keyframes, key=lambda k: k.id in look.selected):
        rect = key_rect(look.axis, key.time)
        if rect.right() >= 0 and rect.left() <= look.width:
            _key(painter, look, key, rect)


def _key(painter: QPainter, look: Look, key: Keyframe, rect: QRectF) -> None:
    picked = key.id in look.selected
    edge = "accent" if picked or key.id == look.drop_key else "quiet" if key.id == look.hovered else "hover"
    painter.setPen(QPen(theme.colour(edge), 2 if picked or key.id == look.drop_key else 1.5))
    painter.setBrush(theme.colour("panel"))
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
    image = look.images.get(key.id)
    inner = rect.adjusted(3, 3, -3, -3)
    if image is not None and not image.isNull():
        draw_fitted(painter, inner, image)
    else:
        painter.setPen(theme.colour("quiet"))
        painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, "…")
    # A mark on the left edge: that is the moment.
    x = rect.left()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(edge))
    painter.drawPolygon(QPolygonF([QPointF(x - 4, RULER), QPointF(x + 4, RULER), QPointF(x, RULER + 6)]))


def _playhead(painter: QPainter, look: Look) -> None:
    x = look.axis.x(look.playhead)
    if not -8 <= x <= look.width + 8:
        return
    red = QColor(theme.colour("bad"))
    painter.setPen(QPen(red, 1.5))
    painter.drawLine(QLineF(x, 10, x, HEIGHT - 4))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(red)
    painter.drawPolygon(
        QPolygonF(
            [QPointF(x - 6, 2), QPointF(x + 6, 2), QPointF(x + 6, 10), QPointF(x, 16), QPointF(x - 6, 10)]
        )
    )
