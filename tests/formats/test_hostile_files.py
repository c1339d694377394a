"""Bits turned round at random, in every format: a generator or a sentence comes of it. (The table of files
made to do harm is in test_hostile_table.py.)"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igm_gui.errors import ModelError
from igm_gui.formats.contents import describe
from igm_gui.generators import registry

sys.path.insert(0, str(Path(__file__).parent))
from hostile_good import SUFFIX, damaged, good

pytestmark = pytest.mark.filterwarnings("ignore")

PLACES = st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", SUFFIX)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(flips=PLACES, near_the_start=st.booleans())
def test_flipped_bits_give_a_generator_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, kind: str, flips: list[tuple[float, int]], near_the_start: bool
) -> None:
    data = bytearray(good(kind))
    reach = min(400, len(data)) if near_the_start else len(data)
    for place, bits in flips:
        data[int(place * reach)] ^= bits
    path = damaged(kind, bytes(data))(tmp_path_factory.mktemp("flip"))
    with contextlib.suppress(ModelError):
        registry.load(str(path))
    with contextlib.suppress(ModelError):
        describe(path)


@pytest.mark.parametrize("kind", SUFFIX)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(part=st.floats(0, 0.9999))
def test_cut_anywhere_is_a_sentence(tmp_path_factory: pytest.TempPathFactory, kind: str, part: float) -> None:
    data = good(kind)
    path = damaged(kind, data[: int(part * len(data))])(tmp_path_factory.mktemp("cut"))
    with pytest.raises(ModelError) as refusal:
        registry.load(str(path))
    assert refusal.value.message.endswith((".", ")"))
