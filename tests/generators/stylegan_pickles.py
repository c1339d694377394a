"""The reference pickles taken apart and written again, as other people's programs write them."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

DATA = Path(__file__).parent.parent / "data" / "stylegan"


class Module:
    """A persistent object of a reference file, which is trusted here, to be written again."""

    def __init__(self, meta: Any) -> None:
        self.meta = meta

    @property
    def state(self) -> dict[str, Any]:
        return self.meta["state"]

    @property
    def children(self) -> dict[str, Any]:
        return self.state["_modules"]

    def __reduce__(self) -> Any:
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


@contextmanager
def official_names() -> Iterator[None]:
    """The official modules' names mean something meanwhile."""
    persistence = types.ModuleType("torch_utils.persistence")

    def _reconstruct_persistent_obj(meta: Any) -> Module:
        return Module(meta)

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    above = types.ModuleType("torch_utils")
    above.persistence = persistence  # type: ignore[attr-defined]
    with mock.patch.dict(sys.modules, {"torch_utils": above, "torch_utils.persistence": persistence}):
        yield


def taken_apart(name: str) -> dict[str, Any]:
    """The content of a reference pickle; within :func:`official_names`."""
    return pickle.loads((DATA / f"{name}.pkl").read_bytes())


def modules(module: Module) -> Iterator[Module]:
    """A module and all below it."""
    yield module
    for child in module.children.values():
        if child is not None:
            yield from modules(child)
