"""Cards: what is wrong is named, where it is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.errors import IgmError, ModelError
from igm_gui.formats import library
from igm_gui.formats.card import card_info, card_json, parse_card, read_card, write_card

GOOD: dict[str, Any] = {
    "format": 1,
    "name": "faces",
    "family": "style",
    "output": {"media": "image", "height": 64, "width": 64, "channels": 3},
    "inputs": [
        {"name": "z", "kind": "latent", "shape": [8]},
        {"name": "label", "kind": "label", "classes": ["cat", "dog"]},
        {"name": "truncation", "kind": "scalar", "minimum": 0, "maximum": 2, "default": 1},
    ],
    "directions": [{"name": "smile", "input": "z", "vector": [1, 0, 0, 0, 0, 0, 0, 0]}],
    "data": {"name": "photographs", "licence": "CC0"},
}


def changed(path: str, value: object) -> bytes:
    raw = copy.deepcopy(GOOD)
    place: Any = raw
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(raw).encode()


def test_a_card_comes_back_as_it_was_written(tmp_path):
    card = parse_card(json.dumps(GOOD).encode(), "faces")
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    assert parse_card(card_json(card).encode(), "again") == card


def test_a_card_alone_tells_what_the_panels_need(tmp_path):
    info = card_info(parse_card(json.dumps(GOOD).encode(), "faces"), tmp_path)
    assert (info.name, info.title, info.media) == ("faces", "faces", "image")
    assert info.output.text == "image 64×64 RGB"
    assert info.latent is not None
    assert info.latent_text == "z∈ℝ⁸"
    assert info.input("label").size == 2
    assert info.path == str(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("name", ..., "name"),
        ("name", 7, "name needs a text"),
        ("output.media", "smell", r"output\.media"),
        ("inputs.0.shape", "8", r"inputs\[0\]\.shape"),
        ("inputs.0.kind", "text", r"inputs\[0\]\.kind"),
        ("colour", "red", "doesn't know: colour"),
        ("format", 2, "format 2"),
        ("output.height", 0, "sides from 1"),
        ("output.width", 99999, "sides from 1"),
        ("output.channels", 2, "2 channels"),
        ("output.low", 1.0, "output range"),
        ("output", {"media": "sound", "sample_rate": 10}, "sample_rate"),
        ("inputs.1.name", "z", "same name"),
        ("inputs.0.shape", [], "has the shape"),
        ("inputs.0.shape", [0], "has the shape"),
        ("inputs.0.shape", [2000, 2000], "has the shape"),
        ("inputs.1.classes", [], "without classes"),
        ("inputs.2.default", 5, "outside 0"),
        ("directions.0.vector", [1.0], "does not fit an input"),
        ("directions.0.input", "w", "does not fit an input"),
        ("data.licence", ..., "licence"),
    ],
)
def test_a_wrong_field_is_named(path, value, why):
    with pytest.raises(ModelError, match=why) as caught:
        parse_card(changed(path, value), "faces/card.json")
    assert "faces/card.json" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 200_000, b'{"a": 1e999}'])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(ModelError):
        parse_card(text, "x")


def test_a_card_is_a_small_file():
    with pytest.raises(ModelError, match="bytes long"):
        parse_card(b" " * 8_000_001, "x")


@given(st.data())
def test_any_replacement_is_read_or_refused_with_a_sentence(data):
    raw = copy.deepcopy(GOOD)
    place: Any = raw
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]))
    try:
        parse_card(json.dumps(raw).encode(), "x")
    except IgmError as error:
        assert isinstance(error, ModelError)  # noqa: PT017 - any other exception fails the test


def test_a_folder_without_a_card_says_what_it_needs(tmp_path):
    with pytest.raises(ModelError, match=r"no readable card.json") as caught:
        read_card(tmp_path)
    assert "model.safetensors" in caught.value.hint


def test_every_bundled_card_is_whole():
    assert [path.name for path, _ in library.cards()] == list(library.bundled())
    for path, card in library.cards():
        assert card.name == path.name
        assert card.licence
        assert card.description


def test_a_name_that_is_none_lists_those_that_are():
    with pytest.raises(ModelError, match="no model called nonsense") as caught:
        library.find("nonsense")
    assert "uniform-pixels" in caught.value.hint
    with pytest.raises(ModelError):
        library.find("\0")
    with pytest.raises(ModelError):
        library.find("x" * 5000)


def test_a_bundled_model_goes_by_its_name_whatever_way_leads_to_it(tmp_path):
    path = library.bundled()["toy-ring"]
    (tmp_path / "link").symlink_to(path)
    assert library.called(str(path)) == library.called(f"{path}/../toy-ring") == "toy-ring"
    assert library.called(str(tmp_path / "link")) == library.called("toy-ring") == "toy-ring"
    for other in (str(tmp_path), "nonsense", "", "~nobody/toy-ring", str(path / "card.json"), "a\0b"):
        assert library.called(other) == other
