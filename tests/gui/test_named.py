"""Dimensions with a name are sliders too; a latent set by hand that goes along to another model is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.formats.card import card_info, read_card
from igm_gui.gui.explore.named import named_dimensions
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Notice, Studio
from igm_gui.paths import models_folder
from igm_gui.session import actions
from tests.gui.fakes import TOY, PaintingRenderer
from tests.gui.pointer import LEFT, spot, z


def test_a_named_slider_and_its_bar_are_one(
    explore: ExploreWorkspace, strip: LatentStrip, toy_studio: Studio
) -> None:
    sliders = explore.inputs.named["z"].sliders
    assert {i: slider.accessibleName() for i, slider in sliders.items()} == {0: "smile", 1: "hue"}
    before = z(toy_studio).copy()
    sliders[1].track.setFocus()
    QTest.keyClick(sliders[1].track, Qt.Key.Key_End)
    assert z(toy_studio)[1] == pytest.approx(sliders[1].track.maximum)
    QTest.mouseClick(strip, LEFT, pos=spot(strip, 1, -1.0))
    assert sliders[1].value == pytest.approx(float(z(toy_studio)[1]))
    assert sliders[1].value < 0
    toy_studio.session.undo()
    toy_studio.session.undo()
    assert (z(toy_studio) == before).all()
    actions.toggle_lock(toy_studio.session, "z", 1)
    assert not sliders[1].isEnabled()
    assert sliders[0].isEnabled()


@pytest.mark.parametrize(("model", "first"), [("timbre", "brightness"), ("drums", "decay")])
def test_the_sound_models_names_that_say_something_are_taken(model: str, first: str) -> None:
    folder = models_folder() / model
    spec = card_info(read_card(folder), folder).latent
    assert spec is not None
    names = named_dimensions(spec)
    assert names[0] == first
    assert 3 <= len(names) <= 8
    assert not [name for name in names.values() if name.endswith(("16", "8"))]


def test_numbers_set_by_hand_that_go_along_are_told_once(
    qtbot: QtBot, window: MainWindow, toy_studio: Studio, painter: PaintingRenderer
) -> None:
    told: list[Notice] = []
    toy_studio.notice.connect(told.append)

    def open_model(name: str) -> None:
        def shown(result: object) -> bool:
            return result.request.model == name and result.media is not None  # type: ignore[attr-defined]

        with qtbot.waitSignal(toy_studio.rendered, timeout=20_000, check_params_cb=shown):
            toy_studio.open_model(name)

    open_model("other")  # by its seed
    assert not told
    actions.set_dimensions(toy_studio.session, "z", {0: 2.5})
    painter.infos["third"] = replace(TOY, name="third", title="Third")
    with qtbot.waitSignal(toy_studio.rendered, timeout=20_000):
        toy_studio.refresh(force=True)
    open_model("third")
    assert len(told) == 1
    assert "Third" in told[0].text
    open_model("toy")
    assert len(told) == 1
