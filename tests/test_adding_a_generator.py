"""docs/adding-a-generator.md, followed from top to bottom in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs/adding-a-generator.md").read_text(encoding="utf-8")
FILES = re.findall(r"^`([\w/.-]+)`:\n\n```python\n(.*?)```", DOCUMENT, re.DOTALL | re.MULTILINE)
LINKED = ("assets", "models/fashion-gan", "models/uniform-pixels", "models/recipes")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def changed(text: str, diff: str) -> str:
    """``text`` with a block of added lines put in after the lines that stand before them."""
    lines = diff.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] == " ")
    after = "".join(f"{line[1:]}\n" for line in lines)
    assert text.count(before) == 1, "the document's context lines are not in the file"
    return text.replace(before, after)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's source with what the document adds; bundled models and assets by link."""
    tree = tmp_path_factory.mktemp("checkout")
    shutil.copytree(
        ROOT / "igm_gui", tree / "igm_gui", ignore=shutil.ignore_patterns("__pycache__", "bundled")
    )
    for name in LINKED:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name == "models/recipes":
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.symlink_to(ROOT / name)
    for path, content in FILES:
        written = tree / path
        assert not (ROOT / path).exists(), f"the made-up {path} is there"
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(content, encoding="utf-8")
    registry = tree / "igm_gui/generators/registry.py"
    (diff,) = blocks("diff")
    registry.write_text(changed(registry.read_text(encoding="utf-8"), diff), encoding="utf-8")
    return tree


def run(checkout: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "IGM_HOME": str(checkout / "home")}
    done = subprocess.run(
        [sys.executable, *command], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(600)  # a dozen processes, on a machine that may be busy
def test_the_walk(checkout: Path) -> None:
    assert len(FILES) == 4
    (commands,) = blocks("sh")
    said = {}
    for line in commands.splitlines():
        words = shlex.split(line)
        if words[:2] == ["igm", "open"]:
            continue  # the window has tests of its own
        assert words[0] in ("python", "igm"), line
        arguments = words[1:] if words[0] == "python" else ["-P", "-m", "igm_gui", *words[1:]]
        said[" ".join(words[:3])] = run(checkout, *arguments)
    assert "family      wave" in said["igm info wave-one"]
    assert "encode" in said["igm info wave-one"]
    assert len(list((checkout / "pictures").glob("*.png"))) == 4
    assert (checkout / "sheet.png").stat().st_size > 1000
    # The Python example: the block that is no file.
    (example,) = [text for text in blocks("python") if text not in {content for _, content in FILES}]
    run(checkout, "-P", "-c", example + "\nassert pictures.shape == (4, 48, 48, 3)")
    assert "passed" in run(
        checkout, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(checkout),
        "tests/generators/test_wave.py",
    )  # fmt: skip


@pytest.mark.parametrize(("path", "content"), FILES, ids=[path for path, _ in FILES])
def test_the_code_keeps_the_house_rules(tmp_path: Path, path: str, content: str) -> None:
    written = tmp_path / Path(path).name
    written.write_text(content, encoding="utf-8")
    for how in (["check", "--extend-ignore", "I001"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *how, "--config", str(ROOT / "pyproject.toml"), str(written)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
