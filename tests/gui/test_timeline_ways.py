"""How the timeline goes from one keyframe to the next, by menu and palette."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.session import actions
from tests.gui.timeline_parts import entry, make, spot, times


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return make(qtbot, studio)


def test_easing_of_the_selected_keyframe(qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace) -> None:
    actions.fill_timeline(studio.session)
    easing = workspace.transport.easing
    assert not easing.isEnabled()
    QTest.mouseClick(workspace.track, Qt.MouseButton.LeftButton, pos=spot(workspace, 2.0))
    assert easing.currentData() == "ease"
    easing.setFocus()
    qtbot.keyClick(easing, Qt.Key.Key_Down)
    assert studio.state.timeline.keyframes[1].easing == "in"


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


def test_a_constant_pace_is_measured_and_one_step_to_undo(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    told: list[Notice] = []
    studio.notice.connect(told.append)
    workspace._commands.run("timeline.pace")
    assert told[-1].hint == "Add a second keyframe first."
    actions.fill_timeline(studio.session)
    before = studio.state.timeline
    workspace._commands.run("timeline.pace")
    assert not workspace.jobs.isHidden()
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    after = studio.state.timeline
    assert told[-1].text == "Every second changes as much as any other now."
    assert all(key.pace and key.easing == "linear" for key in after.keyframes)
    assert [key.point for key in after.keyframes] == [key.point for key in before.keyframes]
    assert "at a constant pace" in workspace.track.tip_at(QPointF(spot(workspace, after.keyframes[1].time)))
    studio.session.undo()
    assert studio.state.timeline == before
    studio.session.redo()
    workspace._commands.run("timeline.pace.drop")
    assert not any(key.pace for key in studio.state.timeline.keyframes)


@pytest.mark.parametrize("what", ["timeline", "model"])
def test_a_timeline_that_changes_while_its_pace_is_measured_is_left_as_it_is(
    what: str, qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace
) -> None:
    told: list[Notice] = []
    studio.notice.connect(told.append)
    actions.fill_timeline(studio.session)
    workspace._commands.run("timeline.pace")
    if what == "timeline":
        actions.set_timeline(studio.session, length=20.0)
    else:
        assert studio.open_model("fashion-gan")
        assert studio.state.model == "fashion-gan"
    changed = studio.state.timeline
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert studio.state.timeline == changed
    assert any(f"{what} was changed meanwhile" in notice.text for notice in told)
