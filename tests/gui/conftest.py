"""Windows on a fake renderer: no torch, no weights, every picture computed by hand."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from igm_gui.engine.loop import RenderLoop
from igm_gui.gui import theme
from igm_gui.gui.asking import Asking
from igm_gui.gui.explore.strip import LatentStrip
from igm_gui.gui.explore.workspace import ExploreWorkspace
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult
from tests.gui.fakes import PaintingRenderer


@pytest.fixture(scope="session", autouse=True)
def _dressed(qapp: QApplication) -> None:
    theme.load_fonts(qapp)
    theme.apply(qapp, "dark")


@pytest.fixture(scope="session", autouse=True)
def _collector_at_rest() -> Iterator[None]:
    """No collection on another thread while windows of earlier tests wait for theirs, as in the program."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _collected(_collector_at_rest: None) -> Iterator[None]:
    yield
    gc.collect(1)


@pytest.fixture
def painter() -> PaintingRenderer:
    """The renderer behind ``toy_studio``."""
    return PaintingRenderer()


@pytest.fixture
def toy_studio(qtbot: QtBot, painter: PaintingRenderer) -> Iterator[Studio]:
    """A Studio on the model ``toy``, started, with its first picture there."""
    studio = Studio()
    studio.loop = RenderLoop(studio._arrived.emit, painter)  # type: ignore[arg-type]
    studio.open_model("toy")
    with qtbot.waitSignal(studio.rendered, timeout=20_000, check_params_cb=lambda r: bool(r.request.points)):
        studio.start()
    yield studio
    studio.close()


@pytest.fixture
def make_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Studio], MainWindow]]:
    """``make_window(studio)``: the whole window, shown; closed after without questions."""
    windows: list[MainWindow] = []

    def make(studio: Studio) -> MainWindow:
        made = MainWindow(studio)
        windows.append(made)
        made.resize(1280, 800)
        with qtbot.waitExposed(made):
            made.show()
        return made

    yield make
    monkeypatch.setattr(Asking, "may_close", lambda _self: True)
    for made in windows:
        made.close()
        made.deleteLater()


@pytest.fixture
def window(toy_studio: Studio, make_window: Callable[[Studio], MainWindow]) -> MainWindow:
    """The whole window on ``toy``."""
    return make_window(toy_studio)


@pytest.fixture
def real_window(studio: Studio, make_window: Callable[[Studio], MainWindow]) -> MainWindow:
    """The whole window on ``studio``, which renders in earnest."""
    return make_window(studio)


@pytest.fixture
def explore(window: MainWindow) -> ExploreWorkspace:
    """The Explore workspace of ``window``."""
    found = window.stack.widget_of("explore")
    assert isinstance(found, ExploreWorkspace)
    return found


@pytest.fixture
def next_picture(qtbot: QtBot, toy_studio: Studio) -> Callable[[Callable[[], object]], RenderResult]:
    """``next_picture(act)``: do it, and wait for the picture of the state it leads to."""

    def wait(act: Callable[[], object]) -> RenderResult:
        def settled(result: RenderResult) -> bool:
            wanted = toy_studio.session.request(at=toy_studio.playhead)
            return result.request == wanted

        with qtbot.waitSignal(toy_studio.rendered, timeout=20_000, check_params_cb=settled) as got:
            act()
        assert got.args is not None
        result: RenderResult = got.args[0]
        return result

    return wait


@pytest.fixture
def strip(explore: ExploreWorkspace) -> LatentStrip:
    """The latent strip of ``explore``."""
    return explore.inputs.strips["z"]
