"""Samples from shared seeds under each model of Compare, and the files they become."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.studio import Studio
from igm_gui.latent.point import one_hot
from igm_gui.session import actions
from igm_gui.session.recipes import restore_file
from tests.gui.compare_parts import LEFT, MakeStudio, make


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> CompareWorkspace:
    return make(qtbot, studio)


def test_every_model_shows_as_many_samples(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    columns = workspace.columns
    # One pixel may be the difference between eleven samples and ten.
    columns[0].setFixedWidth(columns[0].width() + 4 * 58)
    qtbot.waitUntil(lambda: columns[0].samples.room > columns[1].samples.room)
    qtbot.waitUntil(lambda: len(columns[0].samples.images) == len(columns[1].samples.images) > 0)
    assert columns[0].samples.columns == columns[1].samples.room


def test_samples_of_shared_seeds_and_a_click_on_one(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    workspace.add_model("fashion-gan")
    rows = [column.samples for column in workspace.columns]
    qtbot.waitUntil(lambda: all(s.images and all(s.images) for s in rows), timeout=30_000)
    assert rows[0].images[0] != rows[0].images[1]
    spot = rows[1]._cell(3).center().toPoint()
    qtbot.mouseClick(rows[1], LEFT, pos=spot)
    assert studio.state.point.seed == 3
    rows[1].setFocus()
    QTest.keyClick(rows[1], Qt.Key.Key_Right)
    QTest.keyClick(rows[1], Qt.Key.Key_Return)
    assert studio.state.point.seed == 4
    before = rows[1].images
    qtbot.mouseClick(workspace.bar.new, LEFT)
    assert rows[0].seed_of(0) == studio.state.compare_seed
    qtbot.waitUntil(lambda: not rows[1]._pieces.running, timeout=30_000)
    assert rows[1].images != before


def test_samples_of_another_model_do_not_stay(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    samples = workspace.columns[0].samples
    qtbot.waitUntil(lambda: bool(samples.images) and all(samples.images), timeout=30_000)
    seen: list[tuple[object, ...]] = []
    studio.changed.connect(lambda *_: seen.append(samples.images))
    studio.open_model("fashion-vae")
    assert seen
    assert not any(seen[-1])


def test_a_sample_of_every_class_is_taken_with_its_class(qtbot: QtBot, make_studio: MakeStudio) -> None:
    studio = make_studio("fashion-gan")
    workspace = make(qtbot, studio)
    workspace.add_model("fashion-vae")
    workspace.bar.kind.setCurrentIndex(1)
    samples = workspace.columns[1].samples
    qtbot.waitUntil(lambda: bool(samples.images) and all(samples.images), timeout=30_000)
    depth = len(studio.session._undo)
    qtbot.mouseClick(samples, LEFT, pos=samples._cell(4).center().toPoint())
    point = studio.state.point
    assert point.seed == 4
    assert int(np.argmax(point.vector("label").array)) == 4
    assert len(studio.session._undo) == depth + 1
    # The sample that stands above is marked in both; the same seed of another class would not be.
    assert [column.samples._shown for column in workspace.columns] == [4, 4]
    studio.session.set_input("label", one_hot(10, 7))
    assert [column.samples._shown for column in workspace.columns] == [-1, -1]


def test_latents_alone_do_not_render_the_samples_again(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    samples = workspace.columns[0].samples
    qtbot.waitUntil(lambda: not samples._pieces.running, timeout=30_000)
    started: list[object] = []
    samples._pieces.arrived.connect(lambda *a: started.append(a))
    with qtbot.waitSignal(studio.rendered, timeout=10_000):
        actions.randomize(studio.session, 5)
    qtbot.waitUntil(lambda: studio.loop.idle)
    assert not started


def test_export_writes_a_sheet_of_shared_seeds_for_each_model(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace, tmp_path: Path
) -> None:
    workspace.add_model("fashion-gan")
    workspace.add_model("additive")
    studio.session.update(compare_seed=20)
    job = workspace.export_samples(tmp_path / "samples")
    qtbot.waitUntil(lambda: workspace.bar.jobs.job is None, timeout=60_000)
    assert job.error is None
    files = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert files[-3:] == ["comparison.png", "fashion-gan.png", "uniform-pixels.png"]
    assert files[:2] == ["additive-seed-000020.wav", "additive-seed-000021.wav"]
    assert len(files) == 32 + 3
    for name in ("fashion-gan", "uniform-pixels"):
        back = restore_file(tmp_path / "samples" / f"{name}.png", studio.session.infos)
        assert back.changes["model"] == name
        assert back.changes["grid"].seed == 20


def test_export_says_what_will_be_written(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace, tmp_path: Path
) -> None:
    def offered() -> list[str]:
        return [action.text() for action in workspace.export_menu().actions()]

    assert offered() == [
        "One picture of all models (PNG)…",
        "A folder: a sheet of samples (PNG) for each model…",
    ]
    workspace.add_model("fashion-gan")
    workspace.add_model("additive")
    assert offered()[1] == (
        "A folder: a sheet of samples (PNG) for each model, each sample as a WAV file and all in one picture…"
    )
    job = workspace.export_picture(tmp_path / "all.png")
    qtbot.waitUntil(lambda: workspace.bar.jobs.job is None, timeout=60_000)
    assert job.error is None
    assert [path.name for path in tmp_path.glob("*.*")] == ["all.png"]
    back = restore_file(tmp_path / "all.png", studio.session.infos)
    assert (back.changes["model"], back.changes["compare"]) == ("uniform-pixels", ("fashion-gan",))


def test_the_samples_are_in_sight_in_a_small_window(
    qtbot: QtBot, studio: Studio, workspace: CompareWorkspace
) -> None:
    window = workspace.window()
    for models in ((), ("fashion-gan",)):
        studio.session.update(compare=models)
        window.resize(900, 490)
        workspace.resize(900, 490)

        def in_sight() -> bool:
            samples = workspace.columns[-1].samples
            return samples.visibleRegion().boundingRect() == samples.rect()

        qtbot.waitUntil(in_sight, timeout=20_000)
