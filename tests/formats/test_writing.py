"""Writing whole files, through links and beside what is no file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from igm_gui.errors import ExportError
from igm_gui.formats.files import write_atomic


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_link_to_nothing_makes_the_file(tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "later.txt")
    write_atomic(link, b"new")
    assert (tmp_path / "later.txt").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """As root, /dev/null itself would otherwise be replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ExportError, match="device or a pipe"):
        write_atomic(pipe, b"new")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_a_folder_that_takes_no_files_is_named_as_the_cause() -> None:
    with pytest.raises(ExportError, match="no files can be made in that folder") as told:
        write_atomic(Path("/proc/g.png"), b"new")
    assert "folder that can be written in" in told.value.hint
    assert "space" not in told.value.hint


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EACCES, "Choose a folder that can be written in"),
        (errno.EROFS, "Choose a folder that can be written in"),
        (errno.ENOSPC, "free some space"),
    ],
)
def test_the_remedy_fits_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ExportError, match=os.strerror(code)) as told:
        write_atomic(tmp_path / "a.png", b"new")
    assert remedy in told.value.hint
