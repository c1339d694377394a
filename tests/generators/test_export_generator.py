"""A person's own module becomes a model folder in one call and opens like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import igm_gui
from igm_gui.errors import ModelError


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(5 + 3, 3 * 64)

    def forward(self, z, label, gain):
        x = torch.tanh(self.layer(torch.cat([z, label], 1)) * gain[:, None])
        return x.reshape(-1, 3, 8, 8)


INPUTS = (
    igm_gui.InputSpec("z", "latent", shape=(5,)),
    igm_gui.InputSpec("label", "label", classes=("a", "b", "c")),
    igm_gui.InputSpec("gain", "scalar", minimum=0, maximum=4, default=1),
)


def test_one_call_and_it_opens(tmp_path):
    module = Mixed()
    folder = igm_gui.export_generator(
        module, tmp_path / "mine", inputs=INPUTS, title="My own", licence="CC0-1.0"
    )
    g = igm_gui.load(folder)
    assert (g.info.name, g.info.title, g.info.licence) == ("mine", "My own", "CC0-1.0")
    assert [spec.name for spec in g.info.inputs] == ["z", "label", "gain"]
    points = [g.point(seed, "b").with_value("gain", 2.0) for seed in (1, 2, 3)]
    given = g.render(points)
    with torch.inference_mode():
        z = torch.from_numpy(np.stack([p.vector("z").array for p in points]))
        expected = module(z, torch.tensor([[0.0, 1, 0]] * 3), torch.full((3,), 2.0))
    assert np.abs(given - ((expected + 1) * 127.5).permute(0, 2, 3, 1).numpy()).max() <= 0.51


def test_a_module_for_one_point_at_a_time(tmp_path):
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 64)

        def forward(self, z):
            return self.layer(z).view(z.shape[0], 1, 8, 8).sigmoid()

    folder = igm_gui.export_generator(
        One(), tmp_path / "one", inputs=[igm_gui.InputSpec("z", "latent", shape=(4,))]
    )
    assert igm_gui.load(folder).sample(0, 3).shape == (3, 8, 8, 1)


def test_what_does_not_run_is_said_and_nothing_is_written(tmp_path):
    with pytest.raises(ModelError, match="does not run"):
        igm_gui.export_generator(Mixed(), tmp_path / "no", inputs=INPUTS[:1])
    assert not (tmp_path / "no").exists()


def test_a_copy_by_somebody_else_is_asked_about(tmp_path, monkeypatch):
    folder = igm_gui.export_generator(Mixed(), tmp_path / "mine", inputs=INPUTS)
    monkeypatch.setenv("IGM_HOME", str(tmp_path / "other"))
    with pytest.raises(ModelError, match="program"):
        igm_gui.load(folder)
