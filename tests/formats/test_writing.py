"""Writing whole files, through links and beside what is no file."""

from __future__ import annotations

import errno
import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from igm_gui.errors import ExportError
from igm_gui.export.work import folder_of_files
from igm_gui.formats.files import atomic_path, claimed, write_atomic


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


@pytest.mark.skipif(importlib.util.find_spec("fcntl") is None, reason="no locks of this kind")
def test_what_a_killed_process_left_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    """The third is a person's own, the fourth another export's that runs, the fifth has just been written."""
    names = [".film.igm-abcdefgh.mp4", ".other.igm-abcdefgh.mp4", ".film-20240101.mp4"]
    names += [".film.igm-running1.mp4", ".film.igm-justnow1.mp4", ".film.igm-abcdefgh.wav"]
    for name in names:
        (tmp_path / name).write_bytes(b"half")
        if "justnow" not in name:
            os.utime(tmp_path / name, (0, 0))
    with claimed(tmp_path / ".film.igm-running1.mp4"):
        # It was as old as the others, but it is held.
        (tmp_path / names[0]).write_bytes(b"half")
        os.utime(tmp_path / names[0], (0, 0))
        with atomic_path(tmp_path / "film.mp4") as temporary, claimed(temporary):
            temporary.write_bytes(b"whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names[1:], "film.mp4"])


@pytest.mark.skipif(importlib.util.find_spec("fcntl") is None, reason="no locks of this kind")
def test_a_folder_that_was_left_goes_too(tmp_path: Path) -> None:
    left = tmp_path / ".frames.v2.igm-abcdefgh"
    left.mkdir()
    (left / "frame-00000.png").write_bytes(b"half")
    os.utime(left, (0, 0))
    with folder_of_files(tmp_path / "frames.v2") as temporary:
        (temporary / "frame-00000.png").write_bytes(b"whole")
    assert [p.name for p in tmp_path.iterdir()] == ["frames.v2"]


def test_a_write_that_is_killed_leaves_little_and_the_next_one_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from igm_gui.formats.files import atomic_path, claimed\n"
        "with atomic_path(Path(sys.argv[1])) as temporary, claimed(temporary):\n"
        "    temporary.write_bytes(b'half'); print('ready', flush=True); sys.stdin.read()"
    )
    target = tmp_path / "film.mp4"
    command, pipe = [sys.executable, "-c", script, str(target)], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (left,) = tmp_path.iterdir()
        os.utime(left, (0, 0))
        with atomic_path(target) as temporary, claimed(temporary):
            temporary.write_bytes(b"whole")
        assert left.exists(), "it runs"
        process.kill()
    with atomic_path(target) as temporary, claimed(temporary):
        temporary.write_bytes(b"whole")
    kept = [target] if importlib.util.find_spec("fcntl") else [left, target]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
