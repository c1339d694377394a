"""Explore, driven with mouse and keys: the picture and the session follow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.errors import ModelError
from igm_gui.formats.recipe import read_recipe
from igm_gui.gui.explore.classes import with_weight
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets import PointStrip
from igm_gui.latent.point import point_from_seed
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import TOY, PaintingRenderer, picture

LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
NextPicture = Callable[[Callable[[], object]], RenderResult]


def move(widget: QWidget, at: QPoint, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
    """A mouse move with the left button held."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        LEFT,
        keys,
    )
    QApplication.sendEvent(widget, event)


def spot(strip: LatentStrip, index: int, value: float) -> QPoint:
    """Where the pointer has to be to give bar ``index`` about ``value``."""
    area = strip.rect().adjusted(4, 4, -4, -4)
    part = (value - strip.low) / (strip.high - strip.low)
    return QPoint(round(strip.bar_centre(index).x()), round(area.bottom() + 1 - part * area.height()))


@pytest.fixture
def strip(explore: ExploreWorkspace) -> LatentStrip:
    return explore.inputs.strips["z"]


def z(studio: Studio) -> np.ndarray:
    return studio.state.point.vector("z").array


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

    def test_more_dimensions_than_pixels_scroll_and_zoom(self, qtbot: QtBot) -> None:
        strip = LatentStrip("w", 512)
        qtbot.addWidget(strip)
        strip.resize(266, 96)
        with qtbot.waitExposed(strip):
            strip.show()
        strip.set_values(np.linspace(-3, 3, 512, dtype=np.float32))
        assert strip.pitch == 3.0
        first = strip.bar_at(133)
        strip.setFocus()
        QTest.keyClick(strip, Qt.Key.Key_End)
        assert strip.bar_at(260) == 511
        assert strip.bar_at(133) > first
        strip.zoom_to(20.0, 133)
        assert strip.pitch == 20.0
        assert strip.bar_centre(strip.bar_at(100)).x() == pytest.approx(100, abs=20)
        strip.grab()


class TestInputs:
    def test_seed_is_typed(
        self, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        seed = explore.inputs.seed
        assert seed is not None

        def type_it() -> None:
            seed.edit.setFocus()
            seed.edit.selectAll()
            QTest.keyClicks(seed.edit, "4294967295")
            QTest.keyClick(seed.edit, Qt.Key.Key_Return)

        next_picture(type_it)
        assert toy_studio.state.point.seed == 4294967295
        expected = point_from_seed(TOY, 4294967295).vector("z")
        assert toy_studio.state.point.vector("z") == expected
        assert seed.edit.text() == "4294967295"

    def test_a_latent_changed_by_hand_has_no_seed(
        self, explore: ExploreWorkspace, strip: LatentStrip, toy_studio: Studio
    ) -> None:
        actions.set_seed(toy_studio.session, 7)
        QTest.mouseDClick(strip, LEFT, pos=spot(strip, 3, 1.0))
        assert explore.inputs.seed is not None
        assert explore.inputs.seed.edit.text() == "none"

    def test_scalar_direction_and_noise_reach_the_picture(
        self, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        inputs = explore.inputs
        next_picture(lambda: inputs.scalars["truncation"].track.change(0.5))
        next_picture(lambda: inputs.directions["direction:tilt"].track.change(2.0))
        result = next_picture(lambda: inputs.noise_seeds["noise_seed"].track.change(99))
        point = toy_studio.state.point
        assert point.scalar("truncation") == 0.5
        assert point.scalar("direction:tilt") == 2.0
        assert point.get("noise_seed") == 99
        assert result.media is not None
        assert result.media[0][0, 3, 1] == 100
        assert result.media[0][0, 4, 1] == 99
        assert result.media[0][0, 5, 1] == 188

    def test_a_click_takes_a_class_and_ctrl_mixes(
        self, explore: ExploreWorkspace, toy_studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        picker = explore.inputs.classes["label"]
        QTest.mouseClick(picker.chips[2], LEFT)
        assert toy_studio.state.point.vector("label").array.tolist() == [0, 0, 1]
        monkeypatch.setattr(
            QApplication, "keyboardModifiers", staticmethod(lambda: Qt.KeyboardModifier.ControlModifier)
        )
        QTest.mouseClick(picker.chips[0], LEFT)
        assert toy_studio.state.point.vector("label").array.tolist() == [0.5, 0, 0.5]
        assert picker.head.remark.text() == "mixture of 2"
        assert picker.chips[0].isChecked()
        assert picker.chips[2].isChecked()

    def test_mix_sliders(self, explore: ExploreWorkspace, toy_studio: Studio) -> None:
        picker = explore.inputs.classes["label"]
        picker.mix_button.click()
        picker.sliders[1].track.change(0.25)
        assert toy_studio.state.point.vector("label").array == pytest.approx([0.75, 0.25, 0])

    def test_undo_and_redo_by_keys(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        before = toy_studio.state.point
        QTest.keyClick(window, Qt.Key.Key_R)
        after = toy_studio.state.point
        assert after != before
        QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert toy_studio.state.point == before
        keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(window, Qt.Key.Key_Z, keys)
        assert toy_studio.state.point == after

    def test_mutate_goes_no_further_than_the_spread(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        assert explore.inputs.spread is not None
        explore.inputs.spread.track.change(0.1)
        before = z(toy_studio)
        QTest.keyClick(window, Qt.Key.Key_M)
        assert 0 < np.abs(z(toy_studio) - before).max() < 0.6

    def test_panels_are_built_anew_for_another_model(
        self, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer, qtbot: QtBot
    ) -> None:
        from dataclasses import replace

        painter.infos["bare"] = replace(TOY, name="bare", inputs=TOY.inputs[:1], directions=())
        with qtbot.waitSignal(
            toy_studio.rendered,
            timeout=20_000,
            check_params_cb=lambda r: r.request.model == "bare" and r.media is not None,
        ):
            toy_studio.open_model("bare")
        assert explore.inputs.classes == {}
        assert explore.inputs.scalars == {}
        assert list(explore.inputs.strips) == ["z"]


def test_with_weight() -> None:
    assert with_weight(np.array([1, 0, 0], np.float32), 0, 0.4) == pytest.approx([0.4, 0.3, 0.3])
    assert with_weight(np.array([0.5, 0.5, 0], np.float32), 2, 1.0) == pytest.approx([0, 0, 1])
    assert with_weight(np.array([1], np.float32), 0, 0.2) == pytest.approx([1])


class TestPoints:
    def test_keep_recall_rename_and_delete(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        QTest.keyClick(window, Qt.Key.Key_K)
        (saved,) = toy_studio.state.saved
        kept = toy_studio.state.point
        next_picture(lambda: QTest.keyClick(window, Qt.Key.Key_R))
        strip: PointStrip = explore.points
        thumb = strip.thumbnail(saved.id)
        assert thumb is not None
        assert not thumb.selected
        next_picture(lambda: QTest.mouseClick(thumb, LEFT))
        assert toy_studio.state.point == kept
        assert thumb.selected
        actions.rename(toy_studio.session, saved.id, "Smile")
        assert thumb.accessibleName() == "Smile"
        actions.forget(toy_studio.session, saved.id)
        assert strip.thumbnail(saved.id) is None
        toy_studio.session.undo()
        assert strip.thumbnail(saved.id) is not None

    def test_rename_and_delete_from_the_keyboard(
        self, explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow
    ) -> None:
        saved = actions.keep(toy_studio.session)
        thumb = explore.points.thumbnail(saved.id)
        assert thumb is not None
        QTest.keyClick(thumb, Qt.Key.Key_F2)
        field = next(f for f in explore.points.findChildren(QLineEdit) if f.isVisible())
        QTest.keyClicks(field, "Smile")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert toy_studio.state.saved[0].name == "Smile"
        QTest.keyClick(thumb, Qt.Key.Key_Delete)
        assert toy_studio.state.saved == ()

    def test_thumbnail_shows_the_point(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, qtbot: QtBot
    ) -> None:
        saved = actions.keep(toy_studio.session)
        thumb = explore.points.thumbnail(saved.id)
        assert thumb is not None
        qtbot.waitUntil(lambda: not thumb.image.isNull(), timeout=10_000)
        assert thumb.image.pixelColor(0, 0).red() == picture(saved.point)[0, 0, 0]

    def test_keyframes_go_to_the_end_of_the_timeline(self, window: MainWindow, toy_studio: Studio) -> None:
        for _ in range(3):
            window.commands.run("explore.keyframe")
        assert [k.time for k in toy_studio.state.timeline.keyframes] == [0.0, 1.0, 2.0]

    def test_copy_puts_the_picture_on_the_clipboard(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        next_picture(lambda: window.commands.run("explore.random"))
        window.commands.run("explore.copy")
        image = QGuiApplication.clipboard().image()
        assert image.width() == 16
        assert image.pixelColor(2, 1).red() == picture(toy_studio.state.point)[1, 2, 0]


def test_saved_png_carries_its_recipe_and_brings_the_state_back(
    make_studio: Callable[..., Studio], qtbot: QtBot, tmp_path: object
) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    studio = make_studio("uniform-pixels")
    window = MainWindow(studio)
    qtbot.addWidget(window)
    explore = window.stack.widget_of("explore")
    assert isinstance(explore, ExploreWorkspace)
    actions.set_seed(studio.session, 77)
    kept = studio.state.point
    path = tmp_path / "found.png"
    job = explore.canvas.save_to(path)
    assert job is not None
    qtbot.waitUntil(lambda: job.done, timeout=30_000)
    assert job.error is None
    assert read_recipe(path).model == "uniform-pixels"
    actions.randomize(studio.session, 5)
    assert window.open_path(path)
    assert studio.state.point.vector("z") == kept.vector("z")
    window.keeper.close()


class TestVariations:
    def test_eight_neighbours_and_a_click_goes_there(
        self, explore: ExploreWorkspace, toy_studio: Studio, qtbot: QtBot, next_picture: NextPicture
    ) -> None:
        field = explore.variations
        next_picture(lambda: actions.randomize(toy_studio.session, 3))
        qtbot.waitUntil(lambda: all(not t.image.isNull() for t in field.thumbs), timeout=10_000)
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

    def test_random_axes_move_the_latent_and_keep_the_plane(
        self, explore: ExploreWorkspace, toy_studio: Studio
    ) -> None:
        from igm_gui.gui.explore.axes import axes_of

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


class TestDrift:
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


def test_everything_has_a_tooltip_and_a_name(explore: ExploreWorkspace) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox

    for button in explore.findChildren(QAbstractButton):
        assert button.accessibleName() or button.text(), button
        assert button.toolTip(), button.text()
    for edit in (*explore.findChildren(QLineEdit), *explore.findChildren(QComboBox)):
        assert edit.accessibleName(), edit


def test_every_control_is_reached_by_tab(explore: ExploreWorkspace, window: MainWindow) -> None:
    explore.inputs.strips["z"].setFocus()
    seen: set[int] = set()
    for _ in range(400):
        focused = QApplication.focusWidget()
        assert focused is not None
        if id(focused) in seen:
            break
        seen.add(id(focused))
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    wanted: list[QWidget] = [
        explore.inputs.strips["z"],
        explore.inputs.scalars["truncation"].track,
        explore.inputs.scalars["truncation"].edit,
        explore.inputs.classes["label"].chips[1],
        explore.canvas.keep,
        explore.canvas.save,
        explore.plane.field,
        explore.variations.thumbs[0],
        explore.model_card.button,
    ]
    assert [w.accessibleName() for w in wanted if id(w) not in seen] == []


class TestModel:
    def test_browser_searches_and_opens(
        self, explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow
    ) -> None:
        window.commands.run("explore.models")
        browser = explore.model_card.browser
        assert browser is not None
        shown = [browser.list.item(i) for i in range(browser.list.count())]
        QTest.keyClicks(browser.search, "pixels uniform")
        visible = [item for item in shown if not item.isHidden()]
        assert [item.text().splitlines()[0] for item in visible] == ["Uniform pixels (baseline)"]
        browser.grab()
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
        assert toy_studio.state.model == "uniform-pixels"

    def test_about_tells_what_it_is_made_of(self, explore: ExploreWorkspace, window: MainWindow) -> None:
        window.commands.run("explore.about")
        about = window.information
        assert about.isVisible()
        text = about.text()
        assert "Parameters: 2,100,000" in text
        assert "Truncation ψ: 0 to 1, default 1" in text
        assert "3 classes: cat, dog, owl" in text
        QTest.mouseClick(about.copy, LEFT)
        assert QGuiApplication.clipboard().text() == text
        window.commands.run("model.information")
        assert not about.isVisible()

    def test_card_names_the_model(self, explore: ExploreWorkspace) -> None:
        assert explore.model_card.title.text() == "Toy"
        assert explore.model_card.line.text() == "image 16×16 RGB · z∈ℝ¹² · 2.1 M parameters"


class TestOpening:
    def test_the_old_picture_stays_and_can_be_stayed_with(
        self,
        explore: ExploreWorkspace,
        toy_studio: Studio,
        painter: PaintingRenderer,
        qtbot: QtBot,
        next_picture: NextPicture,
    ) -> None:
        next_picture(lambda: actions.randomize(toy_studio.session, 8))
        before = toy_studio.state.point
        shown = explore.canvas.picture.picture
        note = explore.canvas.opening
        with painter.holding("other"):
            toy_studio.open_model("other")
            qtbot.waitUntil(lambda: not note.isHidden(), timeout=10_000)
            assert note.text.text() == "Opening other…"
            assert explore.canvas.picture.picture is shown
            QTest.mouseClick(note.stay, LEFT)
            assert toy_studio.state.model == "toy"
            assert toy_studio.state.point == before
            assert note.isHidden()
        qtbot.waitUntil(lambda: toy_studio.loop.idle, timeout=10_000)
        assert toy_studio.state.model == "toy"

    def test_goes_with_the_first_picture(
        self, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer, qtbot: QtBot
    ) -> None:
        note = explore.canvas.opening
        with painter.holding("other"):
            toy_studio.open_model("other")
            qtbot.waitUntil(lambda: not note.isHidden(), timeout=10_000)
        qtbot.waitUntil(lambda: note.isHidden(), timeout=10_000)
        assert explore.model_card.title.text() == "Other"
