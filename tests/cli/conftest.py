"""``igm(...)``: the command line, run in this process."""

from __future__ import annotations

import pytest

from igm_gui.cli import main
from tests.cli.answers import Answer


@pytest.fixture
def igm(capsys):
    def run(*arguments: object) -> Answer:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(status, out, err)

    return run
