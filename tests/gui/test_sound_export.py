"""An nn~ export in the window: its sliders, its sound live, its own delay told, its sample rate corrected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine
from igm_gui.formats.side_card import write_side_card
from igm_gui.generators import registry
from igm_gui.gui.explore.inputs import InputsPanel
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.models.corrections import Corrections, correctable
from igm_gui.gui.sound.hub import SoundHub
from igm_gui.gui.sound.view import SoundView
from igm_gui.gui.studio import Studio
from tests.generators.nntilde_exports import FULL, Export, Late, VariationalExport, WithAttributes, save
from tests.gui.sound_view_parts import RealTimeOpener

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
WAIT = 60_000


@pytest.fixture
def open_export(
    make_studio: Callable[..., Studio], make_window: Callable[[Studio], MainWindow], tmp_path: Path
) -> Callable[[object], MainWindow]:
    """The window on an export, with an output that is not heard."""

    def build(module: object) -> MainWindow:
        studio = make_studio(save(tmp_path, module))  # type: ignore[arg-type]
        SoundHub(studio, SoundEngine(Player(RealTimeOpener())))  # type: ignore[arg-type]
        made = make_window(studio)
        made.resize(1500, 900)
        return made

    return build


def test_live_tells_the_models_own_delay(open_export, qtbot: QtBot) -> None:
    view = open_export(Late()).findChild(SoundView)
    view.toggle_live()
    qtbot.waitUntil(lambda: "ring" in view.health.text(), timeout=WAIT)
    assert "+ 32" in view.health.text()  # 20 steps of 256 samples at 16 kHz
    assert "inside the model" in view.health._tip
    view.stop()


def test_every_input_has_its_control(open_export) -> None:
    window = open_export(WithAttributes())
    panel = window.findChild(InputsPanel)
    assert set(panel.scalars) == {f"attribute:{n}" for n in ("gain", "muted", "count", "pair:0", "pair:1")}
    panel.scalars["attribute:gain"].changed.emit(0.9)
    assert window.studio.state.point.scalar("attribute:gain") == pytest.approx(0.9)


def test_the_strip_names_each_dimension_with_its_share(open_export) -> None:
    window = open_export(VariationalExport())
    strip = window.findChild(InputsPanel).strips["z"]
    assert strip.count == FULL
    assert strip.readout(0).startswith("latent 0 · 50.0%")


def test_the_sample_rate_is_corrected_in_the_window(open_export) -> None:
    module = Export()
    del module.sr
    info = open_export(module).studio.session.info
    assert correctable(info)
    form = Corrections(info)
    assert not form.inputs
    form.rate.setValue(22_050)
    write_side_card(Path(info.path), form.wanted())
    assert registry.load(info.path).info.output.sample_rate == 22_050
    form.deleteLater()
