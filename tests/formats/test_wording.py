"""What is wrong with a card, as a person reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from igm_gui.errors import ModelError
from igm_gui.formats.card import parse_card
from igm_gui.formats.wording import in_words

GOOD: dict[str, Any] = {
    "format": 1,
    "name": "mine",
    "family": "fashion",
    "output": {"media": "image", "height": 28, "width": 28, "channels": 1},
    "inputs": [{"name": "z", "kind": "latent", "shape": [64]}],
}


def said(text: str) -> str:
    with pytest.raises(ModelError) as caught:
        parse_card(text.encode(), "mine/card.json")
    assert "`" not in caught.value.message
    return caught.value.message.removeprefix("The card mine/card.json can't be read: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": 3}, "name needs a text, not a whole number."),
        ({"output": GOOD["output"] | {"width": "28"}}, "output.width needs a whole number, not a text."),
        ({"output": GOOD["output"] | {"height": 1.5}}, "output.height needs a whole number, not a fraction."),
        ({"output": GOOD["output"] | {"media": "movie"}}, "output.media can't be 'movie'."),
        ({"inputs": {}}, "inputs needs a list, not a group of fields."),
        ({"inputs": [{"name": None, "kind": "latent"}]}, "inputs[0].name needs a text, not nothing."),
        ({"inputs": [{"kind": "latent"}]}, "inputs[0].name is missing."),
    ],
)
def test_a_wrong_field_is_named_with_what_it_needs(changes: dict[str, Any], words: str) -> None:
    assert said(json.dumps(GOOD | changes)) == words


def test_what_is_no_json_is_told_where() -> None:
    assert said('{"format": 1,') == "it ends too early."
    assert said('{"format": }') == "it is not JSON at byte 11 (invalid character)."
    assert said("{}") == "name is missing."


def test_other_words_stay() -> None:
    assert in_words(ValueError("Expected a miracle")) == "Expected a miracle"
