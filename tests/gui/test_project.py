"""Projects in the window: open, save, recover, close."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from igm_gui.session.autosave import Autosave, recoverable
from igm_gui.session.session import Session

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
NextPicture = Callable[[Callable[[], object]], RenderResult]


class TestProject:
    def test_save_new_open_and_recent(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path, next_picture: NextPicture
    ) -> None:
        actions.randomize(toy_studio.session, 4)
        actions.keep(toy_studio.session, "Found")
        state = toy_studio.state
        path = tmp_path / "work.igm"
        assert window.keeper.save(path)
        assert not window.keeper.unsaved
        assert "work" in window.windowTitle()
        window.keeper.new()
        assert toy_studio.state.saved == ()
        assert window.open_path(path)
        assert toy_studio.state.saved == state.saved
        assert toy_studio.state.point == state.point
        assert Settings().names("recent_projects") == [str(path)]
        actions.forget(toy_studio.session, state.saved[0].id)
        assert window.keeper.unsaved
        assert "•" in window.windowTitle()

    def test_a_project_that_is_opened_on_the_timeline_shows_its_start(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path, next_picture: NextPicture
    ) -> None:
        window.keeper.may_leave = lambda: True
        actions.fill_timeline(toy_studio.session)
        actions.randomize(toy_studio.session, 99)  # another point than the keyframes'
        first = toy_studio.state.timeline.keyframes[0].point
        path = tmp_path / "work.igm"
        assert window.keeper.save(path)
        window.show_workspace("timeline")
        toy_studio.set_playhead(5.0)
        result = next_picture(lambda: window.open_path(path))
        assert toy_studio.playhead == 0.0
        assert result.request.points == (first,)
        window.show_workspace("explore")
        assert toy_studio.playhead is None

    def test_what_new_or_open_took_the_place_of_comes_back(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path
    ) -> None:
        keeper = window.keeper
        keeper.new()
        assert not keeper.can_bring_back, "there was nothing"
        keeper.may_leave = lambda: True  # asked, the person gave the changes up
        actions.randomize(toy_studio.session, 4)
        path = tmp_path / "work.igm"
        actions.keep(toy_studio.session, "Found")
        assert keeper.save(path)
        actions.keep(toy_studio.session, "Later")
        state = toy_studio.state
        keeper.new()
        assert toy_studio.state.saved == ()
        notice = window.toast.notice
        assert notice is not None
        assert notice.action == "Bring it back"
        QTest.mouseClick(window.toast.retry, LEFT)
        assert toy_studio.state == state
        assert (keeper.path, keeper.unsaved, keeper.worth_asking) == (path, True, True)
        # It goes both ways, by name as well.
        window.commands.run("project.back")
        assert toy_studio.state.saved == ()
        assert keeper.path is None
        window.commands.run("project.back")
        assert toy_studio.state == state
        assert window.open_path(path)
        assert [point.name for point in toy_studio.state.saved] == ["Found"]
        window.commands.run("project.back")
        assert [point.name for point in toy_studio.state.saved] == ["Found", "Later"]

    def test_undo_back_to_the_saved_state_is_not_a_change(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path
    ) -> None:
        window.keeper.save(tmp_path / "a.igm")
        actions.keep(toy_studio.session)
        assert window.keeper.unsaved
        toy_studio.session.undo()
        assert not window.keeper.unsaved

    def test_a_folder_that_can_not_be_written_is_a_notice(self, window: MainWindow, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert not window.keeper.save(tmp_path / "file" / "x.igm")
        assert window.toast.notice is not None
        assert window.toast.notice.kind == "error"

    def test_a_damaged_project_leaves_everything(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path
    ) -> None:
        before = toy_studio.state
        path = tmp_path / "bad.igm"
        path.write_bytes(b"not a project")
        assert not window.open_path(path)
        assert toy_studio.state == before
        assert window.toast.notice is not None

    def test_closing_asks_only_when_work_would_be_lost(
        self, window: MainWindow, toy_studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []

        def answer(_box: QMessageBox) -> QMessageBox.StandardButton:
            asked.append(1)
            return QMessageBox.StandardButton.Cancel

        monkeypatch.setattr(QMessageBox, "exec", answer)
        actions.randomize(toy_studio.session, 9)
        assert window.asking.may_close()
        actions.keep(toy_studio.session)
        assert not window.asking.may_close()
        assert asked == [1]

    @pytest.mark.parametrize("how", ["new", "open"])
    def test_another_project_asks_before_work_is_lost(
        self,
        window: MainWindow,
        toy_studio: Studio,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        how: str,
    ) -> None:
        other = tmp_path / "other.igm"
        assert window.keeper.save(other)
        window.keeper.new()
        reply = QMessageBox.StandardButton.Cancel
        asked: list[str] = []

        def answer(box: QMessageBox) -> QMessageBox.StandardButton:
            asked.append(box.text())
            return reply

        monkeypatch.setattr(QMessageBox, "exec", answer)

        def leave() -> None:
            window.commands.run("project.new") if how == "new" else window.open_path(other)

        leave()
        assert not asked, "there was nothing to lose"
        actions.keep(toy_studio.session, "Precious")
        leave()
        assert asked == [f"{window.keeper.name} has changes that are not saved."]
        assert [saved.name for saved in toy_studio.state.saved] == ["Precious"]
        reply = QMessageBox.StandardButton.Discard
        leave()
        assert not toy_studio.state.saved
        assert not window.keeper.unsaved

    @pytest.mark.parametrize("button", ["Go on with it", "Close"])
    def test_closing_asks_before_it_gives_up_an_export(
        self,
        window: MainWindow,
        toy_studio: Studio,
        qtbot: QtBot,
        monkeypatch: pytest.MonkeyPatch,
        button: str,
    ) -> None:
        go_on = threading.Event()

        def work(_renderer: object) -> Iterator[float]:
            for step in range(4):
                yield step / 4
                go_on.wait(20)

        asked: list[str] = []

        def answer(box: QMessageBox) -> int:
            asked.append(box.text())
            next(b for b in box.buttons() if b.text() == button).click()
            return 0

        monkeypatch.setattr(QMessageBox, "exec", answer)
        assert window.asking.may_close()
        job = toy_studio.run("Export film.mp4", work)
        qtbot.waitUntil(lambda: "Export film.mp4 · 0 %" in window.status.job.text())
        window.show_workspace("grid")
        assert window.status.job.isVisible()
        assert window.asking.may_close() == (button == "Close")
        assert asked == ["Export film.mp4 is not finished."]
        go_on.set()
        qtbot.waitUntil(lambda: job.done)
        qtbot.waitUntil(lambda: not window.status.job.isVisible())
        assert window.asking.may_close()

    def test_a_file_of_a_model_folder_opens_the_folder(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(toy_studio, "open_model", lambda model: asked.append(model) or True)
        (tmp_path / "card.json").write_text("{}")
        window.open_path(tmp_path / "card.json")
        window.open_path(tmp_path / "model.safetensors")
        window.open_path(tmp_path / "other.pkl")
        assert asked == [str(tmp_path), str(tmp_path), str(tmp_path / "other.pkl")]

    def test_dropping_a_project(self, window: MainWindow, toy_studio: Studio, tmp_path: Path) -> None:
        actions.keep(toy_studio.session, "Found")
        window.keeper.save(tmp_path / "work.igm")
        window.keeper.new()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / "work.igm"))])
        buttons, keys, copy = LEFT, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
        enter = QDragEnterEvent(QPoint(50, 50), copy, data, buttons, keys)
        QApplication.sendEvent(window, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), copy, data, buttons, keys))
        assert [s.name for s in toy_studio.state.saved] == ["Found"]


class TestRecovery:
    def test_work_of_a_killed_process_is_offered_and_taken_up(
        self, window: MainWindow, toy_studio: Studio
    ) -> None:
        lost = Session(toy_studio.state)
        lost.infos = dict(toy_studio.session.infos)
        autosave = Autosave(lost)
        actions.keep(lost, "Precious")
        actions.fill_timeline(lost)
        assert autosave.flush()
        autosave.close(keep=True)
        window.begin()
        assert window.recovery.isVisible()
        assert "on toy): 1 saved point and 4 keyframes." in window.recovery.text.text()
        assert window.rect().contains(window.recovery.geometry())
        QTest.mouseClick(window.recovery.recover, LEFT)
        assert [s.name for s in toy_studio.state.saved] == ["Precious"]
        assert window.recovery.isHidden()
        assert window.keeper.unsaved

    def test_work_done_meanwhile_is_not_lost(
        self, window: MainWindow, toy_studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lost = Session(toy_studio.state)
        autosave = Autosave(lost)
        autosave.set_origin(tmp_path / "lost.igm")
        actions.keep(lost, "Lost")
        autosave.flush()
        autosave.close(keep=True)
        window.begin()
        actions.keep(toy_studio.session, "Meanwhile")
        answers = [False, True]
        monkeypatch.setattr(window.keeper, "may_leave", lambda: answers.pop(0))
        QTest.mouseClick(window.recovery.recover, LEFT)
        assert [s.name for s in toy_studio.state.saved] == ["Meanwhile"], "the person said no"
        assert window.recovery.isVisible()
        QTest.mouseClick(window.recovery.recover, LEFT)
        assert [s.name for s in toy_studio.state.saved] == ["Lost"]
        assert window.keeper.name == "lost"
        assert answers == []
        window.commands.run("project.back")
        assert [s.name for s in toy_studio.state.saved] == ["Meanwhile"]
        # What was recovered is not saved by that: it is offered at the next start.
        assert window.keeper.save(tmp_path / "meanwhile.igm")
        window.keeper.close()
        (again,) = recoverable()
        assert [s.name for s in again.load().state.saved] == ["Lost"]
        again.release()

    def test_of_two_recovered_the_first_is_offered_again(
        self, window: MainWindow, toy_studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("Older", "Newer"):
            lost = Session(toy_studio.state)
            autosave = Autosave(lost)
            actions.keep(lost, name)
            autosave.flush()
            autosave.close(keep=True)
            os.utime(autosave.path, (0, 0) if name == "Older" else None)
        window.begin()
        monkeypatch.setattr(window.keeper, "may_leave", lambda: True)
        QTest.mouseClick(window.recovery.recover, LEFT)
        QTest.mouseClick(window.recovery.recover, LEFT)
        assert [s.name for s in toy_studio.state.saved] == ["Older"]
        (again,) = recoverable()
        assert [s.name for s in again.load().state.saved] == ["Newer"]
        again.release()

    def test_discarded_it_is_gone(self, window: MainWindow, toy_studio: Studio) -> None:
        lost = Session(toy_studio.state)
        autosave = Autosave(lost)
        actions.keep(lost, "Nothing")
        autosave.flush()
        autosave.close(keep=True)
        window.begin()
        QTest.mouseClick(window.recovery.discard, LEFT)
        assert window.recovery.isHidden()
        window.recovery.look()
        assert window.recovery.isHidden()

    def test_autosave_is_said_in_the_status_line(
        self, qtbot: QtBot, window: MainWindow, toy_studio: Studio
    ) -> None:
        window.begin()
        autosave = window.keeper._autosave
        assert autosave is not None
        actions.keep(toy_studio.session)
        with qtbot.waitSignal(window.keeper.autosaved, timeout=20_000):
            autosave.flush()
        assert window.status.saved.text().startswith("autosaved")

    def test_that_nothing_is_kept_is_a_sentence(
        self, qtbot: QtBot, window: MainWindow, toy_studio: Studio, igm_home: Path
    ) -> None:
        (igm_home / "data").write_text("no folder")
        window.begin()
        notice = window.toast.notice
        assert notice is not None
        assert "Autosave failed" in notice.text
        assert "Errno" not in notice.text
        assert "save the project" in notice.hint


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX signal")
def test_a_polite_kill_closes_in_order_and_keeps_the_work(
    qtbot: QtBot, window: MainWindow, toy_studio: Studio
) -> None:
    import signal

    from igm_gui.gui.signals import SignalWatch

    window.begin()
    actions.keep(toy_studio.session, "Precious")
    watch = SignalWatch(window.close_now)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=20_000)
    finally:
        watch.close()
    (found,) = recoverable()
    assert [s.name for s in found.load().state.saved] == ["Precious"]
    found.discard()
