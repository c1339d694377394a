from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from igm_gui.engine.audio.output import NO_DEVICE, NullOutput
from igm_gui.engine.audio.player import GRACE, Player
from igm_gui.engine.audio.status import block_for
from tests.engine.audio.fakes import RATE, WAIT, FakeOpener, FakeOutput, tone

BLOCK = block_for(RATE)


class Rig:
    """A player on a fake device whose clock is what it has played."""

    def __init__(self, rates: dict[int, int] | None = None) -> None:
        self.opener = FakeOpener(rates)
        self.player = Player(self.opener, clock=self.now)  # type: ignore[arg-type]

    def now(self) -> float:
        output = self.opener.outputs[-1] if self.opener.outputs else None
        return sum(map(len, output.blocks)) / output.rate if output is not None else 0.0

    @property
    def device(self) -> FakeOutput:
        return self.opener.wait_for_output(0)

    def close(self) -> None:
        for output in self.opener.outputs:
            output.let_go()
        self.opener.free = True
        self.player.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def test_what_is_played_reaches_the_device(rig: Rig) -> None:
    samples = tone(seconds=0.1)
    rig.player.play(samples, RATE)
    rig.device.advance(8)
    np.testing.assert_array_equal(rig.device.sound[:4096, 0], samples[0, :4096])


def test_status_follows_what_is_heard(rig: Rig) -> None:
    assert not rig.player.status().playing
    rig.player.play(tone(seconds=0.5), RATE)
    assert rig.player.status().playing  # asked for, though not begun
    rig.device.advance(20)
    status = rig.player.status()
    assert status.playing
    assert status.device == "speakers"
    assert status.length == pytest.approx(0.5)
    # 20 blocks are written; the last tenth of a second is still in the device.
    assert status.position == pytest.approx(20 * BLOCK / RATE - 0.1, abs=BLOCK / RATE)
    assert status.level == pytest.approx(0.5, abs=0.05)
    assert status.latency == pytest.approx(0.1)
    rig.device.advance(60)
    assert not rig.player.status().playing


def test_the_playhead_reaches_the_end_after_the_last_block_was_written(rig: Rig) -> None:
    rig.player.play(tone(seconds=0.2), RATE)
    rig.device.advance(22)  # 0.235 s: read to the end, heard to 0.135
    status = rig.player.status()
    assert status.playing
    assert status.position < 0.2


def test_start_from_the_middle(rig: Rig) -> None:
    samples = np.linspace(0, 0.9, RATE, dtype=np.float32)[None]
    rig.player.play(samples, RATE, start=0.5)
    rig.device.advance(8)
    sound = rig.device.sound[:, 0]
    np.testing.assert_allclose(sound[2048:4096], samples[0, RATE // 2 + 2048 : RATE // 2 + 4096], atol=1e-6)
    assert np.abs(np.diff(sound[:2048])).max() < 0.01  # no jump from silence to 0.45


def test_stop_is_soft_and_status_knows(rig: Rig) -> None:
    rig.player.play(tone(), RATE, loop=True)
    rig.device.advance(10)
    rig.player.stop()
    rig.device.advance(6)
    assert not rig.player.status().playing
    sound = rig.device.sound
    assert not sound[-BLOCK:].any()
    assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.05


def test_swap_keeps_the_place(rig: Rig) -> None:
    samples = tone(seconds=1.0)
    rig.player.play(samples, RATE)
    rig.device.advance(10)
    rig.player.swap(samples, RATE)
    rig.device.advance(10)
    # The same sound at the same place: the crossfade can't be told from no crossfade.
    np.testing.assert_allclose(rig.device.sound[: 20 * BLOCK, 0], samples[0, : 20 * BLOCK], atol=2e-6)
    assert rig.player.status().position == pytest.approx(20 * BLOCK / RATE - 0.1, abs=2 * BLOCK / RATE)


def test_swap_of_silence_plays_from_the_start(rig: Rig) -> None:
    rig.player.swap(tone(), RATE)
    rig.device.advance(4)
    np.testing.assert_array_equal(rig.device.sound[:1000, 0], tone()[0, :1000])


def test_loop_may_change_while_playing(rig: Rig) -> None:
    rig.player.play(tone(seconds=0.1), RATE, loop=True)
    rig.device.advance(40)
    assert rig.player.status().playing
    rig.player.set_loop(False)
    rig.device.advance(40)
    assert not rig.player.status().playing


def test_the_device_is_given_back_after_silence_and_opened_again(rig: Rig) -> None:
    rig.player.play(tone(seconds=0.05), RATE)
    device = rig.device
    device.let_go()
    looking = rig.player.look_for_devices()  # answered in turn
    assert looking.wait(WAIT)
    rig.player.play(tone(seconds=0.05), RATE)
    second = rig.opener.wait_for_output(0)
    assert second is device or device.closed
    rig.player.close()
    assert device.closed
    silence = device.sound[int(0.05 * RATE) + BLOCK :]
    assert len(silence) >= 0.1 * RATE  # the device played all that it held before it was closed


def test_nothing_runs_at_rest(rig: Rig) -> None:
    rig.opener.free = True
    rig.player.play(tone(seconds=0.02), RATE)
    device = rig.device
    with rig.player._wake:
        done = rig.player._wake.wait_for(lambda: False, 0.0)
    assert not done
    # A free device takes the grace of silence in no time; then the thread sleeps and holds nothing.
    while not device.closed:
        assert rig.player._thread is not None
        rig.player._thread.join(0.01)
    assert len(device.sound) >= GRACE * RATE
    assert rig.player._output is None


def test_a_lost_device_becomes_silence_and_a_sentence(rig: Rig) -> None:
    rig.player.play(tone(), RATE, loop=True)
    rig.device.advance(4)
    rig.device.unplug()
    nowhere = rig.opener.wait_for_output(1)
    assert nowhere.rate == RATE
    assert not nowhere.real
    assert rig.device.closed
    assert rig.player.status().playing
    assert not rig.player.status().real
    notice = rig.player.notices.popleft()
    assert "speakers stopped playing: unplugged" in notice
    assert "unheard" in notice


def test_another_device_goes_on_with_the_sound(rig: Rig) -> None:
    rig.player.play(tone(seconds=2.0), RATE)
    rig.device.advance(10)
    rig.player.set_device("headphones")
    rig.device.let_go()
    second = rig.opener.wait_for_output(1)
    second.advance(10)
    assert rig.device.closed
    assert second.name == "headphones"
    assert second.sound[2000:].any()
    assert rig.player.status().device == "headphones"


def test_a_sound_at_another_rate_opens_the_device_at_that_rate(rig: Rig) -> None:
    rig.player.play(tone(), RATE)
    rig.device.advance(4)
    rig.device.let_go()
    rig.player.play(tone(rate=24_000), 24_000)
    second = rig.opener.wait_for_output(1)
    assert second.rate == 24_000
    second.advance(8)
    np.testing.assert_array_equal(second.sound[:2000, 0], tone(rate=24_000)[0, :2000])
    assert not rig.device.sound[-BLOCK:].any()  # what played before had ended softly


def test_a_refused_rate_is_resampled() -> None:
    rig = Rig({24_000: RATE})
    try:
        rig.player.play(tone(rate=24_000), 24_000)
        rig.device.advance(20)
        expected = tone(seconds=1.0)
        np.testing.assert_allclose(rig.device.sound[2000:8000, 0], expected[0, 2000:8000], atol=2e-4)
        assert rig.player.status().length == pytest.approx(1.0)
        rig.player.swap(tone(rate=24_000), 24_000)
        rig.device.advance(10)
        np.testing.assert_allclose(rig.device.sound[10_000:15_000, 0], expected[0, 10_000:15_000], atol=2e-4)
    finally:
        rig.close()


def test_volume_is_remembered_across_devices(rig: Rig) -> None:
    rig.player.set_volume(0.25)
    rig.player.play(np.full((1, RATE), 0.8, np.float32), RATE)
    rig.device.advance(4)
    assert rig.device.sound[-1, 0] == pytest.approx(0.2)
    rig.player.set_volume(7)
    assert rig.player.volume == 1.0


def test_the_same_notice_is_given_once() -> None:
    class Deaf(FakeOpener):
        def open(self, wanted: str, rate: int) -> tuple[FakeOutput, str]:
            return super().open(NO_DEVICE, rate)[0], "No sound device was found."

    rig = Rig()
    rig.opener = Deaf()
    rig.player._opener = rig.opener  # type: ignore[assignment]
    try:
        rig.player.play(tone(seconds=0.01), RATE)
        rig.player.play(tone(seconds=0.01, rate=24_000), 24_000)
        rig.opener.wait_for_output(1)
        assert rig.player.look_for_devices().wait(WAIT)
        assert list(rig.player.notices) == ["No sound device was found."]
    finally:
        rig.close()


def test_close_without_a_sound_and_twice() -> None:
    player = Player(FakeOpener())  # type: ignore[arg-type]
    player.close()
    player.close()
    player.play(tone(), RATE)  # too late: nothing happens
    assert player._thread is None


def test_the_null_output_keeps_real_time() -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    output = NullOutput(RATE, 0.1, lambda: now[0], sleep)
    block = np.zeros((480, 2), np.float32)
    for _ in range(100):
        assert not output.write(block) or not slept
        now[0] += 0.002
    # A second was written; a tenth of it is still to be heard.
    assert now[0] == pytest.approx(0.9, abs=0.013)
    now[0] += 5.0
    assert output.write(block)  # it ran dry
    before = now[0]
    output.write(block)
    assert now[0] == before  # and does not run after what it missed
