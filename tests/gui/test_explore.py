"""Explore, driven with mouse and keys: the picture and the session follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionFrame, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.formats.recipe import read_recipe
from igm_gui.gui.explore.classes import with_weight
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.latent.point import point_from_seed
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import TOY, PaintingRenderer
from tests.gui.pointer import LEFT, spot, z

NextPicture = Callable[[Callable[[], object]], RenderResult]


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

    @pytest.mark.parametrize(
        ("typed", "becomes", "said"),
        [
            ("abc99", 7, "It stays 7."),
            ("99999999999999", 4294967295, "The nearest one was taken: 4294967295."),
            ("-3", 0, "The nearest one was taken: 0."),
            ("1.5", 2, "The nearest one was taken: 2."),
            ("12", 12, ""),
            ("", 7, ""),
        ],
    )
    def test_what_is_no_seed_is_said(
        self,
        explore: ExploreWorkspace,
        window: MainWindow,
        toy_studio: Studio,
        typed: str,
        becomes: int,
        said: str,
    ) -> None:
        actions.set_seed(toy_studio.session, 7)
        assert explore.inputs.seed is not None
        edit = explore.inputs.seed.edit
        edit.setFocus()
        edit.selectAll()
        QTest.keyClick(edit, Qt.Key.Key_Backspace)
        QTest.keyClicks(edit, typed)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert toy_studio.state.point.seed == becomes
        assert edit.text() == str(becomes)
        assert window.toast.isVisible() == bool(said)
        if said:
            assert window.toast.text.text() == "Seeds are whole numbers from 0 to 4294967295."
            assert window.toast.hint.text() == said

    def test_the_greatest_seed_is_seen_whole(self, explore: ExploreWorkspace, toy_studio: Studio) -> None:
        actions.set_seed(toy_studio.session, 4294967295)
        assert explore.inputs.seed is not None
        edit = explore.inputs.seed.edit
        option = QStyleOptionFrame()
        edit.initStyleOption(option)
        inside = edit.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, edit)
        # Qt leaves two pixels at either side of the text.
        assert edit.fontMetrics().horizontalAdvance(edit.text()) + 4 <= inside.width()

    def test_seeds_are_stepped_through_and_asked_for(
        self, explore: ExploreWorkspace, strip: LatentStrip, toy_studio: Studio, window: MainWindow
    ) -> None:
        actions.set_seed(toy_studio.session, 7)
        QTest.keyClick(window, Qt.Key.Key_Period)
        assert toy_studio.state.point.seed == 8
        QTest.mouseDClick(strip, LEFT, pos=spot(strip, 3, 1.0))
        QTest.keyClick(window, Qt.Key.Key_Comma)
        assert toy_studio.state.point.seed == 7
        QTest.keyClick(window, Qt.Key.Key_S)
        assert explore.inputs.seed is not None
        assert explore.inputs.seed.edit.selectedText() == "7"

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

    def test_mix_sliders_come_into_sight(
        self, qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace
    ) -> None:
        window.resize(900, 560)
        picker = explore.inputs.classes["label"]
        explore.left.verticalScrollBar().setValue(0)
        picker.mix_button.click()
        last = picker.sliders[-1]
        qtbot.waitUntil(lambda: not last.visibleRegion().isEmpty(), timeout=20_000)

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


def test_saved_png_carries_its_recipe_and_brings_the_state_back(
    studio: Studio, real_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    explore = real_window.stack.widget_of("explore")
    assert isinstance(explore, ExploreWorkspace)
    actions.set_seed(studio.session, 77)
    kept = studio.state.point
    path = tmp_path / "found.png"
    job = explore.canvas.save_to(path)
    assert job is not None
    qtbot.waitUntil(lambda: job.done, timeout=30_000)
    assert job.error is None
    assert read_recipe(path).model == "uniform-pixels"
    # The render thread is done a little before the window has heard of it.
    qtbot.waitUntil(lambda: real_window.toast.notice is not None)
    told = real_window.toast.notice
    assert told is not None
    assert told.text == "Written: found.png"
    assert told.open is not None
    actions.randomize(studio.session, 5)
    assert real_window.open_path(path)
    assert studio.state.point.vector("z") == kept.vector("z")


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


def test_tab_goes_where_the_eye_goes_also_to_what_was_made_late(
    window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    window.commands.run("explore.keep")
    window.commands.run("explore.random")
    window.commands.run("explore.keep")
    # The same model told otherwise, so that its panel is built anew, and then the sliders under Mix.
    toy_studio.session.learn(replace(TOY, directions=()))
    picker = explore.inputs.classes["label"]
    picker.mix_button.setChecked(True)
    order: list[QWidget] = [explore.model_card.button]
    while (len(order) < 400 and order[-1] is not order[0]) or len(order) == 1:
        order.append(order[-1].nextInFocusChain())
    thumbs = [explore.points.thumbnail(saved.id) for saved in toy_studio.state.saved]
    places = [
        order.index(widget)
        for widget in (
            explore.model_card.button,
            explore.inputs.strips["z"],
            picker.chips[-1],
            *(slider.track for slider in picker.sliders),
            explore.inputs.scalars["truncation"].track,
            explore.canvas.keep,
            *thumbs,
            explore.plane.field,
        )
    ]
    assert places == sorted(places)


def test_a_point_is_kept_once(explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow) -> None:
    heard: list[str] = []
    toy_studio.notice.connect(lambda notice: heard.append(notice.text))
    window.commands.run("explore.keep")
    window.commands.run("explore.keep")
    assert [saved.name for saved in toy_studio.state.saved] == ["Point 1"]
    assert heard == ["This point is kept already: Point 1."]
    window.commands.run("explore.random")
    window.commands.run("explore.keep")
    assert len(toy_studio.state.saved) == 2


class TestModel:
    def test_browser_searches_and_opens(
        self, explore: ExploreWorkspace, toy_studio: Studio, window: MainWindow
    ) -> None:
        window.commands.run("explore.models")
        browser = explore.model_card.browser
        assert browser is not None
        shown = [browser.list.item(i) for i in range(browser.list.count())]
        QTest.keyClicks(browser.search, "no such model")
        assert browser.nothing.isVisible()
        assert not browser.list.isVisible()
        browser.search.clear()
        QTest.keyClicks(browser.search, "pixels uniform")
        assert not browser.nothing.isVisible()
        visible = [item for item in shown if not item.isHidden()]
        assert [item.text().splitlines()[0] for item in visible] == ["Uniform pixels (baseline)"]
        browser.grab()
        QTest.keyClick(browser.search, Qt.Key.Key_Return)
        assert toy_studio.state.model == "uniform-pixels"

    def test_about_tells_what_it_is_made_of(self, explore: ExploreWorkspace, window: MainWindow) -> None:
        window.commands.run("model.information")
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
        assert (
            explore.model_card.line.text().replace("\xa0", " ")
            == "image 16×16 RGB · z∈ℝ¹² · 2.1 M parameters"
        )


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
