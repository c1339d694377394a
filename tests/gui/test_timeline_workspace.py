"""The Timeline workspace: keyframes on the track, with pointer and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.studio import Studio
from igm_gui.gui.timeline.track_paint import RULER, STRIP_TOP
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.gui.widgets import Button
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.session import actions
from tests.gui.timeline_parts import drag, drop, make, spot, times


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return make(qtbot, studio)


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


def test_keyframes_of_another_model_are_told(studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    assert "another model" not in workspace.place.text()
    for time in (1.0, 5.0):
        foreign = LatentPoint((("z", Vector(np.ones(3))),), 7)
        actions.add_keyframe(studio.session, time, foreign)
    keys = studio.state.timeline.keyframes
    numbers = [i for i, key in enumerate(keys, 1) if key.point.vector("z").size == 3]
    assert f"keys {numbers[0]} and {numbers[1]} are another model's" in workspace.place.text()


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
    studio.open_model("additive")
    assert not any(workspace.track.strip.images), "another model's pictures go at once"


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


def test_full_screen_shows_the_picture_alone(studio: Studio, workspace: TimelineWorkspace) -> None:
    workspace.set_bare(True)
    assert workspace.view.isVisible()
    assert not workspace.track.isVisible()
    assert not workspace.points.isVisible()
    workspace.set_bare(False)
    assert workspace.track.isVisible()


def test_in_a_narrow_window_the_way_is_called_by_its_short_name(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    way = workspace.transport.way
    assert way.shown == "Spherical (slerp)"
    for title, short in (("lerp", "Lerp"), ("spline", "Spline"), ("slerp", "Slerp")):
        actions.set_timeline(studio.session, interpolation=title)
        way.setFixedWidth(76)
        QApplication.processEvents()
        painted = QStyleOptionComboBox()
        way.initStyleOption(painted)
        assert painted.currentText == short
    assert way.currentText() == "Spherical (slerp)"


def test_it_fits_a_small_window(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    job = workspace.export_film(tmp_path / "film.mp4")
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
    shorter = workspace.transport.way  # has a shorter name too
    needs = {w: w.minimumSizeHint() if w is shorter else w.sizeHint() for w in told}
    assert [w for w, size in needs.items() if w.width() < min(size.width(), w.maximumWidth())] == []
    # In the smallest window too what runs can be ended.
    workspace.window().resize(900, 560)
    workspace.resize(900, 560)

    def whole(widget: QWidget) -> bool:
        right = widget.mapTo(workspace, QPoint(widget.width(), 0)).x()
        return right <= 900 and widget.width() >= widget.minimumSizeHint().width()

    told = [workspace.jobs.cancel, workspace.jobs._label, workspace.transport.play, workspace.transport.way]
    qtbot.waitUntil(lambda: all(whole(widget) for widget in told))
    assert workspace.transport.way.shown in ("Slerp", "Spherical (slerp)")
    job.cancel()
