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


def test_the_level_is_that_of_what_is_heard_now(rig: Rig) -> None:
    rig.player.play(np.full((1, RATE), 0.5, np.float32), RATE)
    rig.device.advance(4)
    assert rig.player.status().level == 0.0  # the device holds a tenth of a second
    rig.device.advance(12)
    assert rig.player.status().level == pytest.approx(0.5, abs=0.01)


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


def test_swap_to_a_sound_that_is_over_by_then_plays_it_from_the_start(rig: Rig) -> None:
    rig.player.play(tone(seconds=2.0), RATE)
    rig.device.advance(20)
    rig.player.swap(tone(660.0, 0.1), RATE)
    rig.device.advance(10)
    assert np.abs(rig.device.sound[25 * BLOCK :]).max() > 0.3


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
    looking = rig.player.look_for_devices()
    device.advance(2)
    assert looking.wait(WAIT)
    assert rig.opener.looked == 0  # to look now would end the sound
    device.let_go()
    device.wait_closed()
    silence = device.sound[int(0.05 * RATE) + BLOCK :]
    assert not silence.any()
    assert len(silence) >= 0.1 * RATE  # the device played all that it held before it was closed
    samples = tone(seconds=0.05)
    rig.player.play(samples, RATE)
    second = rig.opener.wait_for_output(1)
    assert rig.opener.looked == 1
    second.advance(4)
    np.testing.assert_array_equal(second.sound[: 4 * BLOCK, 0], samples[0, : 4 * BLOCK])


def test_nothing_runs_at_rest(rig: Rig) -> None:
    rig.opener.free = True
    rig.player.play(tone(seconds=0.02), RATE)
    device = rig.device
    # A free device takes the grace of silence in no time; then the thread sleeps and holds nothing.
    device.wait_closed()
    written = len(device.sound)
    assert written >= GRACE * RATE
    assert rig.player.look_for_devices().wait(WAIT)  # it wakes for that, with the closing behind it
    assert rig.player._output is None
    assert len(rig.opener.outputs) == 1
    assert len(device.sound) == written


def test_a_lost_device_becomes_silence_and_a_sentence(rig: Rig) -> None:
    rig.player.play(tone(), RATE, loop=True)
    rig.device.advance(4)
    rig.opener.there = False
    rig.device.unplug()
    nowhere = rig.opener.wait_for_output(1)
    assert rig.player.look_for_devices().wait(WAIT)  # the thread has taken it over by then
    assert nowhere.rate == RATE
    assert not nowhere.real
    assert rig.device.closed
    assert rig.player.status().playing
    assert not rig.player.status().real
    notice = rig.player.notices.popleft()
    assert "speakers stopped playing: unplugged" in notice
    assert "unheard" in notice


def test_a_lost_device_that_is_back_goes_on_with_the_sound(rig: Rig) -> None:
    rig.player.play(tone(440.0, 2.0), RATE, loop=True)
    rig.device.advance(4)
    rig.opener.there = False
    rig.opener.free = True
    rig.device.unplug()
    nowhere = rig.opener.wait_for_output(1)
    while rig.opener.looked < 2:  # it looks, in vain
        assert rig.player._thread is not None
        rig.player._thread.join(0.001)
    assert len(rig.opener.outputs) == 2
    rig.opener.there = True
    back = rig.opener.wait_for_output(2)
    while len(back.blocks) < 40:
        rig.player._thread.join(0.001)
    assert nowhere.closed
    assert rig.player.status().real
    assert rig.player.status().playing
    assert list(rig.player.news) == ["speakers plays again."]
    assert np.abs(np.diff(back.sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.02  # no click


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
    # The old one is not cut off in mid-swing, and plays what it held.
    assert np.abs(np.diff(rig.device.sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.02
    assert not rig.device.sound[-int(0.1 * RATE) :].any()
    # The new one goes on where the old one stopped.
    heard = second.sound[-BLOCK:, 0]
    at = 10 * BLOCK + int(0.01 * RATE)
    wave = tone(seconds=2.0)[0]
    places = [np.abs(wave[k : k + BLOCK] - heard).max() for k in range(at, at + 14 * BLOCK)]
    assert min(places) < 1e-3


def test_a_device_at_another_rate_goes_on_at_the_same_place(rig: Rig) -> None:
    ramp = np.linspace(0.0, 0.5, 2 * RATE, dtype=np.float32)[None]
    rig.player.play(ramp, RATE)
    rig.device.advance(40)
    rig.opener.refuse({RATE: 24_000})
    rig.player.set_device("headphones")
    rig.device.let_go()
    second = rig.opener.wait_for_output(1)
    second.advance(10)
    assert second.rate == 24_000
    reached = rig.device.sound.max()
    assert second.sound[-1, 0] == pytest.approx(reached, abs=0.06)
    assert second.sound[-1, 0] > reached - 0.005


def test_the_latency_is_the_persons_choice(rig: Rig) -> None:
    rig.player.play(tone(seconds=2.0), RATE)
    rig.device.advance(4)
    rig.player.set_latency(0.06)
    rig.device.let_go()
    second = rig.opener.wait_for_output(1)
    second.advance(4)
    assert rig.player.latency == 0.06
    assert rig.player.status().playing
    rig.player.set_latency(9.0)
    second.let_go()
    rig.opener.wait_for_output(2).advance(2)
    assert rig.player.latency == 0.35


def test_a_sound_at_another_rate_opens_the_device_at_that_rate(rig: Rig) -> None:
    rig.player.play(tone(seconds=0.05), RATE)
    rig.device.advance(10)
    rig.player.play(tone(rate=24_000), 24_000)
    rig.device.let_go()
    second = rig.opener.wait_for_output(1)
    assert second.rate == 24_000
    second.advance(8)
    np.testing.assert_array_equal(second.sound[:2000, 0], tone(rate=24_000)[0, :2000])


def test_a_sound_at_another_rate_takes_over_without_a_gap_while_one_sounds(rig: Rig) -> None:
    rig.player.play(tone(), RATE)
    rig.device.advance(10)
    rig.player.play(tone(rate=24_000), 24_000)
    rig.device.advance(20)
    assert len(rig.opener.outputs) == 1
    quiet = np.abs(rig.device.sound[:, 0]) < 1e-4
    assert np.convolve(quiet, np.ones(16), "valid").max() < 16
    after = rig.device.sound[12 * BLOCK :, 0]
    # A block may have been on its way when it was asked for.
    off = [np.abs(after - tone()[0, k : k + len(after)]).max() for k in (BLOCK, 2 * BLOCK)]
    assert min(off) < 2e-4


def test_swap_keeps_the_place_between_rates(rig: Rig) -> None:
    rig.player.play(tone(), RATE)
    rig.device.advance(10)
    rig.player.swap(tone(rate=24_000), 24_000)
    rig.device.advance(10)
    np.testing.assert_allclose(rig.device.sound[:, 0], tone()[0, : 20 * BLOCK], atol=2e-4)


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
        rig.opener.wait_for_output().wait_closed()  # while it sounds, another rate would not open it anew
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
