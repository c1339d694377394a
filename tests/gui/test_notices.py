"""Sentences for the person: what stays, what leaves, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.errors import ModelError
from igm_gui.generators import probe
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.notices import Toast
from igm_gui.gui.studio import Notice, Studio
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.fakes import PaintingRenderer

LEFT = Qt.MouseButton.LeftButton
NextPicture = Callable[[Callable[[], object]], RenderResult]


def inside(window: QWidget, widget: QWidget) -> QRect:
    """Where ``widget`` is in ``window``."""
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


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

    def test_another_opening_takes_the_error_of_the_one_before_away(
        self, qtbot: QtBot, window: MainWindow, toy_studio: Studio, painter: PaintingRenderer, tmp_path: Path
    ) -> None:
        broken, other = tmp_path / "broken.pt", tmp_path / "other.onnx"
        for path in (broken, other):
            path.write_bytes(b"no model")
            painter.unreadable[str(path)] = ModelError(f"{path.name} is damaged.")
        with qtbot.waitSignal(toy_studio.notice, timeout=30_000):
            window.open_path(broken)
        assert "broken.pt" in window.toast.text.text()
        window.open_path(other)
        assert window.toast.isHidden()

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

    @pytest.mark.parametrize("size", [(1280, 800), (900, 560)])
    def test_an_error_covers_nothing(self, qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
        window.resize(*size)
        window.toast.show_notice(Notice("word " * 60, "hint " * 60, "line\n" * 40, "error", lambda: None))

        def free() -> bool:
            place = window.toast.geometry()
            others = (window.stack, window.status, window.top)
            return not any(place.intersects(inside(window, other)) for other in others)

        qtbot.waitUntil(free, timeout=20_000)
        QTest.mouseClick(window.toast.more, LEFT)
        qtbot.waitUntil(free, timeout=20_000)
        below = inside(window, window.stack).bottom()
        QTest.mouseClick(window.toast.close_button, LEFT)
        qtbot.waitUntil(lambda: inside(window, window.stack).bottom() > below, timeout=20_000)

    def test_a_remark_stands_in_the_top_bar(self, window: MainWindow) -> None:
        window.toast.show_notice(Notice("Saved shirt.igm.", "In a folder", kind="good"))
        place = window.toast.geometry()
        assert inside(window, window.top).contains(place)
        taken = (*window.top.tabs.values(), window.top.search, window.top.export, window.top.brand)
        assert not any(place.intersects(inside(window, other)) for other in taken)

    @pytest.mark.parametrize("words", ["Saved shirt.igm.", "word " * 60])
    def test_where_the_top_bar_is_full_a_remark_takes_the_status_line(
        self,
        qtbot: QtBot,
        window: MainWindow,
        words: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        window.resize(900, 560)
        window.recovery.show()
        window.toast.show_notice(Notice(words, "In a folder", kind="good", retry=lambda: None, action="Go"))

        def covers_nothing() -> bool:
            place = window.toast.geometry()
            others = (window.stack, window.top, window.recovery)
            return window.rect().contains(place) and not any(
                place.intersects(inside(window, w)) for w in others
            )

        qtbot.waitUntil(covers_nothing, timeout=20_000)
        assert "In a folder" in window.toast.text.text()
        (tmp_path / "slow.onnx").write_bytes(b"no model")
        monkeypatch.setattr(probe, "needed", lambda _path: True)
        monkeypatch.setattr(probe, "probe", lambda _path, stop: stop.wait(60))
        opening = window.messages.opening
        window.studio.open_model(str(tmp_path / "slow.onnx"))
        qtbot.waitUntil(opening.isVisible, timeout=20_000)
        qtbot.waitUntil(covers_nothing, timeout=20_000)
        assert not opening.geometry().intersects(window.toast.geometry())
        assert not opening.geometry().intersects(inside(window, window.stack))
        QTest.mouseClick(opening.cancel, LEFT)
        window.toast.dismiss()
        qtbot.waitUntil(
            lambda: inside(window, window.stack).bottom() + 1 == window.status.y(), timeout=20_000
        )

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
        next_picture(lambda: actions.randomize(toy_studio.session, 2))
        assert not window.toast.isHidden()  # the old model goes on beside it
        next_picture(lambda: toy_studio.open_model("other"))
        assert window.toast.isHidden()


def test_toast_needs_no_studio(qtbot: QtBot) -> None:

    holder = QWidget()
    qtbot.addWidget(holder)
    holder.resize(400, 300)
    toast = Toast(holder)
    toast.show_notice(Notice("Saved.", kind="good"))
    assert not toast.isHidden()
    toast.dismiss()
