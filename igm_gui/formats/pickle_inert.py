"""A pickle read with stand-ins: every global becomes an inert class of our own that only remembers what it
was given, so that a hostile pickle runs to its end without doing anything. It is to be scanned beforehand."""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

from igm_gui.formats.pickle_scan import Refused


class Inert:
    """Stands for any object: keeps its arguments, items and state, and does nothing."""

    named = ""

    def __new__(cls, *_arguments: Any, **_words: Any) -> Inert:
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **_words: Any) -> None:
        self.arguments = arguments
        self.items: dict[Any, Any] = {}
        self.state: Any = None

    def __call__(self, *_arguments: Any) -> Inert:
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        # Not str(key): the text of nested lists can be exponentially long.
        plain = key if isinstance(key, str | int) else type(key).__name__
        self.__dict__.setdefault("items", {})[plain] = value

    def append(self, value: Any) -> None:
        items = self.__dict__.setdefault("items", {})
        items[len(items)] = value

    def extend(self, values: Any) -> None:
        for value in values:
            self.append(value)

    def add(self, value: Any) -> None:
        self.append(value)


class Reader(pickle.Unpickler):
    def __init__(self, stream: Any, seen: dict[str, None]) -> None:
        super().__init__(stream, encoding="latin1")
        self._seen = seen
        self._made: dict[str, type] = {}
        self.claims: dict[str, int] = {}  # storage -> numbers that it is said to hold

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        self._seen[full] = None
        if full not in self._made:
            self._made[full] = type("Inert", (Inert,), {"named": full})
        return self._made[full]

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 4 and isinstance(pid[4], int):
            self.claims[str(pid[2])[:200]] = pid[4]
        return pid


def claimed_numbers(stream: BinaryIO) -> int:
    """How many numbers the storages of one pickle are said to hold together; to be scanned beforehand.

    Refused where it can't be read to its end."""
    reader = Reader(stream, {})
    try:
        reader.load()
    except Exception as error:
        raise Refused(
            "The pickle is damaged or cut short.", "Copy or download the file again.", repr(error)
        ) from error
    return sum(reader.claims.values())
