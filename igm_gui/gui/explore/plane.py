"""The latent plane: a field of small pictures over two axes, with a handle that moves the current point."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import (
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from igm_gui.gui.commands import Commands
from igm_gui.gui.explore.axes import Axis, axes_of, coordinate, place, random_lines
from igm_gui.gui.explore.effects import Effects
from igm_gui.gui.explore.plane_field import COLUMNS, ROWS, PlaneField
from igm_gui.gui.pieces import Pieces
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.buttons import Button, IconButton, flat_button
from igm_gui.gui.widgets.section import SectionHead
from igm_gui.gui.widgets.thumbnail import media_image
from igm_gui.info import GeneratorInfo
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderResult
from igm_gui.session.actions import new_seed
from igm_gui.session.state import SessionState

REST_MS = 250
NO_LINES = np.zeros((2, 0), np.float32)  # absolute axes need none


class LatentPlane(QWidget):
    """Head with the two axes, and the field. Shown only for models with a latent."""

    def __init__(self, studio: Studio, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._info: GeneratorInfo | None = None
        self._choices: list[Axis] = []
        self.axes: tuple[Axis, Axis] | None = None
        self._seed = 1
        self._model = studio.state.model
        self._base: LatentPoint | None = None
        self._ours: LatentPoint | None = None
        self._shown: object = None
        self.field = PlaneField()
        self.field.setToolTip(
            "Drag the handle: the point moves on this plane. Arrows move it, Shift finer.\n"
            "Pale pictures are still those of the place before."
        )
        body = QWidget()
        self.head = SectionHead("Latent plane", body=body)
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(2)
        inner.addWidget(self.field)
        row = QHBoxLayout()
        row.setSpacing(2)
        inner.addLayout(row)
        self.buttons: list[Button] = []
        for side, name in enumerate("xy"):
            button = flat_button(f"{name} ▾", tip=f"What the {name} axis is")
            button.clicked.connect(lambda _=False, side=side: self._axis_menu(side))
            button.setMinimumWidth(40)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(button, 1)
            self.buttons.append(button)
        self.again = IconButton("refresh-cw", "Other random axes", role="flat")
        self.again.clicked.connect(self.reroll)
        self.head.add(self.again)
        self.head.folded.connect(lambda _folded: self._ask())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.head)
        column.addWidget(body)
        self.field.moved.connect(self._moved)
        self.field.released.connect(studio.session.end_merge)
        self._unranked = False
        self.effects = Effects(studio, self)
        self.effects.ranked.connect(self._on_ranked)
        self._pieces = Pieces(studio, self)
        self._pieces.arrived.connect(self._arrived)
        self._pieces.finished.connect(self._ask)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._render)
        studio.changed.connect(self._on_changed)
        studio.rendered.connect(self._on_rendered)
        self._adopt()

    # -- axes

    def _adopt(self) -> None:
        """Take up the current model's axes."""
        info = self._studio.session.info
        if info is None or info is self._info:
            return
        before = [axis.title for axis in self._choices]
        self._info = info
        self._choices = axes_of(info)
        self.setVisible(len(self._choices) >= 2)
        if len(self._choices) >= 2 and (self.axes is None or before != [a.title for a in self._choices]):
            self.axes = (self._choices[0], self._choices[1])
            # Of many named directions, the two that do most here are known when they have been tried.
            self._unranked = info.media == "image" and len(info.directions) > 2
        self._base = None
        self._name_axes()
        self._follow(self._studio.state)

    def _on_ranked(self, axes: tuple[Axis, ...]) -> None:
        self.axes = (axes[0], axes[1])
        self._base = None
        self._name_axes()
        self._follow(self._studio.state)
        self._ask()

    def _name_axes(self) -> None:
        if self.axes is not None:
            for button, name, axis in zip(self.buttons, "xy", self.axes, strict=True):
                button.setText(f"{name}: {axis.title} ▾")
                button.setAccessibleName(f"{name} axis: {axis.title}")
            self.again.setVisible(any(not axis.absolute for axis in self.axes))

    def set_axis(self, side: int, axis: Axis) -> None:
        """Put ``axis`` on side 0 (x) or 1 (y); the other side gets out of its way."""
        if self.axes is None:
            return
        self._unranked = False
        self.effects.stop()
        other = self.axes[1 - side]
        if other == axis:
            other = self.axes[side]
        self.axes = (axis, other) if side == 0 else (other, axis)
        self._base = None
        self._name_axes()
        self._follow(self._studio.state)
        self._ask()

    def set_waiting(self, waiting: bool) -> None:
        """Say that the pictures wait for the point to rest, where it moves by itself."""
        self.head.set_remark("waits for rest" if waiting else "")

    def reroll(self) -> None:
        """Other random axes through the same point."""
        self._seed = new_seed()
        self._base = None
        self._follow(self._studio.state)
        self._ask()

    def _axis_menu(self, side: int) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for axis in self._choices:
            menu.addAction(axis.title, lambda axis=axis: self.set_axis(side, axis))
        button = self.buttons[side]
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    # -- following the session

    def _on_changed(self, state: SessionState, changed: frozenset[str]) -> None:
        if "model" in changed and state.model != self._model:
            self._model = state.model
            self._pieces.stop()
            self.effects.stop()
            self._shown = None
            self.field.clear()
        if changed & {"info", "model"}:
            self._adopt()
        if changed & {"point", "model", "info"}:
            self._follow(state)
            self._ask()

    def _on_rendered(self, result: RenderResult) -> None:
        if result.ok and result.request.slot == "main" and self._shown is None:
            self._ask()

    def _follow(self, state: SessionState) -> None:
        """Put the plane through the current point, unless it lies on it already."""
        spec = self._info.latent if self._info is not None else None
        if self.axes is None or self._info is None or spec is None:
            return
        held = state.point.get(spec.name)
        if not isinstance(held, Vector) or held.size != spec.size:
            return  # another model's point
        moving = state.point is self._ours or self.field.dragging
        if not moving or self._base is None:
            self._ours = None
            self._base = state.point
        fractions = list(self.field.at)
        for side, axis in enumerate(self.axes):
            here = coordinate(self._info, state.point, axis)
            if here is not None:
                fractions[side] = self._fraction(axis, here) if side == 0 else 1 - self._fraction(axis, here)
            elif not moving:
                fractions[side] = 0.5
        if all(axis.absolute for axis in self.axes):
            # The same plane wherever on it the point is, so that its pictures stay.
            self._base = place(self._info, self._base, self.axes, NO_LINES, (0.0, 0.0))
        x, y = fractions
        if not self.field.dragging:
            self.field.set_at((x, y))

    @staticmethod
    def _fraction(axis: Axis, value: float) -> float:
        return min(max((value - axis.minimum) / max(axis.maximum - axis.minimum, 1e-9), 0.0), 1.0)

    @staticmethod
    def _amount(axis: Axis, fraction: float) -> float:
        return axis.minimum + fraction * (axis.maximum - axis.minimum)

    def _point(
        self, x: float, y: float, base: LatentPoint | None, axes: tuple[Axis, Axis] | None
    ) -> LatentPoint | None:
        """The point at fractions of the field, on the plane through ``base`` along ``axes``."""
        info = self._info
        if axes is None or base is None or info is None or info.latent is None:
            return None
        held = base.get(info.latent.name)
        if not isinstance(held, Vector) or held.size != info.latent.size:
            return None
        lines = random_lines(info.latent, self._seed)
        at = (self._amount(axes[0], x), self._amount(axes[1], 1 - y))  # upwards is more
        return place(info, base, axes, lines, at)

    def _moved(self, x: float, y: float) -> None:
        point = self._point(x, y, self._base, self.axes)
        if point is not None:
            self._ours = point
            self._studio.session.update(point=point, merge="plane")

    # -- small pictures

    def _ask(self) -> None:
        wanted = self.isVisible() and not self.head.is_folded and self._studio.last is not None
        empty = any(image.isNull() for image in self.field.images)
        if empty and (self._rest.isActive() or self._pieces.running):
            return  # the first filling goes through even while the point keeps moving
        if not wanted:
            return
        if self._key() == self._shown:
            if not self._pieces.running:
                self._rest.stop()
                self.field.set_fresh()  # back where the pictures are of, before others were begun
            return
        if self._pieces.running:
            self._pieces.stop()
            self._shown = None  # they are not all there
        self.field.set_stale()
        self._rest.start()

    def _key(self) -> object:
        return (self._studio.state.model, self.axes, self._base, self._seed)

    def _render(self) -> None:
        key = self._key()
        if key == self._shown or self._base is None or self.effects.running:
            return
        if self._unranked:
            self._unranked = False
            named = [axis for axis in self._choices if axis.direction]
            self.effects.measure(self._studio.state.model, self._base, named)
            return
        self._shown = key
        base, axes = self._base, self.axes  # all of one plane, though the point may go on meanwhile
        side = round(self.field.width() / COLUMNS * max(1.0, self.devicePixelRatioF()))

        def cell(index: int) -> LatentPoint | None:
            x, y = (index % COLUMNS + 0.5) / COLUMNS, (index // COLUMNS + 0.5) / ROWS
            return self._point(x, y, base, axes)

        self._pieces.start(self._studio.state.model, ROWS * COLUMNS, cell, side)

    def _arrived(self, first: int, result: RenderResult) -> None:
        if result.media is None:
            return
        for offset in range(len(result.media)):
            self.field.set_image(first + offset, media_image(result, offset, 64))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()
