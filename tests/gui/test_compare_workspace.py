"""The Compare workspace through mouse and keys, with real models."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats import library
from igm_gui.formats.card import card_info
from igm_gui.formats.trust import TrustNeeded, trusted
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.explore.browser import MODEL_ROLE
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderRequest, RenderResult
from igm_gui.session import actions
from tests.gui.compare_parts import LEFT, MakeStudio, make


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> CompareWorkspace:
    return make(qtbot, studio)


def shows(workspace: CompareWorkspace, place: int) -> bool:
    return place < len(workspace.columns) and not workspace.columns[place].view.empty


def test_alone_it_offers_a_second_model(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    assert len(workspace.columns) == 1
    assert workspace._hint_add.isVisible()
    assert shows(workspace, 0)
    qtbot.mouseClick(workspace._hint_add, LEFT)
    browser = workspace._chooser.browser
    assert browser is not None
    qtbot.keyClicks(browser.search, "additive")
    qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    assert studio.state.compare == ("additive",)
    assert not workspace._hint_add.isVisible()
    qtbot.waitUntil(lambda: shows(workspace, 1), timeout=20_000)
    assert workspace.columns[1].view.sound is not None
    studio.session.undo()
    assert len(workspace.columns) == 1


def test_one_latent_drives_all(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    qtbot.waitUntil(lambda: shows(workspace, 1), timeout=20_000)
    assert workspace.columns[0].shares.text() == "drives the others"
    assert workspace.columns[1].shares.text() == "same seed, not paired"
    before = workspace.columns[1].view.sound
    with qtbot.waitSignal(
        studio.rendered, timeout=20_000, check_params_cb=lambda r: r.request.slot == "compare:1"
    ):
        qtbot.mouseClick(workspace.bar.seed.die, LEFT)
    assert not np.array_equal(before, workspace.columns[1].view.sound)
    assert workspace.columns[1].time.text().endswith(" ms")


def test_a_time_is_told_when_it_is_known(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    columns = workspace.columns
    assert columns[1].time.text() == "–"
    # Nobody moves anything: the models are asked again until a median means something, and then no more.
    qtbot.waitUntil(lambda: all("median of 3" in c.time.toolTip() for c in columns), timeout=30_000)
    assert all(c.time.text().endswith("ms") and "first" not in c.time.text() for c in columns)
    qtbot.waitUntil(lambda: studio.loop.idle, timeout=20_000)
    asked: list[object] = []
    studio.rendered.connect(asked.append)
    qtbot.waitUntil(lambda: all(image is not None for c in columns for image in c.samples.images))
    assert not [r for r in asked if not r.request.slot.startswith("thumb:")]  # type: ignore[attr-defined]


def test_the_list_of_models_is_whole_before_a_word_is_typed(
    qtbot: QtBot, workspace: CompareWorkspace, tmp_path: Path
) -> None:
    own = tmp_path / "own.safetensors"
    own.write_bytes(b"opened before")
    Settings().push("recent_models", str(own))
    workspace.ask_model(workspace.bar.add)
    browser = workspace._chooser.browser
    assert browser is not None
    assert browser.nothing.isHidden()
    rows = [browser.list.item(row) for row in range(browser.list.count())]
    assert len(rows) == len(library.bundled())  # the one that is shown is not offered; one is the person's
    assert "own.safetensors" in rows[-1].text()
    assert browser.list.visualItemRect(rows[4]).bottom() < browser.list.viewport().height()
    qtbot.keyClicks(browser.search, "no such model")
    assert browser.nothing.isVisible()
    assert browser.list.isHidden()
    browser.close()


def test_a_replacing_that_was_given_up_replaces_nothing(workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    before = workspace.models
    workspace.act("replace", 1)
    browser = workspace._chooser.browser
    assert browser is not None
    browser.close()
    workspace.add_model("drums")
    assert workspace.models == (*before, "drums")
    workspace.act("replace", 1)
    assert workspace._chooser.browser is not None
    workspace._chooser.browser.chosen.emit("timbre")
    assert workspace.models == (before[0], "timbre", "drums")


def test_models_that_can_be_held_against_the_current_one_are_offered_first(
    qtbot: QtBot, make_studio: MakeStudio
) -> None:
    workspace = make(qtbot, make_studio("fashion-gan"))
    workspace.add_model("fashion-mmd")
    workspace.ask_model(workspace.bar.add)
    browser = workspace._chooser.browser
    assert browser is not None
    names = [browser.list.item(row).data(MODEL_ROLE) for row in range(browser.list.count())]
    assert not {"fashion-gan", "fashion-mmd"} & set(names)
    cards = {path.name: card_info(card, path) for path, card in library.cards()}
    current = cards["fashion-gan"]
    alike = [
        (cards[name].media == "image")
        + (cards[name].output.text == current.output.text)
        + (cards[name].output.text == current.output.text and cards[name].latent_text == current.latent_text)
        for name in names
    ]
    assert alike == sorted(alike, reverse=True)
    assert alike[0] == 3
    assert alike[-1] == 0
    browser.close()


def test_the_baseline_is_one_click_away(qtbot: QtBot, make_studio: MakeStudio) -> None:
    workspace = make(qtbot, make_studio("fashion-gan"))
    assert workspace._hint_base.isVisible()
    qtbot.mouseClick(workspace._hint_base, Qt.MouseButton.LeftButton)
    assert workspace.models == ("fashion-gan", "uniform-pixels")
    assert "not paired" in workspace.columns[1].shares.text()


def test_the_list_of_models_stays_within_the_window(workspace: CompareWorkspace) -> None:
    for button in (workspace._hint_add, workspace.bar.add):
        workspace.ask_model(button)
        browser = workspace._chooser.browser
        assert browser is not None
        bottom = workspace.mapToGlobal(QPoint(0, workspace.height())).y()
        assert browser.y() + browser.height() <= bottom
        assert browser.height() >= 300
        browser.close()


def test_remove_move_and_make_current(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    workspace.add_model("fashion-gan")
    assert workspace.models == ("uniform-pixels", "additive", "fashion-gan")
    workspace.columns[2].acted.emit("left", 2)
    assert workspace.models == ("uniform-pixels", "fashion-gan", "additive")
    workspace.columns[1].acted.emit("current", 1)
    assert studio.state.model == "fashion-gan"
    assert workspace.models == ("fashion-gan", "uniform-pixels", "additive")
    qtbot.waitUntil(lambda: all(shows(workspace, i) for i in range(3)), timeout=30_000)
    assert studio.state.point.vector("label").size == 10, "the point fits the new current model"
    workspace.columns[1].acted.emit("remove", 1)
    assert workspace.models == ("fashion-gan", "additive")
    for _ in range(5):
        studio.session.undo()
    assert workspace.models == ("uniform-pixels",)


def test_a_model_stands_there_once(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    said: list[str] = []
    studio.notice.connect(lambda notice: said.append(notice.text))
    workspace.add_model("uniform-pixels")
    assert studio.state.compare == ()
    assert said


def test_class_is_chosen_here(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("fashion-gan")
    workspace = make(qtbot, studio)
    workspace.bar.classes.setFocus()
    qtbot.keyClick(workspace.bar.classes, Qt.Key.Key_Down)
    value = studio.state.point.get("label")
    assert isinstance(value, Vector)
    assert int(np.argmax(value.array)) == 1
    assert workspace.bar.classes.currentText() == "trousers"


def test_the_longest_class_is_readable(qtbot: QtBot, make_studio: MakeStudio) -> None:
    """The names come after the bar has been shown once."""
    workspace = make(qtbot, make_studio("fashion-gan"))
    classes = workspace.bar.classes
    workspace.window().resize(1400, 800)
    workspace.resize(1400, 800)
    words = max(classes.fontMetrics().horizontalAdvance(classes.itemText(i)) for i in range(classes.count()))
    qtbot.waitUntil(lambda: classes.width() >= words + 30, timeout=5_000)


def test_a_model_that_fails_says_so_in_its_place(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    notices: list[object] = []
    studio.notice.connect(notices.append)
    workspace.add_model("/nowhere/at-all")
    column = workspace.columns[1]
    qtbot.waitUntil(lambda: "no model" in column.message.text(), timeout=10_000)
    assert column.again.isVisible()
    assert not notices, "one place says it"
    assert shows(workspace, 0)
    with qtbot.waitSignal(studio.rendered, timeout=10_000):
        qtbot.mouseClick(column.again, LEFT)


def test_a_program_is_asked_about_in_its_place(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    workspace.add_model("/nowhere/at-all")
    column = workspace.columns[1]
    qtbot.waitUntil(lambda: column.again.isVisible(), timeout=10_000)
    request = RenderRequest("/nowhere/at-all", (), "compare:1")
    asks = TrustNeeded("flat.pt2 is a program.", sha256="ab" * 32)
    studio.rendered.emit(RenderResult(request, error=asks))
    assert column.again.text() == "Open it"
    assert "ab" * 32 not in trusted()
    qtbot.mouseClick(column.again, LEFT)
    assert "ab" * 32 in trusted()


def test_a_late_answer_of_another_model_is_not_shown(studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    error: IgmError = ModelError("Old news.")
    studio.rendered.emit(RenderResult(RenderRequest("fashion-gan", (), "compare:1"), error=error))
    assert "Old news." not in workspace.columns[1].message.text()


def test_no_control_covers_another_in_a_small_window(qtbot: QtBot, make_studio: MakeStudio) -> None:
    """With classes and truncation, as full as the row gets."""
    workspace = make(qtbot, make_studio("emoji-64"))
    bar = workspace.bar
    qtbot.waitUntil(lambda: bar.classes.isVisible() and bar.truncation.isVisible(), timeout=20_000)
    workspace.window().resize(900, 560)
    workspace.resize(900, 560)
    qtbot.waitUntil(lambda: bar.width() == 900 and not bar.open.text(), timeout=20_000)
    whole = (bar.seed, bar.truncation)
    qtbot.waitUntil(lambda: all(row.width() >= row.minimumSizeHint().width() for row in whole), timeout=5_000)
    shown = [w for w in bar.findChildren(QWidget) if w.parentWidget() is bar and w.isVisible()]
    edges = sorted((w.x(), w.geometry().right()) for w in shown)
    assert edges[-1][1] < 900
    assert all(right < left for (_, right), (left, _) in pairwise(edges))
    boxes = (bar.classes, bar.kind)
    assert [box.accessibleName() for box in boxes if box.width() < box.sizeHint().width()] == []


def test_full_screen_shows_the_models_alone(workspace: CompareWorkspace) -> None:
    workspace.set_bare(True)
    assert not workspace.bar.seed.isVisible()
    assert workspace.columns[0].isVisible()
    workspace.set_bare(False)
    assert workspace.bar.seed.isVisible()


def test_nothing_is_rendered_when_it_is_not_shown(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    workspace.add_model("additive")
    qtbot.waitUntil(lambda: shows(workspace, 1), timeout=20_000)
    workspace.deactivate()
    qtbot.waitUntil(lambda: studio.loop.idle, timeout=20_000)
    slots: list[str] = []
    studio.rendered.connect(lambda r: slots.append(r.request.slot))
    with qtbot.waitSignal(studio.rendered, timeout=10_000):
        actions.randomize(studio.session, 9)
    qtbot.waitUntil(lambda: studio.loop.idle)
    assert set(slots) == {"main"}
    workspace.activate()
    qtbot.waitUntil(lambda: "compare:1" in slots, timeout=20_000)
