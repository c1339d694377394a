"""The columns beside the picture: their widths, and that nothing in them is cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.panels import NARROWEST, WIDEST, SidePanel, own_widths
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.labels import ElidedLabel
from igm_gui.gui.widgets.scrolling import Spin
from igm_gui.info import Direction, InputSpec
from tests.gui.fakes import TOY
from tests.gui.pointer import LEFT, wheel


@pytest.mark.parametrize("size", [(900, 560), (1280, 800), (1920, 1080), (2560, 1440), (3840, 2160)])
def test_the_picture_keeps_more_than_half_of_the_window(size: tuple[int, int]) -> None:
    left, right = own_widths(*size)
    assert NARROWEST <= left <= WIDEST
    assert NARROWEST <= right <= WIDEST
    assert left + right <= max(0.5 * size[0], 2 * 290)


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (2560, 1440)])
def test_the_right_column_is_filled(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, size: tuple[int, int]
) -> None:
    window.resize(*size)

    def filled() -> bool:
        below = explore.variations.mapTo(explore.right, QPoint(0, explore.variations.height()))
        return 0 <= explore.right.height() - below.y() < 0.1 * size[1]

    qtbot.waitUntil(filled, timeout=10_000)
    assert not explore.right.verticalScrollBar().isVisible()


def test_an_edge_that_was_pulled_stays_and_a_double_click_gives_it_back(
    window: MainWindow, explore: ExploreWorkspace
) -> None:
    own = explore.left.width()
    handle = explore.splitter.handle(1)
    middle = handle.rect().center()
    QTest.mousePress(handle, LEFT, pos=middle)
    QTest.mouseMove(handle, middle + QPoint(60, 0))
    QTest.mouseRelease(handle, LEFT, pos=middle + QPoint(60, 0))
    pulled = explore.left.width()
    assert pulled > own + 30
    window.resize(1400, 900)
    assert explore.left.width() == pytest.approx(pulled, abs=2)
    QTest.mouseDClick(explore.splitter.handle(1), LEFT)
    window.resize(1280, 800)
    assert explore.left.width() == own


def inner_edges(panel: SidePanel) -> list[str]:
    """Widgets of a panel that reach beyond its visible width."""
    port = panel.viewport()
    found = []
    for widget in panel.widget().findChildren(QWidget):
        if widget.isVisible():
            right = widget.mapTo(panel.widget(), QPoint(widget.width(), 0)).x()
            if right > port.width():
                found.append(f"{type(widget).__name__} {widget.objectName()}: {right} > {port.width()}")
    return found


def test_nothing_is_cut_off_at_the_smallest_width(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    long = replace(
        TOY,
        inputs=(
            *TOY.inputs,
            InputSpec("long", "scalar", title="A remarkably long name", maximum=1.0, unit="semitones"),
            InputSpec("other_seed", "seed", title="Another long name"),
        ),
        directions=tuple(Direction(f"direction number {i}", "z", (1.0,) + (0.0,) * 11) for i in range(12)),
    )
    toy_studio.session.learn(long, "toy")
    window.resize(1000, 600)
    explore.splitter.setSizes([1, 2000, 1])
    qtbot.waitUntil(explore.left.verticalScrollBar().isVisible, timeout=10_000)
    for panel in (explore.left, explore.right):
        assert not (found := inner_edges(panel)), "\n".join(found)


def test_a_long_text_ends_in_dots_and_a_tooltip(qtbot: QtBot) -> None:
    label = ElidedLabel("stylegan2-64-conditional-resnet", Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    label.resize(90, 20)
    label.show()
    assert "…" in label.text()
    assert label.toolTip() == label.full == "stylegan2-64-conditional-resnet"
    label.resize(900, 20)
    assert label.text() == label.full
    assert label.toolTip() == ""


def test_scrolling_on_passes_over_what_comes_under_the_pointer(
    qtbot: QtBot, window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    window.resize(900, 560)
    slider = next(iter(explore.inputs.scalars.values()))
    bar = explore.left.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    before, middle = toy_studio.state, slider.track.rect().center()
    # The turn that scrolls the column, and another at the same place, where a slider has come meanwhile.
    place = explore.left.viewport().mapFromGlobal(slider.track.mapToGlobal(middle))
    wheel(explore.left.viewport(), place, -1)
    scrolled = bar.value()
    assert scrolled > 0
    at = slider.track.mapFromGlobal(explore.left.viewport().mapToGlobal(place))
    wheel(slider.track, at, -1)
    assert toy_studio.state == before
    # A hand that has moved to the slider means the slider.
    wheel(slider.track, at + QPoint(12, 0), -1)
    assert toy_studio.state.point != before.point


def test_the_wheel_is_the_sliders_where_nothing_was_scrolled(
    window: MainWindow, explore: ExploreWorkspace, toy_studio: Studio
) -> None:
    slider = next(iter(explore.inputs.scalars.values()))
    before = toy_studio.state.point
    wheel(slider.track, slider.track.rect().center(), -1)
    assert toy_studio.state.point != before


def test_a_box_takes_the_wheel_only_while_it_has_the_keys(window: MainWindow, toy_studio: Studio) -> None:
    window.show_workspace("grid")
    box = next(spin for spin in window.findChildren(Spin) if spin.accessibleName() == "Columns")
    before = toy_studio.state.grid
    wheel(box, box.rect().center(), 1)
    assert toy_studio.state.grid == before
    assert not box.hasFocus()
    box.setFocus()
    wheel(box, box.rect().center(), 1)
    assert toy_studio.state.grid.columns == before.columns + 1


@pytest.mark.parametrize("workspace", ["explore", "timeline", "compare", "grid"])
def test_a_full_hd_screen_at_twice_the_size_has_room_for_all(
    qtbot: QtBot, window: MainWindow, workspace: str
) -> None:
    window.show_workspace(workspace)
    window.resize(960, 500)
    QApplication.processEvents()
    assert window.height() == 500
    assert window.minimumSizeHint().height() <= 500
    assert window.status.mapTo(window, QPoint(0, window.status.height())).y() <= 500
