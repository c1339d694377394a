"""The documents do what they say: links lead somewhere, examples run, tables match the code."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from igm_gui.api import load
from igm_gui.cli.parser import build_parser
from igm_gui.formats.card import Card, Data, Distance, Training
from igm_gui.formats.library import bundled
from igm_gui.generators.registry import FAMILIES
from igm_gui.info import Direction, InputSpec, OutputSpec
from igm_gui.session import codec, project
from igm_gui.session.state import SessionState

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])

# Paths in this checkout; "wave" is the made-up family of docs/adding-a-generator.md.
NAMED = r"(igm_gui|igm_setup|benchmarks|models|tests|docs)/[\w./-]+\.(py|md|json)"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text_of(name), re.DOTALL)


def in_code(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    for name in in_code(path.read_text(encoding="utf-8")):
        if "wave" not in name and re.fullmatch(NAMED, name):
            assert (ROOT / name).exists(), f"{path.name} names {name}"


def test_the_card_of_the_example_opens_and_samples(tmp_path: Path) -> None:
    example = blocks("docs/model-card.md", "python")[0]
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True, capture_output=True)
    generator = load(str(tmp_path / "my-generator"))
    pictures = generator.sample(seed=0, n=2)
    assert pictures.shape == (2, 16, 16, 3)
    # The program's network is the module of the example: same z, same picture.
    scope: dict[str, object] = {}
    exec(example.partition("folder = ")[0], scope)
    network = scope["network"]
    assert isinstance(network, torch.nn.Module)
    z = torch.from_numpy(generator.point(0).vector("z").array.copy()).reshape(1, 32, 1, 1)
    with torch.inference_mode():
        wanted = ((network(z)[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8)
    assert int((torch.from_numpy(pictures[0]).int() - wanted.int()).abs().max()) <= 1


def test_the_module_of_the_example_is_exported_and_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(blocks("docs/model-card.md", "python")[1], {"__name__": "example"})
    generator = load(str(tmp_path / "my-rings"))
    assert [spec.name for spec in generator.info.inputs] == ["z", "size"]
    assert generator.sample(seed=0, n=2).shape == (2, 24, 24, 1)


def test_every_bundled_model_is_in_the_readme() -> None:
    patterns = in_code(text_of("README.md"))
    for name in bundled():
        assert any(fnmatch(name, pattern) for pattern in patterns), name


def test_every_field_of_the_card_is_described() -> None:
    described = in_code(text_of("docs/model-card.md"))
    names = {f for kind in (Card, Data, Training, Distance) for f in kind.__struct_fields__}
    names |= {f.name for kind in (InputSpec, OutputSpec, Direction) for f in fields(kind)}
    assert names <= described, names - described
    assert set(FAMILIES) <= described, set(FAMILIES) - described


def test_every_field_of_a_project_is_described() -> None:
    described = in_code(text_of("docs/project-files.md"))
    state = codec.state_to_json(SessionState())
    assert set(state) | set(state["timeline"]) | set(state["grid"]) <= described
    said = text_of("docs/project-files.md")
    assert f"{codec.MAX_NUMBERS:,} numbers" in said
    assert f"{project.MAX_NUMBERS:,} in all" in said
    assert f"{codec.MAX_ITEMS:,} saved points" in said


def test_every_command_is_described_and_every_example_parses() -> None:
    parser = build_parser()
    said = text_of("docs/command-line.md")
    group = next(action for action in parser._actions if action.choices and "models" in action.choices)
    assert group.choices is not None
    for command in group.choices:
        assert f"`igm {command}" in said, command
    examples = [
        line
        for name in ("docs/command-line.md", "docs/model-card.md", "README.md")
        for block in blocks(name, "sh")
        for line in block.splitlines()
        if line.startswith("igm ")
    ]
    assert examples
    for line in examples:
        parser.parse_args(line.split()[1:])
