"""The window around the workspaces: commands, notices, hints, projects, recovery, theme, start-up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.errors import ModelError
from igm_gui.gui import app
from igm_gui.gui.explore.hints import SEEN
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.palette import score
from igm_gui.gui.settings import Settings
from igm_gui.gui.status import Rate, milliseconds
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import PaintingRenderer

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestPalette:
    def test_f1_shows_every_command(self, window: MainWindow) -> None:
        QTest.keyClick(window, Qt.Key.Key_F1)
        palette = window.palette_popup
        assert palette is not None
        assert palette.isVisible()
        itself = ("palette.open", "help.keys")
        every = {command.title for command in window.commands.available() if command.name not in itself}
        assert "Random point" in every
        assert every <= set(palette.titles())

    def test_ctrl_k_finds_and_runs_a_command(
        self, window: MainWindow, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        before = toy_studio.state.point
        QTest.keyClick(window, Qt.Key.Key_K, CTRL)
        palette = window.palette_popup
        assert palette is not None
        assert palette.isVisible()
        QTest.keyClicks(palette.search, "random")
        assert palette.titles()[0] == "Random point"
        next_picture(lambda: QTest.keyClick(palette.search, Qt.Key.Key_Return))
        assert toy_studio.state.point != before

    def test_arrows_walk_the_list(self, window: MainWindow) -> None:
        window.open_palette()
        palette = window.palette_popup
        assert palette is not None
        QTest.keyClick(palette.search, Qt.Key.Key_Down)
        assert palette.list.currentRow() == 1
        palette.close()

    @pytest.mark.parametrize("query", ["theme", "appearance", "settings", "dark theme"])
    def test_a_command_is_found_by_other_words_for_it(self, window: MainWindow, query: str) -> None:
        window.open_palette()
        palette = window.palette_popup
        assert palette is not None
        QTest.keyClicks(palette.search, query)
        assert palette.titles()[0] == "Dark appearance"
        assert ("Light appearance" in palette.titles()) == ("dark" not in query)
        palette.close()

    def test_scattered_letters_count_only_where_no_word_is_found(
        self, window: MainWindow, toy_studio: Studio
    ) -> None:
        actions.randomize(toy_studio.session)
        window.open_palette()
        palette = window.palette_popup
        assert palette is not None
        QTest.keyClicks(palette.search, "undo")
        assert palette.titles() == ["Undo"]
        palette.search.setText("udo")
        assert "Undo" in palette.titles()
        palette.close()

    def test_palette_is_as_high_as_what_it_lists(self, window: MainWindow) -> None:
        window.open_palette()
        palette = window.palette_popup
        assert palette is not None
        whole = palette.height()
        QTest.keyClicks(palette.search, "Open Uniform")
        assert palette.height() < whole / 2
        last = palette.list.visualItemRect(palette.list.item(palette.list.count() - 1))
        assert palette.list.viewport().rect().contains(last)
        QTest.keyClicks(palette.search, "zzzz")
        assert not palette.titles()
        assert palette.nothing.height() >= palette.nothing.heightForWidth(palette.nothing.width())
        palette.search.clear()
        assert palette.height() == whole
        palette.close()

    def test_lists_models_too(self, window: MainWindow) -> None:
        window.open_palette()
        assert window.palette_popup is not None
        assert "Open Uniform pixels (baseline)" in window.palette_popup.titles()
        # By the name that the command line uses as well.
        QTest.keyClicks(window.palette_popup.search, "fashion-gan")
        assert window.palette_popup.titles() == ["Open Fashion, GAN"]
        window.palette_popup.close()

    def test_inputs_classes_and_saved_points_are_found_by_name(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        kept = actions.keep(toy_studio.session, "the good one")
        next_picture(lambda: actions.randomize(toy_studio.session, 3))

        def run(query: str) -> None:
            window.open_palette()
            palette = window.palette_popup
            assert palette is not None
            QTest.keyClicks(palette.search, query)
            QTest.keyClick(palette.search, Qt.Key.Key_Return)

        next_picture(lambda: run("owl"))
        assert toy_studio.state.point.vector("label").array.tolist() == [0.0, 0.0, 1.0]
        next_picture(lambda: run("good one"))
        assert toy_studio.state.point == kept.point
        edit = explore.inputs.directions["direction:tilt"].edit
        run("tilt")
        assert edit.selectedText() == edit.text()
        window.show_workspace("grid")
        window.open_palette()
        assert window.palette_popup is not None
        assert "owl" not in window.palette_popup.titles()
        window.palette_popup.close()

    def test_a_name_that_nothing_has_is_said(self, window: MainWindow) -> None:
        window.open_palette()
        palette = window.palette_popup
        assert palette is not None
        QTest.keyClicks(palette.search, "zzzz")
        assert palette.titles() == []
        assert palette.nothing.isVisible()
        assert not palette.list.isVisible()
        QTest.keyClick(palette.search, Qt.Key.Key_Return)
        palette.close()

    def test_score(self) -> None:
        best = sorted(["Undo", "Unlock all", "Random point"], key=lambda t: score("un", t) or 99)
        assert best[0] in ("Undo", "Unlock all")
        assert score("xyz", "Random point") is None
        assert score("rp", "Random point") is None or score("rp", "Random point") > 100
        assert score("", "anything") == 0


class TestHints:
    def test_three_hints_that_go_away_for_good(
        self, window: MainWindow, toy_studio: Studio, explore: ExploreWorkspace
    ) -> None:
        window.hints.show()
        bubble = window.hints.bubble
        assert bubble is not None
        assert explore.drift.running
        strip = explore.inputs.strips["z"]
        QTest.mouseClick(strip, LEFT, pos=strip.rect().center())
        assert not explore.drift.running
        assert bubble.index == 1
        QTest.keyClick(window, Qt.Key.Key_K)
        assert bubble.index == 2
        QTest.mouseClick(bubble.next, LEFT)
        assert window.hints.bubble is None
        assert Settings().flag(SEEN)

    def test_the_last_one_covers_nothing(self, window: MainWindow, explore: ExploreWorkspace) -> None:
        window.hints.show()
        assert window.hints.bubble is not None
        while window.hints.bubble.index < 2:
            window.hints.bubble.advance()
        place = window.hints.bubble.geometry()
        assert window.top.geometry().contains(place)
        assert not place.intersects(window.top.search.geometry())

    def test_skip(self, window: MainWindow) -> None:
        window.hints.show()
        assert window.hints.bubble is not None
        assert window.rect().contains(window.hints.bubble.geometry())
        QTest.mouseClick(window.hints.bubble.skip, LEFT)
        assert window.hints.bubble is None

    def test_first_start_shows_them_and_moves(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        window.begin()
        next_picture(lambda: toy_studio.refresh(force=True))
        assert window.hints.bubble is not None
        assert window.hints.bubble.index == 0
        assert explore.drift.running

    def test_what_was_done_before_the_first_picture_stays(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        window.begin()
        next_picture(lambda: actions.randomize(toy_studio.session, 1))
        assert window.hints.bubble is not None
        assert window.hints.bubble.index == 1
        assert not explore.drift.running
        assert toy_studio.state.point.seed == 1


class TestWorkspaces:
    def test_number_keys_change_the_workspace_and_it_is_remembered(self, window: MainWindow) -> None:
        for key, name in ((Qt.Key.Key_2, "timeline"), (Qt.Key.Key_4, "grid"), (Qt.Key.Key_1, "explore")):
            QTest.keyClick(window, key)
            assert window.stack.current == name
            assert window.top.tabs[name].isChecked()
            assert Settings().text("workspace") == name

    def test_one_that_can_not_be_built_is_a_notice(
        self, window: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_name: str) -> None:
            raise ImportError("no module")

        monkeypatch.setattr("importlib.import_module", broken)
        assert not window.show_workspace("compare")
        assert window.stack.current == "explore"
        assert "Compare could not be opened" in window.toast.text.text()

    def test_full_screen_shows_the_picture_alone(self, window: MainWindow, explore: ExploreWorkspace) -> None:
        QTest.keyClick(window, Qt.Key.Key_F)
        assert window.isFullScreen()
        assert window.top.isHidden()
        assert explore.left.isHidden()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isFullScreen()
        assert explore.left.isVisible()

    def test_panels_fold_and_stay_folded(self, window: MainWindow, explore: ExploreWorkspace) -> None:
        window.commands.run("explore.right")
        assert explore.right.isHidden()
        assert ExploreWorkspace(window.studio, window.commands).right.isHidden()


class TestStatus:
    def test_names_model_device_and_times(
        self, window: MainWindow, toy_studio: Studio, qtbot: QtBot, next_picture: NextPicture
    ) -> None:
        for seed in range(1, 6):
            next_picture(lambda seed=seed: actions.randomize(toy_studio.session, seed))
        status = window.status
        qtbot.waitUntil(lambda: "end-to-end" in status.total_time.text(), timeout=10_000)
        assert status.model.text() == "toy · z∈ℝ¹²"
        assert status.device.text() == "device: CPU"
        assert status.model_time.text() == "model 0.1 ms"
        qtbot.waitUntil(lambda: status.point.text() == "seed 5 · ψ 1.00", timeout=10_000)

    def test_rate(self) -> None:
        rate = Rate()
        for i in range(11):
            rate.tick(i * 0.02)
        assert rate.value == pytest.approx(50)
        rate.tick(5.0)
        assert rate.value == 0

    def test_key_presses_are_no_rate_and_slow_pictures_are_one(self) -> None:
        pressed, slow = Rate(), Rate()
        for i in range(20):
            pressed.tick(i * 0.4, took=0.01)
            slow.tick(i * 2.0, took=1.98)
        assert pressed.value == 0
        assert slow.value == pytest.approx(0.5)

    def test_the_rate_is_green_where_it_is_what_the_timeline_wants(
        self, window: MainWindow, toy_studio: Studio
    ) -> None:
        status = window.status

        def shown(rate: float) -> tuple[str, str]:
            status._rate.clear()
            for i in range(30):
                status._rate.tick(i / rate)
            status._show_rate()
            return status.rate.text(), status.rate.property("role")

        assert shown(40) == ("40 fps", "good")
        toy_studio.pace_changed.emit(60.0)
        assert shown(40) == ("40 of 60 fps", "quiet")
        assert shown(59) == ("59 fps", "good")
        toy_studio.pace_changed.emit(0.0)
        assert status.rate.text() == ""
        assert shown(12) == ("12 fps", "quiet")

    def test_the_seed_is_that_of_the_picture_on_show(
        self, window: MainWindow, toy_studio: Studio, qtbot: QtBot
    ) -> None:
        session, status = toy_studio.session, window.status
        for time, seed in ((0.0, 7), (2.0, 12)):
            actions.randomize(session, seed)
            actions.add_keyframe(session, time)
        actions.randomize(session, 3)
        for at, text in ((0.0, "seed 7"), (1.0, "seed 7 → 12"), (2.0, "seed 12"), (None, "seed 3")):
            toy_studio.set_playhead(at)
            qtbot.waitUntil(lambda text=text: status.point.text() == f"{text} · ψ 1.00", timeout=10_000)

    def test_milliseconds(self) -> None:
        assert [milliseconds(s) for s in (0.0049, 0.12, 2.1)] == ["4.9 ms", "120 ms", "2.1 s"]


def test_at_rest_no_timer_runs(
    window: MainWindow, toy_studio: Studio, qtbot: QtBot, painter: PaintingRenderer, next_picture: NextPicture
) -> None:
    from PySide6.QtCore import QTimer

    next_picture(lambda: actions.randomize(toy_studio.session, 3))
    qtbot.waitUntil(
        lambda: toy_studio.loop.idle and not any(t.isActive() for t in window.findChildren(QTimer)),
        timeout=15_000,
    )
    rendered = len(painter.rendered)
    toy_studio.refresh()
    assert toy_studio.loop.idle
    assert len(painter.rendered) == rendered


def test_an_uncaught_exception_becomes_a_notice(window: MainWindow, toy_studio: Studio) -> None:
    before, thread_before = sys.excepthook, __import__("threading").excepthook
    try:
        app.catch_everything(toy_studio)
        error = ValueError("oops")
        sys.excepthook(ValueError, error, None)
        assert "oops" in window.toast.text.text()
    finally:
        sys.excepthook = before
        __import__("threading").excepthook = thread_before


class TestStart:
    def test_without_a_display_it_says_so(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        assert app.main([]) == 2
        err = capsys.readouterr().err
        assert "no display" in err
        assert "igm --help" in err

    def test_the_window_is_up_before_torch_is_imported(self, igm_home: Path) -> None:
        code = (
            "import sys\n"
            "from PySide6.QtWidgets import QApplication\n"
            "from igm_gui.gui import theme\n"
            "from igm_gui.gui.main_window import MainWindow\n"
            "from igm_gui.gui.studio import Studio\n"
            "app = QApplication([])\n"
            "theme.load_fonts(app); theme.apply(app)\n"
            "studio = Studio(); studio.open_model('uniform-pixels')\n"
            "window = MainWindow(studio); window.show(); app.processEvents()\n"
            "heavy = {'torch', 'scipy', 'pyqtgraph', 'av', 'PIL', 'sounddevice'} & set(sys.modules)\n"
            "assert window.isVisible() and not heavy, heavy\n"
        )
        env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "IGM_HOME": str(igm_home)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_bad_file_at_the_start_leaves_the_first_model(
    qtbot: QtBot, window: MainWindow, toy_studio: Studio, painter: PaintingRenderer
) -> None:
    """Named on the command line, before any picture is there."""
    window._good = None
    painter.unreadable["bad.pkl"] = ModelError("bad.pkl is not a model.", "Open another file.")
    window.open_path("bad.pkl")
    qtbot.waitUntil(lambda: toy_studio.state.model == "toy" and window.toast.isVisible(), timeout=20_000)
    assert window.toast.text.text() == "bad.pkl is not a model."
