"""A dropped picture or sound finds its place; an asked-for file is shown as it is."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from igm_gui.api import load
from igm_gui.cli import main
from igm_gui.gui.explore.find import FindPlace
from igm_gui.gui.explore.strip import LatentStrip, ValueField


def opened(qtbot, studio, model):
    if studio.state.model == model:
        return
    with qtbot.waitSignal(studio.rendered, timeout=60_000, check_params_cb=lambda r: r.media is not None):
        studio.open_model(model)
    assert studio.session.info.name == model


def test_a_picture_finds_its_place(qtbot, studio, real_window, tmp_path):
    opened(qtbot, studio, "emoji-64")
    g = load("emoji-64")
    target = g.render(g.point(3))[0]
    Image.fromarray(target).resize((300, 300)).save(tmp_path / "mine.jpg")
    before = studio.state.point
    with qtbot.waitSignal(studio.notice, timeout=60_000) as said:
        assert real_window.open_path(tmp_path / "mine.jpg")
    assert "mine.jpg" in said.args[0].text
    found = g.render(studio.state.point)[0].astype(float)
    was = g.render(before)[0].astype(float)
    assert np.abs(found - target).mean() < 0.7 * np.abs(was - target).mean()
    studio.session.undo()
    assert studio.state.point == before


def test_a_sound_finds_its_place(qtbot, studio, real_window, tmp_path):
    import soundfile

    opened(qtbot, studio, "drums")
    g = load("drums")
    sound = g.render(g.point(5))[0]
    soundfile.write(str(tmp_path / "hit.flac"), sound.T, g.info.output.sample_rate)
    before = studio.state.point
    with qtbot.waitSignal(studio.notice, timeout=60_000) as said:
        assert real_window.open_path(tmp_path / "hit.flac")
    assert said.args[0].kind == "good"
    assert studio.state.point != before


def test_a_picture_that_is_none_is_a_sentence(qtbot, studio, real_window, tmp_path):
    opened(qtbot, studio, "emoji-64")
    (tmp_path / "bad.jpg").write_bytes(b"nonsense")
    with qtbot.waitSignal(studio.notice, timeout=30_000) as said:
        real_window.open_path(tmp_path / "bad.jpg")
    assert said.args[0].kind == "error"
    assert "picture" in said.args[0].text


def test_return_closes_the_typed_value(qtbot, studio, real_window):
    opened(qtbot, studio, "uniform-pixels")
    strip = real_window.findChild(LatentStrip)
    strip.setFocus()
    strip.edit_value(3)
    field = strip.findChild(ValueField)
    field.setText("0.5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert all(not f.isVisible() for f in strip.findChildren(ValueField))
    assert studio.state.point.vector("z")[3] == 0.5


def test_a_written_sheet_opens_in_the_grid_and_nothing_moves(qtbot, studio, real_window, tmp_path):
    assert (
        main(["grid", "uniform-pixels", "--rows", "2", "--cols", "3", "--out", str(tmp_path / "g.png")]) == 0
    )
    opened(qtbot, studio, "uniform-pixels")
    real_window.begin(for_file=True)
    assert real_window.open_path(tmp_path / "g.png")
    assert real_window.stack.current == "grid"
    assert (studio.state.grid.rows, studio.state.grid.columns) == (2, 3)
    assert real_window.hints.bubble is None


def test_a_written_picture_opens_in_explore_at_its_seed(qtbot, studio, real_window, tmp_path):
    assert main(["sample", "uniform-pixels", "--seed", "7", "--out", str(tmp_path)]) == 0
    opened(qtbot, studio, "uniform-pixels")
    real_window.show_workspace("grid")
    assert real_window.open_path(next(tmp_path.glob("*.png")))
    assert real_window.stack.current == "explore"
    assert studio.state.point.seed == 7


def test_the_place_to_drop_a_file_is_there_where_the_model_encodes(qtbot, studio, real_window, tmp_path):
    find = real_window.findChild(FindPlace)
    opened(qtbot, studio, "fashion-gan")
    assert find.isHidden()
    assert not real_window.commands.get("explore.find").enabled()
    opened(qtbot, studio, "emoji-64")
    assert find.isVisible()
    assert "picture" in find.zone.text()
    opened(qtbot, studio, "drums")
    assert "sound" in find.zone.accessibleName()
    with qtbot.waitSignal(studio.notice, timeout=60_000) as said:
        find.look_for(tmp_path / "mine.jpg")
    assert "wav" in said.args[0].hint


def test_a_file_dropped_there_is_looked_for_even_with_a_recipe(qtbot, studio, real_window, tmp_path):
    opened(qtbot, studio, "drums")
    path = tmp_path / "own.wav"
    g = load("drums")
    assert main(["sample", "drums", "--seed", "5", "--out", str(tmp_path)]) == 0
    next(tmp_path.glob("*.wav")).rename(path)
    zone = real_window.findChild(FindPlace).zone
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    at = QPointF(zone.rect().center())
    with qtbot.waitSignal(studio.notice, timeout=60_000) as said:
        zone.dropEvent(
            QDropEvent(
                at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
            )
        )
    assert "as Drums knows it" in said.args[0].text
    assert studio.state.point.seed is None, "found by the encoder, not read from the recipe"
    assert g.point(5).seed == 5
