"""Shared controls, driven as a person drives them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.gui.commands import Commands
from igm_gui.gui.explore.layer_bar import LayerBar
from igm_gui.gui.widgets import Button, SectionHead, Thumbnail, ValueSlider, media_image
from igm_gui.gui.widgets.compact import CompactRow
from igm_gui.gui.widgets.slider import parse_number
from igm_gui.requests import RenderRequest, RenderResult
from tests.gui.fakes import TOY
from tests.gui.pointer import LEFT, wheel


@pytest.fixture
def slider(qtbot: QtBot) -> ValueSlider:
    made = ValueSlider("Truncation", -1.0, 1.0, 0.0)
    qtbot.addWidget(made)
    made.resize(320, 24)
    with qtbot.waitExposed(made):
        made.show()
    return made


class TestValueSlider:
    def test_drag_follows_the_pointer_and_tells_when_it_is_over(self, slider: ValueSlider) -> None:
        values: list[float] = []
        over: list[int] = []
        slider.changed.connect(values.append)
        slider.released.connect(lambda: over.append(1))
        track = slider.track
        y = track.height() // 2
        QTest.mousePress(track, LEFT, pos=QPoint(track.width() // 2, y))
        QTest.mouseMove(track, QPoint(track.width() // 2 + 20, y))
        QTest.mouseMove(track, QPoint(track.width(), y))
        QTest.mouseRelease(track, LEFT, pos=QPoint(track.width(), y))
        assert values == sorted(values)
        assert slider.value == 1.0
        assert over == [1]
        assert slider.edit.text() == "1.00"

    def test_shift_makes_a_drag_ten_times_finer(self, slider: ValueSlider) -> None:
        track, y = slider.track, slider.track.height() // 2
        middle = track.width() // 2

        def drag(keys: Qt.KeyboardModifier) -> float:
            slider.set_value(0.0)
            QTest.mousePress(track, LEFT, keys, QPoint(middle, y))
            event_at = QPoint(middle + 40, y)
            from PySide6.QtCore import QEvent
            from PySide6.QtGui import QMouseEvent

            move = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(event_at),
                QPointF(track.mapToGlobal(event_at)),
                Qt.MouseButton.NoButton,
                LEFT,
                keys,
            )
            QApplication.sendEvent(track, move)
            QTest.mouseRelease(track, LEFT, keys, event_at)
            return slider.value

        coarse = drag(Qt.KeyboardModifier.NoModifier)
        fine = drag(Qt.KeyboardModifier.ShiftModifier)
        assert fine == pytest.approx(coarse / 10, rel=0.01)

    def test_double_click_returns_to_the_default(self, slider: ValueSlider) -> None:
        slider.set_value(0.7)
        QTest.mouseDClick(slider.track, LEFT, pos=QPoint(10, 8))
        assert slider.value == 0.0

    def test_keys(self, slider: ValueSlider) -> None:
        slider.track.setFocus()
        QTest.keyClick(slider.track, Qt.Key.Key_Right)
        assert slider.value == pytest.approx(0.02)
        QTest.keyClick(slider.track, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert slider.value == pytest.approx(0.022)
        QTest.keyClick(slider.track, Qt.Key.Key_End)
        assert slider.value == 1.0
        QTest.keyClick(slider.track, Qt.Key.Key_Backspace)
        assert slider.value == 0.0

    def test_wheel(self, slider: ValueSlider) -> None:
        wheel(slider.track, QPoint(20, 8), 3)
        assert slider.value == pytest.approx(0.06)

    @pytest.mark.parametrize(
        ("typed", "value"), [("0.5", 0.5), ("0,5", 0.5), ("-0.25", -0.25), ("50 %", 0.5), ("9", 1.0)]
    )
    def test_typed_values(self, slider: ValueSlider, typed: str, value: float) -> None:
        slider.edit.setFocus()
        slider.edit.selectAll()
        QTest.keyClicks(slider.edit, typed)
        QTest.keyClick(slider.edit, Qt.Key.Key_Return)
        assert slider.value == pytest.approx(value)

    def test_nonsense_and_escape_change_nothing(self, slider: ValueSlider) -> None:
        told: list[float] = []
        slider.changed.connect(told.append)
        for keys in ("abc", "1"):
            slider.edit.setFocus()
            QTest.keyClicks(slider.edit, keys)
            QTest.keyClick(slider.edit, Qt.Key.Key_Return if keys == "abc" else Qt.Key.Key_Escape)
        assert told == []
        assert slider.edit.text() == "0.00"

    def test_setting_a_value_is_silent_and_not_rounded(self, slider: ValueSlider) -> None:
        told: list[float] = []
        slider.changed.connect(told.append)
        slider.set_value(0.70710678)
        assert told == []
        assert slider.value == 0.70710678

    def test_whole_steps(self, qtbot: QtBot) -> None:
        slider = ValueSlider("Layers", 0, 18, 18, 1)
        qtbot.addWidget(slider)
        slider.track.change(7.4)
        assert slider.value == 7.0
        assert slider.text() == "7"

    def test_has_names_for_a_screen_reader(self, slider: ValueSlider) -> None:
        assert slider.track.accessibleName() == "Truncation"
        slider.set_value(0.5)
        assert slider.track.accessibleDescription() == "0.50"


def test_parse_number() -> None:
    assert parse_number("440 Hz") == 440
    assert parse_number("−12 dB") == -12
    assert parse_number("inf") is None
    assert parse_number("") is None


def test_thumbnail_is_clicked_by_mouse_and_keyboard(qtbot: QtBot) -> None:
    thumb = Thumbnail(40, "Point 1")
    qtbot.addWidget(thumb)
    with qtbot.waitExposed(thumb):
        thumb.show()
    with qtbot.waitSignal(thumb.clicked, timeout=5000):
        QTest.mouseClick(thumb, LEFT)
    with qtbot.waitSignal(thumb.clicked, timeout=5000):
        QTest.keyClick(thumb, Qt.Key.Key_Return)
    assert thumb.accessibleName() == "Point 1"


def test_a_sound_has_a_waveform_for_a_thumbnail(qapp: QApplication) -> None:
    from dataclasses import replace

    from igm_gui.info import OutputSpec

    info = replace(TOY, output=OutputSpec("sound", sample_rate=24_000, samples=2400))
    wave = np.sin(np.linspace(0, 1500, 2400), dtype=np.float32)[None, None]
    result = RenderResult(RenderRequest("toy"), info, wave)
    image = media_image(result, 0, 48)
    assert image.width() == 48
    inked = sum(image.pixelColor(24, y).alpha() > 0 for y in range(48))
    assert inked > 10


def test_section_folds(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    body = QWidget(holder)
    head = SectionHead("Sampling", body=body, parent=holder)
    head.button.click()
    assert head.is_folded
    head.button.click()
    assert not head.is_folded


class TestCommands:
    def test_shortcut_runs_and_a_workspace_goes_before_the_window(self, qtbot: QtBot) -> None:
        window = QWidget()
        qtbot.addWidget(window)
        commands = Commands(window)
        ran: list[str] = []
        commands.add("play", "Play", lambda: ran.append("general"), "Space")
        with commands.building("timeline"):
            commands.add("timeline.play", "Play the timeline", lambda: ran.append("timeline"), "Space")
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        QTest.keyClick(window, Qt.Key.Key_Space)
        commands.set_scope("timeline")
        QTest.keyClick(window, Qt.Key.Key_Space)
        assert ran == ["general", "timeline"]

    def test_what_can_not_run_is_not_offered(self, qapp: QApplication) -> None:
        commands = Commands()
        ran: list[int] = []
        commands.add("undo", "Undo", lambda: ran.append(1), "Ctrl+Z", enabled=lambda: False)
        assert not commands.run("undo")
        assert not commands.run("unknown")
        assert commands.available() == []
        assert ran == []

    def test_tip_names_the_shortcut(self, qapp: QApplication) -> None:
        commands = Commands()
        commands.add("keep", "Keep this point", lambda: None, "K")
        assert commands.tip("keep") == "Keep this point  (K)"


def test_button_takes_space_only_when_it_has_the_focus(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    commands = Commands(window)
    ran: list[str] = []
    commands.add("play", "Play", lambda: ran.append("play"), "Space")
    button = Button("Keep", parent=window)
    button.clicked.connect(lambda: ran.append("button"))
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    button.clearFocus()
    QTest.keyClick(window, Qt.Key.Key_Space)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    QTest.keyClick(button, Qt.Key.Key_Return)
    assert ran == ["play", "button", "button"]


def test_a_narrow_row_gives_up_words_then_what_can_be_spared(qtbot: QtBot) -> None:
    holder = QWidget()  # which may be narrower than the row would like
    row, spare = QWidget(holder), QLabel("Samples from seed")
    first, last = Button("Open a file", "folder-open"), Button("Add a model", "plus")
    layout = QHBoxLayout(row)
    for widget in (first, spare, last):
        layout.addWidget(widget)
    CompactRow(row, (first, last), (spare,))
    qtbot.addWidget(holder)
    holder.resize(600, 40)
    row.resize(600, 40)
    with qtbot.waitExposed(holder):
        holder.show()
    whole = layout.minimumSize().width()

    def shown(width: int) -> tuple[str, str, bool]:
        row.resize(width, 40)
        QApplication.processEvents()
        return first.text(), last.text(), not spare.isHidden()

    assert shown(600) == ("Open a file", "Add a model", True)
    assert shown(whole - 1) == ("", "Add a model", True)
    first.setText("Open it")  # another word, while there is no room for it
    QApplication.processEvents()
    bare = layout.minimumSize().width()
    assert shown(bare - last.fontMetrics().horizontalAdvance("Add a mode")) == ("", "", True)
    assert shown(80) == ("", "", False)
    assert shown(600) == ("Open it", "Add a model", True)
    assert first.accessibleName() == "Open a file"


def tooltip_at(widget: QWidget, at: QPoint) -> str:
    """What resting the pointer there says."""
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at)))
    return QToolTip.text()


def test_what_is_painted_says_what_lies_under_the_pointer(qtbot: QtBot, slider: ValueSlider) -> None:
    bar = LayerBar()
    qtbot.addWidget(bar)
    bar.set_layers(("4x4 shape", "8x8 colour"))
    bar.resize(200, 38)
    bar.show()
    assert tooltip_at(bar, QPoint(10, 10)).startswith("0: 4x4 shape\n")
    assert tooltip_at(bar, QPoint(190, 10)).startswith("1: 8x8 colour\n")
    # The track of a slider has nothing of its own to say: the slider speaks for it.
    slider.show()
    assert tooltip_at(slider.track, slider.track.rect().center()) == slider.toolTip() != ""


def test_what_is_painted_keeps_its_keys_and_shows_its_focus(qtbot: QtBot) -> None:
    bar = LayerBar()
    qtbot.addWidget(bar)
    bar.set_layers(("shape", "colour"))
    bar.show()

    def claimed(key: Qt.Key) -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(bar, event)
        return event.isAccepted()

    assert claimed(Qt.Key.Key_Space)
    assert not claimed(Qt.Key.Key_R)
    qtbot.waitExposed(bar)
    without = bar.grab().toImage()
    bar.activateWindow()
    bar.setFocus()
    qtbot.waitUntil(bar.hasFocus)
    assert bar.grab().toImage() != without


def test_the_focus_of_a_thumbnail_is_told_from_its_being_selected(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    thumb, other = Thumbnail(64, "A point"), Thumbnail(64, "Another")
    row.addWidget(thumb)
    row.addWidget(other)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()

    looks = []
    for focused in (other, thumb):
        focused.setFocus()
        for selected in (False, True):
            thumb.set_selected(selected)
            looks.append(thumb.grab().toImage())
    assert all(a != b for i, a in enumerate(looks) for b in looks[:i])
