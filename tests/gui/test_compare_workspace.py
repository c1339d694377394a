"""The Compare workspace through mouse and keys, with real models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats import library
from igm_gui.formats.trust import TrustNeeded, trusted
from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.compare.lineup import details, parameters_text, sample_points, sharing, time_text
from igm_gui.gui.compare.workspace import CompareWorkspace
from igm_gui.gui.settings import Settings
from igm_gui.gui.studio import Studio
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import conform, one_hot, point_from_seed
from igm_gui.latent.vector import Vector
from igm_gui.requests import RenderRequest, RenderResult
from igm_gui.session import actions
from igm_gui.session.recipes import restore_file

MakeStudio = Callable[..., Studio]
LEFT = Qt.MouseButton.LeftButton


def model(name: str, size: int, *classes: str, distance: str = "") -> GeneratorInfo:
    inputs = [InputSpec("z", "latent", shape=(size,))]
    if classes:
        inputs.append(InputSpec("label", "label", classes=classes))
    output = OutputSpec("image", 28, 28, 1)
    return GeneratorInfo(name, "fashion", output, tuple(inputs), distance=distance)


# -- what is said


def test_same_numbers_where_the_shapes_agree() -> None:
    a, b = model("a", 8, "coat", "bag"), model("b", 8, "coat", "bag")
    point = point_from_seed(a, 3, 1)
    assert sharing(point, a, b)[0] == "same z · same class"
    assert conform(point, b).vector("z") == point.vector("z")


def test_same_seed_where_they_do_not() -> None:
    a, b = model("a", 8), model("b", 5)
    point = point_from_seed(a, 3)
    assert sharing(point, a, b)[0] == "same seed, not paired"
    assert conform(point, b).vector("z") == point_from_seed(b, 3).vector("z")


def test_a_point_set_by_hand_has_no_seed_to_share() -> None:
    a, b = model("a", 8), model("b", 5)
    point = point_from_seed(a, 3)
    by_hand = type(point)(point.values, None)
    words, why = sharing(by_hand, a, b)
    assert words == "seed 0, not paired"
    assert "no seed" in why
    assert conform(by_hand, b).vector("z") == point_from_seed(b, 0).vector("z")


def test_classes_of_other_names_are_named() -> None:
    a, b = model("a", 8, "coat", "bag"), model("b", 8, "cat", "dog")
    assert sharing(point_from_seed(a, 3, 1), a, b)[0] == "same z · class dog"
    c = model("c", 8, "one", "two", "three")
    assert sharing(point_from_seed(a, 3, 1), a, c)[0] == "same z · class one"


def test_texts() -> None:
    info = model("a", 8, distance="Wasserstein-1")
    assert details(info) == "fashion · Wasserstein-1 · image 28×28 grey"
    assert [time_text(s) for s in (0.00004, 0.0021, 0.118)] == ["0.04 ms", "2.1 ms", "118 ms"]
    assert [parameters_text(n) for n in (0, 12, 45_300, 1_120_000)] == ["", "12", "45 k", "1.1 M"]


def test_samples_count_on_from_the_seed_and_take_the_classes_in_turn() -> None:
    info = model("a", 8, "coat", "bag")
    base = point_from_seed(info, 99, 1)
    held = sample_points(info, base, 10, every_class=False)
    assert [held(i).seed for i in range(3)] == [10, 11, 12]
    assert all(held(i).vector("label")[1] == 1 for i in range(3))
    turning = sample_points(info, base, 10, every_class=True)
    assert [int(np.argmax(turning(i).vector("label").array)) for i in range(4)] == [0, 1, 0, 1]
    assert turning(1).vector("z") == held(1).vector("z")


# -- the workspace


def make(qtbot: QtBot, studio: Studio) -> CompareWorkspace:
    window = theme.dress(QWidget())
    workspace = CompareWorkspace(studio, Commands(window), window)
    window.resize(1280, 720)
    workspace.resize(1280, 720)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    workspace.activate()
    return workspace


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


def test_every_model_shows_as_many_samples(qtbot: QtBot, studio: Studio, workspace: CompareWorkspace) -> None:
    workspace.add_model("additive")
    columns = workspace.columns
    # One pixel may be the difference between eleven samples and ten.
    columns[0].setFixedWidth(columns[0].width() + 4 * 58)
    qtbot.waitUntil(lambda: columns[0].samples.room > columns[1].samples.room)
    qtbot.waitUntil(lambda: len(columns[0].samples.images) == len(columns[1].samples.images) > 0)
    assert columns[0].samples.columns == columns[1].samples.room


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
    assert len(rows) == len(library.bundled()) + 1
    assert "own.safetensors" in rows[-1].text()
    assert browser.list.visualItemRect(rows[4]).bottom() < browser.list.viewport().height()
    qtbot.keyClicks(browser.search, "no such model")
    assert browser.nothing.isVisible()
    assert browser.list.isHidden()
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
