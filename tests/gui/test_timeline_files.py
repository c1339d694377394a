"""From the timeline to films, frames and sounds."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from igm_gui.gui.jobbar import left_text
from igm_gui.gui.notices import Toast
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Notice, Studio
from igm_gui.gui.timeline.workspace import TimelineWorkspace
from igm_gui.session import actions
from igm_gui.session.recipes import film_of, restore_file
from tests.gui.timeline_parts import MakeStudio, entry, make


@pytest.fixture
def workspace(qtbot: QtBot, studio: Studio) -> TimelineWorkspace:
    return make(qtbot, studio)


def test_how_a_film_is_written_is_chosen_and_kept(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=2.0)
    assert "532 × 532, sharp pixels · 8 s at 2 fps · high quality" in workspace.export.toolTip()
    for titles in (
        ("Size", "28 × 28 (the model's own)"),
        ("Go round", "2 times"),
        ("Quality", "Highest"),
        ("Enlarge with", "Smooth"),
    ):
        menu = workspace.menus.export(QPoint(100, 100))
        assert not entry(menu, *titles).isChecked()
        entry(menu, *titles).trigger()
        menu.close()
    assert "28 × 28 · 16 s at 2 fps · highest quality" in workspace.export.toolTip()
    path = tmp_path / "film.mp4"
    job = workspace.export_film(path)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    with av.open(str(path)) as film:
        frames = [f.to_ndarray(format="gray") for f in film.decode(video=0)]
    assert len(frames) == 32
    assert frames[0].shape == (28, 28)
    # Without loop there is no second round.
    actions.set_timeline(studio.session, loop=False)
    assert "· 8 s at 2 fps" in workspace.export.toolTip()
    menu = workspace.menus.export(QPoint(100, 100))
    assert not next(m for m in menu.findChildren(QMenu) if m.title() == "Go round").isEnabled()
    assert entry(menu, "Size", "28 × 28 (the model's own)").isChecked()
    menu.close()


def test_a_film_of_another_shape_lies_on_a_colour(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=1.0)

    def choose(*titles: str) -> None:
        menu = workspace.menus.export(QPoint(100, 100))
        entry(menu, *titles).trigger()
        menu.close()

    for titles in (("Shape", "Upright (9:16)"), ("Size", "480 × 854"), ("Background", "White")):
        choose(*titles)
    assert "480 × 854 on white, sharp pixels · 8 s at 1 fps" in workspace.export.toolTip()
    dialog = workspace.menus._film.ask_colour(workspace, "#ffffff")
    dialog.setCurrentColor(QColor("#28a0ff"))
    dialog.accept()
    assert "480 × 854 on #28a0ff" in workspace.export.toolTip()
    menu = workspace.menus.export(QPoint(100, 100))
    assert entry(menu, "Background", "#28a0ff").isChecked()
    menu.close()
    path = tmp_path / "film.mp4"
    job = workspace.export_film(path)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape == (854, 480, 3)
    np.testing.assert_allclose(frame[10, 10], (0x28, 0xA0, 0xFF), atol=4)
    assert film_of(restore_file(path).recipe).frame == (480, 854)
    choose("Shape", "As the picture")
    assert "532 × 532, sharp pixels" in workspace.export.toolTip()


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_a_loop_becomes_a_picture_that_moves(
    ending: str, qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=2.0)
    Settings().put("film/rounds", "3")  # it goes round by itself
    workspace._commands.run(f"timeline{ending}")
    dialog = workspace.findChild(QFileDialog)
    assert dialog is not None
    assert "532 × 532, sharp pixels · 8 s at 2 fps" in dialog.windowTitle()
    dialog.fileSelected.emit(str(tmp_path / f"loop{ending}"))
    dialog.close()
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    with Image.open(tmp_path / f"loop{ending}") as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((532, 532), 16, 0)
    assert restore_file(tmp_path / f"loop{ending}").changes["timeline"] == studio.state.timeline


def test_what_was_written_can_be_opened_and_shown_in_its_folder(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path, monkeypatch
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=1.0)
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    notices: list[Notice] = []
    studio.notice.connect(notices.append)
    workspace.export_frames(tmp_path / "frames")
    qtbot.waitUntil(lambda: bool(notices), timeout=60_000)
    assert notices[0].text == "Written: frames"
    assert notices[0].retry is not None
    assert notices[0].open is None  # a folder is opened by showing it
    toast = Toast(workspace)
    toast.show_notice(notices[0])
    qtbot.mouseClick(toast.retry, Qt.MouseButton.LeftButton)
    workspace.export_film(tmp_path / "film.mp4")
    qtbot.waitUntil(lambda: len(notices) == 2, timeout=60_000)
    for button in (toast.open, toast.retry):
        toast.show_notice(notices[1])
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert shown == [str(tmp_path / name) for name in ("frames", "film.mp4", "")]


@pytest.mark.parametrize(
    ("progress", "elapsed", "text"),
    [(0.0, 0.1, "0 %"), (0.4, 0.5, "40 %"), (0.5, 9.0, "50 % · 0:09"), (0.25, 1200.0, "25 % · 1:00:00")],
)
def test_what_is_left_is_told_once_it_can_be(progress: float, elapsed: float, text: str) -> None:
    assert left_text(progress, elapsed) == text


def test_export_film_holds_every_frame_and_the_recipe(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=12.0)
    path = tmp_path / "film.mp4"
    job = workspace.export_film(path)
    assert workspace.jobs.isVisible()
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == studio.state.timeline.frames == 96
    back = restore_file(path, studio.session.infos)
    assert back.changes["timeline"] == studio.state.timeline


def test_export_of_frames_matches_what_was_on_show(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, fps=4.0)
    job = workspace.export_frames(tmp_path / "frames")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    files = sorted((tmp_path / "frames").glob("*.png"))
    assert len(files) == 32
    with qtbot.waitSignal(studio.rendered, check_params_cb=lambda r: r.request.slot == "main"):
        workspace.player.seek(9 / 4)
    written = np.asarray(Image.open(files[9]))
    seen = workspace.view.picture.picture
    assert seen is not None
    assert np.array_equal(written.reshape(seen.shape), seen)


def test_cancel_leaves_nothing(
    qtbot: QtBot, studio: Studio, workspace: TimelineWorkspace, tmp_path: Path
) -> None:
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, length=600.0, fps=60.0)
    said: list[str] = []
    studio.notice.connect(lambda notice: said.append(notice.text))
    job = workspace.export_film(tmp_path / "long.mp4")
    qtbot.mouseClick(workspace.jobs.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.done
    assert list(tmp_path.iterdir()) == []
    assert any("cancelled" in text for text in said)
    assert workspace.export.isVisible()


def test_a_sound_model_shows_waveforms_and_writes_wav(
    qtbot: QtBot, make_studio: MakeStudio, tmp_path: Path
) -> None:
    studio = make_studio("additive")
    workspace = make(qtbot, studio)
    actions.fill_timeline(studio.session)
    actions.set_timeline(studio.session, length=6.0)
    assert workspace.export.text() == "Export WAV…"
    with qtbot.waitSignal(studio.rendered, timeout=20_000):
        workspace.player.seek(1.0)
    assert workspace.view.sound is not None
    assert workspace.view.currentWidget() is workspace.view.waveform
    job = workspace.export_wav(tmp_path / "tone.wav")
    qtbot.waitUntil(lambda: workspace.jobs.job is None, timeout=60_000)
    assert job.error is None
    samples, rate = soundfile.read(tmp_path / "tone.wav")
    assert len(samples) == pytest.approx(6.0 * rate, abs=2)
    assert np.abs(samples).max() > 0.01
