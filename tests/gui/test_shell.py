"""The window around the workspaces: commands, notices, hints, projects, recovery, theme, start-up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from igm_gui.errors import ModelError
from igm_gui.gui import app, theme
from igm_gui.gui.drop_veil import promise
from igm_gui.gui.explore.hints import SEEN
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.notices import Toast
from igm_gui.gui.palette import score
from igm_gui.gui.settings import Settings
from igm_gui.gui.status import Rate, milliseconds
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.tokens import DARK, LIGHT
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import PaintingRenderer

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestPalette:
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

    def test_lists_models_too(self, window: MainWindow) -> None:
        window.open_palette()
        assert window.palette_popup is not None
        assert "Open Uniform pixels (baseline)" in window.palette_popup.titles()
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


class TestNotices:
    def test_an_error_offers_details_copy_and_retry(self, window: MainWindow, toy_studio: Studio) -> None:
        tried: list[int] = []
        toy_studio.fail(ModelError("It broke.", "Mend it.", "line 1"), lambda: tried.append(1))
        toast = window.toast
        assert toast.isVisible()
        assert (toast.text.text(), toast.hint.text()) == ("It broke.", "Mend it.")
        QTest.mouseClick(toast.more, LEFT)
        assert toast.details.isVisible()
        QTest.mouseClick(toast.copy, LEFT)
        assert QGuiApplication.clipboard().text() == "It broke.\nMend it.\nline 1"
        QTest.mouseClick(toast.retry, LEFT)
        assert tried == [1]
        assert toast.isHidden()

    def test_a_remark_does_not_push_an_error_away(self, window: MainWindow, toy_studio: Studio) -> None:
        toy_studio.fail(ModelError("It broke."))
        toy_studio.say("Copied.")
        assert window.toast.text.text() == "It broke."

    def test_a_remark_leaves_by_itself(self, qtbot: QtBot, window: MainWindow, monkeypatch: object) -> None:
        assert isinstance(monkeypatch, pytest.MonkeyPatch)
        monkeypatch.setattr("igm_gui.gui.notices.SECONDS_SHOWN", 0.0)
        window.toast.show_notice(Notice("Hi"))
        qtbot.waitUntil(lambda: window.toast.isHidden(), timeout=10_000)

    def test_stays_inside_the_window(self, window: MainWindow) -> None:
        window.toast.show_notice(Notice("word " * 80, "hint " * 60, kind="error"))
        assert window.rect().contains(window.toast.geometry())
        window.resize(900, 560)
        QApplication.processEvents()
        assert window.rect().contains(window.toast.geometry())

    def test_failure_while_running_clears_with_the_next_picture(
        self, window: MainWindow, toy_studio: Studio, painter: PaintingRenderer, next_picture: NextPicture
    ) -> None:
        painter.errors["toy"] = ModelError("The toy broke.", "Change an input.")
        next_picture(lambda: actions.randomize(toy_studio.session, 1))
        assert window.toast.text.text() == "The toy broke."
        del painter.errors["toy"]
        next_picture(lambda: actions.randomize(toy_studio.session, 2))
        assert window.toast.isHidden()

    def test_a_model_that_does_not_open_leaves_the_old_one(
        self,
        window: MainWindow,
        toy_studio: Studio,
        painter: PaintingRenderer,
        qtbot: QtBot,
        next_picture: NextPicture,
    ) -> None:
        next_picture(lambda: actions.randomize(toy_studio.session, 1))
        good = toy_studio.state.point
        painter.unreadable["bad.pkl"] = ModelError("bad.pkl is not a model.", "Open another file.")
        with qtbot.waitSignal(
            toy_studio.rendered, timeout=20_000, check_params_cb=lambda r: r.error is not None
        ):
            toy_studio.open_model("bad.pkl")
        assert toy_studio.state.model == "toy"
        assert toy_studio.state.point == good
        assert window.toast.text.text() == "bad.pkl is not a model."


class TestHints:
    def test_three_hints_that_go_away_for_good(
        self, window: MainWindow, toy_studio: Studio, explore: ExploreWorkspace
    ) -> None:
        window.show_hints()
        bubble = window.hints
        assert bubble is not None
        assert explore.drift.running
        strip = explore.inputs.strips["z"]
        QTest.mouseClick(strip, LEFT, pos=strip.rect().center())
        assert not explore.drift.running
        assert bubble.index == 1
        QTest.keyClick(window, Qt.Key.Key_K)
        assert bubble.index == 2
        QTest.mouseClick(bubble.next, LEFT)
        assert window.hints is None
        assert Settings().flag(SEEN)

    def test_skip(self, window: MainWindow) -> None:
        window.show_hints()
        assert window.hints is not None
        assert window.rect().contains(window.hints.geometry())
        QTest.mouseClick(window.hints.skip, LEFT)
        assert window.hints is None

    def test_first_start_shows_them_and_moves(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        window.begin()
        next_picture(lambda: toy_studio.refresh(force=True))
        assert window.hints is not None
        assert window.hints.index == 0
        assert explore.drift.running

    def test_what_was_done_before_the_first_picture_stays(
        self, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio, next_picture: NextPicture
    ) -> None:
        window.begin()
        next_picture(lambda: actions.randomize(toy_studio.session, 1))
        assert window.hints is not None
        assert window.hints.index == 1
        assert not explore.drift.running
        assert toy_studio.state.point.seed == 1


class TestDrop:
    def test_what_letting_go_would_do_is_said(self, window: MainWindow) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile("/tmp/a.pkl"), QUrl.fromLocalFile("/tmp/b.pkl")])
        enter = QDragEnterEvent(
            QPoint(600, 300), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(window, enter)
        assert enter.isAccepted()
        assert window.veil.isVisible()
        assert window.veil.size() == window.size()
        assert window.veil.text.startswith("Open the model a.pkl\n1 more")
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not window.veil.isVisible()

    @pytest.mark.parametrize(
        ("name", "finds", "words"),
        [
            ("a.igm", False, "Open the project a.igm"),
            ("a.png", False, "a.png: bring back what made it"),
            ("a.png", True, "a.png: bring back what made it or find its place in the latent space"),
            ("a.jpg", True, "a.jpg: find its place in the latent space"),
            ("a.jpg", False, "Open a.jpg"),
            ("folder", False, "Open the model folder"),
        ],
    )
    def test_promise(self, name: str, finds: bool, words: str) -> None:
        assert promise([Path(name)], finds) == words


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


class TestTheme:
    def test_light_and_dark_at_once_and_remembered(self, window: MainWindow, qapp: QApplication) -> None:
        window.set_theme("light")
        try:
            assert theme.tokens() is LIGHT
            shot = window.grab().toImage()
            assert shot.pixelColor(400, 20).lightness() > 200
            assert Settings().text("theme") == "light"
        finally:
            window.set_theme("dark")
        assert theme.tokens() is DARK
        assert window.grab().toImage().pixelColor(400, 20).lightness() < 60

    @pytest.mark.parametrize("tokens", [DARK, LIGHT])
    def test_text_has_a_contrast_of_four_and_a_half(self, tokens: object) -> None:
        from PySide6.QtGui import QColor

        def luminance(text: str) -> float:
            def linear(c: float) -> float:
                return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

            colour = QColor(text)
            red, green, blue = colour.redF(), colour.greenF(), colour.blueF()
            return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)

        def contrast(a: str, b: str) -> float:
            one, two = sorted((luminance(a), luminance(b)), reverse=True)
            return (one + 0.05) / (two + 0.05)

        pairs = [
            (text, ground)
            for text in ("text", "quiet")
            for ground in ("canvas", "background", "panel", "raised")
        ]
        pairs += [("on_accent", "accent"), ("accent", "panel"), ("good", "panel"), ("bad", "raised")]
        for text, ground in pairs:
            assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5, (text, ground)

    def test_figures_have_equal_width(self, qapp: QApplication) -> None:
        from PySide6.QtGui import QFontMetricsF

        metrics = QFontMetricsF(qapp.font())
        assert len({metrics.horizontalAdvance(d) for d in "0123456789"}) == 1

    def test_every_icon_in_the_folder_is_drawn(self, qapp: QApplication) -> None:
        from igm_gui.paths import assets_folder

        for path in (assets_folder() / "icons").glob("*.svg"):
            image = theme.icon_pixmap(path.stem).toImage()
            side = range(image.width())
            inked = any(image.pixelColor(x, y).alpha() > 0 for x in side for y in side)
            assert inked, path.name


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


def test_toast_needs_no_studio(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QWidget

    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(400, 300)
    toast = Toast(holder)
    toast.show_notice(Notice("Saved.", kind="good"))
    assert not toast.isHidden()
    toast.dismiss()


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
