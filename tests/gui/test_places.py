"""Places to go: variations, the plane, drifting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.errors import ModelError
from igm_gui.gui.explore.axes import axes_of
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.info import Direction
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import TOY, PaintingRenderer
from tests.gui.pointer import LEFT, move, spot, z

NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestVariations:
    def test_eight_neighbours_and_a_click_goes_there(
        self, explore: ExploreWorkspace, toy_studio: Studio, qtbot: QtBot, next_picture: NextPicture
    ) -> None:
        field = explore.variations
        next_picture(lambda: actions.randomize(toy_studio.session, 3))
        qtbot.waitUntil(
            lambda: (
                not any(t.image.isNull() or t.busy for t in field.thumbs)
                and field.points[4].vector("z") == toy_studio.state.point.vector("z")
            ),
            timeout=10_000,
        )
        assert field.points[4].vector("z") == toy_studio.state.point.vector("z")
        there = field.points[0]
        next_picture(lambda: QTest.mouseClick(field.thumbs[0], LEFT))
        assert toy_studio.state.point.vector("z") == there.vector("z")
        toy_studio.session.undo()
        assert toy_studio.state.point.seed == 3


class TestPlane:
    def test_dragging_the_handle_sets_the_directions(
        self, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        field = explore.plane.field
        start = toy_studio.state.point
        size = field.width()

        def drag() -> None:
            QTest.mousePress(field, LEFT, pos=QPoint(size // 2, size // 2))
            move(field, QPoint(size - 1, 0))
            QTest.mouseRelease(field, LEFT, pos=QPoint(size - 1, 0))

        next_picture(drag)
        point = toy_studio.state.point
        assert point.scalar("direction:tilt") == pytest.approx(3.0, abs=0.1)
        assert point.scalar("direction:glow") == pytest.approx(3.0, abs=0.1)
        assert point.vector("z") == start.vector("z")
        toy_studio.session.undo()
        assert toy_studio.state.point == start

    def test_it_opens_on_the_directions_that_do_most(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer
    ) -> None:
        idle = Direction("idle", "z", (1.0,) + (0.0,) * 11)
        painter.infos["many"] = replace(TOY, name="many", directions=(idle, *TOY.directions))
        toy_studio.open_model("many")
        plane = explore.plane

        def titles() -> set[str]:
            return {axis.title for axis in plane.axes or ()}

        qtbot.waitUntil(lambda: titles() == {"tilt", "glow"}, timeout=20_000)
        qtbot.waitUntil(lambda: not any(image.isNull() for image in plane.field.images), timeout=20_000)
        # What the person chose stays.
        plane.set_axis(0, next(axis for axis in axes_of(painter.infos["many"]) if axis.title == "idle"))
        assert "idle" in titles()
        actions.randomize(toy_studio.session, 5)
        qtbot.waitUntil(lambda: not plane.field.stale, timeout=20_000)
        assert "idle" in titles()

    def test_another_model_takes_the_pictures_away(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer
    ) -> None:
        plane, thumbs = explore.plane, explore.variations.thumbs
        qtbot.waitUntil(lambda: not any(image.isNull() for image in plane.field.images), timeout=20_000)
        qtbot.waitUntil(lambda: not any(thumb.image.isNull() for thumb in thumbs), timeout=20_000)
        with painter.holding("other"):
            toy_studio.open_model("other")
            assert all(image.isNull() for image in plane.field.images)
            assert all(thumb.image.isNull() for thumb in thumbs)
        qtbot.waitUntil(lambda: not any(image.isNull() for image in plane.field.images), timeout=20_000)
        qtbot.waitUntil(lambda: not any(thumb.image.isNull() for thumb in thumbs), timeout=20_000)

    def test_random_axes_move_the_latent_and_keep_the_plane(
        self, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        plane = explore.plane
        x, y = [axis for axis in axes_of(TOY) if not axis.absolute]
        plane.set_axis(0, x)
        plane.set_axis(1, y)
        start = z(toy_studio).copy()
        plane.field._go(0.9, 0.5)
        there = z(toy_studio).copy()
        assert not np.allclose(start, there)
        plane.field._go(0.5, 0.5)
        np.testing.assert_allclose(z(toy_studio), start, atol=1e-5)

    def test_the_first_filling_is_of_one_place_though_the_point_goes_on(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer
    ) -> None:
        plane = explore.plane
        qtbot.waitUntil(lambda: not any(image.isNull() for image in plane.field.images), timeout=20_000)
        plane._pieces.arrived.connect(lambda *_: actions.randomize(toy_studio.session))
        painter.rendered.clear()
        toy_studio.open_model("other")
        qtbot.waitUntil(lambda: not any(image.isNull() for image in plane.field.images), timeout=20_000)
        ours = [r for r in list(painter.rendered) if plane._pieces._slot in r.slot]
        points = [point for request in ours for point in request.points][:25]
        assert len(points) == 25
        assert len(ours) > 1, "the point moved in between"
        assert len({point.vector("z") for point in points}) == 1

    def test_pictures_of_the_place_before_are_pale_until_they_are_replaced_or_right_again(
        self, qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        field, thumbs = explore.plane.field, explore.variations.thumbs

        def at_rest() -> bool:
            filled = not any(image.isNull() for image in (*field.images, *(t.image for t in thumbs)))
            return filled and not field.stale and not any(thumb.busy for thumb in thumbs)

        qtbot.waitUntil(at_rest, timeout=20_000)
        fresh = field.grab().toImage()
        actions.randomize(toy_studio.session, 8)
        assert field.stale
        assert all(thumb.busy for thumb in thumbs)
        assert field.grab().toImage() != fresh
        toy_studio.session.undo()
        assert at_rest(), "they are right again, and nothing has to be rendered"
        actions.randomize(toy_studio.session, 8)
        qtbot.waitUntil(at_rest, timeout=20_000)


class TestDrift:
    def test_what_moves_and_what_ends_it_is_said(
        self, qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        button, head = explore.canvas.wander, explore.inputs._heads["z"]
        assert button.isVisible()
        assert "Space" in button.toolTip()
        QTest.mouseClick(button, LEFT)
        assert explore.drift.running
        assert button.accessibleName() == "Stop wandering"
        assert "Space" in head.remark.text()
        assert explore.plane.head.remark.text()
        QTest.mouseClick(button, LEFT)
        assert not explore.drift.running
        assert button.accessibleName() == "Wander"
        assert "Space" not in head.remark.text()
        assert not explore.plane.head.remark.text()

    def test_space_moves_the_point_and_a_drag_takes_over(
        self,
        window: MainWindow,
        explore: ExploreWorkspace,
        strip: LatentStrip,
        toy_studio: Studio,
        qtbot: QtBot,
    ) -> None:
        start = toy_studio.state.point
        QTest.keyClick(window, Qt.Key.Key_Space)
        assert explore.drift.running
        qtbot.waitUntil(lambda: not np.array_equal(z(toy_studio), start.vector("z").array), timeout=10_000)
        QTest.mouseClick(strip, LEFT, pos=spot(strip, 1, 1.0))
        assert not explore.drift.running
        toy_studio.session.undo()
        toy_studio.session.undo()
        assert toy_studio.state.point.vector("z") == start.vector("z")

    def test_an_error_stops_it(
        self, window: MainWindow, explore: ExploreWorkspace, painter: PaintingRenderer, qtbot: QtBot
    ) -> None:
        window.commands.run("play")
        painter.errors["toy"] = ModelError("The toy broke.", "Mend it.")
        with qtbot.waitSignal(explore.drift.running_changed, timeout=10_000):
            pass
        assert not explore.drift.running
