"""The styles of layers in the window: choosing, mixing, drawing in w, holding it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.commands import Commands
from igm_gui.gui.drops import promise
from igm_gui.gui.explore.styles import StylesPanel
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.latent import styles
from igm_gui.latent.point import point_from_seed
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderResult
from igm_gui.session import actions
from tests.gui.pointer import LEFT, move, spot
from tests.gui.test_access import complaints

NETWORK = str(Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl")


@pytest.fixture
def panel(qtbot: QtBot, make_studio: Callable[..., Studio]) -> StylesPanel:
    """The panel on a small StyleGAN2, shown."""
    studio = make_studio(NETWORK)
    qtbot.waitUntil(lambda: studio.session.info is not None, timeout=20_000)
    made = StylesPanel(studio, Commands())
    qtbot.addWidget(made)
    made.resize(290, 420)
    with qtbot.waitExposed(made):
        made.show()
    return made


def picture_after(qtbot: QtBot, panel: StylesPanel, act: Callable[[], object]) -> np.ndarray:
    studio = panel._studio

    def settled(result: RenderResult) -> bool:
        return bool(result.request == studio.session.request())

    with qtbot.waitSignal(studio.rendered, timeout=20_000, check_params_cb=settled) as got:
        act()
    assert got.args is not None
    assert got.args[0].error is None
    return np.asarray(got.args[0].media)


def cell(panel: StylesPanel, index: int) -> QPoint:
    return panel.bar.cell(index).center().toPoint()


def space(panel: StylesPanel) -> styles.StyleSpace:
    found = panel._session.info
    assert found is not None
    return styles.space_of(found)


def test_layers_are_chosen_with_mouse_and_keys(panel: StylesPanel) -> None:
    assert panel.bar.chosen_layers == set(range(8))
    QTest.mouseClick(panel.bar, LEFT, pos=cell(panel, 2))
    assert panel.bar.chosen_layers == {2}
    QTest.mousePress(panel.bar, LEFT, pos=cell(panel, 4))
    move(panel.bar, cell(panel, 6))
    QTest.mouseRelease(panel.bar, LEFT, pos=cell(panel, 6))
    assert panel.bar.chosen_layers == {4, 5, 6}
    QTest.mouseClick(panel.bar, LEFT, Qt.KeyboardModifier.ControlModifier, cell(panel, 5))
    assert panel.bar.chosen_layers == {4, 6}
    QTest.keyClick(panel.bar, Qt.Key.Key_Home)
    assert panel.bar.chosen_layers == {0}
    QTest.keyClick(panel.bar, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert panel.bar.chosen_layers == {0, 1}
    QTest.keyClick(panel.bar, Qt.Key.Key_Space)
    assert panel.bar.chosen_layers == {0}
    QTest.mouseClick(panel.groups["fine"], LEFT)
    assert panel.bar.chosen_layers == set(styles.group(space(panel), "fine"))
    assert panel.groups["fine"].isChecked()
    assert not panel.groups["all"].isChecked()


def test_a_second_style_reaches_the_picture_and_is_undone(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    before = studio.state.point

    def type_seed() -> None:
        panel.second.edit.setFocus()
        panel.second.edit.selectAll()
        QTest.keyClicks(panel.second.edit, "9")
        QTest.keyClick(panel.second.edit, Qt.Key.Key_Return)

    mixed = picture_after(qtbot, panel, type_seed)
    assert studio.state.point.vector("mix") == styles.second_style(space(panel), 9)
    other = point_from_seed(studio.session.info, 9)  # type: ignore[arg-type]
    whole = picture_after(qtbot, panel, lambda: studio.session.update(point=other))
    assert (mixed == whole).all()  # every layer follows seed 9: it is seed 9
    studio.session.undo()
    studio.session.undo()
    assert studio.state.point == before
    assert panel.second.seed is None


def test_drawing_moves_the_chosen_layers_alone(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    start = studio.state.point
    QTest.mouseClick(panel.groups["coarse"], LEFT)
    strip = panel.strip
    assert strip is not None

    def draw() -> None:
        QTest.mousePress(strip, LEFT, pos=spot(strip, 0, 2.0))
        move(strip, spot(strip, 2, -1.0))
        QTest.mouseRelease(strip, LEFT, pos=spot(strip, 2, -1.0))

    picture_after(qtbot, panel, draw)
    point = studio.state.point
    coarse = styles.group(space(panel), "coarse")
    places = styles.places(space(panel), point, coarse)
    assert places[0] == pytest.approx(2.0, abs=0.1)
    assert places[2] == pytest.approx(-1.0, abs=0.1)
    moved = np.flatnonzero(styles.offsets(space(panel), point).any(1))
    assert tuple(moved) == coarse
    assert np.allclose(strip.values, places, atol=1e-5)
    studio.session.undo()
    assert studio.state.point == start  # the whole stroke was one step


def test_a_drag_waits_for_a_long_picture(
    qtbot: QtBot, panel: StylesPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    strip, studio = panel.strip, panel._studio
    assert strip is not None
    qtbot.waitUntil(lambda: studio.loop.idle, timeout=20_000)
    QTest.mousePress(strip, LEFT, pos=spot(strip, 0, 0.5))
    monkeypatch.setattr(studio.loop, "busy", lambda slot: (0.5, 0.5))
    before = studio.state.point
    move(strip, spot(strip, 2, 1.0))
    qtbot.waitUntil(lambda: strip.values[2] == pytest.approx(1.0, abs=0.1))
    assert studio.state.point == before
    QTest.mouseRelease(strip, LEFT, pos=spot(strip, 2, 1.0))
    offsets = styles.offsets(space(panel), studio.state.point)
    assert offsets.any()
    assert strip.values[2] == pytest.approx(1.0, abs=0.1)


def test_single_dimensions_and_directions_are_two_views_of_one_place(panel: StylesPanel) -> None:
    QTest.mouseClick(panel.basis, LEFT)
    strip = panel.strip
    assert strip is not None
    assert strip.count == space(panel).size
    QTest.mouseClick(strip, LEFT, pos=spot(strip, 3, strip.high / 2))
    offset = styles.offsets(space(panel), panel._studio.state.point)
    assert (offset[:, 3] == offset[0, 3]).all()
    assert np.count_nonzero(offset) == len(offset)
    QTest.mouseClick(panel.basis, LEFT)
    assert panel.strip is not None
    assert panel.strip.count == len(space(panel).principal)
    assert panel.strip.values.any()


def test_w_is_held_and_freed(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    before = picture_after(qtbot, panel, lambda: actions.set_seed(studio.session, 21))
    held = picture_after(qtbot, panel, lambda: panel.hold.click())
    assert (held == before).all()
    still = picture_after(qtbot, panel, lambda: actions.set_seed(studio.session, 22))
    assert (still == before).all()
    assert panel.hold.text() == "Free w"
    assert (picture_after(qtbot, panel, lambda: panel.hold.click()) != before).any()


def test_w_from_a_file(qtbot: QtBot, panel: StylesPanel, tmp_path: Path) -> None:
    shape = space(panel).shape
    np.savez(tmp_path / "projected_w.npz", w=np.zeros((1, *shape), np.float32))
    picture_after(qtbot, panel, lambda: panel.open_w(tmp_path / "projected_w.npz"))
    assert panel._studio.state.point.vector("w") == Vector(np.zeros(shape, np.float32))
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with qtbot.waitSignal(panel._studio.notice) as got:
        panel.open_w(tmp_path / "bad.npz")
    assert got.args is not None
    assert "bad.npz" in got.args[0].text


def test_a_dropped_w_is_gone_to(
    qtbot: QtBot, panel: StylesPanel, tmp_path: Path, make_window: Callable[[Studio], MainWindow]
) -> None:
    studio = panel._studio
    w = np.full((1, *space(panel).shape), 0.25, np.float32)
    np.savez(tmp_path / "projected_w.npz", w=w)
    window = make_window(studio)
    assert "w in projected_w.npz" in promise([tmp_path / "projected_w.npz"])
    picture_after(qtbot, panel, lambda: window.open_path(tmp_path / "projected_w.npz"))
    assert studio.state.point.vector("w") == Vector(w[0])
    assert studio.state.model == NETWORK
    np.savez(tmp_path / "other.npz", w=np.zeros((3, 3), np.float32))
    assert not window.open_path(tmp_path / "other.npz")
    assert studio.state.point.vector("w") == Vector(w[0])


def test_clear_takes_every_edit_back_in_one_step(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    start = studio.state.point
    assert not panel.clear_button.isEnabled()
    picture_after(qtbot, panel, panel._roll)
    panel.strip.drawn.emit({1: 1.0})  # type: ignore[union-attr]
    edited = studio.state.point
    assert panel.strip is not None
    assert panel.strip.values[1] != 0
    panel.clear_button.click()
    assert studio.state.point == start
    assert not panel.strip.values.any()
    assert not panel.clear_button.isEnabled()
    studio.session.undo()
    assert studio.state.point == edited
    assert panel.strip.values[1] != 0


def test_a_saved_point_gives_the_second_style(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    assert not panel.saved.isEnabled()
    actions.keep(studio.session, "Mine")
    assert panel.saved.isEnabled()
    kept = studio.state.saved[0].point.vector("z")
    actions.set_seed(studio.session, 5)
    panel.groups["fine"].click()
    ((name, latent),) = panel._saved_latents()
    assert (name, latent) == ("Mine", kept)
    picture_after(qtbot, panel, lambda: panel._use_second(latent))
    amounts = styles.mix_amounts(space(panel), studio.state.point)
    assert tuple(np.flatnonzero(amounts)) == styles.group(space(panel), "fine")


def test_hidden_where_a_model_has_no_styles(qtbot: QtBot, panel: StylesPanel) -> None:
    studio = panel._studio
    panel._roll()
    studio.open_model("uniform-pixels")
    qtbot.waitUntil(lambda: not panel.isVisible(), timeout=20_000)
    assert studio.state.point.get("mix") is None


def test_everything_says_what_it_is(panel: StylesPanel) -> None:
    assert complaints(panel) == []
