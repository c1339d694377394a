"""The Grid workspace through mouse and keys, with real models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from igm_gui.gui import theme
from igm_gui.gui.grid.labels import Labels
from igm_gui.gui.grid.workspace import GridWorkspace, sheet_size
from igm_gui.gui.sound.hub import hub_of
from igm_gui.gui.studio import Studio
from igm_gui.gui.widgets.thumbnail import POINT_MIME
from igm_gui.info import GeneratorInfo, InputSpec
from igm_gui.session import actions
from igm_gui.session.grid import grid_points, grid_shape
from igm_gui.session.recipes import restore_file
from igm_gui.session.state import GridSpec
from tests.gui.alone import alone

MakeStudio = Callable[..., Studio]
LEFT = Qt.MouseButton.LeftButton


def make(qtbot: QtBot, studio: Studio) -> GridWorkspace:
    return alone(GridWorkspace, qtbot, studio)


def rendered(qtbot: QtBot, workspace: GridWorkspace) -> None:
    qtbot.waitUntil(lambda: workspace.sheet.count > 0 and not workspace.sheet.running, timeout=60_000)


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> GridWorkspace:
    actions.set_grid(studio.session, rows=3, columns=4)
    made = make(qtbot, studio)
    rendered(qtbot, made)
    return made


@pytest.fixture
def fashion(qtbot: QtBot, make_studio: MakeStudio) -> GridWorkspace:
    studio = make_studio("fashion-gan")
    actions.set_grid(studio.session, rows=3, columns=4)
    made = make(qtbot, studio)
    rendered(qtbot, made)
    return made


def pixels(workspace: GridWorkspace, index: int) -> np.ndarray:
    image = workspace.sheet.image_of(index).convertToFormat(
        workspace.sheet.image_of(index).Format.Format_Grayscale8
    )
    return np.array(
        [[image.pixelColor(x, y).red() for x in range(image.width())] for y in range(image.height())]
    )


def centre(workspace: GridWorkspace, index: int) -> QPoint:
    return workspace.sheet.cell_rect(index).center().toPoint()


def hover(workspace: GridWorkspace, where: QPoint) -> None:
    sheet, at = workspace.sheet, QPointF(where)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, sheet.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(sheet, event)


def test_every_cell_shows_its_own_seed(studio: Studio, workspace: GridWorkspace) -> None:
    info = studio.session.info
    assert info is not None
    points = grid_points(info, studio.state.grid, studio.state.point)
    assert [p.seed for p in points] == list(range(12))
    for index in (0, 7, 11):
        # uniform-pixels shows z itself, cut into 256 even levels.
        z = points[index].vector("z").array[..., 0]
        assert np.array_equal(pixels(workspace, index), np.clip(np.floor((z + 1) * 128), 0, 255))


def test_pointing_at_a_cell_says_what_it_is(workspace: GridWorkspace) -> None:
    hover(workspace, centre(workspace, 6))
    assert workspace.place.text() == "row 2, column 3 · seed 6"
    frame = workspace.sheet.cell_rect(0)
    hover(workspace, QPoint(round(frame.x() - 5), round(frame.y() - 5)))
    assert workspace.sheet.cell == -1


def test_a_click_goes_there_in_one_step(qtbot: QtBot, studio: Studio, workspace: GridWorkspace) -> None:
    before = studio.state.point
    went: list[str] = []
    workspace._commands.add("go.explore", "Explore", lambda: went.append("explore"), scope="")
    qtbot.mouseClick(workspace.sheet, LEFT, pos=centre(workspace, 9))
    assert studio.state.point.seed == 9
    assert went == ["explore"]
    studio.session.undo()
    assert studio.state.point == before


def test_keys_walk_keep_and_go(qtbot: QtBot, studio: Studio, workspace: GridWorkspace) -> None:
    sheet = workspace.sheet
    sheet.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(sheet, key)
    assert sheet.cell == 5
    workspace._commands.run("grid.keep")
    assert studio.state.saved[-1].point.seed == 5
    assert studio.state.point.seed == 0
    workspace._commands.run("grid.keyframe")
    assert studio.state.timeline.keyframes[-1].point.seed == 5
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert studio.state.point.seed == 5


def test_gap_and_scale_do_not_render_again(qtbot: QtBot, studio: Studio, workspace: GridWorkspace) -> None:
    came: list[object] = []
    workspace.sheet._pieces.arrived.connect(lambda *a: came.append(a))
    before = workspace.sheet.cell_rect(1)
    workspace.controls.gap.setFocus()
    QTest.keyClick(workspace.controls.gap, Qt.Key.Key_PageUp)
    QTest.keyClick(workspace.controls.scale, Qt.Key.Key_Up)
    assert (studio.state.grid.gap, studio.state.grid.scale) == (18, 10)
    assert workspace.sheet.cell_rect(1) != before
    assert not workspace.sheet.running
    assert not came
    # A latent that no cell takes changes nothing either.
    actions.randomize(studio.session, 8)
    assert not workspace.sheet.running


def test_small_pictures_are_enlarged_unless_the_person_says_how(
    qtbot: QtBot, studio: Studio, workspace: GridWorkspace
) -> None:
    scale, suits = workspace.controls.scale, workspace.controls.suits
    assert (studio.state.grid.scale, scale.value(), suits.isChecked()) == (0, 9, True)
    assert f"{4 * 252 + 24} × {3 * 252 + 16} pixels" in workspace.size_text.text()
    qtbot.mouseClick(suits, LEFT)
    assert studio.state.grid.scale == 9, "what was shown stays"
    scale.setValue(3)
    assert studio.state.grid.scale == 3
    assert not suits.isChecked()
    qtbot.mouseClick(suits, LEFT)
    assert (studio.state.grid.scale, scale.value()) == (0, 9)
    assert suits.isChecked()


def test_other_seeds_render_again(qtbot: QtBot, studio: Studio, workspace: GridWorkspace) -> None:
    before = pixels(workspace, 0)
    qtbot.mouseClick(workspace.controls.seed.die, LEFT)
    assert workspace.sheet.running
    rendered(qtbot, workspace)
    assert not np.array_equal(pixels(workspace, 0), before)


def test_the_size_is_shown_before_writing(studio: Studio, workspace: GridWorkspace) -> None:
    actions.set_grid(studio.session, gap=3, scale=2)
    info = studio.session.info
    assert info is not None
    assert sheet_size(info, studio.state.grid) == (4 * 56 + 9, 3 * 56 + 6)
    assert "233 × 174 pixels" in workspace.size_text.text()
    assert "3 × 4 = 12 pictures" in workspace.size_text.text()


def test_a_plane_lies_between_its_corners(qtbot: QtBot, studio: Studio, workspace: GridWorkspace) -> None:
    qtbot.mouseClick(workspace.controls.modes["plane"], LEFT)
    assert studio.state.grid.mode == "plane"
    assert workspace.controls.corners.isVisible()
    rendered(qtbot, workspace)
    hover(workspace, centre(workspace, 11))
    assert workspace.place.text() == "row 3, column 4 · u = 1.00, v = 1.00"
    actions.randomize(studio.session, 40)
    saved = actions.keep(studio.session)
    corner = workspace.controls.corners.corners[0]
    data = QMimeData()
    data.setData(POINT_MIME, QByteArray(saved.id.encode()))
    where = QPointF(20, 20)
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(corner, QDragEnterEvent(where.toPoint(), copy, data, LEFT, none))
    QApplication.sendEvent(corner, QDropEvent(where, copy, data, LEFT, none))
    assert studio.state.grid.corners[0] == saved.point
    point = workspace.point_of(0)
    assert point is not None
    assert point.vector("z") == saved.point.vector("z")
    workspace.controls.corners.use(0, None)
    assert studio.state.grid.corners == (None, None, None, None)


def test_class_by_seed(qtbot: QtBot, fashion: GridWorkspace) -> None:
    qtbot.mouseClick(fashion.controls.modes["classes"], LEFT)
    rendered(qtbot, fashion)
    assert (fashion.sheet.rows, fashion.sheet.columns) == (10, 4)
    assert not fashion.controls.rows.isEnabled()
    hover(fashion, centre(fashion, 8 * 4 + 1))
    assert fashion.place.text() == "row 9, column 2 · seed 1 · bag"


def test_rows_of_classes_have_their_names_beside_them(qtbot: QtBot, fashion: GridWorkspace) -> None:
    def ink_left_of(index: int) -> bool:
        """Whether anything stands left of the row that begins with cell ``index``."""
        cell = fashion.sheet.cell_rect(index).toRect()
        beside = QRect(4, cell.top(), max(cell.left() - 8, 1), cell.height())
        image = fashion.sheet.grab(beside).toImage()
        ground = theme.ground().rgb()
        return any(
            image.pixel(x, y) != ground for x in range(image.width()) for y in range(0, image.height(), 2)
        )

    assert not ink_left_of(0)
    qtbot.mouseClick(fashion.controls.modes["classes"], LEFT)
    rendered(qtbot, fashion)
    assert all(ink_left_of(4 * row) for row in range(10))
    theme.set_bare(True)
    try:
        assert not ink_left_of(0)
    finally:
        theme.set_bare(False)


def test_names_beside_a_sheet_are_those_of_its_rows_and_take_the_room_of_the_widest(
    studio: Studio, workspace: GridWorkspace
) -> None:
    info = studio.session.info
    assert info is not None
    font, larger = workspace.font(), workspace.font()
    larger.setPixelSize(2 * font.pixelSize())
    labels, grid = Labels(), GridSpec("classes", columns=3)

    def with_classes(*names: str) -> GeneratorInfo:
        return replace(info, inputs=(*info.inputs, InputSpec("y", "label", (len(names),), classes=names)))

    labels.show(with_classes("a", "bb"), grid)
    narrow = labels.width(font)
    assert 0 < narrow < labels.width(larger)
    many = with_classes(*(f"class {i}" for i in range(300)))
    labels.show(many, grid)
    assert len(labels.names) == grid_shape(many, grid)[0] == 256
    assert labels.width(font) > narrow
    labels.show(many, replace(grid, mode="seeds"))
    assert labels.width(font) == 0


def test_classes_need_a_model_that_has_them(studio: Studio, workspace: GridWorkspace) -> None:
    assert not workspace.controls.modes["classes"].isEnabled()
    actions.set_grid(studio.session, mode="classes")
    assert "has no classes" in workspace.sheet.message
    assert not workspace.save.isEnabled()
    assert not workspace.grab().isNull()


def test_the_class_of_all_cells(qtbot: QtBot, fashion: GridWorkspace) -> None:
    fashion.controls.classes.setFocus()
    before = pixels(fashion, 0)
    qtbot.keyClick(fashion.controls.classes, Qt.Key.Key_Down)
    rendered(qtbot, fashion)
    assert not np.array_equal(pixels(fashion, 0), before)
    hover(fashion, centre(fashion, 2))
    assert fashion.place.text().endswith("trousers")


def test_the_written_sheet_is_what_was_seen(qtbot: QtBot, fashion: GridWorkspace, tmp_path: Path) -> None:
    studio = fashion._studio
    actions.set_grid(studio.session, gap=3, scale=1)
    path = tmp_path / "sheet.png"
    job = fashion.export_sheet(path)
    assert fashion.jobs.isVisible()
    qtbot.waitUntil(lambda: fashion.jobs.job is None, timeout=60_000)
    assert job.error is None
    with Image.open(path) as image:
        written = np.asarray(image.convert("L")).astype(int)
    info = studio.session.info
    assert info is not None
    assert written.shape[::-1] == sheet_size(info, studio.state.grid)
    cell = written[31 : 31 + 28, 62 : 62 + 28]
    # A network's last bits depend on how many points go in one batch.
    assert np.abs(cell - pixels(fashion, 4 + 2)).max() <= 1
    back = restore_file(path, studio.session.infos)
    assert back.changes["grid"] == studio.state.grid


def test_single_files(qtbot: QtBot, studio: Studio, workspace: GridWorkspace, tmp_path: Path) -> None:
    job = workspace.export_singles(tmp_path / "cells")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    files = sorted((tmp_path / "cells").iterdir())
    assert len(files) == 12
    assert files[0].suffix == ".png"
    restored = restore_file(files[6], studio.session.infos)
    assert restored.changes["point"].seed == 6


def test_cancel_writes_nothing(
    qtbot: QtBot, studio: Studio, workspace: GridWorkspace, tmp_path: Path
) -> None:
    actions.set_grid(studio.session, rows=120, columns=120)
    job = workspace.export_singles(tmp_path / "many")
    qtbot.mouseClick(workspace.jobs.cancel, LEFT)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.done
    assert list(tmp_path.iterdir()) == []


def test_space_plays_the_cell_that_is_pointed_at(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("additive")
    actions.set_grid(studio.session, rows=2, columns=2)
    workspace = make(qtbot, studio)
    rendered(qtbot, workspace)
    hub = hub_of(studio)
    heard: list[bytes] = []
    play = hub.play

    def listen(owner: object, samples: np.ndarray, rate: int) -> None:
        heard.append(samples.tobytes())
        play(owner, samples, rate)

    hub.play = listen  # type: ignore[method-assign,assignment]
    for cell in (0, 1):
        hover(workspace, centre(workspace, cell))
        assert "Space plays it" in workspace.place.text()
        workspace.toggle_play()  # the second one needs no stop before it
        qtbot.waitUntil(lambda n=cell + 1: len(heard) == n, timeout=20_000)
    assert heard[0] != heard[1]
    assert hub.is_playing(workspace)
    workspace.toggle_play()  # the same again: silence
    assert not hub.is_playing(workspace)


def test_sounds_are_waveforms_and_single_wavs(qtbot: QtBot, make_studio: MakeStudio, tmp_path: Path) -> None:
    studio = make_studio("additive")
    actions.set_grid(studio.session, rows=2, columns=2)
    workspace = make(qtbot, studio)
    rendered(qtbot, workspace)
    assert not workspace.save.isVisible()
    assert workspace.singles.text() == "Export WAV files…"
    assert len(np.unique(pixels(workspace, 1))) > 12  # its spectrum too, not the outline alone
    job = workspace.export_singles(tmp_path / "tones")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    files = sorted((tmp_path / "tones").glob("*.wav"))
    assert len(files) == 4
    samples, rate = soundfile.read(files[0])
    assert rate == 48_000
    assert np.abs(samples).max() > 0.01


def test_what_another_model_made_does_not_stay(
    qtbot: QtBot, studio: Studio, workspace: GridWorkspace
) -> None:
    assert len(np.unique(pixels(workspace, 11))) > 1
    at_first: list[int] = []

    def begun(done: int, count: int) -> None:
        if count and not done:
            at_first.append(len(np.unique(pixels(workspace, count - 1))))

    workspace.sheet.progressed.connect(begun)
    studio.open_model("fashion-vae")
    qtbot.waitUntil(lambda: bool(at_first), timeout=30_000)
    assert at_first[0] == 1


def test_full_screen_shows_the_sheet_alone(workspace: GridWorkspace) -> None:
    workspace.set_bare(True)
    assert workspace.sheet.isVisible()
    assert not workspace.controls.isVisible()
    workspace.set_bare(False)
    assert workspace.controls.isVisible()


def test_leaving_stops_and_coming_back_goes_on(
    qtbot: QtBot, studio: Studio, workspace: GridWorkspace
) -> None:
    actions.set_grid(studio.session, rows=60, columns=60)
    assert workspace.sheet.running
    workspace.deactivate()
    assert not workspace.sheet.running
    qtbot.waitUntil(lambda: studio.loop.idle, timeout=10_000)
    workspace.activate()
    assert workspace.sheet.running
    actions.set_grid(studio.session, rows=2, columns=2)
    rendered(qtbot, workspace)
    assert workspace.sheet.count == 4
