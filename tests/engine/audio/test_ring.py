from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igm_gui.engine.audio.ring import RingBuffer


@given(st.integers(1, 64), st.lists(st.tuples(st.booleans(), st.integers(0, 80)), max_size=60))
def test_what_goes_in_comes_out_in_order(capacity: int, steps: list[tuple[bool, int]]) -> None:
    ring = RingBuffer(capacity, 2)
    written = read = 0
    for writes, count in steps:
        if writes:
            values = np.arange(written, written + count, dtype=np.float32)
            taken = ring.write(np.stack([values, -values], 1))
            assert taken == min(count, capacity - (written - read))
            written += taken
        else:
            out = np.full((count, 2), -7, np.float32)
            got = ring.read_into(out)
            assert got == min(count, written - read)
            np.testing.assert_array_equal(out[:got, 0], np.arange(read, read + got))
            np.testing.assert_array_equal(out[got:], -7)
            read += got
        assert ring.fill == written - read
        assert ring.room == capacity - ring.fill


def test_two_threads_lose_nothing() -> None:
    ring, total = RingBuffer(997, 1), 20_000
    source = np.arange(total, dtype=np.float32)[:, None]

    def produce() -> None:
        done = 0
        while done < total:
            done += ring.write(source[done : done + 310])

    thread = threading.Thread(target=produce)
    thread.start()
    out, done = np.zeros((total, 1), np.float32), 0
    while done < total:
        done += ring.read_into(out[done : done + 230])
    thread.join()
    np.testing.assert_array_equal(out, source)


def test_reading_allocates_no_array() -> None:
    ring = RingBuffer(512, 2)
    ring.write(np.ones((300, 2), np.float32))
    store = ring._frames.ctypes.data
    out = np.zeros((256, 2), np.float32)
    assert ring.read_into(out) == 256
    assert ring._frames.ctypes.data == store


@pytest.mark.parametrize(("capacity", "channels"), [(0, 2), (4, 0)])
def test_an_empty_ring_is_refused(capacity: int, channels: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        RingBuffer(capacity, channels)
