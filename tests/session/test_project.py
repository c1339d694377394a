"""Project files: what goes in comes out, and what is damaged is named."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from igm_gui.errors import ExportError, ProjectError
from igm_gui.formats import known_models
from igm_gui.formats.library import bundled
from igm_gui.info import GeneratorInfo, OutputSpec
from igm_gui.latent.point import LatentPoint
from igm_gui.latent.vector import Vector
from igm_gui.session import codec, project
from igm_gui.session.project import load_project, read_project, save_project
from igm_gui.session.state import GridSpec, SavedPoint, SessionState
from igm_gui.timeline.timeline import Keyframe, Timeline

MODEL = "uniform-pixels"


def point(seed: int, size: int = 64) -> LatentPoint:
    z = Vector(np.random.default_rng(seed).standard_normal(size))
    return LatentPoint((("z", z), ("truncation", 0.7), ("noise_seed", seed)), seed)


def full_state() -> SessionState:
    return SessionState(
        model=MODEL,
        point=point(1),
        locks=frozenset({("z", 3), ("z", 5)}),
        saved=tuple(SavedPoint(f"id{i}", f"Point {i} – ä", MODEL, point(i)) for i in range(5)),
        timeline=Timeline(tuple(Keyframe(float(i), point(i), f"k{i}", "ease") for i in range(6)), 12.0, 25.0),
        compare=(MODEL,),
        compare_seed=7,
        grid=GridSpec("plane", 3, 4, 2, (point(1), None, point(2), None), "lerp", 1, 2),
        device="cpu",
        spread=0.25,
    )


@pytest.fixture
def saved_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.igm"
    save_project(path, full_state())
    return path


def load_or_sentence(path: Path) -> tuple[SessionState | None, list[str]]:
    """What the project holds, or None and the sentence for the person."""
    try:
        return load_project(path)
    except ProjectError as error:
        return None, [error.message] if error.hint else []


def change_head(path: Path, change: Any) -> None:
    """Apply ``change`` to the JSON of the project at ``path``, both copies, and write it back."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in ("project.json", "project-copy.json"):
        head = json.loads(members[name])
        head = change(head) or head
        members[name] = json.dumps(head).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_everything_comes_back(saved_file: Path) -> None:
    assert load_project(saved_file) == (full_state(), [])


def test_extras_come_back(tmp_path: Path) -> None:
    save_project(tmp_path / "a.igm", full_state(), {"workspace": "grid", "sizes": [1, 2.5]})
    opened = read_project(tmp_path / "a.igm")
    assert opened.extras == {"workspace": "grid", "sizes": [1, 2.5]}
    assert opened.program.startswith("IGM Studio")


def test_same_state_same_bytes(tmp_path: Path, saved_file: Path) -> None:
    save_project(tmp_path / "b.igm", full_state())
    assert (tmp_path / "b.igm").read_bytes() == saved_file.read_bytes()


def test_arrays_are_plain_float32_and_kept_once(saved_file: Path) -> None:
    with zipfile.ZipFile(saved_file) as archive:
        names = [name for name in archive.namelist() if name.startswith("arrays/")]
        values = [np.frombuffer(archive.read(name), "<f4") for name in names]
    assert len(names) == 6  # fourteen places, six different points
    assert any(np.array_equal(v, full_state().point.vector("z").array) for v in values)


finite = st.floats(allow_nan=False, allow_infinity=False)
vectors = hnp.arrays(
    np.float32, hnp.array_shapes(max_dims=3, max_side=6), elements=st.floats(width=32, allow_nan=False)
).map(Vector)
points = st.builds(
    LatentPoint,
    st.dictionaries(st.text(max_size=8), vectors | finite | st.integers(0, 2**32 - 1), max_size=4).map(
        lambda d: tuple(d.items())
    ),
    st.none() | st.integers(0, 2**32 - 1),
)
states = st.builds(
    SessionState,
    model=st.just(MODEL) | st.just(""),
    point=points,
    locks=st.frozensets(st.tuples(st.text(max_size=5), st.integers(0, 999)), max_size=3),
    saved=st.lists(
        st.builds(SavedPoint, st.text(max_size=5), st.text(max_size=20), st.just(MODEL), points), max_size=3
    ).map(tuple),
    timeline=st.builds(
        Timeline,
        st.lists(st.builds(Keyframe, st.floats(0, 8), points, st.text(max_size=5)), max_size=4).map(tuple),
        fps=st.floats(1, 240),
        loop=st.booleans(),
        interpolation=st.sampled_from(["slerp", "lerp"]),
    ),
    grid=st.builds(GridSpec, rows=st.integers(1, 256), columns=st.integers(1, 256)),
    spread=st.floats(0, 1),
)


@given(states)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip_of_any_state(tmp_path: Path, state: SessionState) -> None:
    path = tmp_path / "any.igm"
    save_project(path, state)
    opened, problems = load_project(path)
    assert opened == state
    assert problems == []


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bits_never_pass_unnoticed(saved_file: Path, data: st.DataObject) -> None:
    content = bytearray(saved_file.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = saved_file.with_name("damaged.igm")
    damaged.write_bytes(content)
    state, problems = load_or_sentence(damaged)
    assert state == full_state() or problems


def test_every_truncation_opens_as_far_as_it_goes(saved_file: Path) -> None:
    content = saved_file.read_bytes()
    whole = full_state()
    cut = saved_file.with_name("cut.igm")
    opened = 0
    for length in range(0, len(content), 17):
        cut.write_bytes(content[:length])
        state, problems = load_or_sentence(cut)
        assert problems
        if state is None:
            assert opened == 0, "a longer piece must not hold less than a shorter one"
            continue
        opened += 1
        assert state.model == whole.model
        assert len(state.saved) == len(whole.saved)
    # The first member is the whole state but for its arrays.
    assert opened > len(content) // 17 * 0.5


def test_a_lost_array_is_named_and_the_rest_is_there(saved_file: Path) -> None:
    content = saved_file.read_bytes()
    raw = full_state().saved[3].point.vector("z").array.tobytes()
    at = content.index(raw)
    saved_file.write_bytes(content[:at] + b"\0" * 8 + content[at + 8 :])
    state, problems = load_project(saved_file)
    assert "damaged" in problems[0]
    assert any("saved point 4" in problem for problem in problems)
    assert any("keyframe 4" in problem for problem in problems)
    assert state.saved[2] == full_state().saved[2]
    assert state.saved[3].point.seed == 3  # the seed can still draw what was lost


def test_the_copy_serves_when_the_first_member_is_gone(saved_file: Path) -> None:
    content = saved_file.read_bytes()
    saved_file.write_bytes(b"\0" * 200 + content[200:])
    state, problems = load_project(saved_file)
    assert state == full_state()
    assert problems == ["a.igm is damaged or cut short; everything in it could still be read."]


def test_newer_version(saved_file: Path) -> None:
    before = saved_file.read_bytes()
    change_head(saved_file, lambda head: head.update(version=99, program="IGM Studio 12.0"))
    with pytest.raises(ProjectError, match=r"newer version of the program \(IGM Studio 12.0\)") as caught:
        load_project(saved_file)
    assert "format 99" in caught.value.hint
    assert before != saved_file.read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"\x89PNG\r\n\x1a\n" + b"x" * 99,
        b"{}",
        b"PK\x03\x04" + b"\xff" * 64,
        b"PK\x05\x06" + b"\0" * 18,
    ],
    ids=["empty", "two bytes", "picture", "json", "torn header", "empty zip"],
)
def test_not_a_project(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.igm"
    path.write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        load_project(path)
    assert caught.value.hint


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.igm", tmp_path):
        with pytest.raises(ProjectError, match="can't be read"):
            load_project(path)


def test_another_zip(tmp_path: Path) -> None:
    path = tmp_path / "a.igm"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(ProjectError, match="holds no project"):
        load_project(path)


def test_zip_bomb_is_refused_small(tmp_path: Path) -> None:
    path = tmp_path / "bomb.igm"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("project.json", "w") as member,
    ):
        for _ in range(64):
            member.write(b" " * (1 << 20))
    assert path.stat().st_size < 200_000
    with pytest.raises(ProjectError):
        load_project(path)


def test_one_array_named_endlessly_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "MAX_NUMBERS", 1000)
    path = tmp_path / "many.igm"
    shared = LatentPoint((("z", Vector(np.ones(64))),))
    save_project(
        path, replace(full_state(), saved=tuple(SavedPoint(str(i), "p", MODEL, shared) for i in range(99)))
    )
    state, problems = load_project(path)
    assert state.saved[0].point == shared
    assert sum(saved.point.get("z") is None for saved in state.saved) > 80
    assert problems


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spread", math.nan),
        ("spread", 10**400),
        ("spread", "0.3"),
        ("model", ["a"]),
        ("model", "x" * 100_000),
        ("point", 3),
        ("point", {"values": {"z": {"shape": [10**12], "array": "arrays/0.f32"}}, "seed": 1}),
        ("point", {"values": {"z": {"shape": [4], "array": "../../etc/passwd"}}, "seed": 1}),
        ("point", {"values": {"z": math.inf}, "seed": -1}),
        ("timeline", {"length": 1e300, "fps": -1, "keyframes": [None, {"time": "x"}]}),
        ("timeline", []),
        ("grid", {"rows": 10**9, "columns": 0, "corners": [1]}),
        ("compare", "abc"),
        ("compare_seed", 1.5),
        ("device", "quantum"),
        ("saved", [1, {}, {"point": {"values": {}}}, None]),
        ("locks", [["z", -1], 3]),
        ("novelty", 1),
    ],
)
def test_wrong_fields_are_named(saved_file: Path, field: str, value: object) -> None:
    change_head(saved_file, lambda head: head["state"].update({field: value}))
    state, problems = load_project(saved_file)
    assert problems
    whole = full_state()
    kept = [f for f in ("locks", "compare_seed", "device", "saved", "timeline") if f != field]
    assert all(getattr(state, name) == getattr(whole, name) for name in kept)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: [1, 2],
        lambda head: head.update(format="other"),
        lambda head: head.update(version=0),
        lambda head: head.update(version="1"),
        lambda head: head.update(version=True),
    ],
)
def test_wrong_heads_are_refused(saved_file: Path, change: Any) -> None:
    change_head(saved_file, change)
    with pytest.raises(ProjectError):
        load_project(saved_file)


def test_missing_state_and_odd_extras(saved_file: Path) -> None:
    change_head(saved_file, lambda head: head.update(state=None, extras=[1], models=7, program={}))
    opened = read_project(saved_file)
    assert opened.state == SessionState()
    assert opened.problems
    assert opened.extras == {}


def test_deep_nesting(tmp_path: Path) -> None:
    path = tmp_path / "deep.igm"
    with zipfile.ZipFile(path, "w") as archive:
        head = '{"format": "igm-project", "version": 1, "state": ' + "[" * 100_000
        archive.writestr("project.json", head)
    with pytest.raises(ProjectError):
        load_project(path)
    depth = 400
    text = '{"format": "igm-project", "version": 1, "state": {"point": ' + "[" * depth + "]" * depth + "}}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project.json", text)
    assert read_project(path).problems


def test_traversal_names_write_nothing(saved_file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved_file, "a") as archive:
        archive.writestr("../evil.txt", "x")
        archive.writestr("/tmp/evil.txt", "x")
    before = sorted(p.name for p in tmp_path.parent.iterdir())
    assert load_project(saved_file)[0] == full_state()
    assert sorted(p.name for p in tmp_path.parent.iterdir()) == before


def copied_model(folder: Path) -> Path:
    """A model of the person's own: a copy of the bundled baseline."""
    folder.mkdir(parents=True)
    (folder / "card.json").write_bytes((bundled()[MODEL] / "card.json").read_bytes())
    return folder


def test_a_model_beside_the_project_moves_with_it(tmp_path: Path) -> None:
    model = copied_model(tmp_path / "one" / "mine")
    state = SessionState(model=str(model), compare=(str(model),))
    save_project(tmp_path / "one" / "a.igm", state)
    (tmp_path / "one").rename(tmp_path / "two")
    opened, problems = load_project(tmp_path / "two" / "a.igm")
    assert problems == []
    assert opened.model == str(tmp_path / "two" / "mine") == opened.compare[0]


def test_a_model_that_was_seen_elsewhere_is_found_by_its_content(tmp_path: Path) -> None:
    model = copied_model(tmp_path / "far" / "mine")
    sha256 = known_models.content_hash(model)
    info = GeneratorInfo("mine", "uniform", OutputSpec("image", 8, 8), (), path=str(model), sha256=sha256)
    path = tmp_path / "projects" / "a.igm"
    save_project(path, SessionState(model=str(model)), infos={str(model): info})
    moved = model.rename(tmp_path / "moved")
    assert load_project(path)[1] == [f"The model {model} is not here. Open it from where it lies now."]
    known_models.remember(sha256, str(moved))
    opened, problems = load_project(path)
    assert (opened.model, problems) == (str(moved), [])


def test_failed_write_keeps_what_was_there(saved_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved_file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project, "_add", full)
    with pytest.raises(ExportError, match="No space left"):
        save_project(saved_file, SessionState())
    assert saved_file.read_bytes() == before
    assert [p.name for p in saved_file.parent.iterdir()] == ["a.igm"]


def test_codec_limits_hold_here_too() -> None:
    assert codec.MAX_NUMBERS * 4 < project.MAX_NUMBERS
