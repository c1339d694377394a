"""What is wrong with a JSON file, in the reader's words."""

from __future__ import annotations

import re

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a group of fields",
    "null": "nothing",
}
GOT = KINDS | {"float": "a fraction"}
PLACE = re.compile(r" - at `\$\.?(.*)`$")
EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`$")
MISSING = re.compile(r"Object missing required field `(.+)`$")
CHOICE = re.compile(r"Invalid enum value (.+)$", re.DOTALL)
MALFORMED = re.compile(r"JSON is malformed: (.+) \(byte (\d+)\)$")


def in_words(error: Exception) -> str:
    """What msgspec or Python said about a JSON text as the end of a sentence, such as "output.width needs a
    whole number, not a text"; its own words where there are no better ones."""
    said = str(error)
    found = PLACE.search(said)
    place = found[1] if found else ""
    said = said[: found.start()] if found else said
    here = place or "all of it"
    if match := EXPECTED.match(said):
        wanted = " or ".join(KINDS.get(kind.strip(), kind.strip()) for kind in match[1].split("|"))
        return f"{here} needs {wanted}, not {GOT.get(match[2], match[2])}"
    if match := MISSING.match(said):
        return f"{place}.{match[1]} is missing" if place else f"{match[1]} is missing"
    if match := CHOICE.match(said):
        return f"{here} can't be {match[1][:80]}"
    if match := MALFORMED.match(said):
        return f"it is not JSON at byte {int(match[2]):,} ({match[1]})"
    if said == "Input data was truncated":
        return "it ends too early"
    return str(error)
