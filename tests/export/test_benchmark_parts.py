"""The pieces of benchmarks/ that measure without a window."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from igm_gui.cli import measure
from igm_gui.engine.renderer import Renderer
from igm_gui.generators import registry
from igm_gui.latent.point import point_from_seed

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def stand_in(monkeypatch, tmp_path) -> str:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("IGM_PROBE", "off")
    monkeypatch.setattr(registry, "FAMILIES", dict(registry.FAMILIES))
    import stand_in as module

    yield module.install(tmp_path)
    del sys.modules["stand_in"]


def test_the_stand_in_is_a_large_generator_and_the_same_every_time(stand_in):
    first, second = Renderer(), Renderer()
    point = point_from_seed(first.generator(stand_in)[0].info, 1)
    pictures = [renderer.media(stand_in, [point]) for renderer in (first, second)]
    assert pictures[0].shape == (1, 512, 512, 3)
    assert pictures[0].tobytes() == pictures[1].tobytes()
    assert pictures[0].std() > 10


def test_export_throughput_is_a_ratio_of_two_rates(monkeypatch):
    monkeypatch.setattr(measure, "EXPORT_SECONDS", 0.01)
    found = measure.export_throughput(Renderer(), "fashion-gan", rounds=1)
    assert found["ratio"] == pytest.approx(found["export_per_second"] / found["bare_per_second"], rel=0.01)
    assert found["exported"] >= 4


def test_a_summary_is_a_median_and_a_percentile_in_milliseconds():
    assert measure.summary([0.001] * 90 + [0.5] * 10) == {"median_ms": 1.0, "p95_ms": 500.0}
