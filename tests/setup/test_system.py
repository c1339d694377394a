"""Qt's system libraries: what is missing, and the one command that brings it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from igm_setup import system
from igm_setup.start import SetupError

RELEASES = {
    "apt": 'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
    "dnf": "ID=fedora\n",
    "pacman": "ID=manjaro\nID_LIKE=arch\n",
    "zypper": 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n',
    "": "ID=void\nnonsense\n",
}
COMMANDS = {
    "apt": "apt-get install -y --no-install-recommends libegl1 libxcb-cursor0",
    "dnf": "dnf install -y libglvnd-egl xcb-util-cursor",
    "pacman": "pacman -S --needed --noconfirm libglvnd xcb-util-cursor",
    "zypper": "zypper install -y Mesa-libEGL1 libxcb-cursor0",
}


class Machine:
    """A Linux machine of which we say what it lacks and who runs the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lacks: set[str] = set()
        self.manager = "apt"
        self.root = False
        self.ran: list[list[str]] = []
        self.apt_works = True
        monkeypatch.setattr(sys, "platform", "linux")
        for name in ("has_library", "has_program", "has_file"):
            monkeypatch.setattr(system, name, lambda wanted: wanted not in self.lacks)
        monkeypatch.setattr(system, "package_manager", lambda: self.manager)
        monkeypatch.setattr(system, "may_install", lambda: self.root)
        monkeypatch.setattr(system, "_sudo", lambda: "" if self.root else "sudo ")
        monkeypatch.setattr(subprocess, "run", self.run)

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.ran.append(command)
        if command[1] == "install" and self.apt_works:
            self.lacks.clear()
        return subprocess.CompletedProcess(command, 0 if self.apt_works else 100)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize("manager", RELEASES)
def test_the_package_manager_by_the_system(tmp_path: Path, manager: str) -> None:
    release = tmp_path / "os-release"
    release.write_text(RELEASES[manager])
    assert system.package_manager(release) == manager
    assert system.package_manager(tmp_path / "none") == ""


def test_nothing_missing_says_nothing(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    system.check(tests=True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("manager", COMMANDS)
def test_the_one_command(machine: Machine, manager: str) -> None:
    machine.manager = manager
    machine.lacks = {"libEGL.so.1", "libxcb-cursor.so.0"}
    with pytest.raises(SetupError) as caught:
        system.check(tests=False)
    assert f"  sudo {COMMANDS[manager]}" in str(caught.value)
    assert "libxcb-cursor.so.0" in str(caught.value)
    assert machine.ran == []


def test_an_unknown_system_is_told_the_libraries(machine: Machine) -> None:
    machine.manager = ""
    machine.lacks = {"libGL.so.1"}
    with pytest.raises(SetupError, match=r"libGL.so.1"):
        system.check(tests=False)


def test_root_on_debian_installs(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.root = True
    machine.lacks = {"libxkbcommon.so.0", "Xvfb", "*/alsa-lib/libasound_module_pcm_pulse.so"}
    system.check(tests=True)
    (command,) = machine.ran
    assert command[-3:] == ["libxkbcommon0", "xvfb", "libasound2-plugins"]
    assert "Running: apt-get install" in capsys.readouterr().out


def test_root_with_a_failing_apt_is_told_the_command(machine: Machine) -> None:
    machine.root, machine.apt_works = True, False
    machine.lacks = {"libGL.so.1"}
    with pytest.raises(SetupError, match=r"\n  apt-get install .* libgl1"):
        system.check(tests=False)
    assert [command[1] for command in machine.ran] == ["install", *["update", "install"] * 2]


def test_missing_sound_is_only_said(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.lacks = {"libportaudio.so.2"}
    system.check(tests=False)
    said = capsys.readouterr().out
    assert said.startswith("Sound needs")
    assert "libportaudio2" in said
    with pytest.raises(SetupError):
        system.check(tests=True)


def test_programs_of_the_tests_are_not_asked_of_a_person(machine: Machine) -> None:
    machine.lacks = {"Xvfb", "xdotool"}
    system.check(tests=False)


def test_other_systems_are_left_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    machine.lacks = set(system.LIBRARIES)
    system.check(tests=False)


def test_missing_venv_module(machine: Machine) -> None:
    with pytest.raises(SetupError, match=r"apt-get install -y python3\.\d+-venv"):
        system.install_venv_module()
    machine.manager = "dnf"
    with pytest.raises(SetupError, match="venv and ensurepip"):
        system.install_venv_module()


def test_what_qt_links_to_is_looked_for() -> None:
    """Every library that the installed Qt needs and does not bring is in the table."""
    if not sys.platform.startswith("linux"):
        return  # only there are they the system's
    folder = Path(sysconfig.get_path("purelib")) / "PySide6" / "Qt"
    needed: set[str] = set()
    for name in ("lib/libQt6Gui.so.6", "lib/libQt6DBus.so.6", "plugins/platforms/libqxcb.so"):
        for text in (folder / name).read_bytes().split(b"\0"):
            if (text.startswith(b"libxcb-") and b".so." in text) or text.decode(
                "latin-1"
            ) in system.LIBRARIES:
                needed.add(text.decode())
    assert needed <= set(system.LIBRARIES)
    assert {"libEGL.so.1", "libxcb-cursor.so.0", "libdbus-1.so.3"} <= needed
