"""What Qt, sound and the tests need of a Linux system, and the one command that installs it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from igm_setup.start import ROOT, SetupError

# What is looked for -> its package for apt, dnf, pacman, zypper. Libraries are those that Qt 6's
# libQt6Gui and its xcb platform link to and its wheel does not bring.
Names = tuple[str, str, str, str]
LIBRARIES: dict[str, Names] = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "Mesa-libEGL1"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "Mesa-libGL1"),
    "libX11.so.6": ("libx11-6", "libX11", "libx11", "libX11-6"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11", "libX11-xcb1"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2", "libfreetype6"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libgthread-2_0-0"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libxkbcommon-x11.so.0": (
        *("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0"),
    ),
    "libxcb.so.1": ("libxcb1", "libxcb", "libxcb", "libxcb1"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb", "libxcb-randr0"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb", "libxcb", "libxcb-render0"),
    "libxcb-render-util.so.0": (
        *("libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil", "libxcb-render-util0"),
    ),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb", "libxcb", "libxcb-shm0"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb", "libxcb", "libxcb-sync1"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util", "xcb-util", "libxcb-util1"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb", "libxcb", "libxcb-xfixes0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb", "libxcb-xkb1"),
}
# Sound is missing without it; everything else works.
SOUND: dict[str, Names] = {"libportaudio.so.2": ("libportaudio2", "portaudio", "portaudio", "libportaudio2")}
# Programs that the tests start: a screen, a mouse and a sound device that are not real.
TEST_PROGRAMS: dict[str, Names] = {
    "Xvfb": ("xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "xorg-x11-server-Xvfb"),
    "xdotool": ("xdotool", "xdotool", "xdotool", "xdotool"),
    "pulseaudio": ("pulseaudio", "pulseaudio", "pulseaudio", "pulseaudio"),
    "pactl": ("pulseaudio-utils", "pulseaudio-utils", "libpulse", "pulseaudio-utils"),
}
# PortAudio speaks ALSA; this leads ALSA to the tests' PulseAudio.
TEST_FILES: dict[str, Names] = {
    "*/alsa-lib/libasound_module_pcm_pulse.so": (
        *("libasound2-plugins", "alsa-plugins-pulseaudio", "alsa-plugins", "alsa-plugins-pulse"),
    )
}
_MANAGERS = {
    "apt": ("apt-get install -y --no-install-recommends", ("debian", "ubuntu")),
    "dnf": ("dnf install -y", ("fedora", "rhel", "centos")),
    "pacman": ("pacman -S --needed --noconfirm", ("arch",)),
    "zypper": ("zypper install -y", ("suse", "opensuse", "sles")),
}

APT_ATTEMPTS = 3  # old lists cost one, a mirror that stumbles another


def has_library(name: str) -> bool:
    """Whether the dynamic linker finds ``name``."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def has_program(name: str) -> bool:
    """Whether ``name`` is on the path."""
    return shutil.which(name) is not None


def has_file(pattern: str) -> bool:
    """Whether a library folder of the system holds ``pattern``."""
    return any(
        next(Path(root).glob(pattern), None) or next(Path(root).glob(pattern.removeprefix("*/")), None)
        for root in ("/usr/lib", "/usr/lib64", "/usr/local/lib")
    )


def missing(wanted: Iterable[str], there: Callable[[str], bool]) -> list[str]:
    """Those of ``wanted`` that are not there."""
    return [name for name in wanted if not there(name)]


def package_manager(os_release: Path = Path("/etc/os-release")) -> str:
    """``apt``, ``dnf``, ``pacman``, ``zypper``, or empty where the system is another."""
    try:
        lines = os_release.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    families = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', " ").lower().split()
    for name, (_, known) in _MANAGERS.items():
        if any(family.startswith(start) for family in families for start in known):
            return name
    return ""


def install_command(packages: Iterable[str], manager: str) -> list[str]:
    """The command, without sudo, that installs ``packages``."""
    return [*_MANAGERS[manager][0].split(), *packages]


def packages_for(found_missing: Iterable[str], tables: Iterable[dict[str, Names]], manager: str) -> list[str]:
    """The packages of ``manager`` that bring what is missing, each once."""
    column = list(_MANAGERS).index(manager)
    known = {name: names[column] for table in tables for name, names in table.items()}
    return list(dict.fromkeys(known[name] for name in found_missing))


def check(tests: bool) -> None:
    """Look for what Qt, sound and (with ``tests``) the tests need; install it where that may be done.

    SetupError names the one command that brings what must be there. Missing sound is only said.
    """
    if not sys.platform.startswith("linux"):
        return
    tables = [LIBRARIES, SOUND, *([TEST_PROGRAMS, TEST_FILES] if tests else [])]

    def look() -> list[str]:
        found = missing(LIBRARIES, has_library) + missing(SOUND, has_library)
        if tests:
            found += missing(TEST_PROGRAMS, has_program) + missing(TEST_FILES, has_file)
        return found

    lacking = look()
    if not lacking:
        return
    manager = package_manager()
    if manager == "apt" and may_install():
        _apt_install(packages_for(lacking, tables, "apt"))
        lacking = look()
    # The tests listen to what is played; the program itself goes on without a sound.
    needed = [name for name in lacking if tests or name not in SOUND]
    if needed:
        raise SetupError(explain(needed, tables, manager))
    if lacking:
        print(explain(lacking, tables, manager).replace("IGM Studio needs", "Sound needs"))


def explain(lacking: list[str], tables: Iterable[dict[str, Names]], manager: str) -> str:
    """What is missing and the one command that installs it."""
    text = f"IGM Studio needs from this system: {', '.join(lacking)}."
    if not manager:
        return f"{text}\nInstall them with the system's package manager, then start again."
    command = install_command(packages_for(lacking, tables, manager), manager)
    return f"{text}\nInstall them with this command, then start again:\n  {_sudo()}{' '.join(command)}"


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def may_install() -> bool:
    """Whether this process is root and apt-get is here."""
    return os.name == "posix" and os.geteuid() == 0 and has_program("apt-get")


def _apt_install(packages: list[str]) -> None:
    """Run apt-get as root, with its output for the person; each further attempt with fresh package lists."""
    command = install_command(packages, "apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for attempt in range(APT_ATTEMPTS):
        if attempt:
            subprocess.run(["apt-get", "update"], stdin=subprocess.DEVNULL, env=environment, check=False)
        print("Running:", *command, flush=True)
        if subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=False).returncode == 0:
            return


def venv_hint() -> str:
    """What to install where Python came without its venv module."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if package_manager() == "apt":
        command = f"{_sudo()}apt-get install -y python{version}-venv"
        return f"Debian and Ubuntu keep it apart. Install it with:\n  {command}"
    return "Install Python's venv and ensurepip modules, or Python from another source, and start again."


def install_venv_module() -> None:
    """Debian splits off the modules that make environments: fetch them as root, or say how."""
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if package_manager() == "apt" and may_install() and sys.executable.startswith("/usr/bin"):
        _apt_install([package])
        import importlib

        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is not None:
            return
    raise SetupError(f"This Python can't make a virtual environment in {ROOT}.\n{venv_hint()}")
