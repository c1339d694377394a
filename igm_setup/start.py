"""What ``python3 main.py`` does with its arguments."""

from __future__ import annotations

import os
import sys

# No pathlib here, nor anything else that takes a while to import: this is the way to the window.
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
COMMAND_LINE = ".venv\\Scripts\\igm" if os.name == "nt" else ".venv/bin/igm"
USAGE = f"""\
python3 main.py [FILE]        open the window (on a model, a project or a result)
python3 main.py test [...]    run the tests; what follows goes to pytest
python3 main.py --setup       only set up; "--setup test" with what the tests need

After the set-up, the command line is {COMMAND_LINE} (it needs no window).
"""


class SetupError(Exception):
    """Something a person must know or do before it goes on: the message says what."""


def main(arguments: list[str]) -> int:
    """Set up what is missing and start what was asked for. 0, or 2 with a sentence on standard error."""
    try:
        return _run(arguments)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nThe set-up was stopped. The same command starts it again; finished downloads are kept.",
            file=sys.stderr,
        )
        return 130


def _run(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if first == "--setup":
        if arguments[1:] not in ([], ["test"]):
            raise SetupError(
                f"--setup takes nothing or the word test, not {' '.join(arguments[1:])}.\n\n{USAGE}"
            )
        _prepare(tests=bool(arguments[1:]), again=True)
        print(f"Ready. The window: python3 main.py   The command line: {COMMAND_LINE} --help")
        return 0
    if first == "test":
        python = _prepare(tests=True)
        os.chdir(ROOT)
        return _become([python, "-m", "pytest", *arguments[1:]])
    if first.startswith("-") and not os.path.exists(first):
        raise SetupError(f"{first} is not known.\n\n{USAGE}")
    if first == "open" and not os.path.exists(first):
        arguments = arguments[1:]  # as "igm open FILE" is written
    _need_display()
    python = _prepare(tests=False)
    # -P: a file called torch.py in the current folder must not be taken for the real one.
    return _become([python, "-P", "-m", "igm_gui.gui.app", *arguments])


def venv_python() -> str:
    """The environment's own Python."""
    return os.path.join(ROOT, ".venv", "Scripts\\python.exe" if os.name == "nt" else "bin/python")


def lock_text(tests: bool) -> str:
    """Everything that decides what belongs in the environment: the stamp of a finished set-up."""
    names = ["requirements.lock", *(["requirements-dev.lock"] if tests else [])]
    return "\n".join(_read(os.path.join(ROOT, name)) for name in names) + ROOT


def stamp(tests: bool) -> str:
    """The file that is written when a set-up has ended well; it holds :func:`lock_text`."""
    return os.path.join(ROOT, ".venv", "igm-setup-test.stamp" if tests else "igm-setup.stamp")


def is_ready(tests: bool) -> bool:
    """Whether an earlier run finished with the present lock files. Reads two small files."""
    try:
        return _read(stamp(tests)) == lock_text(tests) and os.path.exists(venv_python())
    except OSError:
        return False


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _prepare(tests: bool, again: bool = False) -> str:
    """The environment's Python, set up where needed; with ``again`` the system is looked at anew."""
    if again or not is_ready(tests):
        from igm_setup import environment, system

        if not is_ready(tests):
            environment.build(tests)
        system.check(tests)
        with open(stamp(tests), "w", encoding="utf-8") as file:
            file.write(lock_text(tests))
    return venv_python()


def _need_display() -> None:
    """On Linux, SetupError where no window can open."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    first = "" if is_ready(tests=False) else "set up with: python3 main.py --setup\nand then "
    raise SetupError(
        "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.\n"
        f"The command line works without one: {first}run: {COMMAND_LINE} --help"
    )


def _become(command: list[str]) -> int:
    """Go on as ``command``; where the system can't replace a process, wait for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess

    return subprocess.call(command)
