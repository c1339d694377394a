"""A program is asked about in the window: one button says yes, and the picture comes."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import nn

from igm_gui.cli import main
from igm_gui.generators import memory


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(7, 64)

    def forward(self, z):
        return torch.tanh(self.layer(z)).reshape(-1, 1, 8, 8)


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "flat.pt2"
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.export.save(torch.export.export(Flat(), (torch.zeros(2, 7),), dynamic_shapes=({0: batch},)), path)
    return path


def test_the_button_opens_it(qtbot, studio, program):
    with qtbot.waitSignal(studio.notice, timeout=30_000) as asked:
        studio.open_model(str(program))
    notice = asked.args[0]
    assert notice.action == "Open it"
    assert "program" in notice.text
    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=lambda r: r.media is not None):
        notice.retry()
    assert studio.session.info.latent.size == 7


def test_the_command_line_asks_and_remembers(program, tmp_path, capsys):
    assert main(["sample", str(program), "--out", str(tmp_path / "out")]) == 2
    assert "igm trust" in capsys.readouterr().err
    assert main(["trust", str(program)]) == 0
    assert main(["sample", str(program), "--out", str(tmp_path / "out"), "-n", "2"]) == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_the_button_opens_in_half_precision_what_does_not_fit(qtbot, studio, tmp_path, monkeypatch):
    path = tmp_path / "network.pkl"
    shutil.copy("tests/data/stylegan/stylegan2-32-unconditional.pkl", path)
    monkeypatch.setattr(memory, "available", lambda: memory.needed(path) - 1)
    with qtbot.waitSignal(studio.notice, timeout=30_000) as asked:
        studio.open_model(str(path))
    notice = asked.args[0]
    assert (notice.kind, notice.action) == ("question", "Open in half precision")
    assert "of memory" in notice.text
    with qtbot.waitSignal(studio.rendered, timeout=30_000, check_params_cb=lambda r: r.media is not None):
        notice.retry()
    assert studio.state.model == str(path)
    assert studio.session.info.precision.startswith("float16 weights")
