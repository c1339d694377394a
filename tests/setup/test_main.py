"""main.py as a person starts it, in a copy of its own with a tiny lock file and no network."""

from __future__ import annotations

import ast
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
WHEEL = "igm_demo-1.0-py3-none-any.whl"


class Copy:
    """A folder with main.py, its helpers and a lock file that pins one tiny package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "igm studio"  # with a space, as on a person's desktop
        self.folder.mkdir()
        shutil.copy(ROOT / "main.py", self.folder)
        no_caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "igm_setup", self.folder / "igm_setup", ignore=no_caches)
        package = self.folder / "igm_gui"
        (package / "gui").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "gui" / "__init__.py").touch()
        (package / "gui" / "app.py").write_text("import sys, igm_demo\nprint('window', sys.argv[1:])\n")
        (package / "__main__.py").write_text("import sys, igm_demo\nprint('igm', sys.argv[1:])\n")
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        write_wheel(self.wheels / WHEEL)
        self.pin("igm_demo==1.0")

    def pin(self, *pins: str) -> None:
        (self.folder / "requirements.lock").write_text("# a comment\n" + "\n".join(pins) + "\n")
        (self.folder / "requirements-dev.lock").write_text("-r requirements.lock\n")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        no_screen = {k: v for k, v in os.environ.items() if k not in SCREEN}
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        return subprocess.Popen(
            [sys.executable, str(self.folder / "main.py"), *arguments],
            env={**no_screen, **pip, **environment},
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A job in a shell's background ignores Ctrl+C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return finish(self.start(*arguments, **environment))

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    with process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def write_wheel(path: Path) -> None:
    info = "igm_demo-1.0.dist-info"
    files = {
        "igm_demo.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: igm-demo\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


def no_traceback(done: subprocess.CompletedProcess[str]) -> None:
    assert "Traceback" not in done.stderr + done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_from_nothing_to_the_window_and_every_repair(copy: Copy) -> None:
    first = copy.run("a model.safetensors", QT_QPA_PLATFORM="offscreen")
    assert first.returncode == 0, first.stderr
    assert "1 of 1: igm_demo 1.0" in first.stdout
    assert first.stdout.endswith("window ['a model.safetensors']\n")

    # The second start installs nothing: it works although pip would fail.
    again = copy.run(QT_QPA_PLATFORM="offscreen", PIP_FIND_LINKS="/nowhere")
    assert again.stdout == "window []\n"
    assert copy.run("open", "a.png", QT_QPA_PLATFORM="offscreen").stdout == "window ['a.png']\n"
    command = subprocess.run(
        [copy.folder / ".venv" / "bin" / "igm", "models"], capture_output=True, text=True, check=True
    )
    assert command.stdout == "igm ['models']\n"

    # Cut off while packages were written: everything is made anew.
    (copy.folder / ".venv" / "igm-setup.stamp").unlink()
    (copy.folder / ".venv" / "igm-installing").touch()
    (copy.folder / ".venv" / "left-over").touch()
    repaired = copy.run("--setup")
    assert repaired.returncode == 0, repaired.stderr
    assert "An earlier set-up did not finish" in repaired.stdout
    assert not (copy.folder / ".venv" / "left-over").exists()

    # The Python it was made with is gone.
    copy.python.unlink()
    copy.python.symlink_to("/nowhere/python3")
    repaired = copy.run("--setup")
    assert repaired.returncode == 0, repaired.stderr
    assert copy.run(QT_QPA_PLATFORM="offscreen").stdout == "window []\n"

    # The lock has changed: installed on top, and a failure leaves a sentence.
    copy.pin("igm_demo==1.0", "igm_other==2.0")
    failed = copy.run(QT_QPA_PLATFORM="offscreen")
    assert failed.returncode == 2
    assert "No matching distribution found for igm_other==2.0" in failed.stderr
    no_traceback(failed)
    copy.pin("igm_demo==1.0")
    assert copy.run(QT_QPA_PLATFORM="offscreen").stdout.endswith("window []\n")


def test_offline(copy: Copy) -> None:
    done = copy.run("--setup", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_PROXY="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert "Start the same command again" in done.stderr
    no_traceback(done)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_and_started_again(copy: Copy, how: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # An index that never answers: pip is certainly in the middle of its work.
        silent.settimeout(60)
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = copy.start("--setup", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=index)
        connection, _ = silent.accept()
        process.send_signal(how)
        if how == signal.SIGKILL:
            silent.close()
            connection.close()  # lets the orphaned pip end
        stopped = finish(process)
        connection.close()
    if how == signal.SIGINT:
        assert stopped.returncode == 130
        assert "The same command starts it again" in stopped.stderr
    no_traceback(stopped)
    again = copy.run("--setup")
    assert again.returncode == 0, again.stderr


def test_two_at_once(copy: Copy) -> None:
    with (copy.folder / ".venv.lock").open("a+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = copy.run("--setup")
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "Another set-up is running in this folder. Wait until it is done.",
    )


def test_a_folder_that_cannot_be_written(copy: Copy) -> None:
    (copy.folder / ".venv").write_text("a file where the folder should be")
    done = copy.run("--setup")
    assert done.returncode == 2
    assert ".venv" in done.stderr
    no_traceback(done)


def test_no_display(copy: Copy) -> None:
    done = copy.run()
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert ".venv/bin/igm --help" in done.stderr
    assert not (copy.folder / ".venv").exists()


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--setup", "everything"]])
def test_unknown_arguments(copy: Copy, arguments: list[str]) -> None:
    done = copy.run(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
    assert "python3 main.py test" in done.stderr


def test_help(copy: Copy) -> None:
    done = copy.run("--help")
    assert done.returncode == 0
    assert "--setup" in done.stdout


def test_a_second_start_imports_next_to_nothing(copy: Copy) -> None:
    copy.python.parent.mkdir(parents=True)
    copy.python.write_text("#!/bin/sh\nexit 7\n")
    copy.python.chmod(0o755)
    lock = (copy.folder / "requirements.lock").read_text() + str(copy.folder)
    (copy.folder / ".venv" / "igm-setup.stamp").write_text(lock)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(copy.folder / "main.py")],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "igm_setup.start" in imported
    assert not imported & {
        "subprocess",
        "ctypes",
        "json",
        "pathlib",
        "igm_setup.environment",
        "igm_setup.system",
    }


def test_only_the_standard_library() -> None:
    for path in [ROOT / "main.py", *(ROOT / "igm_setup").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or top == "igm_setup", f"{path.name}: {name}"


def test_an_old_python_gets_as_far_as_the_sentence() -> None:
    # What Python 2.7 and 3.4 can't parse would hide the sentence behind a SyntaxError.
    tree = ast.parse((ROOT / "main.py").read_text(), feature_version=(3, 4))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr)]
    check = next(i for i, n in enumerate(tree.body) if isinstance(n, ast.If))
    imports = [i for i, n in enumerate(tree.body) if isinstance(n, ast.ImportFrom)]
    assert all(i > check for i in imports)
