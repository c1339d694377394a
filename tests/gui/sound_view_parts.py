"""The sound view in a window of its own, on devices that keep time and are silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from igm_gui.engine.audio.output import NO_DEVICE, NullOutput
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine, SoundStatus
from igm_gui.gui import theme
from igm_gui.gui.commands import Commands
from igm_gui.gui.sound.hub import SoundHub
from igm_gui.gui.sound.view import SoundView
from igm_gui.gui.studio import Studio
from igm_gui.requests import RenderResult
from tests.engine.audio.fakes import FakeOpener

LEFT = Qt.MouseButton.LeftButton
WAIT = 20_000


class RealTimeOpener(FakeOpener):
    """Devices that take sound at the speed it would play, and are silent."""

    notice = ""

    def open(self, wanted: str, rate: int) -> Any:
        output = NullOutput(rate, 0.05)
        output.name = wanted or ("speakers" if not self.notice else NO_DEVICE)
        output.real = not self.notice and wanted != NO_DEVICE  # type: ignore[misc]
        return output, self.notice


@pytest.fixture
def opener() -> RealTimeOpener:
    return RealTimeOpener()


@pytest.fixture
def studio(make_studio: Callable[..., Studio], opener: RealTimeOpener) -> Studio:
    made = make_studio("additive")
    SoundHub(made, SoundEngine(Player(opener)))  # type: ignore[arg-type]
    return made


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = theme.dress(QWidget())
    made.resize(820, 760)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def view(studio: Studio, window: QWidget, qtbot: QtBot) -> Iterator[SoundView]:
    made = SoundView(studio, Commands(window))
    QVBoxLayout(window).addWidget(made)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    yield made
    made.stop()
    studio.close()
    assert QThreadPool.globalInstance().waitForDone(WAIT)


def is_heard(status: SoundStatus) -> bool:
    return status.player.playing and status.player.position > 0


def with_pitch(pitch: float) -> Callable[[RenderResult], bool]:
    return lambda result: bool(result.request.points) and result.request.points[0].scalar("pitch") == pitch
