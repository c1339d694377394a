"""The panel of what a model is made of, its table of layers, and correcting what was guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from torch import nn

from igm_gui.formats.contents import Layer
from igm_gui.formats.side_card import beside, read_side_card
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.models.information import ModelInformation
from igm_gui.gui.models.layers import LayerView
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = nn.Sequential(nn.ConvTranspose2d(8, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1))
    path = tmp_path / "net.pt"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def studio(make_studio: Callable[..., Studio], weights: Path) -> Studio:
    """What ``real_window`` is on."""
    return make_studio(str(weights))


def opened(qtbot: QtBot, window: MainWindow) -> ModelInformation:
    panel = window.information
    with qtbot.waitSignal(panel.reader.finished, timeout=30_000):
        window.commands.run("model.information")
    return panel


def test_the_panel_reads_the_file(qtbot: QtBot, real_window: MainWindow) -> None:
    panel = opened(qtbot, real_window)
    assert panel.contents is not None
    assert panel.tabs.tabText(1) == "Layers (4)"
    assert "torch._utils._rebuild_tensor_v2" in panel.globals.toPlainText()
    text = panel.text()
    assert "SHA-256" in text
    assert "0.weight  8 × 4 × 4 × 4  float32" in text
    assert panel.tabs.isTabVisible(3)


def test_a_guess_is_corrected_and_taken_back(qtbot: QtBot, real_window: MainWindow, weights: Path) -> None:
    studio = real_window.studio
    panel = opened(qtbot, real_window)
    assert panel.form is not None
    assert panel.form.plain is not None
    assert panel.form.low is not None
    assert not panel.form.revert.isEnabled()
    could_undo, point = studio.session.can_undo, studio.state.point
    panel.form.plain.last.setCurrentText("sigmoid")
    assert panel.form.low.value() == 0.0  # the range follows

    def told(low: float) -> Callable[[RenderResult], bool]:
        return lambda result: bool(
            result.media is not None and result.info is not None and result.info.output.low == low
        )

    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=told(0.0)):
        panel.form.apply.click()
    assert beside(weights).is_file()
    assert studio.session.info is not None
    assert studio.session.info.output.low == 0.0
    assert not studio.session.info.warnings
    assert studio.session.can_undo == could_undo
    assert studio.state.point == point
    qtbot.waitUntil(lambda: panel.form is not None and panel.form.revert.isEnabled(), timeout=30_000)
    assert panel.form.plain is not None
    assert panel.form.plain.last.currentText() == "sigmoid"
    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=told(-1.0)):
        panel.form.revert.click()
    assert not beside(weights).exists()
    assert studio.session.info.warnings


def test_two_thousand_layers_are_searched(qtbot: QtBot) -> None:
    view = LayerView()
    qtbot.addWidget(view)
    view.show_layers(tuple(Layer(f"block{i}.weight", (i, 3), "float32") for i in range(2000)))
    assert view.count.text() == "2,000 of 2,000 tensors"
    QTest.keyClicks(view.search, "BLOCK199")
    assert view.count.text() == "11 of 2,000 tensors"
    view.grab()


class Conditional(nn.Module):
    """Twenty by twenty-eight numbers in a row, with classes in front of z."""

    def __init__(self) -> None:
        super().__init__()
        self.label_emb = nn.Embedding(3, 4)
        self.layers = nn.Sequential(
            nn.Linear(10, 16), nn.LeakyReLU(0.01), nn.Linear(16, 20 * 28), nn.Sigmoid()
        )


def test_all_that_is_guessed_of_plain_weights_is_corrected(
    qtbot: QtBot, real_window: MainWindow, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    path = tmp_path / "rows.pt"
    torch.save(Conditional().state_dict(), path)
    studio = real_window.studio
    with qtbot.waitSignal(
        studio.rendered, timeout=30_000, check_params_cb=lambda r: r.request.model == str(path)
    ):
        studio.open_model(str(path))
    panel = opened(qtbot, real_window)
    assert panel.form is not None
    rows = panel.form.plain
    assert rows is not None
    assert rows.join is not None
    assert (rows.width.value(), rows.height.value()) == (28, 20)
    rows.hidden.setCurrentText("leaky_relu")
    assert not rows.slope.isHidden()
    rows.slope.setValue(0.01)
    rows.join.setCurrentText("before")
    rows.width.setValue(20)
    rows.height.setValue(28)
    rows.prior.setCurrentText("uniform")
    with qtbot.waitSignal(
        studio.rendered,
        timeout=30_000,
        check_params_cb=lambda r: r.media is not None and r.media.shape[1:3] == (28, 20),
    ):
        panel.form.apply.click()
    info = studio.session.info
    assert info is not None
    assert info.latent is not None
    assert (info.latent.prior, info.latent.size) == ("uniform", 6)
    card = read_side_card(path)
    assert card is not None
    assert card.hyperparameters == {"hidden": "leaky_relu", "last": "tanh", "slope": 0.01, "join": "before"}
