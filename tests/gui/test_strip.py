"""The latent strip, driven with mouse and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import PaintingRenderer, picture
from tests.gui.pointer import LEFT, move, spot, z

NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestStrip:
    def test_a_drag_draws_across_and_the_picture_follows(
        self, explore: ExploreWorkspace, strip: LatentStrip, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        before = explore.canvas.picture.picture
        assert before is not None

        def drag() -> None:
            QTest.mousePress(strip, LEFT, pos=spot(strip, 1, 2.0))
            move(strip, spot(strip, 9, -2.0))
            QTest.mouseRelease(strip, LEFT, pos=spot(strip, 9, -2.0))

        next_picture(drag)
        values = z(toy_studio)
        assert values[1] == pytest.approx(2.0, abs=0.1)
        assert values[9] == pytest.approx(-2.0, abs=0.1)
        # A fast pointer leaves no gaps: the bars between lie on the line.
        assert values[5] == pytest.approx(0.0, abs=0.15)
        assert toy_studio.state.point.seed is None
        shown = explore.canvas.picture.picture
        assert shown is not None
        np.testing.assert_array_equal(shown, picture(toy_studio.state.point))
        assert not np.array_equal(shown, before)

    def test_it_is_painted_for_new_values_alone(self, strip: LatentStrip) -> None:
        class Count(QObject):
            paints = 0

            def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
                self.paints += event.type() == QEvent.Type.Paint
                return False

        def painted(values: np.ndarray) -> int:
            before = count.paints
            strip.set_values(values)
            QApplication.processEvents()  # what was asked for is painted in this turn
            return count.paints - before

        count = Count()
        QApplication.processEvents()
        strip.installEventFilter(count)
        assert painted(strip.values.copy()) == 0
        image = strip.grab().toImage()
        changed = strip.values.copy()
        changed[3] = 1.5 if changed[3] < 0 else -1.5
        assert painted(changed) == 1
        assert strip.grab().toImage() != image
        assert painted(strip.values - 0.25) == 1

    def test_the_keys_own_bar_is_told_about_while_the_pointer_rests_on_another(
        self, strip: LatentStrip, toy_studio: Studio
    ) -> None:
        QTest.mouseClick(strip, LEFT, pos=spot(strip, 3, 1.0))
        QTest.mouseMove(strip, spot(strip, 7, 1.0))
        assert strip.marked == 7
        QTest.keyClick(strip, Qt.Key.Key_Right)
        assert (strip.focus_bar, strip.marked) == (4, 4)
        QTest.mouseMove(strip, spot(strip, 8, 1.0))
        before = z(toy_studio)[4]
        QTest.keyClick(strip, Qt.Key.Key_Up)
        assert z(toy_studio)[4] > before
        assert strip.marked == 4
        QTest.mouseMove(strip, spot(strip, 9, 1.0))
        strip.edit_value(5)
        assert strip.marked == 5

    def test_a_drag_is_one_step_to_undo(self, strip: LatentStrip, toy_studio: Studio) -> None:
        start = toy_studio.state.point
        for index in (2, 5):
            QTest.mousePress(strip, LEFT, pos=spot(strip, index, 1.0))
            move(strip, spot(strip, index + 1, 1.5))
            move(strip, spot(strip, index + 2, 2.0))
            QTest.mouseRelease(strip, LEFT, pos=spot(strip, index + 2, 2.0))
        toy_studio.session.undo()
        assert toy_studio.state.point != start
        toy_studio.session.undo()
        assert toy_studio.state.point == start

    def test_moves_are_gathered_while_a_picture_waits_to_be_begun(
        self, strip: LatentStrip, toy_studio: Studio, qtbot: QtBot
    ) -> None:
        patience = 0.016
        strip.patience = lambda: patience
        asked: list[dict[int, float]] = []
        strip.drawn.connect(asked.append)
        QTest.mousePress(strip, LEFT, pos=spot(strip, 1, 1.0))
        asked.clear()
        # Up and down again on the way: what was drawn in between is drawn all the same.
        with qtbot.waitSignal(strip.drawn):
            for index, value in ((2, 2.0), (3, -2.0), (5, 0.0)):
                move(strip, spot(strip, index, value))
            assert not asked
        assert len(asked) == 1
        for index, value in ((2, 2.0), (3, -2.0), (4, -1.0), (5, 0.0)):
            assert z(toy_studio)[index] == pytest.approx(value, abs=0.15)
        patience = 0.0
        move(strip, spot(strip, 6, 1.5))
        assert len(asked) == 2
        QTest.mouseRelease(strip, LEFT, pos=spot(strip, 6, 1.5))

    def test_letting_go_keeps_what_was_gathered(self, strip: LatentStrip, toy_studio: Studio) -> None:
        strip.patience = lambda: 0.016
        start = toy_studio.state.point
        QTest.mousePress(strip, LEFT, pos=spot(strip, 1, 1.0))
        move(strip, spot(strip, 4, -1.0))
        QTest.mouseRelease(strip, LEFT, pos=spot(strip, 4, -1.0))
        assert z(toy_studio)[4] == pytest.approx(-1.0, abs=0.1)
        toy_studio.session.undo()
        assert toy_studio.state.point == start, "one drag, one step"

    def test_a_strip_knows_when_a_picture_waits(
        self, strip: LatentStrip, toy_studio: Studio, qtbot: QtBot
    ) -> None:
        qtbot.waitUntil(lambda: strip.patience() == 0)
        renderer = toy_studio.loop.renderer
        assert isinstance(renderer, PaintingRenderer)
        with renderer.holding(toy_studio.state.model):
            actions.randomize(toy_studio.session)
            qtbot.waitUntil(lambda: strip.patience() == 0)  # it is begun, and held
            actions.randomize(toy_studio.session)
            assert strip.patience() == pytest.approx(0.016)
        qtbot.waitUntil(lambda: strip.patience() == 0)

    @pytest.mark.parametrize(
        ("busy", "took", "patience"),
        [
            (0.0, 0.04, 0.0),  # nobody is at work
            (0.030, 0.04, 0.025),  # shortly before the picture is done
            (0.004, 0.04, 0.0),  # now, or the render thread would wait
            (0.5, 0.5, 0.04),  # the strip itself is painted meanwhile
            (0.007, 0.008, 0.0),  # made at once: nothing to wait for
        ],
    )
    def test_the_next_of_long_pictures_is_asked_for_shortly_before_it_is_its_turn(
        self,
        strip: LatentStrip,
        toy_studio: Studio,
        qtbot: QtBot,
        monkeypatch: pytest.MonkeyPatch,
        busy: float,
        took: float,
        patience: float,
    ) -> None:
        qtbot.waitUntil(lambda: toy_studio.loop.idle)
        monkeypatch.setattr(toy_studio.loop, "busy", lambda slot: (busy, took))
        assert strip.patience() == pytest.approx(patience)

    def test_while_a_long_picture_is_made_a_drag_is_shown_at_once_and_asked_for_in_time(
        self, strip: LatentStrip, toy_studio: Studio, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        qtbot.waitUntil(lambda: toy_studio.loop.idle)
        QTest.mousePress(strip, LEFT, pos=spot(strip, 1, 2.0))
        busy = [0.5]
        monkeypatch.setattr(toy_studio.loop, "busy", lambda slot: (busy[0], 0.5))
        before = z(toy_studio).copy()
        move(strip, spot(strip, 5, -2.0))
        qtbot.waitUntil(lambda: strip.values[5] == pytest.approx(-2.0, abs=0.1))
        np.testing.assert_array_equal(z(toy_studio), before)
        busy[0] = 0.0  # the picture is done, and the pointer rests
        qtbot.waitUntil(lambda: z(toy_studio)[5] == pytest.approx(-2.0, abs=0.1))
        busy[0] = 0.5
        move(strip, spot(strip, 9, 1.0))
        QTest.mouseRelease(strip, LEFT, pos=spot(strip, 9, 1.0))  # whoever lets go has what was drawn
        assert z(toy_studio)[9] == pytest.approx(1.0, abs=0.1)
        np.testing.assert_array_equal(strip.values, z(toy_studio))
        toy_studio.session.undo()
        np.testing.assert_array_equal(strip.values, z(toy_studio))

    def test_double_click_zeroes(self, strip: LatentStrip, toy_studio: Studio) -> None:
        QTest.mouseDClick(strip, LEFT, pos=spot(strip, 3, 1.5))
        assert z(toy_studio)[3] == 0.0

    def test_shift_drag_is_fine_and_relative(self, strip: LatentStrip, toy_studio: Studio) -> None:
        before = float(z(toy_studio)[4])
        at = spot(strip, 4, 0.0)
        shift = Qt.KeyboardModifier.ShiftModifier
        QTest.mousePress(strip, LEFT, shift, at)
        assert float(z(toy_studio)[4]) == before
        move(strip, at - QPoint(0, 20), shift)
        QTest.mouseRelease(strip, LEFT, shift, at)
        assert 0.02 < float(z(toy_studio)[4]) - before < 0.3

    def test_alt_click_locks_and_random_leaves_it(
        self, strip: LatentStrip, toy_studio: Studio, window: MainWindow
    ) -> None:
        held = float(z(toy_studio)[6])
        QTest.mouseClick(strip, LEFT, Qt.KeyboardModifier.AltModifier, spot(strip, 6, 1.0))
        assert strip.locked == {6}
        assert float(z(toy_studio)[6]) == held
        window.commands.run("explore.random")
        assert float(z(toy_studio)[6]) == held
        QTest.mousePress(strip, LEFT, pos=spot(strip, 6, 2.0))
        QTest.mouseRelease(strip, LEFT, pos=spot(strip, 6, 2.0))
        assert float(z(toy_studio)[6]) == held
        assert "locked" in strip.readout(6)

    def test_keys_move_change_lock_and_type(self, strip: LatentStrip, toy_studio: Studio) -> None:
        strip.setFocus()
        QTest.keyClick(strip, Qt.Key.Key_Home)
        for _ in range(3):
            QTest.keyClick(strip, Qt.Key.Key_Right)
        before = float(z(toy_studio)[3])
        QTest.keyClick(strip, Qt.Key.Key_Up)
        assert float(z(toy_studio)[3]) == pytest.approx(before + 0.1)
        QTest.keyClick(strip, Qt.Key.Key_Delete)
        assert float(z(toy_studio)[3]) == 0.0
        QTest.keyClick(strip, Qt.Key.Key_Return)
        editor = strip.findChild(QLineEdit)
        assert editor is not None
        QTest.keyClicks(editor, "1.25")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert float(z(toy_studio)[3]) == pytest.approx(1.25)
        QTest.keyClick(strip, Qt.Key.Key_L)
        assert toy_studio.state.locks == {("z", 3)}

    def test_names_of_dimensions(self, strip: LatentStrip) -> None:
        assert strip.readout(0).startswith("smile")
        assert strip.readout(5).startswith("z 5")
        assert "12 dimensions" in strip.accessibleName()

    def test_a_new_value_paints_the_strip_alone(
        self, explore: ExploreWorkspace, strip: LatentStrip, qtbot: QtBot
    ) -> None:
        """What it lies on is not painted with it, which would cost more than the strip itself."""
        panel = strip.parentWidget()
        assert panel is not None
        seen: list[QObject] = []

        class Watch(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    seen.append(watched)
                return False

        watch = Watch()
        strip.installEventFilter(watch)
        panel.installEventFilter(watch)
        strip.set_values(np.linspace(-1, 1, strip.count, dtype=np.float32))
        qtbot.waitUntil(lambda: strip in seen)
        assert panel not in seen

    def test_more_dimensions_than_pixels_scroll_and_zoom(self, qtbot: QtBot) -> None:
        strip = LatentStrip("w", 512)
        qtbot.addWidget(strip)
        strip.resize(266, 96)
        with qtbot.waitExposed(strip):
            strip.show()
        strip.set_values(np.linspace(-3, 3, 512, dtype=np.float32))
        assert strip.pitch == 2.5
        first = strip.bar_at(133)
        strip.setFocus()
        QTest.keyClick(strip, Qt.Key.Key_End)
        assert strip.bar_at(260) == 511
        assert strip.bar_at(133) > first
        strip.zoom_to(20.0, 133)
        assert strip.pitch == 20.0
        assert strip.bar_centre(strip.bar_at(100)).x() == pytest.approx(100, abs=20)
        strip.grab()
