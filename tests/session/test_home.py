"""A home that can't be written in: the program starts and renders, and says what could not be kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import igm_gui
from igm_gui import paths
from igm_gui.cli import main


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "a file"
    file.write_text("")
    monkeypatch.setenv("IGM_HOME", str(file / "home"))  # no folder can be made below a file, not even by root
    return file


def test_folders_are_named_where_they_can_not_be_made(no_home: Path) -> None:
    for folder in (paths.data_folder(), paths.cache_folder(), paths.config_folder()):
        assert no_home in folder.parents
        assert not folder.exists()


def test_models_render_and_what_can_not_be_kept_is_told(
    no_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert igm_gui.load("fashion-gan").sample(seed=0, n=2).shape == (2, 28, 28, 1)
    program = no_home.parent / "some.pt"
    program.write_bytes(b"a program")
    assert main(["trust", str(program)]) == 2
    assert "could not be written" in capsys.readouterr().err


def test_the_windows_settings_need_no_home(no_home: Path) -> None:
    pytest.importorskip("PySide6")
    code = (
        "from igm_gui.gui.settings import Settings\n"
        "settings = Settings()\n"
        "settings.put('a', 'b')\n"
        "print(settings.text('a'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
