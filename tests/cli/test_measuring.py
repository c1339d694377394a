"""Comparing and measuring on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cli.answers import refused


def test_compare_writes_its_measures(igm, tmp_path):
    path = tmp_path / "c.json"
    answer = igm("compare", "fashion-gan", "uniform-pixels", "--samples", 12, "--json", path)
    assert answer.status == 0
    raw = json.loads(path.read_text())
    assert raw["samples"] == 12
    fashion, uniform = raw["models"]
    assert (fashion["name"], uniform["name"]) == ("fashion-gan", "uniform-pixels")
    # Uniform on 0 to 1: mean 1/2, standard deviation sqrt(1/12), two samples sqrt(1/6) apart.
    assert uniform["mean"] == pytest.approx(0.5, abs=0.01)
    assert uniform["std"] == pytest.approx(12**-0.5, abs=0.01)
    assert uniform["diversity"] == pytest.approx(6**-0.5, abs=0.01)
    assert fashion["seconds_per_sample"] > 0
    listed = json.loads(igm("compare", "uniform-pixels", "--samples", 3, "--json", "-").out)
    assert len(listed["models"]) == 1
    refused(igm("compare", "uniform-pixels", "nonsense"), "no model called nonsense")


def test_compare_tells_where_the_measures_are_and_that_they_cannot_be_written(igm, tmp_path, monkeypatch):
    from igm_gui.cli import measure

    path = tmp_path / "new" / "c.json"
    said = igm("compare", "uniform-pixels", "--samples", 3, "--json", path).out
    assert said.splitlines()[-1] == f"1 model in {path}"
    assert json.loads(path.read_text())["samples"] == 3
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(measure, "compare_model", lambda *_: pytest.fail("measured, though it can't be kept"))
    answer = igm("compare", "uniform-pixels", "--json", tmp_path / "file" / "c.json")
    refused(answer, "a part of that path is a file")


def test_the_measures_are_those_of_numpy():
    from igm_gui.cli.measure import _Moments

    media = np.random.default_rng(0).integers(0, 256, (23, 5, 4, 3), dtype=np.uint8)
    moments = _Moments()
    for start in range(0, 23, 4):
        moments.add(media[start : start + 4])
    report, values = moments.report(), media / 255
    assert report["mean"] == pytest.approx(values.mean(), abs=1e-5)
    assert report["std"] == pytest.approx(values.std(), abs=1e-5)
    gaps = [((a - b) ** 2).mean() for i, a in enumerate(values) for b in values[:i]]
    assert report["diversity"] == pytest.approx(np.mean(gaps) ** 0.5, abs=1e-5)


@pytest.mark.parametrize("model", ["uniform-pixels"])
def test_bench_measures(model, igm, monkeypatch):
    from igm_gui.cli import measure

    monkeypatch.setattr(measure, "EXPORT_SECONDS", 0.01)
    raw = json.loads(igm("bench", model, "--json", "--runs", 3).out)
    assert raw["model"] == model
    assert raw["forward"]["median_ms"] > 0
    assert raw["renderer_overhead"]["p95_ms"] >= raw["renderer_overhead"]["median_ms"]
    assert raw["export"]["bare_per_second"] > 0
    assert raw["export"]["ratio"] > 0
    assert "bare forward pass" in igm("bench", model, "--runs", 3).out
