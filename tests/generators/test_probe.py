"""A file not seen before is opened in a child first; what happens to the child is a sentence here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from igm_gui.errors import ModelError
from igm_gui.generators import probe, registry

NETWORK = Path(__file__).parent.parent / "data" / "stylegan" / "stylegan2-32-unconditional.pkl"


def child(code):
    return [sys.executable, "-c", code]


def test_a_good_file_opens_and_is_remembered(monkeypatch):
    monkeypatch.setenv("IGM_PROBE", "on")
    generator = registry.load(str(NETWORK))
    assert probe.seen(generator.info.sha256)
    # The second time no child is started at all.
    monkeypatch.setattr(probe, "probe", lambda path: pytest.fail(f"{path} was probed again"))
    assert registry.load(str(NETWORK)).info == generator.info


def test_a_refusal_in_the_child_is_the_same_sentence_here(tmp_path, monkeypatch):
    import pickle

    path = tmp_path / "empty.pkl"
    path.write_bytes(pickle.dumps({"G_ema": 1}, 4))
    with pytest.raises(ModelError) as here:
        registry.load(str(path))
    monkeypatch.setenv("IGM_PROBE", "on")
    with pytest.raises(ModelError) as there:
        registry.load(str(path))
    assert there.value.message == here.value.message
    assert there.value.hint == here.value.hint


def test_bundled_models_are_not_probed(monkeypatch):
    monkeypatch.setenv("IGM_PROBE", "on")
    monkeypatch.setattr(probe, "probe", lambda path: pytest.fail(f"{path} was probed"))
    registry.load("uniform-pixels")


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.abort()",
        "import os; os._exit(3)",
        "raise SystemExit",
        "print('igm-probe:nonsense')",
        "1/0",
    ],
)
def test_a_child_that_ends_badly(code):
    with pytest.raises(ModelError, match="ended the process"):
        probe.probe(Path("bad.pkl"), 30, child(code))


def test_a_child_that_never_ends():
    with pytest.raises(ModelError, match="still not open"):
        probe.probe(Path("slow.pkl"), 0.5, child("import time; time.sleep(60)"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no memory limit for a plain process")
def test_a_child_that_eats_memory(tmp_path):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(b"x")
    code = f"""
import pathlib
from igm_gui.generators import probe
probe._limit(pathlib.Path({str(path)!r}))
x = bytearray(64 << 30)
"""
    with pytest.raises(ModelError, match="ended the process"):
        probe.probe(path, 60, child(code))
