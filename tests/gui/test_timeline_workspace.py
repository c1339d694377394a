"""The Timeline workspace through mouse and keys, with a real model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDesktopServices, QDragEnterEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.jobbar import left_text
from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.timeline.track_paint import RULER, STRIP_TOP, key_rect
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.gui.widgets import Button
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from igm_gui.session import actions
from igm_gui.session.recipes import restore_file

MakeStudio = Callable[..., Studio]


def make(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    window = theme.dress(QWidget())
    commands = Commands(window)
    workspace = TimelineWorkspace(studio, commands, window)
    window.resize(1280, 720)
    workspace.resize(1280, 720)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    workspace.activate()
    return workspace


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return make(qtbot, studio)


def spot(workspace: TimelineWorkspace, seconds: float, y: float | None = None) -> QPoint:
    """A place on the track; without ``y`` the middle of a keyframe at that time."""
    if y is None:
        return key_rect(workspace.track.axis, seconds).center().toPoint()
    return QPoint(round(workspace.track.axis.x(seconds)), round(y))


def drag(widget: QWidget, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier | None = None) -> None:
    held = modifiers or Qt.KeyboardModifier.NoModifier
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(widget, left, held, start)
    for part in (0.25, 0.5, 0.75, 1.0):
        where = QPointF(start) + (QPointF(end) - QPointF(start)) * part
        # QTest.mouseMove carries neither buttons nor modifiers; the event does.
        event = QMouseEvent(QEvent.Type.MouseMove, where, widget.mapToGlobal(where), left, left, held)
        QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, left, held, end)


def times(workspace: TimelineWorkspace) -> list[float]:
    return [round(k.time, 3) for k in workspace.track.studio.state.timeline.keyframes]


def test_empty_says_how_to_begin_and_one_click_begins(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    buttons = {b.text(): b for b in workspace.findChildren(Button) if b.isVisible()}
    assert not workspace.transport.play.isEnabled()
    qtbot.mouseClick(buttons["Start with four random points"], Qt.MouseButton.LeftButton)
    assert times(workspace) == [0.0, 2.0, 4.0, 6.0]
    assert len({k.point for k in studio.state.timeline.keyframes}) == 4
    assert not buttons["Start with four random points"].isVisible()
    assert workspace.transport.play.isEnabled()
    studio.session.undo()
    assert times(workspace) == []
    assert buttons["Start with four random points"].isVisible()


def test_kept_points_are_one_click_from_a_film(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    offer = workspace._empty.saved
    assert not offer.isVisible()
    workspace._commands.run("timeline.saved")  # says what is missing, and changes nothing
    assert times(workspace) == []
    for seed in (3, 4, 5):
        actions.set_seed(studio.session, seed)
        actions.keep(studio.session)
    assert offer.text() == "Use the 3 saved points"
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert [k.point.seed for k in studio.state.timeline.keyframes] == [3, 4, 5]
    assert not workspace._empty.isVisible()


def test_a_keyframe_comes_from_the_current_point_at_the_playhead(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    drag(workspace.track, spot(workspace, 0.5, 10), spot(workspace, 3.0, 10))
    assert studio.playhead == pytest.approx(3.0)
    qtbot.mouseClick(workspace.transport.add, Qt.MouseButton.LeftButton)
    (key,) = studio.state.timeline.keyframes
    assert key.time == pytest.approx(3.0)
    assert key.point == studio.state.point
    assert workspace.track.selected == (key.id,)


def test_scrubbing_renders_what_lies_between(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    first = workspace.view.picture.picture
    assert first is not None
    with qtbot.waitSignal(studio.rendered, check_params_cb=lambda r: r.request.slot == "main"):
        QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=spot(workspace, 2.95, RULER / 2))
    assert studio.playhead == pytest.approx(2.95, abs=0.06)
    assert "between key 2 and 3" in workspace.place.text()
    assert not np.array_equal(first, workspace.view.picture.picture)


def test_dragging_a_keyframe_snaps_and_is_one_step(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    before = studio.state.timeline
    drag(workspace.track, spot(workspace, 2.0), spot(workspace, 3.02))
    # 3.02 s lies within reach of the tick at 3 s.
    assert times(workspace) == [0.0, 3.0, 4.0, 6.0]
    assert studio.playhead == pytest.approx(3.0)
    studio.session.undo()
    assert studio.state.timeline == before


def test_alt_drags_to_frames_only(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    drag(workspace.track, spot(workspace, 2.0), spot(workspace, 3.04), Qt.KeyboardModifier.AltModifier)
    moved = studio.state.timeline.keyframes[1].time
    assert moved == pytest.approx(round(moved * 30) / 30)
    assert moved != 3.0
    assert moved == pytest.approx(3.04, abs=0.03)


def test_a_group_moves_together_and_stops_at_the_end(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    track = workspace.track
    QTest.mouseClick(track, Qt.MouseButton.LeftButton, pos=spot(workspace, 4.0))
    QTest.mouseClick(
        track, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, spot(workspace, 6.0)
    )
    assert len(track.selected) == 2
    drag(track, spot(workspace, 4.0), spot(workspace, 7.9))
    assert times(workspace) == [0.0, 2.0, 6.0, 8.0]


def test_escape_gives_a_drag_up(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    track, left = workspace.track, Qt.MouseButton.LeftButton
    QTest.mousePress(track, left, pos=spot(workspace, 2.0))
    where = QPointF(spot(workspace, 3.0))
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        track, QMouseEvent(QEvent.Type.MouseMove, where, track.mapToGlobal(where), left, left, none)
    )
    assert times(workspace) != [0.0, 2.0, 4.0, 6.0]
    QTest.keyClick(track, Qt.Key.Key_Escape)
    assert times(workspace) == [0.0, 2.0, 4.0, 6.0]


def test_double_click_adds_the_point_of_that_moment(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    at = spot(workspace, 3.2, RULER + 8)
    QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(workspace.track, Qt.MouseButton.LeftButton, pos=at)
    assert len(times(workspace)) == 5
    key = studio.state.timeline.keyframes[2]
    assert key.time == pytest.approx(3.2, abs=0.06)
    studio.session.undo()
    assert studio.state.timeline.sample(key.time) == key.point


def test_the_keyboard_alone_is_enough(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    track = workspace.track
    track.setFocus()
    QTest.keyClick(track, Qt.Key.Key_Down)
    assert studio.playhead == 2.0  # the playhead stood on the first one
    QTest.keyClick(track, Qt.Key.Key_Right)
    assert times(workspace) == [0.0, round(2 + 1 / 30, 3), 4.0, 6.0]
    QTest.keyClick(track, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert times(workspace)[1] == round(2 - 9 / 30, 3)
    QTest.keyClick(track, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(times(workspace)) == 5
    QTest.keyClick(track, Qt.Key.Key_Delete)
    assert len(times(workspace)) == 4
    QTest.keyClick(track, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(track, Qt.Key.Key_Delete)
    assert times(workspace) == []
    for _ in range(4):
        studio.session.undo()
    assert times(workspace) == [0.0, 2.0, 4.0, 6.0]


def test_easing_of_the_selected_keyframe(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    easing = workspace.transport.easing
    assert not easing.isEnabled()
    QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=spot(workspace, 2.0))
    assert easing.currentData() == "ease"
    easing.setFocus()
    qtbot.keyClick(easing, Qt.Key.Key_Down)
    assert studio.state.timeline.keyframes[1].easing == "in"


def test_length_rate_and_interpolation_are_typed_and_chosen(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    length = workspace.transport.length
    length.setFocus()
    length.selectAll()
    qtbot.keyClicks(length, "0:12.5")
    qtbot.keyClick(length, Qt.Key.Key_Return)
    assert studio.state.timeline.length == 12.5
    length.selectAll()
    qtbot.keyClicks(length, "3")
    qtbot.keyClick(length, Qt.Key.Key_Return)
    assert studio.state.timeline.length == 6.0, "the last keyframe stands at 6 s"
    rate = workspace.transport.rate.lineEdit()
    assert rate is not None
    rate.setFocus()
    rate.selectAll()
    qtbot.keyClicks(rate, "48")
    qtbot.keyClick(rate, Qt.Key.Key_Return)
    assert studio.state.timeline.fps == 48
    assert workspace.transport.rate.currentText() == "48 fps"
    way = workspace.transport.way
    way.setFocus()
    qtbot.keyClick(way, Qt.Key.Key_Down)
    assert studio.state.timeline.interpolation == "lerp"
    qtbot.mouseClick(workspace.transport.loop, Qt.MouseButton.LeftButton)
    assert not studio.state.timeline.loop


def test_update_gives_a_keyframe_the_current_point(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    actions.randomize(studio.session, 77)
    QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=spot(workspace, 4.0))
    qtbot.mouseClick(workspace.transport.update_key, Qt.MouseButton.LeftButton)
    assert studio.state.timeline.keyframes[2].point == studio.state.point
    assert studio.state.timeline.keyframes[2].time == 4.0


def drop(workspace: TimelineWorkspace, id: str, where: QPoint) -> None:
    data = QMimeData()
    data.setData(POINT_MIME, QByteArray(id.encode()))
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(where, copy, data, left, none),
        QDragMoveEvent(where, copy, data, left, none),
        QDropEvent(QPointF(where), copy, data, left, none),
    ):
        QApplication.sendEvent(workspace.track, event)


def test_saved_points_are_dropped_on_the_track(studio: Studio, workspace: TimelineWorkspace) -> None:
    saved = actions.keep(studio.session)
    actions.randomize(studio.session, 5)
    other = actions.keep(studio.session)
    assert workspace.points.thumbnail(saved.id) is not None
    drop(workspace, saved.id, spot(workspace, 5.0, RULER + 30))
    assert times(workspace) == [5.0]
    assert studio.state.timeline.keyframes[0].point == saved.point
    drop(workspace, other.id, spot(workspace, 5.0))
    assert times(workspace) == [5.0]
    assert studio.state.timeline.keyframes[0].point == other.point
    drop(workspace, "unknown", spot(workspace, 2.0, RULER + 30))
    assert times(workspace) == [5.0]


def test_return_on_a_saved_point_puts_it_at_the_playhead(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    saved = actions.keep(studio.session)
    workspace.player.seek(1.5)
    thumb = workspace.points.thumbnail(saved.id)
    assert thumb is not None
    qtbot.keyClick(thumb, Qt.Key.Key_Return)
    assert times(workspace) == [1.5]


def test_a_point_of_another_model_is_announced(studio: Studio, workspace: TimelineWorkspace) -> None:
    said: list[str] = []
    studio.notice.connect(lambda notice: said.append(notice.text))
    own = actions.keep(studio.session)
    workspace.points.chosen.emit(own.id)
    assert said == []
    other = replace(own, id="other", name="Note", model="additive")
    studio.session.update(saved=(own, other))
    workspace.points.chosen.emit("other")
    assert said == ["Note was found in additive: this is what uniform-pixels makes of it."]


def test_playing_moves_the_playhead_in_real_time_and_loops(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    now = [100.0]
    workspace.player._clock = lambda: now[0]
    qtbot.mouseClick(workspace.transport.play, Qt.MouseButton.LeftButton)
    assert workspace.transport.play.text() == "Pause"

    def until(seconds: float) -> None:
        now[0] = 100.0 + seconds
        with qtbot.waitSignal(studio.playhead_changed, timeout=5000):
            workspace.player._timer.start(0)

    until(0.5)
    assert studio.playhead == pytest.approx(0.5)
    until(5.21)  # late: what lies between is left out, the clock decides
    assert studio.playhead == pytest.approx(round(5.21 * 30 - 0.5) / 30, abs=1e-6)
    until(8.0 + 1.0)
    assert studio.playhead == pytest.approx(1.0, abs=1e-6)
    until(8.0 * 1000 + 2.0)
    assert studio.playhead == pytest.approx(2.0, abs=1e-6), "no drift after a thousand rounds"
    workspace.toggle_play()
    assert not workspace.player.playing


def test_without_loop_it_stops_at_the_end_and_starts_over(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, loop=False)
    now = [0.0]
    workspace.player._clock = lambda: now[0]
    workspace.toggle_play()
    now[0] = 9.0
    with qtbot.waitSignal(workspace.player.playing_changed, timeout=5000):
        workspace.player._timer.start(0)
    assert studio.playhead == studio.state.timeline.length
    workspace.toggle_play()
    assert studio.playhead == 0.0


def test_real_playing_shows_pictures(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    shown: list[float] = []
    studio.rendered.connect(lambda r: shown.append(studio.playhead or 0.0))
    workspace.toggle_play()
    with qtbot.waitSignal(workspace.player.rate_changed, timeout=20_000):
        pass
    workspace.toggle_play()
    assert len(shown) >= 2
    assert shown == sorted(shown)


def test_leaving_shows_the_current_point_and_stops(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    workspace.player.seek(3.0)
    workspace.toggle_play()
    workspace.deactivate()
    assert studio.playhead is None
    assert not workspace.player.playing
    qtbot.waitUntil(lambda: studio.loop.idle, timeout=10_000)
    workspace.activate()
    assert studio.playhead is not None
    assert studio.playhead >= 3.0


def test_small_pictures_appear(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    points = [k.point for k in studio.state.timeline.keyframes]
    qtbot.waitUntil(
        lambda: all(workspace.track.thumbs.get(studio.state.model, p) for p in points), timeout=20_000
    )
    qtbot.waitUntil(lambda: bool(workspace.track.strip.images) and all(workspace.track.strip.images))
    assert not workspace.track.grab().isNull()
    assert workspace.track.height() > STRIP_TOP


def test_zoom_and_scroll(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    track = workspace.track
    track.setFocus()
    QTest.keyClick(track, Qt.Key.Key_Plus)
    QTest.keyClick(track, Qt.Key.Key_Plus)
    assert track.axis.zoom == pytest.approx(2.25)
    workspace._scroll.setValue(workspace._scroll.maximum())
    assert track.axis.start == pytest.approx(8.0 - 8.0 / 2.25, abs=1e-3)
    QTest.keyClick(track, Qt.Key.Key_0)
    assert track.axis.zoom == 1.0
    assert track.axis.start == 0.0


def test_the_menu_of_a_keyframe(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=spot(workspace, 2.0))
    id = workspace.track.selected[0]
    workspace.track.menu_asked.emit(QPoint(100, 100), id, 2.0)
    menu = workspace.findChildren(QMenu)[0]
    delete = next(a for a in menu.actions() if a.text() == "Delete the keyframe")
    delete.trigger()
    menu.close()
    assert times(workspace) == [0.0, 4.0, 6.0]


def entry(menu: QMenu, *titles: str) -> QAction:
    """The entry of a menu, through its sub-menus."""
    for title in titles[:-1]:
        menu = next(m for m in menu.findChildren(QMenu) if m.title() == title)
    return next(a for a in menu.actions() if a.text() == titles[-1])


def test_a_keyframe_gets_a_way_of_its_own_by_menu_and_palette(
    studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    workspace.track.step_key(1)
    id = workspace.track.selected[0]
    menu = workspace.menus.track(QPoint(100, 100), id, 0.0)
    assert entry(menu, "Way to the next", "As the timeline").isChecked()
    entry(menu, "Way to the next", "Straight (lerp)").trigger()
    menu.close()
    key = studio.state.timeline.keyframe(id)
    assert key is not None
    assert key.way == "lerp"
    assert "straight (lerp)" in workspace.track.tip_at(QPointF(spot(workspace, key.time)))
    workspace._commands.run("timeline.way.same")
    workspace._commands.run("timeline.easing.hold")
    key = studio.state.timeline.keyframe(id)
    assert key is not None
    assert (key.way, key.easing) == (None, "hold")


def test_without_a_selection_the_palette_says_what_is_missing(
    studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    said: list[str] = []
    studio.notice.connect(lambda notice: said.append(notice.text))
    before = studio.state
    for name in ("timeline.easing.out", "timeline.way.spline", "timeline.update"):
        workspace._commands.run(name)
    assert said == ["No keyframe is selected."] * 3
    assert studio.state == before


def test_the_smooth_way_changes_the_picture_between_keyframes(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    actions.fill_timeline(studio.session)
    with qtbot.waitSignal(studio.rendered, check_params_cb=lambda r: r.request.slot == "main"):
        workspace.player.seek(2.7)
    way = workspace.transport.way
    with qtbot.waitSignal(studio.rendered, check_params_cb=lambda r: r.request.slot == "main"):
        way.setCurrentIndex(way.findData("spline"))
        way.activated.emit(way.currentIndex())
    assert studio.state.timeline.interpolation == "spline"
    assert studio.last is not None
    assert studio.last.request.points[0] == studio.state.timeline.sample(2.7)


def test_spreading_takes_the_playhead_along(studio: Studio, workspace: TimelineWorkspace) -> None:
    for seconds in (0.0, 0.5, 1.0, 1.5):
        workspace.track.add(seconds)
    workspace._commands.run("timeline.spread")
    assert times(workspace) == [0.0, 2.0, 4.0, 6.0]
    assert studio.playhead == 6.0
    studio.session.undo()
    assert times(workspace) == [0.0, 0.5, 1.0, 1.5]


def test_how_a_film_is_written_is_chosen_and_kept(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=2.0)
    assert "532 × 532, sharp pixels · 8 s at 2 fps · high quality" in workspace.export.toolTip()
    for titles in (
        ("Size", "28 × 28 (the model's own)"),
        ("Go round", "2 times"),
        ("Quality", "Highest"),
        ("Enlarge with", "Smooth"),
    ):
        menu = workspace.menus.export(QPoint(100, 100))
        assert not entry(menu, *titles).isChecked()
        entry(menu, *titles).trigger()
        menu.close()
    assert "28 × 28 · 16 s at 2 fps · highest quality" in workspace.export.toolTip()
    path = tmp_path / "film.mp4"
    job = workspace.export_mp4(path)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    with av.open(str(path)) as film:
        frames = [f.to_ndarray(format="gray") for f in film.decode(video=0)]
    assert len(frames) == 32
    assert frames[0].shape == (28, 28)
    # Without loop there is no second round.
    actions.set_timeline(studio.session, loop=False)
    assert "· 8 s at 2 fps" in workspace.export.toolTip()
    menu = workspace.menus.export(QPoint(100, 100))
    assert not next(m for m in menu.findChildren(QMenu) if m.title() == "Go round").isEnabled()
    assert entry(menu, "Size", "28 × 28 (the model's own)").isChecked()
    menu.close()


def test_what_was_written_can_be_shown_in_its_folder(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path, monkeypatch
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=1.0)
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    notices: list[Notice] = []
    studio.notice.connect(notices.append)
    workspace.export_frames(tmp_path / "frames")
    qtbot.waitUntil(lambda: bool(notices), timeout=60_000)
    assert notices[0].text == "Written: frames"
    assert notices[0].retry is not None
    notices[0].retry()
    assert shown == [str(tmp_path / "frames")]


@pytest.mark.parametrize(
    ("progress", "elapsed", "text"),
    [(0.0, 0.1, "0 %"), (0.4, 0.5, "40 %"), (0.5, 9.0, "50 % · 0:09"), (0.25, 1200.0, "25 % · 1:00:00")],
)
def test_what_is_left_is_told_once_it_can_be(progress: float, elapsed: float, text: str) -> None:
    assert left_text(progress, elapsed) == text


def test_export_mp4_holds_every_frame_and_the_recipe(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=12.0)
    path = tmp_path / "film.mp4"
    job = workspace.export_mp4(path)
    assert workspace.jobs.isVisible()
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == studio.state.timeline.frames == 96
    back = restore_file(path, studio.session.infos)
    assert back.changes["timeline"] == studio.state.timeline


def test_export_of_frames_matches_what_was_on_show(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=4.0)
    job = workspace.export_frames(tmp_path / "frames")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    files = sorted((tmp_path / "frames").glob("*.png"))
    assert len(files) == 32
    with qtbot.waitSignal(studio.rendered, check_params_cb=lambda r: r.request.slot == "main"):
        workspace.player.seek(9 / 4)
    written = np.asarray(Image.open(files[9]))
    seen = workspace.view.picture.picture
    assert seen is not None
    assert np.array_equal(written.reshape(seen.shape), seen)


def test_cancel_leaves_nothing(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, length=600.0, fps=60.0)
    said: list[str] = []
    studio.notice.connect(lambda notice: said.append(notice.text))
    job = workspace.export_mp4(tmp_path / "long.mp4")
    qtbot.mouseClick(workspace.jobs.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.done
    assert list(tmp_path.iterdir()) == []
    assert any("cancelled" in text for text in said)
    assert workspace.export.isVisible()


def test_playing_a_sound_model_streams_the_moving_point(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("additive")
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    workspace.toggle_play()
    assert hub.is_playing(workspace.sound)
    assert hub.engine.live_model == "additive"
    with qtbot.waitSignal(studio.playhead_changed, timeout=10_000, check_params_cb=lambda at: at > 0.3):
        pass
    live = hub.engine._live
    assert live is not None
    assert live.point != studio.state.timeline.keyframes[0].point
    workspace.toggle_play()
    assert not hub.is_playing(workspace.sound)


def test_a_model_that_can_not_stream_plays_one_rendering_after_the_other(
    qtbot: QtBot, make_studio: MakeStudio
) -> None:
    studio = make_studio("additive")
    # Such a model: what it is known for, without the ability.
    info = studio.session.infos["additive"]
    still = replace(info, abilities=(), output=replace(info.output, samples=24_000))
    studio.session.learn = lambda *_: None  # type: ignore[method-assign]
    studio.session.infos["additive"] = still
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    hub = hub_of(studio)
    played: list[bytes] = []
    play = hub.play

    def listen(owner: object, samples: np.ndarray, rate: int) -> None:
        played.append(samples.tobytes())
        play(owner, samples, rate)

    hub.play = listen  # type: ignore[method-assign,assignment]
    workspace.toggle_play()
    qtbot.waitUntil(lambda: len(played) >= 2, timeout=20_000)
    assert hub.is_playing(workspace.sound)
    assert not hub.engine.live_model
    assert played[0] != played[1]
    workspace.toggle_play()
    assert not hub.is_playing(workspace.sound)


def test_full_screen_shows_the_picture_alone(studio: Studio, workspace: TimelineWorkspace) -> None:
    workspace.set_bare(True)
    assert workspace.view.isVisible()
    assert not workspace.track.isVisible()
    assert not workspace.points.isVisible()
    workspace.set_bare(False)
    assert workspace.track.isVisible()


def test_it_fits_a_small_window(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    job = workspace.export_mp4(tmp_path / "film.mp4")
    assert workspace.jobs.isVisible()
    qtbot.waitUntil(lambda: workspace.minimumSizeHint().width() <= 1280)
    assert workspace.minimumSizeHint().height() <= 640
    # Nothing in the bar is squeezed, whatever it says just now.
    workspace.transport.play.setText("Pause")
    workspace.transport.easing.setCurrentIndex(1)
    QApplication.processEvents()
    parts = workspace.transport.findChildren(QWidget)
    told = [w for w in parts if w.isVisible() and isinstance(w, Button | QLabel | QComboBox)]
    assert workspace.jobs.cancel in told
    assert [w for w in told if w.width() < min(w.sizeHint().width(), w.maximumWidth())] == []
    job.cancel()


def test_a_sound_model_shows_waveforms_and_writes_wav(
    qtbot: QtBot, make_studio: MakeStudio, tmp_path: Path
) -> None:
    studio = make_studio("additive")
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, length=6.0)
    assert workspace.export.text() == "Export WAV…"
    with qtbot.waitSignal(studio.rendered, timeout=20_000):
        workspace.player.seek(1.0)
    assert workspace.view.sound is not None
    assert workspace.view.currentWidget() is workspace.view.waveform
    job = workspace.export_wav(tmp_path / "tone.wav")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    samples, rate = soundfile.read(tmp_path / "tone.wav")
    assert len(samples) == pytest.approx(6.0 * rate, abs=2)
    assert np.abs(samples).max() > 0.01
