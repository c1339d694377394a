"""Files of the same name are told apart in lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from igm_gui.gui.naming import in_menu, told_apart


def test_a_name_that_is_there_twice_has_its_folder() -> None:
    assert told_apart([]) == []
    home = str(Path.home() / "work" / "a.igm")
    other = str(Path(Path.home().anchor, "elsewhere", "a.igm"))
    alone = str(Path(Path.home().anchor, "elsewhere", "b.igm"))
    first, second, third = told_apart([home, other, alone])
    assert first == f"a.igm – {Path('~', 'work')}"
    assert second == f"a.igm – {Path(other).parent}"
    assert third == "b.igm"


def test_a_bundled_model_and_one_of_the_same_name() -> None:
    path = str(Path(Path.home().anchor, "mine", "fashion-gan"))
    assert told_apart(["fashion-gan", path]) == ["fashion-gan", f"fashion-gan – {Path(path).parent}"]


@pytest.mark.parametrize("depth", [30])
def test_a_long_folder_is_told_by_its_end(depth: int) -> None:
    deep = str(Path(Path.home().anchor, *["folder"] * depth, "end", "a.igm"))
    (name, _) = told_apart([deep, str(Path(Path.home().anchor, "a.igm"))])
    assert len(name) < 60
    assert name.endswith("end")


def test_an_ampersand_stays_one() -> None:
    assert in_menu("salt & pepper") == "salt && pepper"
