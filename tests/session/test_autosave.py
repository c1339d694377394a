"""Autosave: what a killed process leaves, and who may take it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from igm_gui.errors import ExportError, IgmError
from igm_gui.session.autosave import Autosave, autosave_folder, recoverable
from igm_gui.session.project import load_project
from igm_gui.session.session import Session
from igm_gui.session.state import SessionState

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class GatedWriter:
    """Notes what it is asked to write; each write waits until it is let through."""

    def __init__(self) -> None:
        self.states: list[SessionState] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def __call__(self, path: Path, state: SessionState, extras: Mapping[str, Any]) -> None:
        self.entered.release()
        assert self.gate.acquire(timeout=10)
        self.states.append(state)


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def saves(session: Session) -> Iterator[Autosave]:
    autosave = Autosave(session, seconds=0.0)
    yield autosave
    autosave.close()


def test_a_change_is_on_disk_and_nothing_before_it(session: Session, saves: Autosave) -> None:
    assert saves.flush()
    assert not saves.path.exists()
    session.update(spread=0.5)
    assert saves.flush()
    assert load_project(saves.path) == (session.state, [])


def test_waits_for_the_interval_however_much_changes(session: Session) -> None:
    clock, writer = Clock(), GatedWriter()
    autosave = Autosave(session, seconds=4.0, clock=clock, write=writer)
    for n in range(50):
        clock.now = n * 0.05
        session.update(compare_seed=n + 1)
        autosave.poke()
    assert not writer.entered.acquire(blocking=False)
    clock.now = 4.0  # four seconds after the first change, not the last
    autosave.poke()
    assert writer.entered.acquire(timeout=10)
    writer.gate.release()
    assert autosave.flush()
    assert [state.compare_seed for state in writer.states] == [50]
    autosave.close()


def test_changes_during_a_write_are_one_more_write(session: Session) -> None:
    writer = GatedWriter()
    autosave = Autosave(session, seconds=0.0, write=writer)
    session.update(compare_seed=1)
    assert writer.entered.acquire(timeout=10)
    for n in range(2, 200):
        session.update(compare_seed=n)
    writer.gate.release(2)
    assert autosave.flush()
    assert [state.compare_seed for state in writer.states] == [1, 199]
    autosave.close()


def test_saving_by_hand_clears_and_closing_removes(session: Session, saves: Autosave) -> None:
    session.update(spread=0.5)
    saves.flush()
    saves.clear()
    assert not saves.path.exists()
    session.update(spread=0.6)
    saves.flush()
    assert saves.path.exists()
    saves.close()
    assert list(autosave_folder().iterdir()) == []
    assert recoverable() == []


def test_looking_is_not_saved(session: Session, saves: Autosave) -> None:
    for listener in list(session._listeners):
        listener(session.state, frozenset({"info"}))
    assert saves.flush()
    assert not saves.path.exists()


def test_a_full_disk_is_said_once_and_tried_again(session: Session) -> None:
    full = True
    said: list[IgmError] = []
    written: list[SessionState] = []

    def write(path: Path, state: SessionState, extras: Mapping[str, Any]) -> None:
        if full:
            raise ExportError("No space left.")
        written.append(state)

    autosave = Autosave(session, seconds=0.0, failed=said.append, write=write)
    for seed in (1, 2, 3):
        session.update(compare_seed=seed)
        assert autosave.flush()
    assert [error.message for error in said] == ["No space left."]
    full = False
    session.update(compare_seed=4)
    assert autosave.flush()
    assert [state.compare_seed for state in written] == [4]
    autosave.close()


def test_a_living_window_is_not_offered(session: Session, saves: Autosave) -> None:
    session.update(spread=0.5)
    saves.flush()
    assert recoverable() == []
    assert saves.path.exists()


def test_kept_on_close_is_offered_at_the_next_start(session: Session, tmp_path: Path) -> None:
    autosave = Autosave(session, seconds=1000.0)
    torn = autosave_folder() / f".{autosave.path.stem}-x1y2.igm"
    torn.write_bytes(b"PK")
    autosave.set_origin(tmp_path / "mine.igm")
    session.update(model="uniform-pixels", spread=0.5)
    autosave.close(keep=True)
    (left,) = recoverable()
    assert (left.origin, left.model) == (tmp_path / "mine.igm", "uniform-pixels")
    assert left.load().state == session.state
    assert recoverable() == []  # held: a second window is not offered it
    left.release()
    (again,) = recoverable()
    again.discard()
    assert recoverable() == []
    assert list(autosave_folder().iterdir()) == []


CHILD = """
import sys
from igm_gui.session.autosave import Autosave
from igm_gui.session.session import Session

session = Session()
autosave = Autosave(session, seconds=0.0)
session.update(model="uniform-pixels", compare_seed=41)
session.update(compare_seed=42)
autosave.flush()
print(autosave.path, flush=True)
session.update(compare_seed=43)  # perhaps in the middle of this one's write
sys.stdin.read()
"""


def start_child(home: Path) -> tuple[subprocess.Popen[str], Path]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env={**os.environ, "IGM_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate(timeout=30)


def test_a_killed_process_loses_nothing(igm_home: Path) -> None:
    child, path = start_child(igm_home)
    try:
        assert path.exists()
        assert recoverable() == []  # it is alive
    finally:
        end(child)
    if os.name != "nt":
        assert child.returncode == -signal.SIGKILL
    (left,) = recoverable()
    project = left.load()
    assert project.problems == []
    assert project.state.model == "uniform-pixels"
    assert project.state.compare_seed in (42, 43)
    left.discard()


def test_two_windows_side_by_side(igm_home: Path) -> None:
    first, first_path = start_child(igm_home)
    second, second_path = start_child(igm_home)
    try:
        assert first_path != second_path
        end(first)
        (left,) = recoverable()
        assert left.path == first_path
        left.discard()
        assert second_path.exists()
    finally:
        end(first)
        end(second)


def test_an_unreadable_autosave_is_kept_and_not_offered(session: Session) -> None:
    autosave = Autosave(session, seconds=0.0)
    session.update(spread=0.5)
    autosave.close(keep=True)
    autosave.path.write_bytes(b"nonsense")
    assert recoverable() == []
    assert autosave.path.read_bytes() == b"nonsense"
