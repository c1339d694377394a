from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from igm_gui.engine.audio.live import LEAD, MOST_LEAD, LiveStream, one_torch_thread
from igm_gui.engine.audio.player import Player
from igm_gui.engine.audio.sound import SoundEngine
from igm_gui.engine.audio.status import block_for
from igm_gui.engine.audio.voices import LiveVoice
from igm_gui.errors import ModelError
from tests.engine.audio.fakes import RATE, WAIT, FakeOpener, FakeOutput, SineGenerator, tone

BLOCK = block_for(RATE)


class Rig:
    def __init__(self, rates: dict[int, int] | None = None, rate: int = RATE) -> None:
        self.opener = FakeOpener(rates)
        self.models = {"sine": SineGenerator(rate), "other": SineGenerator(rate)}
        self.loading = threading.Event()
        self.loading.set()
        self.player = Player(self.opener)  # type: ignore[arg-type]
        self.engine = SoundEngine(self.player, self._load)

    def _load(self, model: str) -> SineGenerator:
        assert self.loading.wait(WAIT)
        if model not in self.models:
            raise ModelError(f"There is no model called {model}.", "Choose another.")
        return self.models[model]

    def go(self, model: str = "sine", hertz: float = 440.0) -> FakeOutput:
        """Live, and ready."""
        self.engine.go_live(model, self.models[model].point(hertz))
        device = self.opener.wait_for_output()
        live = self.engine._live
        assert live is not None
        assert live.ready.wait(WAIT)
        self.hear(device, 16)  # the first tenth of a second fills the device with silence
        return device

    def hear(self, device: FakeOutput, blocks: int) -> np.ndarray:
        """The next ``blocks`` that the device takes, at a pace that the stream can follow: in the
        real world a device gives it ten milliseconds for each."""
        start = len(device.blocks)
        for _ in range(blocks):
            live = self.engine._live
            voice = live._voice if live is not None and live.ready.is_set() else None
            if voice is not None:
                self.wait_full(live.model, voice)
            device.advance()
        return np.concatenate(device.blocks[start:])

    def wait_full(self, model: str, voice: LiveVoice) -> None:
        """Wait until as much is made ahead as is aimed at, or nothing more comes."""
        made = self.models[model].made
        while voice.ring.fill < voice.lead and not (voice.ended or voice.cancelled):
            made.wait(0.01)
            made.clear()

    def close(self) -> None:
        self.loading.set()
        for output in self.opener.outputs:
            output.let_go()
        self.engine.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def pitch_of(sound: np.ndarray, rate: int = RATE) -> float:
    """Hz, from the phase advance of the strongest component."""
    x = sound[:, 0] * np.hanning(len(sound))
    spectrum = np.abs(np.fft.rfft(x, 1 << 19))
    return float(spectrum.argmax() * rate / (1 << 19))


def longest_silence(sound: np.ndarray) -> int:
    quiet = np.abs(sound).max(axis=1) < 1e-5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.view(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def test_a_stream_is_heard_without_gaps_or_clicks(rig: Rig) -> None:
    device = rig.go()
    sound = rig.hear(device, 60)
    assert pitch_of(sound) == pytest.approx(440, rel=1e-3)
    assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.02
    status = rig.engine.status()
    assert status.player.underruns == 0
    assert status.live is not None
    assert status.live.ready
    assert 0 < status.live.real_time_factor < 1
    assert status.player.latency <= 0.1 + LEAD + 2 * BLOCK / RATE


def test_the_newest_point_is_heard_within_the_latency(rig: Rig) -> None:
    device = rig.go()
    rig.hear(device, 10)
    for hertz in (500.0, 600.0, 880.0):
        rig.engine.move(rig.models["sine"].point(hertz))
    late = int(np.ceil(LEAD * RATE / BLOCK)) + 2
    rig.hear(device, late)
    assert pitch_of(rig.hear(device, 40)) == pytest.approx(880, rel=1e-3)


def test_moving_makes_no_click(rig: Rig) -> None:
    device = rig.go()
    start = len(device.blocks)
    for step in range(40):
        rig.engine.move(rig.models["sine"].point(440.0 + 10 * step))
        rig.hear(device, 1)
    sound = np.concatenate(device.blocks[start:])
    assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 2 * np.pi * 840 / RATE * 1.02
    assert rig.engine.status().player.underruns == 0


def test_stop_fades_and_ends_the_thread(rig: Rig) -> None:
    device = rig.go()
    stream = rig.engine._live
    assert stream is not None
    rig.engine.stop()
    stream.join(WAIT)
    assert not stream.alive
    device.advance(6)
    sound = device.sound
    assert not sound[-BLOCK:].any()
    assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.1


def test_stop_while_the_model_loads_starts_nothing(rig: Rig) -> None:
    rig.loading.clear()
    rig.engine.go_live("sine", rig.models["sine"].point())
    stream = rig.engine._live
    assert stream is not None
    rig.engine.stop()
    rig.loading.set()
    stream.join(WAIT)
    for output in rig.opener.outputs:
        output.let_go()
    assert not stream.alive
    assert not rig.engine.status().player.playing


def test_another_model_takes_over_without_silence(rig: Rig) -> None:
    device = rig.go()
    first = rig.engine._live
    start = len(device.blocks)
    rig.loading.clear()
    rig.engine.go_live("other", rig.models["other"].point(880.0))
    assert first is not None
    for _ in range(20):
        assert first._voice is not None
        rig.wait_full("sine", first._voice)
        device.advance()
    assert pitch_of(np.concatenate(device.blocks[start:])) == pytest.approx(440, rel=1e-2)
    rig.loading.set()
    second = rig.engine._live
    assert second is not None
    while not second.ready.is_set():
        rig.wait_full("sine", first._voice)
        device.advance()
    rig.hear(device, 12)
    late = rig.hear(device, 40)
    sound = np.concatenate(device.blocks[start:])
    assert pitch_of(late) == pytest.approx(880, rel=1e-3)
    assert longest_silence(sound) < 8
    first.join(WAIT)
    assert not first.alive


def test_playing_a_clip_ends_the_stream(rig: Rig) -> None:
    device = rig.go()
    stream = rig.engine._live
    rig.engine.play(tone(880.0), RATE)
    device.advance(6)
    assert rig.engine.live_model == ""
    assert stream is not None
    stream.join(WAIT)
    start = len(device.blocks)
    device.advance(30)
    assert pitch_of(np.concatenate(device.blocks[start:])) == pytest.approx(880, rel=1e-3)


def test_a_late_model_is_an_underrun_and_gets_more_lead(rig: Rig) -> None:
    device = rig.go()
    gate, stuck = threading.Event(), threading.Event()

    def wait() -> None:
        stuck.set()
        assert gate.wait(WAIT)

    rig.models["sine"].before_block = wait
    device.advance(2)
    assert stuck.wait(WAIT)
    device.advance(20)
    rig.models["sine"].before_block = lambda: None
    gate.set()
    live = rig.engine._live
    assert live is not None
    while live.status().lead <= LEAD:
        device.advance()
    rig.hear(device, 30)
    status = rig.engine.status()
    assert status.player.underruns == 1
    assert LEAD < live.status().lead <= MOST_LEAD
    assert device.sound[-BLOCK:].any()  # it goes on


def test_a_little_late_is_not_heard_while_the_device_holds_enough(rig: Rig) -> None:
    device = rig.go()
    device.held = 5.0
    gate, stuck = threading.Event(), threading.Event()

    def wait() -> None:
        stuck.set()
        assert gate.wait(WAIT)

    rig.models["sine"].before_block = wait
    device.advance(1)
    assert stuck.wait(WAIT)
    live = rig.engine._live
    assert live is not None
    assert live._voice is not None
    start = len(device.blocks)
    device.advance(live._voice.ring.fill // BLOCK)  # all that is there
    rig.models["sine"].before_block = lambda: None
    gate.set()
    device.advance(20)
    sound = np.concatenate(device.blocks[start:])
    assert live._voice.underruns == 0
    assert longest_silence(sound) < 8


def test_a_hard_model_makes_longer_blocks(rig: Rig) -> None:
    now = [0.0]

    def slow() -> None:
        now[0] += 0.4 * BLOCK / RATE

    rig.models["sine"].before_block = slow
    stream = LiveStream(
        rig.player, "sine", rig.models["sine"].point(), lambda name: rig.models[name], clock=lambda: now[0]
    )
    device = rig.opener.wait_for_output()
    assert stream.ready.wait(WAIT)
    assert stream._voice is not None
    for _ in range(200):
        rig.wait_full("sine", stream._voice)
        device.advance()
    status = stream.status()
    assert status.real_time_factor < 0.3  # 0.4 of a block of 512 is 0.2 of one of 1024
    assert status.lead >= 1.25 * 2 * BLOCK / RATE
    assert stream._voice.underruns == 0
    stream.stop()
    stream.join(WAIT)


def test_a_failing_model_ends_softly_with_a_sentence(rig: Rig) -> None:
    device = rig.go()
    stream = rig.engine._live
    assert stream is not None
    rig.models["sine"].fail = RuntimeError("a tensor of the wrong shape")
    device.advance(2)
    stream.join(WAIT)
    device.advance(20)
    assert not device.sound[-BLOCK:].any()
    error = rig.engine.take_error()
    assert isinstance(error, ModelError)
    assert "a tensor of the wrong shape" in error.message
    assert rig.engine.take_error() is None
    assert rig.engine.live_model == ""


def test_a_model_that_does_not_load_is_said(rig: Rig) -> None:
    rig.engine.go_live("nothing", rig.models["sine"].point())
    stream = rig.engine._live
    assert stream is not None
    stream.join(WAIT)
    error = rig.engine.take_error()
    assert error is not None
    assert "no model called nothing" in error.message


def test_a_device_that_refuses_the_rate_gets_it_resampled() -> None:
    rig = Rig({24_000: RATE}, rate=24_000)
    try:
        device = rig.go()
        sound = rig.hear(device, 80)
        assert device.rate == RATE
        assert pitch_of(sound) == pytest.approx(440, rel=1e-3)
        assert np.abs(np.diff(sound, axis=0)).max() < 0.5 * 2 * np.pi * 440 / RATE * 1.03
        assert rig.engine.status().player.underruns == 0
    finally:
        rig.close()


def test_another_device_while_live(rig: Rig) -> None:
    device = rig.go()
    rig.engine.set_device("headphones")
    device.let_go()
    second = rig.opener.wait_for_output(1)
    live = rig.engine._live
    assert live is not None
    while not live.ready.wait(0.01):
        second.advance()
    rig.hear(second, 24)  # ten blocks of silence fill the new device first
    assert second.name == "headphones"
    assert second.sound[-BLOCK:].any()


def test_a_shorter_latency_while_live_halves_the_lead_at_once(rig: Rig) -> None:
    device = rig.go()
    assert rig.engine.status().live.lead == LEAD  # type: ignore[union-attr]
    rig.engine.set_latency(0.06)  # the device is busy: it is changed after the block that it takes now
    assert rig.player.latency == 0.06
    assert rig.engine.status().live.lead == LEAD / 2  # type: ignore[union-attr]
    device.let_go()
    second = rig.opener.wait_for_output(1)
    live = rig.engine._live
    assert live is not None
    while not live.ready.wait(0.01):
        second.advance()
    rig.hear(second, 24)
    assert second.sound[-BLOCK:].any()


@pytest.mark.usefixtures("two_threads")
def test_one_torch_thread_is_for_the_caller_alone() -> None:
    import torch

    seen: dict[str, int] = {}

    def live_thread() -> None:
        one_torch_thread()
        seen["live"] = torch.get_num_threads()

    def later_thread() -> None:
        seen["later"] = torch.get_num_threads()

    for work in (live_thread, later_thread):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == {"live": 1, "later": 2}
    assert torch.get_num_threads() == 2


def test_a_decoder_of_long_steps_is_not_called_late(rig: Rig) -> None:
    """Four blocks at once in 1.2 blocks' time, then three for nothing: 0.3, also at worst."""
    now, count = [0.0], [0]

    def in_steps() -> None:
        count[0] += 1
        now[0] += 1.2 * BLOCK / RATE if count[0] % 4 == 0 else 0.0

    rig.models["sine"].before_block = in_steps
    stream = LiveStream(
        rig.player, "sine", rig.models["sine"].point(), lambda name: rig.models[name], clock=lambda: now[0]
    )
    device = rig.opener.wait_for_output()
    assert stream.ready.wait(WAIT)
    assert stream._voice is not None
    for _ in range(60):
        rig.wait_full("sine", stream._voice)
        device.advance()
    status = stream.status()
    assert status.real_time_factor == pytest.approx(0.3, abs=0.15)
    assert status.worst_factor < 0.6
    stream.stop()
