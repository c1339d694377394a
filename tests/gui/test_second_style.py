"""The second latent of style mixing: what it does, and that it says so while it does nothing."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.explore.second_style import SecondStyle
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.studio import Studio
from igm_gui.info import InputSpec
from tests.gui.fakes import TOY, PaintingRenderer
from tests.gui.pointer import LEFT, spot

STYLED = replace(
    TOY,
    name="styled",
    inputs=(
        *TOY.inputs,
        InputSpec("fine", "latent", "Fine style", "A second z, for the finer layers", shape=(12,)),
        InputSpec("coarse_layers", "scalar", "Coarse layers", maximum=6.0, default=6.0, step=1.0),
    ),
)


def open_styled(
    qtbot: QtBot, explore: ExploreWorkspace, studio: Studio, painter: PaintingRenderer
) -> SecondStyle:
    painter.infos["styled"] = STYLED
    studio.open_model("styled")
    qtbot.waitUntil(lambda: "fine" in explore.inputs.seconds, timeout=20_000)
    second = explore.inputs.seconds["fine"]
    qtbot.waitUntil(lambda: second.isVisible() and second.strip.height() > 0)
    return second


def test_it_says_that_it_does_nothing_and_one_click_mends_that(
    qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer
) -> None:
    second = open_styled(qtbot, explore, toy_studio, painter)
    head = explore.inputs._heads["fine"]
    assert second.note.isVisible()
    assert "A second z, for the finer layers" in second.text.text()
    assert head.remark.text() == "no effect now"
    before = toy_studio.state.point
    QTest.mouseClick(second.strip, LEFT, pos=spot(second.strip, 1, 2.0))
    assert toy_studio.state.point == before, "nothing can be drawn that nobody would see"
    QTest.mouseClick(second.mix, LEFT)
    assert toy_studio.state.point.scalar("coarse_layers") == 3.0
    assert not second.note.isVisible()
    assert head.remark.text().startswith("layers 4 to 6")
    QTest.mouseClick(second.strip, LEFT, pos=spot(second.strip, 1, 2.0))
    assert toy_studio.state.point.vector("fine")[1] > 1.5
    toy_studio.session.undo()
    toy_studio.session.undo()
    assert toy_studio.state.point == before
    assert second.note.isVisible()


def test_the_panel_does_not_jump_when_it_begins_to_count(
    qtbot: QtBot, explore: ExploreWorkspace, toy_studio: Studio, painter: PaintingRenderer
) -> None:
    second = open_styled(qtbot, explore, toy_studio, painter)
    slider = explore.inputs.scalars["coarse_layers"]
    assert second.note.isVisible()
    place = slider.mapTo(explore, slider.rect().topLeft())
    slider.track.change(5.0)
    assert explore.inputs._heads["fine"].remark.text().startswith("layer 6")
    explore.left.grab()  # laid out anew
    assert slider.mapTo(explore, slider.rect().topLeft()) == place


def test_other_models_have_no_such_note(explore: ExploreWorkspace) -> None:
    assert explore.inputs.seconds == {}
    assert explore.inputs.strips["z"].isEnabled()
