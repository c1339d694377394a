"""From state to recipe and back; which model a recipe means."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from igm_gui.errors import ModelError, ProjectError
from igm_gui.formats import known_models, library
from igm_gui.formats.card import card_info, read_card
from igm_gui.formats.image import write_png
from igm_gui.formats.recipe import Recipe, decode, encode
from igm_gui.info import GeneratorInfo, InputSpec, OutputSpec
from igm_gui.latent.point import check, point_from_seed
from igm_gui.paths import models_folder
from igm_gui.session import Session, SessionState
from igm_gui.session.grid import grid_points, grid_scale, grid_shape
from igm_gui.session.recipes import (
    Film,
    compare_recipe,
    film_of,
    grid_recipe,
    open_result,
    point_recipe,
    restore,
    restore_file,
    timeline_recipe,
)
from igm_gui.session.state import GridSpec
from igm_gui.timeline import Keyframe, Timeline


def info_of(folder: Path) -> GeneratorInfo:
    return card_info(read_card(folder), folder, known_models.content_hash(folder))


@pytest.fixture
def fashion() -> GeneratorInfo:
    return info_of(models_folder() / "fashion-gan")


@pytest.fixture
def own(tmp_path: Path) -> GeneratorInfo:
    """A model of the person's own: a renamed copy of a bundled one in another folder."""
    folder = tmp_path / "secret project" / "my-gan"
    shutil.copytree(models_folder() / "fashion-gan", folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "name": "my-gan"}))
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    return info_of(folder)


def again(recipe: Recipe) -> Recipe:
    return decode(encode(recipe))


def test_a_point_comes_back(fashion):
    point = point_from_seed(fashion, 4, 3)
    restored = restore(again(point_recipe(fashion, point)))
    assert restored.changes == {"model": "fashion-gan", "point": point, "locks": frozenset()}
    assert restored.warning == ""


def test_a_timeline_and_a_grid_come_back(fashion):
    point = point_from_seed(fashion, 4)
    timeline = Timeline((Keyframe(1.5, point, "a", "ease"),), 5.0, 24.0, False, "lerp")
    restored = restore(again(timeline_recipe(fashion, timeline, point)))
    assert restored.changes["timeline"] == timeline
    assert restored.changes["point"] == point
    grid = GridSpec("plane", 3, 4, 9, (point, None, None, point), "lerp", 5, 3)
    restored = restore(again(grid_recipe(fashion, grid)))
    assert restored.changes["grid"] == grid
    assert "point" not in restored.changes


def test_dropping_a_file_is_one_step_to_undo(fashion, tmp_path):
    point = point_from_seed(fashion, 4, 3)
    path = tmp_path / "a.png"
    write_png(path, __import__("numpy").zeros((4, 4, 1), "uint8"), point_recipe(fashion, point))
    session = Session(SessionState(model="additive"))
    before = session.state
    restored = open_result(session, path)
    assert restored.recipe.kind == "point"
    assert (session.state.model, session.state.point) == ("fashion-gan", point)
    assert session.undo()
    assert session.state == before


def test_a_model_that_is_missing_is_named_with_its_hash(fashion):
    lost = replace(fashion, name="lost-gan", sha256="cd" * 32, path="/nowhere/at/all")
    with pytest.raises(ModelError, match=r"lost-gan \(SHA-256 cdcdcdcdcdcd") as caught:
        restore(again(point_recipe(lost, point_from_seed(lost, 0))))
    assert "cd" * 32 in caught.value.hint


def test_other_weights_of_the_same_name_are_used_with_a_warning(fashion):
    trained_since = replace(fashion, sha256="cd" * 32)
    restored = restore(again(point_recipe(trained_since, point_from_seed(fashion, 0))))
    assert restored.changes["model"] == "fashion-gan"
    assert "fashion-gan" in restored.warning
    assert "cdcdcdcdcdcd" in restored.warning


def test_the_persons_own_model_is_found_again_and_its_path_not_told(own):
    recipe = point_recipe(own, point_from_seed(own, 0))
    assert "secret" not in encode(recipe)
    assert restore(again(recipe)).changes["model"] == own.path


def test_a_model_that_is_open_already_is_taken_first(own):
    recipe = point_recipe(own, point_from_seed(own, 0))
    known = {"/elsewhere/my-gan": own}
    assert restore(again(recipe), known).changes["model"] == "/elsewhere/my-gan"


def test_a_model_that_was_retrained_in_its_place_is_missing(own):
    recipe = point_recipe(own, point_from_seed(own, 0))
    (Path(own.path) / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelError, match="my-gan"):
        restore(again(recipe))


def test_a_list_of_known_models_that_is_damaged_starts_anew(own, igm_home):
    (igm_home / "data").mkdir(exist_ok=True)
    (igm_home / "data" / "known-models.json").write_text("{")
    assert known_models.path_of(own.sha256) is None
    known_models.remember(own.sha256, own.path)
    assert known_models.path_of(own.sha256) == Path(own.path)


def test_the_list_of_known_models_stays_short(igm_home):
    (igm_home / "data").mkdir(exist_ok=True)
    many = {f"{i:064x}": f"/m/{i}" for i in range(known_models.MAX_KNOWN)}
    (igm_home / "data" / "known-models.json").write_text(json.dumps(many))
    known_models.remember("f" * 64, "/m/new")
    kept = json.loads((igm_home / "data" / "known-models.json").read_text())
    assert len(kept) == known_models.MAX_KNOWN
    assert kept["f" * 64] == "/m/new"
    assert f"{0:064x}" not in kept


def test_a_data_folder_that_can_not_be_written_stops_no_export(own, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("IGM_HOME", str(tmp_path / "file"))
    recipe = point_recipe(own, point_from_seed(own, 0))
    assert recipe.model == "my-gan"
    with pytest.raises(ModelError, match="my-gan"):
        restore(again(recipe))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("point", {}),
        ("point", {"point": {"seed": 1, "values": {"z": {"shape": [2], "float32": "AAAA"}}}}),
        ("timeline", {"point": {"seed": 1, "values": {}}}),
        ("timeline", {"timeline": {"length": -3}}),
        ("grid", {"grid": {"rows": 0}}),
    ],
)
def test_part_of_a_point_is_not_guessed(kind, content):
    with pytest.raises(ProjectError, match="damaged"):
        restore(again(Recipe(kind, "fashion-gan", "", content)))


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(ProjectError):
        restore_file(tmp_path / "missing.png")


# -- grids


def test_a_grid_by_seeds_keeps_everything_but_the_latents(fashion):
    base = point_from_seed(fashion, 99, 4)
    points = grid_points(fashion, GridSpec(rows=2, columns=3, seed=10), base)
    assert [p.seed for p in points] == [10, 11, 12, 13, 14, 15]
    for point in points:
        assert point.vector("z") == point_from_seed(fashion, point.seed).vector("z")
        assert point.vector("label") == base.vector("label")
        check(point, fashion)


def test_a_grid_by_class_has_a_row_for_each_class_and_a_seed_for_each_column(fashion):
    grid = GridSpec("classes", rows=1, columns=3, seed=5)
    assert grid_shape(fashion, grid) == (10, 3)
    points = grid_points(fashion, grid)
    assert len(points) == 30
    for index, point in enumerate(points):
        assert point.vector("label").array.argmax() == index // 3
        assert point.vector("z") == points[index % 3].vector("z")


def test_a_plane_has_its_corners_and_draws_those_that_are_missing(fashion):
    corner = point_from_seed(fashion, 77, 2)
    points = grid_points(fashion, GridSpec("plane", 3, 4, 20, (corner, None, None, None)))
    assert points[0] == corner
    assert points[3].vector("z") == point_from_seed(fashion, 21).vector("z")
    assert points[8].vector("z") == point_from_seed(fashion, 22).vector("z")
    assert points[11].vector("z") == point_from_seed(fashion, 23).vector("z")
    for point in points:
        check(point, fashion)


def test_a_grid_of_one_and_seeds_past_the_last(fashion):
    assert len(grid_points(fashion, GridSpec("plane", 1, 1))) == 1
    last = grid_points(fashion, GridSpec(rows=1, columns=2, seed=2**32 - 1))
    assert [p.seed for p in last] == [2**32 - 1, 0]


def test_every_bundled_model_has_a_hash_that_its_checkpoint_agrees_with():
    from igm_gui.formats.checkpoint import open_checkpoint

    for path in library.bundled().values():
        assert open_checkpoint(path).sha256 == known_models.content_hash(path)


def test_models_side_by_side_come_back(fashion, own):
    point = point_from_seed(fashion, 3)
    recipe = again(compare_recipe([fashion, own], 40, point))
    restored = restore(recipe)
    assert restored.changes["model"] == "fashion-gan"
    assert restored.changes["compare"] == (own.path,)
    assert restored.changes["compare_seed"] == 40
    assert restored.changes["point"] == point
    assert restored.warning == ""


def test_a_missing_model_beside_the_first_is_named_and_the_rest_compares(fashion, own):
    recipe = again(
        compare_recipe([fashion, replace(own, sha256="f" * 64), own], 0, point_from_seed(fashion, 3))
    )
    restored = restore(recipe)
    assert restored.changes["compare"] == (own.path,)
    assert "is not here: my-gan" in restored.warning


@pytest.mark.parametrize(
    "wrong",
    [None, [], {"models": [], "seed": -1}, {"models": [], "seed": True}, {"models": ["a"], "seed": 0},
     {"models": [{"name": "a"}], "seed": 0}, {"models": {"name": "a", "sha256": ""}, "seed": 0}],
)  # fmt: skip
def test_a_damaged_line_up_is_refused(fashion, wrong):
    recipe = compare_recipe([fashion], 0, point_from_seed(fashion, 3))
    with pytest.raises(ProjectError, match="damaged"):
        restore(replace(recipe, content=recipe.content | {"compare": wrong}))


@pytest.mark.parametrize(
    ("side", "rows", "columns", "gap", "scale"),
    [
        (28, 6, 8, 2, 9),
        (64, 6, 8, 2, 4),
        (256, 6, 8, 2, 1),
        (1024, 2, 2, 0, 1),
        (28, 40, 8, 2, 3),
        (28, 256, 256, 0, 1),
    ],
)
def test_a_sheet_is_enlarged_by_what_suits_the_model(side, rows, columns, gap, scale):
    info = GeneratorInfo(
        name="m",
        title="M",
        family="m",
        output=OutputSpec("image", side, side, 3),
        inputs=(InputSpec("z", "latent", shape=(2,)),),
    )
    assert grid_scale(info, GridSpec(rows=rows, columns=columns, gap=gap, scale=0)) == scale
    assert grid_scale(info, GridSpec(rows=rows, columns=columns, scale=7)) == 7


@pytest.mark.parametrize(
    "film",
    [
        {"rounds": 0},
        {"factor": "2"},
        {"crf": 52},
        [1],
        {"frame": [9000, 2]},
        {"frame": [1080]},
        {"background": "red"},
        {"background": "#12345G"},
    ],
)
def test_how_a_film_was_written_is_read_or_refused(film):
    with pytest.raises(ProjectError, match="damaged"):
        film_of(Recipe("timeline", "m", "", {"film": film}))
    assert film_of(Recipe("timeline", "m", "", {"film": {"rounds": 3}})) == Film(rounds=3)
    assert film_of(Recipe("timeline", "m", "")) == Film()
    framed = {"frame": [1920, 1080], "background": "#1e2a3c"}
    assert film_of(Recipe("timeline", "m", "", {"film": framed})) == Film(
        frame=(1920, 1080), background="#1e2a3c"
    )


def test_a_film_of_the_largest_size_that_is_offered_can_be_made_again(fashion):
    timeline = Timeline((Keyframe(0.0, point_from_seed(fashion, 1)),))
    film = Film(-(-2048 // 28), smooth=True, crf=6, rounds=10)  # 74 times a 28 x 28 picture
    assert film_of(again(timeline_recipe(fashion, timeline, film=film))) == film
