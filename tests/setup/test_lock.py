"""The lock files: complete, within pyproject's ranges, and what is installed here."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from igm_setup.environment import count_pins

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for line in (ROOT / name).read_text().splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found |= pins(line[3:])
        elif line:
            package, version = line.split("==")
            found[canonicalize_name(package)] = Version(version)
    return found


def project() -> dict:  # type: ignore[type-arg]
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_direct_dependency_is_pinned_in_range() -> None:
    wanted = [(text, "requirements.lock") for text in project()["dependencies"]]
    wanted += [(text, "requirements-dev.lock") for text in project()["optional-dependencies"]["dev"]]
    for text, lock in wanted:
        requirement = Requirement(text)
        assert pins(lock)[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_everything_that_those_need_is_pinned_too() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        locked = pins(lock)
        for package in locked:
            for text in metadata.requires(package) or []:
                requirement = Requirement(text)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    name = canonicalize_name(requirement.name)
                    assert name in locked, f"{package} needs {requirement}"
                    assert locked[name] in requirement.specifier, f"{package} needs {requirement}"


def test_what_is_installed_here_is_what_is_pinned() -> None:
    for package, version in pins("requirements-dev.lock").items():
        installed = Version(metadata.version(package))
        assert installed.public == version.public, package


def test_pins_are_counted_through_includes() -> None:
    assert count_pins(ROOT / "requirements-dev.lock") == len(pins("requirements-dev.lock"))
