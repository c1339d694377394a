"""Looking on the command line: models, info, trust, half, open; and accidents."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest

import igm_gui
from igm_gui.cli import main
from igm_gui.formats import library
from tests.cli.answers import refused


def test_models_lists_what_is_bundled(igm):
    answer = igm("models")
    assert answer.status == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == list(library.bundled())


def test_models_as_json(igm):
    answer = igm("models", "--json")
    listed = json.loads(answer.out)
    assert [entry["name"] for entry in listed] == list(library.bundled())
    for entry in listed:
        assert entry["media"] in ("image", "sound")
        assert Path(entry["path"]).is_dir()
        assert entry["title"]
        assert entry["family"]


def test_info_as_json_has_what_is_promised(igm):
    raw = json.loads(igm("info", "fashion-gan", "--json").out)
    assert raw["family"] == "fashion"
    assert raw["media"] == "image"
    assert [spec["name"] for spec in raw["inputs"]] == ["z", "label"]
    assert (raw["output"]["height"], raw["output"]["width"], raw["output"]["channels"]) == (28, 28, 1)
    assert raw["parameters"] > 100_000
    assert len(raw["sha256"]) == 64


def test_info_for_a_person(igm):
    answer = igm("info", library.bundled()["additive"])
    assert answer.status == 0
    assert "sound 48 kHz" in answer.out
    assert "pitch: 28 to 96 MIDI, default 57" in answer.out


def test_info_shows_the_first_layers_and_all_where_asked(igm):
    """A long list would push the card off the screen."""
    every = json.loads(igm("info", "emoji-64", "--json").out)["layers"]
    short = [line for line in igm("info", "emoji-64").out.splitlines() if line.startswith("layer ")]
    assert len(short) == 7
    assert every[5]["name"] in short[5]
    assert short[6].endswith(f"… and {len(every) - 6} more; --layers lists them all")
    whole = igm("info", "emoji-64", "--layers").out.splitlines()
    shown = [line.split()[1] for line in whole if line.startswith("layer ")]
    assert shown == [layer["name"] for layer in every]


def test_no_command_shows_help_and_version_the_version(igm):
    assert igm().out.startswith("usage: igm")
    assert igm("--help").status == 0
    assert igm("--version").out.strip() == f"IGM Studio {igm_gui.__version__}"


def test_open_starts_the_window_on_the_file(igm, monkeypatch, tmp_path):
    asked = []
    window = types.ModuleType("igm_gui.gui.app")
    window.main = lambda argv: asked.append(argv) or 0
    monkeypatch.setitem(sys.modules, "igm_gui.gui.app", window)
    (tmp_path / "a.png").write_bytes(b"")
    assert igm("open", tmp_path / "a.png").status == 0
    assert igm("open", "uniform-pixels").status == 0
    assert asked == [[str(tmp_path / "a.png")], ["uniform-pixels"]]
    refused(igm("open", tmp_path / "missing"), "no file or folder")
    window.main = lambda argv: 2
    assert igm("open", "uniform-pixels").status == 2


def test_open_without_qt_says_what_it_needs(igm, monkeypatch):
    monkeypatch.setitem(sys.modules, "igm_gui.gui.app", None)
    refused(igm("open", "uniform-pixels"), "PySide6")


@pytest.mark.parametrize(
    ("accident", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted"),
        (MemoryError(), 2, "not enough memory"),
        (ZeroDivisionError("by zero"), 2, "ZeroDivisionError: by zero"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_no_accident_ends_in_a_traceback(accident, status, said, monkeypatch, capfd):
    from igm_gui.cli import look

    def fail(_options: object) -> None:
        raise accident

    monkeypatch.setattr(look, "models", fail)
    if not isinstance(accident, BrokenPipeError):
        assert main(["models"]) == status
        err = capfd.readouterr().err
        assert said in err
        assert "Traceback" not in err


def test_a_traceback_is_there_for_who_asks(monkeypatch, capsys):
    from igm_gui.cli import look

    def fail(_options: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(look, "models", fail)
    monkeypatch.setenv("IGM_TRACEBACK", "1")
    assert main(["models"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_trust_remembers_a_yes_to_a_file(igm, tmp_path):
    from igm_gui.formats import trust
    from igm_gui.formats.files import sha256_of

    program = tmp_path / "voice.ts"
    program.write_bytes(b"a program")
    answer = igm("trust", program)
    assert answer.status == 0
    assert sha256_of(program) in answer.out
    assert sha256_of(program) in trust.trusted()
    refused(igm("trust", tmp_path), "not a file")
    (tmp_path / "model.pt2").write_bytes(b"another")
    igm("trust", tmp_path)
    assert sha256_of(tmp_path / "model.pt2") in trust.trusted()
    refused(igm("trust", tmp_path / "missing"), "no model called")
    assert igm("trust", program, "--undo").status == 0
    assert sha256_of(program) not in trust.trusted()
    assert sha256_of(tmp_path / "model.pt2") in trust.trusted()
    assert "no yes" in igm("trust", program, "--undo").out


def test_half_precision_is_allowed_and_taken_back(igm, monkeypatch):
    from igm_gui.generators import memory
    from igm_gui.generators.registry import load

    monkeypatch.setattr(memory, "available", lambda: memory.needed(library.find("fashion-gan")) - 1)
    assert igm("info", "fashion-gan").status == 2
    assert igm("half", "fashion-gan").status == 0
    assert load("fashion-gan").info.precision.startswith("float16")
    assert "whole again" in igm("half", "fashion-gan", "--undo").out
    assert igm("info", "fashion-gan").status == 2
    assert "was not allowed" in igm("half", "fashion-gan", "--undo").out


def test_a_refused_file_is_described_and_its_reason_told_once(igm, tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"\x80\x02cos\nsystem\nU\x04truetR.".replace(b"U", b"(U"))
    answer = igm("info", path)
    assert answer.status == 2
    assert "mentions    os.system" in answer.out
    assert (answer.out + answer.err).count("os.system, which is not part") == 1
    raw = json.loads(igm("info", path, "--json").out)
    assert "os.system" in raw["error"]
    assert raw["file_warnings"] == []
