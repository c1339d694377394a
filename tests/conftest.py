"""What every test gets: a home folder of its own, a studio on request, and no thread left behind.

Nothing here imports Qt or torch until a fixture needs them. With ``IGM_NO_QT=1`` (and pytest's
``-p no:pytest-qt``) Qt can't be imported at all and ``tests/gui`` is left out: that run shows that the
core works without a window.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from igm_gui.gui.studio import Studio
    from igm_gui.requests import RenderResult

# Before Qt or torch is imported: no display, and one thread so that two cores are not fought over.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
# The child process that first opens an unknown file takes seconds; tests of it switch it on.
os.environ.setdefault("IGM_PROBE", "off")

# A slow or busy machine is no failure; a test that hangs is caught by its timeout.
settings.register_profile("igm", deadline=None, max_examples=60)
settings.load_profile("igm")

NO_QT = os.environ.get("IGM_NO_QT") == "1"
THREAD_GRACE_SECONDS = 5.0

collect_ignore = ["gui"] if NO_QT else []


class _QtBlocker:
    """A finder that refuses the Qt packages."""

    names = ("PySide6", "shiboken6", "pyqtgraph", "superqt", "qtpy")

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{fullname} is blocked: this run is without Qt", name=fullname)
        return None


if NO_QT:
    sys.meta_path.insert(0, _QtBlocker())


def pytest_addoption(parser: pytest.Parser) -> None:
    if NO_QT:
        # pytest-qt is switched off in this run; its settings in pyproject.toml are no typing errors.
        parser.addini("qt_log_level_fail", "read by pytest-qt")
        parser.addini("qt_log_ignore", "read by pytest-qt", type="linelist")


@pytest.fixture(autouse=True)
def igm_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """IGM_HOME: settings, autosaves and caches of this test alone."""
    home = tmp_path_factory.mktemp("igm-home")
    monkeypatch.setenv("IGM_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_test() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE_SECONDS
    for thread in set(threading.enumerate()) - before:
        # Dummy threads are not Python's own (Qt's, torch's) and can't be joined.
        if not isinstance(thread, threading._DummyThread):
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), f"thread {thread.name!r} outlives its test"


def _is_picture(result: RenderResult) -> bool:
    return bool(result.request.points)


@pytest.fixture
def two_threads() -> Iterator[None]:
    """torch works on two threads for this test; tests have one otherwise."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_studio(qtbot: QtBot) -> Iterator[Callable[..., Studio]]:
    """``make_studio(model)``: a Studio started on ``model`` whose first result is there; closed after."""
    from igm_gui.gui.studio import Studio

    made: list[Studio] = []

    def make(model: str = "uniform-pixels") -> Studio:
        studio = Studio()
        made.append(studio)
        studio.open_model(model)
        with qtbot.waitSignal(studio.rendered, timeout=60_000, check_params_cb=_is_picture):
            studio.start()
        return studio

    yield make
    for studio in made:
        studio.close()


@pytest.fixture
def studio(make_studio: Callable[..., Studio]) -> Studio:
    """A Studio started on ``uniform-pixels``, closed after the test."""
    return make_studio()
