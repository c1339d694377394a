"""The command line as a process of its own: exit status, streams, and what it does not import."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

IGM = [sys.executable, "-m", "igm_gui"]


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*IGM, *arguments], capture_output=True, text=True, timeout=120, **options)


def test_models_as_json_on_stdout_alone():
    answer = run("models", "--json")
    assert answer.returncode == 0
    assert answer.stderr == ""
    assert any(entry["name"] == "uniform-pixels" for entry in json.loads(answer.stdout))


def test_a_refusal_is_one_line_on_stderr_and_status_2(tmp_path):
    answer = run("sample", "nonsense", "--out", str(tmp_path))
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert run("sample").returncode == 2
    assert run("frobnicate").returncode == 2


def test_a_reader_that_has_seen_enough_is_no_error():
    script = f"{sys.executable} -m igm_gui models --json | head -c 1"
    answer = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0
    assert answer.stderr == ""


def test_a_terminal_without_unicode_gets_question_marks():
    answer = run("models", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert answer.returncode == 0
    assert "28?28" in answer.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["models"], ["--version"], ["sample", "--help"]])
def test_looking_imports_neither_torch_nor_qt(arguments):
    code = (
        "import sys; from igm_gui.cli import main; status = main(sys.argv[1:]);"
        "bad = [m for m in ('torch', 'PySide6', 'av', 'soundfile') if m in sys.modules];"
        "print(bad, file=sys.stderr); sys.exit(status)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    assert answer.stderr.strip() == "[]"


def test_nothing_imports_qt_to_sample(tmp_path):
    code = (
        "import sys; from igm_gui.cli import main; status = main(sys.argv[1:]);"
        "print(sorted(m for m in sys.modules if m.startswith(('PySide6', 'shiboken'))), file=sys.stderr);"
        "sys.exit(status)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, "grid", "uniform-pixels", "--out", str(tmp_path / "a.png")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert answer.stderr.strip() == "[]"
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_polite_end_leaves_nothing_behind(tmp_path):
    from igm_gui.cli.make import run_work
    from igm_gui.export.work import folder_of_files

    def work(_renderer: object) -> Iterator[float]:
        with folder_of_files(tmp_path / "out") as folder:
            (folder / "a.png").write_bytes(b"begun")
            yield 0.5
            os.kill(os.getpid(), signal.SIGTERM)
            yield 1.0

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run_work(work, None)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before
