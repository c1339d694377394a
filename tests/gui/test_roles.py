"""What can't be known of a program's inputs is asked once, in a form; the answer is a card."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from torch import nn

from igm_gui.errors import IgmError
from igm_gui.formats.files import sha256_of
from igm_gui.formats.side_card import read_side_card
from igm_gui.formats.trust import trust
from igm_gui.generators.roles import Argument, RolesNeeded
from igm_gui.gui.main_window import MainWindow
from igm_gui.gui.models.roles import RolesForm, numbers
from igm_gui.gui.studio import Studio
from igm_gui.session.actions import randomize
from tests.gui.pointer import LEFT

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


class Odd(nn.Module):
    """Two latents whose sizes nothing in the file tells."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.tanh(a.view(-1, 1, 10, 10) + b.view(-1, 1, 2, 5).repeat(1, 1, 5, 2))


@pytest.fixture
def program(tmp_path: Path, igm_home: Path) -> Path:
    """A TorchScript program that was said yes to."""
    path = tmp_path / "odd.pt"
    torch.jit.script(Odd()).save(path)
    trust(sha256_of(path), path.name)
    return path


def asked(qtbot: QtBot, window: MainWindow, path: Path) -> RolesForm:
    with qtbot.waitSignal(window.studio.roles_asked, timeout=60_000):
        window.open_path(path)
    assert window.roles is not None
    return window.roles


def test_the_answer_opens_the_file_and_is_kept(qtbot: QtBot, real_window: MainWindow, program: Path) -> None:
    before = real_window.studio.state.model
    form = asked(qtbot, real_window, program)
    assert form.isVisible()
    assert not real_window.toast.isVisible()
    assert real_window.rect().contains(form.geometry())
    # A wrong answer is said in the form, and no card stays behind.
    assert "Trying" not in form.message.text()
    form.rows[0].value.setText("7")
    form.rows[1].value.setText("10")
    form.apply()
    assert "Trying" in form.message.text()
    qtbot.waitUntil(lambda: "does not run" in form.message.text(), timeout=60_000)
    assert read_side_card(program) is None
    assert real_window.studio.state.model == before
    form.rows[0].value.setText("100")
    with qtbot.waitSignal(
        real_window.studio.rendered,
        timeout=60_000,
        check_params_cb=lambda r: r.media is not None and r.request.model == str(program),
    ):
        QTest.mouseClick(form.open, LEFT)
    info = real_window.studio.session.info
    assert info is not None
    assert [spec.size for spec in info.inputs] == [100, 10]
    assert (info.output.height, info.output.width) == (10, 10)
    card = read_side_card(program)
    assert card is not None
    assert [spec.name for spec in card.inputs] == ["a", "b"]


def test_escape_leaves_it(qtbot: QtBot, real_window: MainWindow, program: Path) -> None:
    form = asked(qtbot, real_window, program)
    QTest.keyClick(form, Qt.Key.Key_Escape)
    assert not form.isVisible()
    assert read_side_card(program) is None


def test_another_model_opened_meanwhile_answers_it(
    qtbot: QtBot, real_window: MainWindow, program: Path
) -> None:
    form = asked(qtbot, real_window, program)
    with qtbot.waitSignal(real_window.studio.rendered, timeout=60_000):
        randomize(real_window.studio.session)
    assert form.isVisible()  # the model that was open goes on
    with qtbot.waitSignal(
        real_window.studio.rendered,
        timeout=60_000,
        check_params_cb=lambda r: r.request.slot == "main" and r.request.model == "fashion-gan",
    ):
        real_window.open_path("fashion-gan")
    assert not form.isVisible()


def test_every_kind_of_input_can_be_said(qtbot: QtBot, studio: Studio, real_window: MainWindow) -> None:
    declared = (
        Argument("z", "float", (None, 64)),
        Argument("picture", "float", (None, 4, None, None)),
        Argument("kind", "int", (None,), "int64"),
        Argument("psi", "float", (None, 1)),
        Argument("seed", "int", (1,), "int64"),
        Argument("attributes", "int", (None, 40), "int64"),
    )
    form = RolesForm(
        studio, "/tmp/net.onnx", RolesNeeded("?", arguments=declared, family="onnx"), real_window
    )
    card = form.card()
    assert [(s.name, s.kind, s.size) for s in card.inputs] == [
        ("z", "latent", 64),
        ("picture", "latent", 4 * 32 * 32),
        ("kind", "label", 10),
        ("psi", "scalar", 1),
        ("seed", "seed", 1),
        ("attributes", "latent", 40),
    ]
    assert card.family == "onnx"
    form.rows[3].value.setText("-1; 2; 0,5")
    with pytest.raises(IgmError, match="psi"):
        form.card()
    form.rows[3].value.setText("−1, 2, 0.5")
    assert form.card().inputs[3].minimum == -1.0
    form.output.setCurrentIndex(3)
    form.rate.setText("24000")
    assert form.card().output.sample_rate == 24_000
    form.rate.setText("fast")
    with pytest.raises(IgmError, match="sample rate"):
        form.card()
    form.close_form()


@pytest.mark.parametrize("text", ["4 × 32 × 32", "(4, 32, 32)", "4x32x32", " 4 32 32 "])
def test_numbers(text: str) -> None:
    assert numbers(text) == [4.0, 32.0, 32.0]
